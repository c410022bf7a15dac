"""What a long conversation leaves behind: memory, open files, threads and temporary files of the server.

    python -m benchmarks.leaks [--turns 50] [--uploads 5] [--deletions 10] [--rounds 3]

starts the application with a home and a temporary folder of its own, lets Chromium ask, add and delete, and prints each
figure after a warm-up and after each round of all that, every time without an open page. What caches and threads take
is taken in the first rounds (memory still rises until some hundred questions were asked: look at 7 rounds of 20 turns);
what grows in every one is a leak. Loads the bundled models; takes minutes.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, expect, sync_playwright

from rag_app.web.server import TIDY_S

ROOT = Path(__file__).resolve().parents[1]
START_S = 300.0  # seconds the server may take to read the handbook
SETTLE_S = 3.0  # seconds without a change after which nothing more is thought to close once its page is gone
GIVEN_BACK_S = TIDY_S + SETTLE_S  # seconds until memory that was freed is given back
SETTLE_MOST_S = 60.0  # seconds to wait for that
PATIENCE_MS = 120_000
WARM_TURNS = 8
QUESTIONS = (
    "Which reranking models can I use?",
    "and which of them needs a GPU?",
    "How do I set a password?",
    "What happens to scanned pages?",
    "Who won the chess championship of Iceland?",
)
PDF = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n"
)


@dataclass(frozen=True, slots=True)
class State:
    """What a server holds."""

    memory_mb: int  # resident, not backed by a file
    files: int  # open, without connections and the library's
    library: int  # open files of library.db: two for each connection, and handles that SQLite keeps for the next
    connections: int
    threads: int
    temporary: int  # files in its temporary folder and on their way into its home


def state(pid: int, folders: Sequence[Path]) -> State:
    """The state of a process now; `folders` are where it may put files that should not stay."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    opened = [_target(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    connections = sum(target.startswith("socket:") for target in opened)
    library = sum(Path(target).name in ("library.db", "library.db-wal") for target in opened)
    return State(
        memory_mb=int(told["RssAnon"].split()[0]) // 1000,
        files=len(opened) - connections - library,
        library=library,
        connections=connections,
        threads=int(told["Threads"]),
        temporary=sum(file.is_file() for folder in folders if folder.is_dir() for file in folder.rglob("*")),
    )


def settled(pid: int, folders: Sequence[Path], first_s: float = 0.0) -> State:
    """The state of a process once it has closed what its last page left open, not before `first_s` seconds.

    The memory is the least that was seen meanwhile: what is free goes back at moments of the process's own choice.
    """
    seen, begun = [state(pid, folders)], time.monotonic()
    while time.monotonic() < begun + first_s + SETTLE_MOST_S:
        time.sleep(SETTLE_S)
        seen.append(state(pid, folders))
        before, now = seen[-2:]
        same = (before.files, before.connections, before.temporary) == (now.files, now.connections, now.temporary)
        if same and time.monotonic() > begun + first_s:
            break
    return replace(seen[-1], memory_mb=min(one.memory_mb for one in seen))


def _target(link: Path) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - a socket's target is no path
    except FileNotFoundError:
        return ""  # closed meanwhile


def sheet(words: str) -> bytes:
    """A PDF of one page that says `words`."""
    text = f"BT /F 12 Tf 72 720 Td ({words}) Tj ET".encode("ascii")
    return PDF % (len(text), text)


def converse(page: Page, address: str, turns: int) -> None:
    """Ask `turns` questions, one conversation, each answered to its end."""
    page.goto(address)
    for number in range(turns):
        question = f"{QUESTIONS[number % len(QUESTIONS)]} ({number + 1})"
        page.get_by_role("textbox", name="Question").fill(question)
        page.keyboard.press("Enter")
        expect(page.locator("#turns .question").last).to_have_text(question)
        expect(page.locator("#turns .answer").last).to_have_class("answer is-done")


def send(page: Page, address: str, names: Sequence[str]) -> None:
    """Send files through the page's picker; returns when each is in the queue."""
    page.goto(f"{address}/library")
    expect(page.locator(".library-search")).to_be_visible()
    for name in names:
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click()
        body = sheet(f"The lantern of {name} is inspected every second Tuesday by two keepers.")
        chooser.value.set_files({"name": name, "mimeType": "application/pdf", "buffer": body})
        expect(page.locator(".queue .job", has_text=name).first).to_be_visible()


def delete(page: Page, address: str, titles: Sequence[str]) -> None:
    """Delete documents one by one, with their receipts."""
    for title in titles:
        page.goto(f"{address}/library?q={title}")
        page.get_by_role("button", name=f"Delete {title}").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator("dialog.receipt")).to_contain_text("is deleted")


@contextmanager
def page_of(browser: Browser) -> Iterator[Page]:
    """A page with a browser of its own."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@contextmanager
def serving(home: Path, temporary: Path) -> Iterator[tuple[str, int]]:
    """The application over the handbook; gives its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    own = {"RAG_HOME": str(home), "RAG_PORT": str(port), "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "rag_app", "serve", "--handbook", str(ROOT / "docs_corpus")]
    process = subprocess.Popen(command, cwd=ROOT, env=kept | own)
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + START_S
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("The server did not come up; what it said stands above.")
            time.sleep(0.5)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _answers(address: str) -> bool:
    try:
        urlopen(f"{address}/healthz", timeout=5).close()  # noqa: S310 - our own server
    except (URLError, TimeoutError, ConnectionError):
        return False
    return True


def table(states: Sequence[State]) -> str:
    """The state after the warm-up and after each round, and what became more after the first of them."""
    rounds = "".join(f"{f'round {number}':>10}" for number in range(1, len(states)))
    rows = [f"{'':<14}{'warm':>10}{rounds}{'more since round 1':>22}"]
    for field, *values in zip(fields(State), *map(astuple, states), strict=True):
        told = "".join(f"{value:>10}" for value in values)
        rows.append(f"{field.name:<14}{told}{values[-1] - values[1]:>+22}")
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=50)
    parser.add_argument("--uploads", type=int, default=5)
    parser.add_argument("--deletions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    lacking = max(0, arguments.deletions - arguments.uploads)  # in each round
    stock = [f"stock{n}.pdf" for n in range(lacking * arguments.rounds)]
    expect.set_options(timeout=PATIENCE_MS)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        home, temporary = Path(folder) / "home", Path(folder) / "temporary"
        temporary.mkdir()
        watched = (temporary, home / "uploads", home / "incoming")
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        with serving(home, temporary) as (address, pid):
            with page_of(browser) as page:
                converse(page, address, WARM_TURNS)
                send(page, address, [*stock, "warm.pdf"])
                expect(page.locator(".queue .job.is-ready", has_text="warm.pdf")).to_be_visible()
                delete(page, address, ["warm"])
            states = [settled(pid, watched, GIVEN_BACK_S)]
            for number in range(arguments.rounds):
                sent = [f"sent{number}x{n}.pdf" for n in range(arguments.uploads)]
                old = stock[lacking * number : lacking * (number + 1)]
                with page_of(browser) as page:
                    converse(page, address, arguments.turns)
                    send(page, address, sent)
                    for name in sent:
                        expect(page.locator(".queue .job.is-ready", has_text=name)).to_be_visible()
                    delete(page, address, [Path(name).stem for name in (*old, *sent)][: arguments.deletions])
                states.append(settled(pid, watched, GIVEN_BACK_S))
        browser.close()
    print(f"in each round: {arguments.turns} turns, {arguments.uploads} uploads, {arguments.deletions} deletions\n")
    print(table(states))


def _chromium() -> str:
    import shutil

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable"))), None)
    if found is None:
        raise SystemExit("No Chromium was found. Install one (apt-get install chromium) and run this again.")
    return found


if __name__ == "__main__":
    main()

"""Tell how quick the pages are with many documents, many turns and many conversations.

    python -m benchmarks.long_lists [--documents 10000] [--turns 1000] [--conversations 1000] [--times 7]

fills a home of its own, serves it, and lets headless Chromium do what a reader does, several times each. Prints medians
in milliseconds from the act to what it shows. Answers come from no model: how long those take is benchmarks/chat.py's
to tell.
"""

import argparse
import shutil
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.chat import BROWSERS, PATIENCE_MS, serving_desk
from benchmarks.made import RECIPE, SPACE, document
from ingest.home import Home
from ingest.library import Library
from ingest.library.rows import show, store, store_vectors
from ingest.settings import Settings as IngestSettings
from rag_app.app_database import AppDatabase
from rag_app.build import build
from rag_app.commands.desk import desk
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.records import Answer, Citation, Sentence, Stage, Support, Turn
from rag_app.settings import Settings
from rag_app.suggestions import Suggestions

TEXT = "The notice period is three months from the first day of the following month, in writing, to the office."
WIDTH = 384  # of a vector
Act = Callable[[], None]


def fill(library: Library, embedder: str, count: int) -> None:
    """Store `count` documents of one passage, in one transaction."""
    vector = np.full((1, WIDTH), WIDTH**-0.5, dtype=np.float32)
    with library.database.writing() as connection:
        for number in range(count):
            one, chunks = document(f"Report {number:05} on plants", [TEXT])
            store(connection, replace(one, pages=number % 97 + 1), RECIPE, chunks)
            store_vectors(connection, one.id, embedder, 0, vector)
            show(connection, one.id)
            connection.execute(
                "INSERT INTO names(space, path, document_id, size, mtime_ns) VALUES(?,?,?,?,1)",
                (SPACE, one.path, one.id, one.size),
            )


def answer(question: str) -> Answer:
    """An answer of two sentences with a source each."""
    sources = tuple(Citation(n, f"{n:032x}", "Handbook", "h.pdf", n, "", TEXT, TEXT, 0.9, n, 0) for n in (1, 2))
    sentences = tuple(Sentence(TEXT, (n,), Support.SUPPORTED) for n in (1, 2))
    return Answer(question, question, Stage.DONE, f"{TEXT} [1] {TEXT} [2]", citations=sources, sentences=sentences)


async def ask(
    question: str,
    turns: Sequence[Turn],  # noqa: ARG001 - the desk's shape, as the rest
    *,
    rerank: bool = True,  # noqa: ARG001
    without: Collection[str] = (),  # noqa: ARG001
    spaces: Sequence[str] | None = None,  # noqa: ARG001
) -> AsyncIterator[Answer]:
    """Answer at once."""
    yield answer(question)


def talk(home: Path, browser: str, turns: int, conversations: int) -> str:
    """Many conversations of one turn and one of many, whose id is returned."""
    with closing(AppDatabase(home / "app.db")) as database:
        kept = Conversations(database)
        long = kept.begin(browser)
        for number in range(conversations + turns):
            place = kept.begin(browser) if number < conversations else long
            turn = kept.add(place, f"How long is the notice period in case {number}?")
            kept.save(replace(turn, state=TurnState.DONE, answer=stored(answer(turn.question))))
    return long


class Reader:
    """Does things on a page and waits for what they show."""

    def __init__(self, page: Page, address: str, conversation: str) -> None:
        self._page, self._address, self._conversation = page, address, conversation
        self._asked = 0

    def acts(self) -> dict[str, tuple[Act, Act]]:
        """What is timed, by its name: what comes before it, and the act with what it shows."""
        return {
            "library: open": (self._away, self._library),
            "library: search": (self._library, self._search),
            "library: sort by pages": (self._library, self._sort),
            "library: next 50": (self._library, self._later),
            "conversation: open": (self._away, self._converse),
            "conversation: 20 earlier turns": (self._converse, self._earlier),
            "conversation: a question": (self._converse, self._ask),
            "new conversation: a question": (self._anew, self._ask),
            "conversations: search all": (self._converse, self._find),
            "conversation: export as Markdown": (self._converse, self._export),
        }

    def _open(self, path: str) -> None:
        self._page.goto(self._address + path)

    def _away(self) -> None:
        self._open("/healthz")

    def _library(self) -> None:
        self._open("/library")
        expect(self._page.locator(".documents tbody tr")).to_have_count(50)

    def _search(self) -> None:
        self._page.get_by_role("searchbox", name="Search the documents").fill("report 0042")
        expect(self._page.locator(".documents tbody tr")).to_have_count(10)

    def _sort(self) -> None:
        self._page.get_by_role("button", name="Pages", exact=True).click()
        expect(self._page.locator("th[aria-sort]")).to_contain_text("Pages")

    def _later(self) -> None:
        self._page.get_by_role("button", name="Later").click()
        expect(self._page.get_by_text("51 to 100 of")).to_be_visible()

    def _converse(self) -> None:
        self._open(f"/?c={self._conversation}")
        expect(self._page.locator("#turns .question")).to_have_count(20)

    def _anew(self) -> None:
        self._open("/?c=new")
        expect(self._page.locator(".welcome")).to_be_visible()

    def _earlier(self) -> None:
        self._page.locator("[data-earlier]").click()
        expect(self._page.locator("#turns .question")).to_have_count(40)

    def _ask(self) -> None:
        self._asked += 1
        question = f"And the {self._asked}th more?"
        self._page.get_by_role("textbox", name="Question").fill(question)
        self._page.keyboard.press("Enter")
        expect(self._page.locator("#turns .question").last).to_have_text(question)
        expect(self._page.locator("#turns .answer").last).to_have_class("answer is-done")

    def _find(self) -> None:
        self._page.get_by_role("searchbox", name="Search conversations").fill("in case 7?")
        expect(self._page.locator("#history .conversation")).to_have_count(1)

    def _export(self) -> None:
        text = self._page.request.get(f"{self._address}/conversations/{self._conversation}.md").text()
        if "How long is the notice period" not in text:
            raise SystemExit("The export holds no question.")


def timed(before: Act, act: Act, times: int) -> list[float]:
    """Milliseconds of each of so many."""
    spent = []
    for _ in range(times):
        before()
        begun = time.perf_counter()
        act()
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


def main() -> None:
    """Fill, serve, read and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=1_000)
    parser.add_argument("--conversations", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=7)
    arguments = parser.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").prepare().folder
        application = build(replace(Settings.from_environment({}), ingest=IngestSettings(home=home)))
        parts = application.parts
        fill(parts.library, parts.library.fact("embedder") or "", arguments.documents)
        counter = replace(desk(application), ask=ask, suggestions=lambda spaces=None: Suggestions())  # noqa: ARG005
        with serving_desk(counter, home, port), sync_playwright() as playwright:
            path = next(filter(None, map(shutil.which, BROWSERS)), None)
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            address = f"http://127.0.0.1:{port}"
            page.goto(address)
            page.locator(".bar").wait_for()
            who = next(one["value"] for one in page.context.cookies() if one["name"] == "rag_browser").partition(".")[0]
            reader = Reader(page, address, talk(home, who, arguments.turns, arguments.conversations))
            print(f"{arguments.documents} documents, {arguments.turns} turns, {arguments.conversations} conversations")
            for name, (before, act) in reader.acts().items():
                spent = timed(before, act, arguments.times)
                print(f"{name:36}{statistics.median(spent):8.0f} ms, slowest {max(spent):6.0f} ms", flush=True)
            browser.close()


if __name__ == "__main__":
    main()

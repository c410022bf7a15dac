"""Pictures of every page, desktop and phone, light and dark, taken from the real application over the handbook.

    python scripts/screenshots.py [FOLDER] [--readme]

writes them into FOLDER (default: build/screenshots), and with --readme those of README.md, in fewer colours, into
docs/pictures. Needs Chromium; loads the bundled models and reads the handbook
into a home of its own, so it takes a minute or two.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from rag_app.web.header_html import PAGES

ROOT = Path(__file__).resolve().parents[1]
START_S = 300.0  # seconds the server may take to read the handbook
PATIENCE_MS = 60_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MEASURED = 20  # of the handbook's questions
PICTURES = {  # of README.md
    "answer": "ask-answer-desktop-light",
    "page": "page-desktop-light",
    "found": "how-found-desktop-dark",
    "phone": "evidence-phone-dark",
}
COLOURS = 128  # of a picture in README.md: text stays sharp and a page weighs a third
NAME, PASSWORD = "root", "three words in a row"
QUESTIONS = ("Which reranking models can I use?", "and which of them needs a GPU?")


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The application over the handbook, as a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    command = [sys.executable, "-m", "rag_app", "serve", "--handbook", str(ROOT / "docs_corpus")]
    given = kept | {"RAG_HOME": str(home), "RAG_PORT": str(port)}
    (home / "import" / "manuals").mkdir(parents=True)
    measure = [sys.executable, "-m", "rag_app", "evaluate", str(ROOT / "docs_corpus"), "--limit", str(MEASURED)]
    subprocess.run(measure, cwd=ROOT, env=given, check=True)  # for the Quality page
    process = subprocess.Popen(command, cwd=ROOT, env=given)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def register(home: Path) -> None:
    """Register somebody who may see every page; from then on all sign in."""
    given = os.environ | {"RAG_HOME": str(home)}
    command = [sys.executable, "-m", "rag_app", "people", "add", NAME, "--admin", "--password"]
    subprocess.run(command, cwd=ROOT, env=given, input=f"{PASSWORD}\n{PASSWORD}\n", text=True, check=True)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers. Raises SystemExit when it ends or takes too long."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urlopen(f"{address}/healthz", timeout=5).close()  # noqa: S310 - our own server
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
        else:
            return
    raise SystemExit("The server did not come up; what it said stands above.")


def ask(page: Page, question: str) -> None:
    """Ask and wait for the whole answer."""
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#turns .question").last).to_have_text(question)
    expect(page.locator(".answer").last).to_have_class("answer is-done")


class Album:
    """Takes the pictures of one size and scheme."""

    def __init__(self, page: Page, folder: Path, ending: str) -> None:
        self._page, self._folder, self._ending = page, folder, ending

    def take(self, name: str) -> None:
        """One picture, once fonts and page images are there."""
        self._page.evaluate("document.fonts.ready.then(() => true)")
        self._page.wait_for_function("[...document.images].every((image) => image.complete)")
        path = self._folder / f"{name}-{self._ending}.png"
        self._page.screenshot(path=path, animations="disabled", caret="hide")
        print(path)

    def fill(self, address: str, *, phone: bool) -> None:
        """What whoever is alone sees."""
        self._asking(address, phone=phone)
        self._found(phone=phone)
        self._library(address)

    def sign_in(self, address: str) -> None:
        """What those see besides who are registered: the door, and every page of the navigation."""
        page = self._page
        page.goto(f"{address}/login")
        self.take("login")
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".welcome")).to_be_visible()
        page.locator(".me > summary").click()
        self.take("signed-in")
        for name, path, _ in PAGES:
            page.goto(address + path)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            expect(page.locator(".bar nav")).to_be_visible()
            page.wait_for_load_state("networkidle")
            self.take(f"registered-{name.lower()}")
        page.goto(f"{address}/keys")
        self.take("keys")

    def _asking(self, address: str, *, phone: bool) -> None:
        page = self._page
        page.goto(address)
        expect(page.locator(".example")).to_have_count(3)
        self.take("ask-first")
        for question in QUESTIONS:
            ask(page, question)
        self.take("ask-answer")
        if phone:
            page.locator(".answer button.sources").last.click()
            expect(page.locator("#evidence .source").first).to_be_visible()
            self.take("evidence")
        page.locator("#evidence").get_by_role("button", name="Open page").first.click()
        expect(page.locator("dialog.page-view rect").first).to_be_visible()
        self.take("page")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.locator(".reply-answer").last.click()
        expect(page.locator("#reply-text")).to_be_visible()
        self.take("reply")
        page.keyboard.press("Escape")

    def _found(self, *, phone: bool) -> None:
        page = self._page
        page.locator(".found-answer").last.click()
        expect(page.locator("dialog.found-view").get_by_role("table")).to_be_visible()
        self.take("how-found")
        page.get_by_role("button", name="Both answers, side by side").click()
        expect(page.locator(".both")).to_be_visible()
        self.take("both-answers")
        page.keyboard.press("Escape")
        if phone:
            page.get_by_role("button", name="Conversations").click()
            expect(page.locator("#history .conversation").first).to_be_visible()
            self.take("conversations")

    def _library(self, address: str) -> None:
        page = self._page
        page.goto(f"{address}/library")
        expect(page.locator(".documents")).to_be_visible()
        self.take("library")
        page.get_by_role("button", name="Import a folder on the server").click()
        expect(page.locator("dialog.piece .folder-list")).to_be_visible()
        self.take("import")
        page.goto(f"{address}/quality")
        expect(page.locator("#quality .plot")).to_be_visible()
        self.take("quality")
        page.goto(f"{address}/settings")
        page.get_by_role("button", name="Check every part").click()
        expect(page.locator(".checks li").first).to_be_visible()
        page.evaluate("scrollTo(0, 0)")
        self.take("settings")


def photograph(browser: Browser, address: str, home: Path, folder: Path) -> None:
    """Every page in every size and scheme, each with a browser of its own; then what those see who are registered."""
    combinations = [(size, viewport, scheme) for size, viewport in SIZES.items() for scheme in SCHEMES]
    for registered in (False, True):
        if registered:
            register(home)
        for size, viewport, scheme in combinations:
            phone = size == "phone"
            context = browser.new_context(viewport=viewport, color_scheme=scheme, has_touch=phone)
            context.set_default_timeout(PATIENCE_MS)
            album = Album(context.new_page(), folder, f"{size}-{scheme}")
            if registered:
                album.sign_in(address)
            else:
                album.fill(address, phone=phone)
            context.close()


def keep(folder: Path) -> None:
    """Write the pictures of README.md anew."""
    from PIL import Image

    kept = ROOT / "docs" / "pictures"
    kept.mkdir(exist_ok=True)
    for name, taken in PICTURES.items():
        with Image.open(folder / f"{taken}.png") as picture:
            plain = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            plain.save(kept / f"{name}.png", optimize=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "screenshots")
    parser.add_argument("--readme", action="store_true", help="write those of README.md into docs/pictures")
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        raise SystemExit("No Chromium was found. Install one (apt-get install chromium) and run this again.")
    expect.set_options(timeout=PATIENCE_MS)
    with (
        TemporaryDirectory() as place,
        serving(home := Path(place) / "home") as address,
        sync_playwright() as started,
    ):
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        photograph(browser, address, home, folder)
        browser.close()
    if arguments.readme:
        keep(folder)


if __name__ == "__main__":
    main()

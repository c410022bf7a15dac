"""Tell how long a reader of the page waits, beside what the pipeline itself takes.

python -m benchmarks.chat [--questions FILE] [--count N] serves the handbook from a home of its own, asks N questions in
headless Chromium, each in a new conversation, and prints medians in milliseconds: from pressing Enter to the first
visible stage; to the first visible words of the answer; how long the pipeline itself took to those words; and what the
page adds, which is the difference of the two. Needs Chromium and playwright; browser and models share the processors.
"""

import argparse
import asyncio
import json
import shutil
import socket
import statistics
import threading
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from playwright.sync_api import Page, sync_playwright

from ingest.home import Home
from ingest.settings import Settings as IngestSettings
from rag_app.build import build
from rag_app.commands.desk import desk
from rag_app.commands.serve import add_handbook
from rag_app.records import Answer, Turn
from rag_app.settings import Settings
from rag_app.web.desk import Ask, Desk
from rag_app.web.server import create_app

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE_MS = 120_000
# Notes when Enter was pressed, when a new answer first showed a stage and when its first words.
WATCH = """() => {
  const seen = window.seen = {};
  const note = () => {
    if (!seen.asked) return;
    const answer = document.querySelector('#turns .answer') || document.querySelector('#asking .stage');
    if (!answer) return;
    if (!seen.stage && answer.textContent.trim()) seen.stage = performance.now() - seen.asked;
    const said = answer.querySelector('.said, .none-found');
    if (!seen.words && said && said.textContent.trim()) seen.words = performance.now() - seen.asked;
  };
  document.addEventListener('keydown', (event) => { if (event.key === 'Enter') seen.asked = performance.now(); }, true);
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


@dataclass(frozen=True, slots=True)
class Waited:
    """One question, in milliseconds."""

    stage: float  # to the first visible stage
    words: float  # to the first visible words
    pipeline: float  # of the pipeline alone, to the same words


class Stopwatch:
    """Asks as the desk does and notes when the first words were there."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.first_words = 0.0  # milliseconds, of the last question

    async def ask(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        """The growing answers, unchanged."""
        started, self.first_words = time.perf_counter(), 0.0
        async for answer in self._ask(question, turns, rerank=rerank, without=without, spaces=spaces):
            if not self.first_words and (answer.text or answer.abstained):
                self.first_words = (time.perf_counter() - started) * 1000
            yield answer


def waited(page: Page, address: str, question: str, watch: Stopwatch) -> Waited:
    """Ask one question in a new conversation and read the times off the page."""
    page.goto(f"{address}/?c=new")
    page.locator(".welcome").wait_for()
    page.evaluate(WATCH)
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".answer.is-done").wait_for()
    seen = page.evaluate("window.seen")
    return Waited(seen["stage"], seen["words"], watch.first_words)


def report(times: Sequence[Waited]) -> str:
    """Medians, and the slowest tenth, as lines."""

    def line(name: str, values: Sequence[float]) -> str:
        slow = statistics.quantiles(values, n=10)[-1] if len(values) > 1 else values[0]
        return f"{name:42}{statistics.median(values):8.0f} ms{slow:12.0f} ms"

    return "\n".join(
        [
            f"{len(times)} questions{'':31}median{'':6}slowest tenth",
            line("Enter to the first visible stage", [one.stage for one in times]),
            line("Enter to the first visible words", [one.words for one in times]),
            line("the pipeline itself, to its first words", [one.pipeline for one in times]),
            line("what the page adds", [one.words - one.pipeline for one in times]),
        ]
    )


@contextmanager
def serving(home: Path, port: int) -> Iterator[Stopwatch]:
    """The application over the handbook in a thread of this process; gives the watch that its answers go by."""
    folder = Home(home).prepare().folder
    application = build(replace(Settings.from_environment({}), ingest=IngestSettings(home=folder)))
    add_handbook(application, Path("docs_corpus"))
    application.warm()
    application.parts.index.open()
    counter = desk(application)
    watch = Stopwatch(counter.ask)
    try:
        with serving_desk(replace(counter, ask=watch.ask), folder, port):
            yield watch
    finally:
        application.parts.index.close()


@contextmanager
def serving_desk(counter: Desk, home: Path, port: int) -> Iterator[None]:
    """The pages over a desk in a thread of this process."""
    app = create_app(counter, home=home, port=port)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.1)
        yield
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, default=Path("docs_corpus/questions.jsonl"))
    parser.add_argument("--count", type=int, default=20)
    arguments = parser.parse_args()
    lines = arguments.questions.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines if line.strip()][: arguments.count + 1]
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as folder, serving(Path(folder) / "home", port) as watch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        times = [waited(page, f"http://127.0.0.1:{port}", question, watch) for question in questions]
        browser.close()
    print(report(times[1:]))  # the first one warms the browser up


if __name__ == "__main__":
    main()

"""A real server with a home of its own, and Chromium to look at it."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from conftest import chromium
from scripted_desk import answered

from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback

ROOT = Path(__file__).resolve().parents[2]
START_S = 240  # seconds a server may take to read the handbook and answer, on a busy machine
STOP_S = 120  # seconds it may take to end
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE_MS = 90_000  # milliseconds a page may take to show what a test waits for, on a busy machine
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
AXE = """async (rules) => {
  const options = { resultTypes: ['violations'], ...(rules ? { runOnly: { type: 'rule', values: rules } } : {}) };
  const { violations } = await axe.run(document, options);
  return violations.filter((one) => ['serious', 'critical'].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary}`));
}"""


def pytest_collection_modifyitems(items):
    """A browser on a machine that does much else besides is now and then late; what fails three times is a fault."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="module")  # Playwright holds this thread's event loop until it ends
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serving(home, **settings):
    """`rag serve` over `home` with the handbook, as a process of its own; gives its address."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    environment = kept | {"RAG_HOME": str(home), "RAG_PORT": str(port), "HF_HUB_OFFLINE": "1"} | settings
    command = [sys.executable, "-m", "rag_app", "serve", "--handbook", str(ROOT / "docs_corpus")]
    with (home.parent / f"{home.name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process, Path(log.name))
        yield address
    finally:
        process.terminate()
        process.wait(STOP_S)


def wait_for(address, process, log):
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urlopen(f"{address}/healthz", timeout=5).close()
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the server did not come up:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server that quotes, without a language model."""
    with serving(tmp_path_factory.mktemp("state") / "home") as address:
        yield address


@pytest.fixture
def opened(browser):
    """Opens pages; at the end, none of them may have asked elsewhere, failed in a script or broken the policy."""
    contexts, elsewhere, broken = [], [], []

    def open_page(address, path="/", until=".bar", **given):
        context = browser.new_context(**({"viewport": DESKTOP} | given))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('POLICY ' + e.blockedURI))"
        )
        origin = urlsplit(address).netloc
        context.on("request", lambda request: elsewhere.append(request.url) if outside(request.url, origin) else None)
        context.on("weberror", lambda error: broken.append(str(error.error)))
        context.on("console", lambda message: broken.append(message.text) if "POLICY" in message.text else None)
        page = context.new_page()
        page.goto(address + path)
        page.locator(until).wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert broken == []


@pytest.fixture(scope="module")
def axe():
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def checked(axe):
    """Looks at a page as it stands with axe-core: all rules in its own theme, the contrast in the other one."""
    from playwright.sync_api import expect

    found = []

    def check(page, state):
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme=scheme)
            if page.locator("body.login").count() == 0:  # small documents follow the system without a class
                expect(page.locator("body.dark")).to_have_count(1 if scheme == "dark" else 0, timeout=PATIENCE_MS)
            found.extend(f"{state}, {scheme}: {one}" for one in page.evaluate(AXE, rules))

    yield check
    assert found == []


def outside(url, origin):
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.netloc != origin


@pytest.fixture(scope="package")
def scripted(tmp_path_factory):
    """A server whose answers come from a script; no model is loaded."""
    server = ScriptedServer(tmp_path_factory.mktemp("scripted"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def full(tmp_path_factory):
    """A server with a full and hostile shelf, with figures and folders."""
    server = ScriptedServer(tmp_path_factory.mktemp("full"), "full_server.py")
    yield server
    server.stop()


class ScriptedServer:
    """Starts and steers scripted_server.py, or another that takes a home and a port."""

    def __init__(self, home, script="scripted_server.py"):
        self._script = script
        self._home = home
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self):
        """Begin to serve; also once more, after `kill`."""
        command = [sys.executable, str(Path(__file__).with_name(self._script)), str(self._home), str(self._port)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
        log = self._home / "log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=file, stderr=file, text=True, bufsize=1
            )
        wait_for(self.address, self._process, log)

    def hold(self):
        """Let no answer go on after its first words."""
        self._order("hold")

    def let_go(self):
        """Let answers go on."""
        self._order("go")

    def be_slow(self):
        """Let each step of an answer be seen."""
        self._order("slow")

    def be_quick(self):
        """Lose no time on the way to an answer."""
        self._order("quick")

    def look_for_questions(self):
        """Let questions to begin with be looked for."""
        self._order("look")

    def find_questions(self):
        """Let them be found."""
        self._order("found")

    def _order(self, order):
        """Give an order and wait until it is carried out; what the browser does next must not overtake it."""
        told = self._told(order)
        self._process.stdin.write(f"{order}\n")
        until = time.monotonic() + START_S
        while self._told(order) == told:
            assert time.monotonic() < until, f"the server does not carry out {order!r}"
            time.sleep(0.01)

    def _told(self, order):
        return (self._home / "log").read_text(errors="replace").splitlines().count(order)

    def kill(self):
        """End the process at once, as a machine that loses power would."""
        self._process.kill()
        self._process.wait(STOP_S)
        self._process.stdin.close()

    def lengthen(self, conversation, turns):
        """Add finished turns to a conversation, as if they had been asked."""
        database = AppDatabase(self._home / "app.db")
        conversations = Conversations(database)
        for number in range(turns):
            turn = conversations.add(conversation, f"Question {number}?")
            conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answered(turn.question))))
        database.close()

    def begin(self, browser, count):
        """Add so many conversations of one turn, as if they had been held."""
        database = AppDatabase(self._home / "app.db")
        conversations = Conversations(database)
        for number in range(count):
            turn = conversations.add(conversations.begin(browser), f"Question number {number}?")
            conversations.save(replace(turn, state=TurnState.DONE, answer=stored(answered(turn.question))))
        database.close()

    def times_asked(self, question):
        """How many turns of any conversation hold this question."""
        database = sqlite3.connect(f"file:{self._home / 'app.db'}?mode=ro", uri=True)
        ((count,),) = database.execute("SELECT COUNT(*) FROM turn WHERE question = ?", (question,))
        database.close()
        return count

    def verdicts(self, turn):
        """What readers have said of a turn so far."""
        database = AppDatabase(self._home / "app.db")
        given = [judgement for judgement in Feedback(database).given() if judgement.turn == turn]
        database.close()
        return given

    @property
    def pid(self):
        """The process, to be measured."""
        return self._process.pid

    def stop(self):
        """End the process."""
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait(STOP_S)

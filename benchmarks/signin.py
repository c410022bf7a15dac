"""How long a sign-in takes, and how quick the rest stays: python -m benchmarks.signin [--tries N] [--beside SECONDS].

Prints medians and the spread in milliseconds for names that are known and names that are not. The two lines should
differ by no more than their spread: the work is the same for every name, one argon2id verification.

`--beside` starts a server over the handbook instead and sends it, for so many seconds each: no attempts, 500 a minute
from one address, 500 a minute from an address and for a name of its own each (the most work there can be, since every
one is hashed), and none again. All the while one client asks for /healthz ten times a second and another one question
after another. For each part it prints p50 and p95 of both, and what became of the attempts. Compare the parts of one
run with each other, on a machine that does nothing else.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.follow_ups import application
from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit
from rag_app.team.entrance import Entrance, NotLetIn
from rag_app.team.keys import Keys
from rag_app.team.passwords import hashed
from rag_app.team.people import Roster
from rag_app.team.sessions import Invitations, Sessions

GIVEN = "three words in a row"
A_MINUTE = 500  # attempts
LIGHT_S = 0.1  # between two light requests
START_S = 120.0  # until the server has to answer
QUESTIONS = ("How do I make a backup?", "What does a fair match mean?", "How large may a file be?", "What is a space?")


def attempts(database: AppDatabase, names: list[str]) -> list[float]:
    """Milliseconds of a wrong attempt for each name, each from an address of its own."""
    entrance = Entrance(Roster(database), Sessions(database), Invitations(database), Audit(database))
    took = []
    for number, name in enumerate(names):
        started = time.perf_counter()
        try:
            entrance.sign_in(name, "wrong password", f"address {number}")
        except NotLetIn:
            took.append((time.perf_counter() - started) * 1000)
    return took


Attempt = Callable[
    [int], tuple[str, str]
]  # the number of an attempt -> the address it comes from and the name it tries


@dataclass
class Beside:
    """What was measured while one kind of attempts came in."""

    light: list[float] = field(default_factory=list)  # milliseconds, each request
    questions: list[float] = field(default_factory=list)
    attempts: Counter[int] = field(default_factory=Counter)  # status of the answer, 0 where none came in a minute

    def told(self, name: str) -> str:
        """One line of the table."""
        cells = [f"{_cut(times, 50):9.0f} {_cut(times, 95):9.0f}" for times in (self.light, self.questions)]
        came = ", ".join(f"{count} x {status}" for status, count in sorted(self.attempts.items())) or "none"
        return f"{name:<20}{cells[0]}   {cells[1]}   {len(self.questions):5}   {came}"


def _cut(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] if len(times) > 1 else float("nan")


def sent(port: int, method: str, path: str, *, body: str = "", address: str = "", **headers: str) -> tuple[int, float]:
    """The status of the answer to a request from a loopback `address`, and the milliseconds it took."""
    started = time.perf_counter()
    source = (address, 0) if address else None
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=source)) as connection:
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        answer.read()
    return answer.status, (time.perf_counter() - started) * 1000


class Clients:
    """One that asks for little, one that asks questions, and those who try to sign in, for some seconds."""

    def __init__(self, port: int, key: str, seconds: float) -> None:
        self._port, self._key = port, key
        self._until = time.monotonic() + seconds
        self.found = Beside()

    def run(self, attempt: Attempt | None) -> Beside:
        """What was measured while attempts, each from the address and for the name of its number, came in."""
        running = [threading.Thread(target=one) for one in (self._light, self._questions)]
        for number in itertools.count():
            for thread in running[-1:] if number else running:
                thread.start()
            if attempt is None or self._over():
                break
            running.append(threading.Thread(target=self._try, args=attempt(number)))
            time.sleep(60 / A_MINUTE)
        for thread in running:
            thread.join()
        return self.found

    def _over(self) -> bool:
        return time.monotonic() >= self._until

    def _light(self) -> None:
        while not self._over():
            self.found.light.append(sent(self._port, "GET", "/healthz")[1])
            time.sleep(LIGHT_S)

    def _questions(self) -> None:
        carried = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        for question in itertools.cycle(QUESTIONS):
            if self._over():
                return
            status, took = sent(self._port, "POST", "/api/ask", body=json.dumps({"question": question}), **carried)
            assert status == 200, status  # noqa: PLR2004 - OK
            self.found.questions.append(took)

    def _try(self, address: str, name: str) -> None:
        body = urlencode({"name": name, "password": "wrong password"})
        carried = {"content-type": "application/x-www-form-urlencoded"}
        try:
            status, _ = sent(self._port, "POST", "/login", body=body, address=address, **carried)
        except TimeoutError:
            status = 0  # not answered at all
        self.found.attempts[status] += 1


@contextmanager
def serving(home: Path, port: int) -> Iterator[None]:
    """A server over a home, as a process of its own."""
    environment: Mapping[str, str] = {**os.environ, "RAG_HOME": str(home), "RAG_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "rag_app", "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_S
        while not _is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("The server did not start.")
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait()


def _is_up(port: int) -> bool:
    try:
        return sent(port, "GET", "/readyz")[0] == 200  # noqa: PLR2004 - OK
    except OSError:
        return False


def measure_beside(seconds: float, port: int) -> None:
    """Print how quick light requests and questions are without attempts and with them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        application(home).parts.index.close()
        with closing(AppDatabase(home / "app.db")) as database:
            person = Roster(database).add("root", password=hashed(GIVEN), administrator=True).id
            key = Keys(database).add("benchmark", person=person)[1]
        kinds: Mapping[str, Attempt | None] = {
            "no attempts": None,
            "from one address": lambda number: ("127.0.0.2", f"name {number}"),
            "from many addresses": lambda number: (f"127.1.{number // 250}.{1 + number % 250}", f"somebody {number}"),
            "no attempts again": None,
        }
        with serving(home, port):
            Clients(port, key, min(seconds, 5.0)).run(None)  # warm
            print(f"{'':<20}{'/healthz p50':>12} {'p95':>6}   {'question p50':>12} {'p95':>6}   count   attempts")
            for name, attempt in kinds.items():
                print(Clients(port, key, seconds).run(attempt).told(name), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=50, help="attempts of each kind (default 50)")
    parser.add_argument("--beside", type=float, default=0.0, metavar="SECONDS", help="how quick a server stays")
    parser.add_argument("--port", type=int, default=7879, help="of that server")
    arguments = parser.parse_args()
    if arguments.beside:
        measure_beside(arguments.beside, arguments.port)
        return
    tries = arguments.tries
    with tempfile.TemporaryDirectory() as folder, closing(AppDatabase(Path(folder) / "app.db")) as database:
        kept, roster = hashed(GIVEN), Roster(database)
        for number in range(tries):
            roster.add(f"person {number}", password=kept, administrator=True)
        # One of each in turn, so that both meet the same machine.
        names = [f"{kind} {number}" for number in range(tries) for kind in ("person", "nobody")]
        took = attempts(database, names)
    for kind, times in (("known", took[::2]), ("unknown", took[1::2])):
        cuts = statistics.quantiles(times, n=10)
        print(f"{kind:<8} median {statistics.median(times):7.1f} ms   10 % {cuts[0]:7.1f}   90 % {cuts[-1]:7.1f}")


if __name__ == "__main__":
    main()

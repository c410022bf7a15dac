"""How long a sign-in takes for names that are known and names that are not: python -m benchmarks.signin [--tries N].

Prints medians and the spread in milliseconds. The two lines should differ by no more than their spread: the work is the
same for every name, one argon2id verification. Nothing of a library is touched.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

from rag_app.app_database import AppDatabase
from rag_app.team.audit import Audit
from rag_app.team.entrance import Entrance, NotLetIn
from rag_app.team.passwords import hashed
from rag_app.team.people import Roster
from rag_app.team.sessions import Invitations, Sessions

GIVEN = "three words in a row"


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=50, help="attempts of each kind (default 50)")
    tries = parser.parse_args().tries
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

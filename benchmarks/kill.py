"""Kill the program again and again, and see that nothing acknowledged is lost, doubled or half-visible.

    python -m benchmarks.kill [--kills 1000] [--seed 0]

Drives the real library, Chroma and tantivy. Every life recovers from the one before, is checked against what was
acknowledged, then adds, replaces, copies, cancels, removes, rebuilds and takes another model until it is killed: at
each failpoint of ingest/failpoints.py in turn, and every third at a random moment. Prints kills by failpoint; exit code
1 when anything was wrong.
"""

import argparse
import importlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kill_life import Plan, live
from ingest.failpoints import STEPS

AT_RANDOM = 3  # every third life is killed at a moment, the others at a failpoint
MEMORY = Path("/dev/shm")  # noqa: S108 - a death of the process loses there what it loses on a disk, and no more
LONGEST_S = 60.0  # a life that takes longer hangs


@dataclass
class Record:
    """What was acknowledged so far, and what the lives said."""

    names: dict[str, int] = field(default_factory=dict)  # name -> seed of its text
    doubt: tuple[str, int | None, bool] | None = None  # what was being done when the last life was killed
    wrong: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    sound: int = 0  # recoveries that were checked
    exact: int = 0  # of them, those without a sound generation, answered by the exact scan
    seconds: float = 0.5  # a life's usual length
    stopped: bool = False  # somebody asked for the end

    def stop(self) -> None:
        """Let this life be the last that is killed."""
        self.stopped = True

    def hear(self, line: str) -> None:
        """Take in one line of a life."""
        for kind, told in json.loads(line).items():
            if kind in {"begun", "accepted"}:
                self.doubt = (told[0], told[1], kind == "accepted")
            elif kind == "done":
                self.names = {name: seed for name, seed in self.names.items() if name != told[0]}
                self.names |= {} if told[1] is None else {told[0]: told[1]}
                self.doubt = None
            elif kind == "sound":
                self.names, self.doubt = dict(told), None
                self.sound += 1
            elif kind == "answering":
                self.exact += told == "exact"
            elif kind == "wrong":
                self.wrong.append(told)


def kill(folder: Path, kills: int, seed: int, steps: Sequence[str] = STEPS) -> Record:
    """Kill `kills` lives on the home in `folder`, see that the last one recovers too, and return the record."""
    importlib.import_module("chromadb")  # here, once, rather than in every fork
    record, dice, number = Record(), random.Random(seed), 0
    signal.signal(signal.SIGINT, lambda *_: record.stop())  # Ctrl+C: what was done by then still counts
    while record.kills.total() < kills and not record.wrong and not record.stopped:
        one_life(folder, record, _plan(dice, number, steps), dice)
        number += 1
    one_life(folder, record, Plan("", 0, group=False, early=False), dice, spare=True)
    return record


def _plan(dice: random.Random, number: int, steps: Sequence[str]) -> Plan:
    moments = number // AT_RANDOM if steps is STEPS else 0  # lives so far that were killed at a random moment
    at_random = steps is STEPS and number % AT_RANDOM == AT_RANDOM - 1
    step = "" if at_random else steps[(number - moments) % len(steps)]
    return Plan(step, dice.choice((0, 0, 0, 1, 2)), group=dice.random() < 0.5, early=dice.random() < 0.3)  # noqa: PLR2004


def one_life(folder: Path, record: Record, plan: Plan, dice: random.Random, *, spare: bool = False) -> None:
    """Let a program live until it is killed, or to its end with `spare`, and keep what it says."""
    reading, writing = os.pipe()
    seed = dice.getrandbits(40)
    sys.stdout.flush()
    life = os.fork()
    if life == 0:
        _run(folder, record, plan, seed, writing)
    os.close(writing)
    moment = None if plan.step or spare else dice.uniform(0, 1.2 * record.seconds)
    started = time.monotonic()
    told, killed = _listen(reading, life, moment, group=plan.group)
    _, status = os.waitpid(life, 0)
    code = os.waitstatus_to_exitcode(status)
    for line in told.splitlines():
        record.hear(line)
    ended = json.loads(told.splitlines()[-1]).get("ended") if told else None
    if code == -signal.SIGKILL or ended:
        record.kills[plan.step or "a random moment"] += 1
    elif code != 0 or ended is None:
        record.wrong.append(f"a life ended with {code} at {plan}" + (" after it hung" if killed and plan.step else ""))
    else:
        record.seconds = 0.8 * record.seconds + 0.2 * (time.monotonic() - started)


def _run(folder: Path, record: Record, plan: Plan, seed: int, writing: int) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        live(folder, record.names, record.doubt, plan, seed, writing)
        code = 0
    except BaseException as error:  # noqa: BLE001 - told to the driver, which ends there
        os.write(writing, json.dumps({"wrong": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        traceback.print_exc()
    finally:
        os._exit(code)


def _listen(reading: int, life: int, moment: float | None, *, group: bool) -> tuple[str, bool]:
    """Everything a life says, and whether it was killed from here: at `moment`, or because it hangs."""
    deadline = time.monotonic() + (LONGEST_S if moment is None else moment)
    told, killed = b"", False
    while True:
        left = deadline - time.monotonic()
        if left <= 0 and not killed:
            os.killpg(life, signal.SIGKILL) if group else os.kill(life, signal.SIGKILL)
            killed = True
        if select.select([reading], [], [], 1.0 if killed else left)[0]:
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            told += piece
        elif killed:
            break
    os.close(reading)
    whole = told[: told.rfind(b"\n") + 1]
    return whole.decode(), killed


def main(arguments: list[str] | None = None) -> int:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", action="append", choices=STEPS, help="kill at this step only; may be repeated")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        record = kill(Path(folder), options.kills, options.seed, options.step or STEPS)
    for step in (*STEPS, "a random moment"):
        print(f"{record.kills[step]:>6}  {step}")
    print(
        f"{record.kills.total()} kills, {record.sound} recoveries checked ({record.exact} answered by the exact scan), "
        f"{len(record.wrong)} wrong, {time.monotonic() - started:.0f} s, seed {options.seed}"
    )
    for sentence in record.wrong:
        print(f"WRONG: {sentence}")
    return 1 if record.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

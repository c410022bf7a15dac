"""Spoiled PDFs are added; `make fuzz` does the same with ten thousand."""

import os
import random
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import fuzz, fuzz_round
from benchmarks.fuzz_mutations import MUTATIONS, mutated
from benchmarks.fuzz_round import Application, Round
from benchmarks.fuzz_seeds import made

FINDINGS = Path(__file__).parent / "data" / "fuzz"
OPTIONS = fuzz.Options(count=6, first=0, seconds=None, jobs=1, seed=5, read_seconds=10, read_memory_mb=800)


@pytest.fixture(scope="module")
def seeds():
    return made()


@pytest.fixture
def application(tmp_path):
    opened = Application(tmp_path, seconds=10, memory_mb=800)
    yield opened
    opened.close()


@pytest.mark.slow
def test_two_hundred_spoiled_files_all_end_in_a_stated_state(tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--count", "200", "--seed", "3", "--findings", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout + told.stderr
    files, findings = re.search(r"^(\d+) files in .*; (\d+) findings", told.stdout, re.MULTILINE).groups()
    assert (files, findings) == ("200", "0")
    states = dict(reversed(row.split()) for row in re.findall(r"^ +\d+  \w+$", told.stdout, re.MULTILINE))
    assert set(states) <= {"ready", "refused", "no_text", "needs_password", "unchanged"}
    assert {"ready", "refused"} < set(states)


def test_every_finding_of_the_past_ends_in_a_stated_state(application, seeds):
    kept = [(file.name, file.read_bytes()) for file in sorted(FINDINGS.glob("*.pdf"))]

    ends = [application.take(file, name) for name, file in [*kept, ("prose.pdf", seeds["prose"])]]

    assert [wrong for _, wrong in ends if wrong] == []
    assert ends[-1][0].state == "ready"


@pytest.mark.slow
def test_seeds_are_sound_before_they_are_spoiled(application, seeds):
    ends = {name: application.take(file, f"{name}.pdf")[0].state for name, file in seeds.items()}

    others = {name: state for name, state in ends.items() if state != "ready"}
    assert others == {"pictures": "no_text", "packed pictures": "no_text", "needs a password": "needs_password"}
    assert application.damage() == ""


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_spoils_the_same_file_in_the_same_way(name, seeds):
    original, other = seeds["packed outline"], seeds["table"]

    spoiled = [MUTATIONS[name](original, other, random.Random(seed)) for seed in (1, 1, 2, 3, 4)]

    assert spoiled[0] == spoiled[1]
    assert len({original, *spoiled}) > 2


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("file", [b"x", b"%PDF-1.7", b"1 0 obj", b"stream\nx\nendstream", b"\x00" * 9])
def test_a_mutation_takes_any_file(name, file):
    for seed in range(20):
        assert isinstance(MUTATIONS[name](file, b"%PDF", random.Random(seed)), bytes)


def test_mutations_do_not_swell_a_file(seeds):
    large = seeds["table"] * (1 + (4 << 20) // len(seeds["table"]))

    sizes = [len(mutated(large, list(seeds.values()), random.Random(seed))[0]) for seed in range(10)]

    assert len(large) > 4 << 20 >= max(sizes)


def test_a_file_that_ends_the_process_is_a_finding_and_the_others_go_on(seeds, monkeypatch):
    def take(self, file, name):
        if name == "2.pdf":
            os.kill(os.getpid(), signal.SIGKILL)
        return None, ""

    monkeypatch.setattr(Application, "take", take)
    found = []

    tally = fuzz.fuzz(seeds, OPTIONS, found.append)

    assert [(state, number) for state, number, _ in tally.findings] == [("died", 2)]
    assert "ended with -9" in tally.findings[0][2]
    assert dict(tally.states) == {"raised": 5, "died": 1}
    assert found == tally.findings


def test_what_raises_or_ends_in_no_stated_state_is_a_finding(application, seeds, monkeypatch):
    ended = application.take(seeds["prose"], "a.pdf")
    monkeypatch.setattr(application._ingestion, "run", lambda job: 1 / 0)
    raised = application.take(seeds["table"], "b.pdf")
    monkeypatch.setattr(application._ingestion, "run", lambda job: job)
    waits = application.take(seeds["unicode"], "c.pdf")

    assert (ended[0].state, ended[1]) == ("ready", "")
    assert raised[0] is None
    assert "ZeroDivisionError" in raised[1]
    assert waits[1] == "It ended as waiting, which is no state of a file."


@pytest.mark.slow
def test_passages_that_are_lost_are_a_finding(application, seeds):
    application.take(seeds["prose"], "a.pdf")
    with application._library.database.writing() as connection:
        connection.execute("DELETE FROM chunks WHERE position = 0")

    assert "lacks 1 of" in application.damage()


def test_a_finding_is_kept_with_what_makes_it_again(tmp_path, seeds):
    text = fuzz.keep(tmp_path, seeds, 5, ("raised", 3, "Traceback"))

    file, how = fuzz_round.spoiled(seeds, 5, 3)
    assert text.with_suffix(".pdf").read_bytes() == file
    assert text.read_text().splitlines() == ["--seed 5 --first 3 --count 1", how, "raised", "Traceback"]


def test_a_run_ends_with_its_time(seeds, monkeypatch):
    tally = fuzz.fuzz(seeds, replace(OPTIONS, seconds=0.0, count=10_000), lambda _: None)

    assert tally.files < 10


@pytest.mark.slow
def test_a_round_takes_the_files_it_is_given(tmp_path, seeds):
    said = []

    fuzz_round.run(tmp_path, seeds, Round(5, range(7, 9), 10, 800), lambda *told: said.append(told))

    assert [(state == "begun", number) for state, number, _ in said] == [
        (True, 7), (False, 7), (True, 8), (False, 8), (False, 8),
    ]  # fmt: skip
    assert [wrong for *_, wrong in said if wrong] == []

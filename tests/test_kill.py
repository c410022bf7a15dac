"""The program is killed at every step and at random moments; `make kill` does the same a thousand times."""

import re
import subprocess
import sys

import pytest

from ingest import failpoints

KILLS = 40


@pytest.mark.slow
def test_forty_kills_lose_double_and_hide_nothing():
    kills, recoveries, _ = killed(KILLS, "--seed", "11")

    assert kills == KILLS
    assert recoveries > KILLS / 2


@pytest.mark.slow
def test_a_rebuild_killed_at_any_of_its_steps_loses_nothing():
    steps = [step for step in failpoints.STEPS if step.partition(".")[0] in {"renewal", "switch", "recut", "drop"}]

    kills, _, told = killed(10, "--seed", "3", *(word for step in steps for word in ("--step", step)))

    reached = re.findall(r"^ +[1-9]\d*  ([a-z]+\.[a-z]+)$", told, re.MULTILINE)
    assert len(steps) == 8
    assert kills == 10
    assert set(reached) <= set(steps)
    assert len(reached) >= 4


def killed(number, *words):
    """Kills, recoveries and all that was told of a run in which nothing was wrong."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill", "--kills", str(number), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    found = re.search(r"^(\d+) kills, (\d+) recoveries checked .* 0 wrong", told.stdout, re.MULTILINE)
    return int(found[1]), int(found[2]), told.stdout


def test_every_step_that_is_listed_is_in_the_program_and_the_other_way_round():
    found = subprocess.run(
        ["grep", "-rhoE", r'failpoints\.reached\("[a-z.]+"\)', "ingest", "rag_app"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert set(re.findall(r'"([a-z.]+)"', found.stdout)) == set(failpoints.STEPS)


def test_a_step_that_is_not_listed_cannot_be_armed():
    with pytest.raises(ValueError, match=r"'no\.step' is not a step"):
        failpoints.arm("no.step")

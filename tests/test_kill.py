"""The program is killed at every step and at random moments; `make kill` does the same a thousand times."""

import re
import subprocess
import sys

import pytest

from ingest import failpoints

KILLS = 40


@pytest.mark.slow
def test_forty_kills_lose_double_and_hide_nothing():
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill", "--kills", str(KILLS), "--seed", "11"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout + told.stderr
    kills, recoveries = re.search(
        r"^(\d+) kills, (\d+) recoveries checked .* 0 wrong", told.stdout, re.MULTILINE
    ).groups()
    assert int(kills) == KILLS
    assert int(recoveries) > KILLS / 2


def test_every_step_that_is_listed_is_in_the_program_and_the_other_way_round():
    found = subprocess.run(
        ["grep", "-rhoE", r'failpoints\.reached\("[a-z.]+"\)', "ingest", "rag_app"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert set(re.findall(r'"([a-z.]+)"', found.stdout)) == set(failpoints.STEPS)


def test_a_step_that_is_not_listed_cannot_be_armed():
    with pytest.raises(ValueError, match=r"'no\.step' is not a step"):
        failpoints.arm("no.step")

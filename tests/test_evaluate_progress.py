"""What a long evaluation says of itself on stderr."""

import re

import pytest

from rag_app.evaluate.progress import Progress, told_time


def test_each_line_says_what_is_done_and_how_long_the_rest_takes(capsys):
    progress = Progress("Reranking pairs", 2000, every_s=0)

    progress.add(500)
    progress.add(1500)
    progress.end()

    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"Reranking pairs: 500 of 2,000, about \d+ s left\nReranking pairs: 2,000 in \d+ s\n", told.err)


def test_work_that_was_done_before_is_not_spoken_of(capsys):
    Progress("Reranking pairs", 0).end()

    assert capsys.readouterr().err == ""


def test_lines_are_not_written_more_often_than_is_useful(capsys):
    progress = Progress("Reranking pairs", 2000, every_s=60)

    progress.add(1)
    progress.add(1)

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7260, "121 min 0 s")]
)
def test_times_are_told_for_people(seconds, told):
    assert told_time(seconds) == told

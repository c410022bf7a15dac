from dataclasses import replace

import pytest

from ingest.records import Job, JobState
from rag_app.team.wording import path_of
from rag_app.web.library_html import jobs_html
from rag_app.web.pace import Pace, left_words

READING = Job(1, "documents", "plan.pdf", "", JobState.READING, "", None, 0, 100, 0, 0, 0.0)
EMBEDDING = replace(READING, state=JobState.EMBEDDING, pages_done=100, chunks=400)
READY = replace(READING, id=9, state=JobState.READY, pages=10, chunks=40)


def test_nothing_is_told_before_a_speed_was_seen():
    pace = Pace()

    assert pace.left([EMBEDDING], 0.0) == {}
    assert pace.left([replace(EMBEDDING, chunks_done=10)], 0.5) == {}
    assert pace.left([EMBEDDING], 5.0) == {}


def test_embedding_is_told_from_its_own_speed():
    pace = Pace()
    pace.left([EMBEDDING], 0.0)

    assert pace.left([replace(EMBEDDING, chunks_done=100)], 10.0) == {1: pytest.approx(30)}
    assert pace.left([replace(EMBEDDING, chunks_done=300)], 20.0) == {1: pytest.approx(100 / 15)}


def test_reading_is_told_with_the_embedding_that_follows_where_its_speed_is_known():
    pace = Pace()
    pace.left([replace(EMBEDDING, id=2)], 0.0)
    pace.left([replace(EMBEDDING, id=2, chunks_done=100)], 10.0)
    assert pace.left([READING, READY], 20.0) == {}

    told = pace.left([replace(READING, pages_done=20), READY], 22.0)

    assert told == {1: pytest.approx(80 / 10 + 100 * 4 / 10)}


def test_a_step_starts_its_own_count_and_what_ended_is_forgotten():
    pace = Pace()
    pace.left([READING], 0.0)
    pace.left([replace(READING, state=JobState.CHUNKING)], 1.0)

    assert pace.left([replace(EMBEDDING, chunks_done=390)], 100.0) == {}
    assert pace.left([replace(EMBEDDING, state=JobState.READY)], 101.0) == {}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a few seconds left"),
        (7, "about 5 s left"),
        (58, "about 60 s left"),
        (61, "about 1 min left"),
        (600, "about 10 min left"),
        (7300, "about 2 h left"),
    ],
)
def test_time_is_told_no_more_exactly_than_it_is_known(seconds, words):
    assert left_words(seconds) == words


def test_an_approved_answer_is_called_so_and_not_by_the_number_of_its_file():
    identifier = "b" * 32

    shown = jobs_html([replace(READY, path=path_of(identifier))])

    assert "An approved answer" in shown
    assert identifier not in shown


def test_time_left_stands_beside_the_stage():
    assert "passage 0 of 400" in jobs_html([EMBEDDING], {1: 20.0})
    assert "about 20 s left" in jobs_html([EMBEDDING], {1: 20.0})
    assert "left" not in jobs_html([EMBEDDING])


def test_files_too_many_to_list_are_counted():
    assert "and 460 other files waiting" in jobs_html([EMBEDDING, READY], queued=461)
    assert "waiting" not in jobs_html([EMBEDDING, READY], queued=1)


@pytest.mark.parametrize("state", [JobState.REFUSED, JobState.NO_TEXT, JobState.NEEDS_PASSWORD, JobState.CANCELLED])
def test_what_did_not_go_in_can_be_tried_again(state):
    assert 'data-retry="1"' in jobs_html([replace(READING, state=state)])
    assert "data-retry" not in jobs_html([READING, READY])

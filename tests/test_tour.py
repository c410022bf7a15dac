"""The guided tour, measured on the real handbook with the model that ships."""

import pytest

from ingest.settings import Settings as IngestSettings
from rag_app.access import HANDBOOK
from rag_app.build import build
from rag_app.settings import Settings
from rag_app.tour import TOUR, compared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def pipeline(handbook_home):
    application = build(Settings(ingest=IngestSettings(home=handbook_home)))
    yield application.pipeline
    application.parts.index.close()


def test_the_tour_has_four_questions_that_change_and_ends_with_one_that_does_not():
    assert [stop.changes for stop in TOUR] == [True] * 4 + [False]


@pytest.mark.parametrize("stop", TOUR, ids=lambda stop: stop.question)
def test_reranking_does_what_the_tour_tells(pipeline, stop):
    """Where new weights change this, `python -m benchmarks.tour` finds other questions for rag_app/tour.py."""
    found = compared(pipeline.search(stop.question, spaces=[HANDBOOK]))

    assert found.changed == stop.changes

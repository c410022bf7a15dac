"""What is read of the candidates, and that what is left out could not have come first."""

from dataclasses import replace

import numpy as np
import pytest
from examples import make_hit
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.compute import Compute
from rag_app.rerank import calibration, cascade
from rag_app.rerank.cascade import BEST, FIRST, MOST, Cascade, read
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker
from rag_app.rerank.ranking import reranked_text

KNOWN = calibration.load(FOLDER)
WAY = Cascade(bias=-7.0, cosine=10.0, overlap=4.0, margin=2.5)
QUESTION = "How long is the notice period?"


def value(logit, seen):
    return KNOWN.value(logit, *seen)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.floats(-2.5, 2.5), st.floats(0, 0.6)), max_size=MOST),
)
def test_the_first_are_those_of_reading_everything_where_guesses_are_within_the_margin(drawn):
    seen = [(cosine, overlap) for cosine, overlap, _, _ in drawn]
    raised = [more for *_, more in drawn]
    logits = [WAY.guess(one) + error for one, (_, _, error, _) in zip(seen, drawn, strict=True)]
    whole = [value(logit, one) + more for logit, one, more in zip(logits, seen, raised, strict=True)]

    found = read(WAY, KNOWN, seen, range(len(seen)), lambda places: [logits[place] for place in places], raised=raised)

    best = sorted(whole, reverse=True)[:BEST]
    assert sorted(found.values, reverse=True)[:BEST] == pytest.approx(best)
    assert all(found.values[place] == whole[place] for place, one in enumerate(found.read) if one)


def test_what_cannot_come_among_the_first_is_not_read():
    seen = [(0.9 - 0.02 * place, 0.5) for place in range(40)]
    asked = []

    def score(places):
        asked.append(list(places))
        return [WAY.guess(seen[place]) for place in places]

    found = read(WAY, KNOWN, seen, range(40), score)

    assert asked[0] == list(range(FIRST))
    assert sum(found.read) == len([place for part in asked for place in part]) < 40
    assert found.read == sorted(found.read, reverse=True)
    assert max(own for own, one in zip(found.values, found.read, strict=True) if not one) < min(found.values[:BEST])


def test_where_nothing_parts_the_candidates_reading_ends_all_the_same_and_what_is_unread_is_not_among_the_first():
    seen = [(0.8, 0.5)] * 50

    found = read(WAY, KNOWN, seen, range(50), lambda places: [WAY.guess(seen[0]) - 2.0] * len(places))

    first = sorted(range(50), key=lambda place: -found.values[place])[:BEST]
    assert sum(found.read) == MOST
    assert all(found.read[place] for place in first)


def test_copies_count_once_among_the_first():
    seen = [(0.9 - 0.02 * place, 0.5) for place in range(40)]

    def score(places):
        return [WAY.guess(seen[place]) for place in places]

    apart = read(WAY, KNOWN, seen, range(40), score)
    alike = read(WAY, KNOWN, seen, [place // 4 for place in range(40)], score)

    assert sum(alike.read) > sum(apart.read)


def test_few_candidates_are_all_read():
    found = read(WAY, KNOWN, [(0.1, 0.0)] * FIRST, range(FIRST), lambda places: [0.0] * len(places))

    assert all(found.read)
    assert read(WAY, KNOWN, [], [], lambda places: []).values == []


def test_a_cascade_is_read_as_it_was_written(tmp_path):
    assert cascade.load(tmp_path) is None

    cascade.save(WAY, tmp_path)

    assert cascade.load(tmp_path) == WAY


# ---- in the reranker


@pytest.fixture(scope="module")
def bundled():
    return BundledReranker(Compute())


@pytest.fixture
def hits():
    texts = [f"Rule {place}: lunch is served at noon in canteen {place}." for place in range(39)]
    texts.insert(2, "Employees can leave three months after they have given notice.")
    return [
        replace(make_hit(text, name=str(place), relevance=None), cosine=0.8 - 0.015 * place, overlap=0.3)
        for place, text in enumerate(texts)
    ]


@pytest.mark.slow
def test_the_bundled_reranker_reads_no_more_than_it_needs(bundled, hits):
    ranked = bundled.rerank(QUESTION, hits)
    whole = bundled.ordered(hits, bundled.scores(QUESTION, [reranked_text(hit) for hit in hits]))

    read = [hit for hit in ranked if hit.relevance is not None]
    assert FIRST <= len(read) < len(hits)
    assert [hit.rerank_rank for hit in ranked] == list(range(1, len(hits) + 1))
    assert {hit.chunk.id for hit in ranked} == {hit.chunk.id for hit in hits}
    assert [hit.chunk.id for hit in ranked[:3]] == [hit.chunk.id for hit in whole[:3]]
    assert [hit.relevance for hit in ranked[:3]] == pytest.approx([hit.relevance for hit in whole[:3]], abs=0.01)


@pytest.mark.slow
def test_without_a_cosine_there_is_nothing_to_guess_from_and_all_is_read(bundled, hits):
    bare = [*hits[:-1], replace(make_hit("Rule", name="bare"), cosine=None)]

    assert all(hit.relevance is not None for hit in bundled.rerank(QUESTION, bare))


def test_a_model_for_which_no_cascade_was_fitted_reads_everything(bundled, hits, monkeypatch):
    monkeypatch.setattr(bundled, "_cascade", None)

    assert all(hit.relevance is not None for hit in bundled.rerank(QUESTION, hits))


def test_the_cascade_that_ships_expects_more_of_a_passage_that_is_nearer():
    way = cascade.load(FOLDER)

    assert way.margin > 0
    assert np.all(np.diff([way.guess((cosine, 0.2)) for cosine in (0, 0.3, 0.6)]) > 0)
    assert way.guess((0.3, 0.6)) > way.guess((0.3, 0.1))

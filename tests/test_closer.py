"""The closer look at a passage in doubt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import make_hit
from fakes import HashEmbedder

from rag_app.rerank.calibration import Calibration
from rag_app.rerank.closer import DOUBT, READ, CloserLook, parts

FERRY = (
    "Bicycles travel free of charge on weekdays after nine in the morning. At weekends a bicycle costs 3 crowns. "
    "Dogs must be kept on a lead and may not enter the saloon."
)
KNOWN = Calibration(
    bias=-5.0, logit=0.2, cosine=4.0, threshold=0.1, alone_bias=0.0, alone_logit=1.0,
    closer_bias=-1.0, closer_first=0.5, closer_part=0.6,
)  # fmt: skip


class Judge:
    """Reads how many words of the question a text has, by the real calibration."""

    def __init__(self, calibration=KNOWN):
        self._calibration = calibration
        self.read = []

    @property
    def looks_closer(self):
        return self._calibration.closer_part > 0

    def scores(self, question, texts):
        self.read += texts
        asked = set(question.lower().rstrip("?").split())
        return [8.0 * len(asked & set(text.lower().rstrip(".").split())) / len(asked) - 4.0 for text in texts]

    def closer(self, relevance, logits, cosines):
        return self._calibration.closer(relevance, max(map(self._calibration.part, logits, cosines)))


class Embedder(HashEmbedder):
    def embed_parts(self, texts):
        return np.asarray(self.embed(texts))


def looked(question, hits, judge=None):
    return CloserLook(judge or Judge(), Embedder()).look(question, hits)


def shown(text, relevance, *, used=True):
    return replace(make_hit(text), relevance=relevance, used=used)


def test_one_sentence_that_answers_lifts_a_passage_of_many_subjects():
    question = "may dogs enter the saloon?"
    answering, other = (looked(question, [shown(text, 0.02)])[0] for text in (FERRY, FERRY.replace("Dogs", "Boats")))

    assert answering.relevance > 0.02
    assert answering.relevance > other.relevance


def test_a_passage_beyond_doubt_is_not_read_again():
    judge = Judge()

    assert looked("may dogs enter?", [shown(FERRY, DOUBT)], judge)[0].relevance == DOUBT
    assert judge.read == []


def test_a_model_whose_calibration_knows_nothing_of_it_does_not_look_closer():
    judge = Judge(replace(KNOWN, closer_part=0.0))

    assert looked("may dogs enter?", [shown(FERRY, 0.02)], judge)[0].relevance == 0.02
    assert judge.read == []


def test_only_the_best_of_those_used_is_read_and_none_is_told_to_be_more_relevant():
    hits = [shown("A canteen opens at noon.", 0.2), shown(FERRY, 0.3), shown("Dogs may enter.", 0.4, used=False)]
    judge = Judge()

    told = looked("when does the ferry leave the harbour of the town?", hits, judge)

    assert all(part in FERRY or part.split(". ")[0] in FERRY for part in judge.read[:1])
    assert not any("canteen" in part for part in judge.read)
    assert all(one.relevance <= told[1].relevance for one in told)


def test_what_has_no_relevance_keeps_none_and_nothing_used_is_no_fault():
    assert looked("anything?", []) == []
    assert looked("anything?", [shown(FERRY, None)])[0].relevance is None


def test_parts_are_sentences_and_pairs_and_few_of_many_are_read():
    assert parts("One is here now. Two.") == ["One is here now.", "One is here now. Two."]
    assert parts("Dogs") == ["Dogs"]
    judge = Judge()

    looked("what is line 7?", [shown(" ".join(f"This is line {n} of it." for n in range(40)), 0.1)], judge)

    assert len(judge.read) == READ


@pytest.mark.parametrize("relevance", [0.0, 1.0])
def test_the_ends_of_the_scale_are_no_fault(relevance):
    assert 0 <= KNOWN.closer(relevance, 3.0) <= 1


def test_the_calibration_that_ships_looks_closer_and_rises_with_the_best_part():
    from rag_app.rerank.calibration import load

    shipped = load(Path(__file__).parents[1] / "rag_app" / "rerank" / "bundled")

    assert shipped.closer_part > 0
    assert shipped.closer(0.1, shipped.part(-6, 0.2)) < shipped.closer(0.1, shipped.part(2, 0.6))
    assert shipped.first_threshold is not None

"""How much of its title and heading a question names."""

from dataclasses import replace

import pytest
from examples import make_hit

from rag_app.naming import named, with_words
from rag_app.rerank.calibration import HEADING, TITLE, Calibration


def hit(title, heading="", text="Massage is paid for.", document="a" * 32):
    found = make_hit(text)
    return replace(
        found,
        document=replace(found.document, id=document, title=title),
        chunk=replace(found.chunk, document_id=document, heading=heading),
    )


PLUS = hit("Health_Plus_Benefits", "Benefits > Massage therapy", document="a" * 32)
STANDARD = hit("Health_Standard_Benefits", "Benefits > Acupuncture", document="b" * 32)


def test_only_what_tells_titles_and_headings_apart_counts():
    plus, standard = named("What does the Plus health plan pay for massages?", [PLUS, STANDARD])

    assert plus == (1.0, 0.5)  # "Plus" alone tells the titles apart; of "Massage therapy" one of two rare words
    assert standard == (0.0, 0.0)


def test_candidates_of_one_document_have_no_title_to_be_told_by():
    shares = named("Plus massage", [PLUS, replace(PLUS, chunk=replace(PLUS.chunk, heading="Acupuncture"))])

    assert [title for title, _ in shares] == [0.0, 0.0]
    assert [heading for _, heading in shares] == [0.5, 0.0]


@pytest.mark.parametrize("question", ["", "???", "What is the?", "Quanto costa?"])
def test_a_question_that_names_nothing_gives_nothing(question):
    assert named(question, [PLUS, STANDARD]) == [(0.0, 0.0), (0.0, 0.0)]


def test_without_candidates_there_is_nothing_to_name():
    assert with_words("Plus", []) == []


def test_hits_keep_their_order_and_get_both():
    first, second = with_words("Plus massage", [STANDARD, PLUS])

    assert (first.document, second.document) == (STANDARD.document, PLUS.document)
    assert second.named > first.named
    assert second.overlap is not None


def test_what_is_named_is_worth_its_logits_in_the_order():
    known = Calibration(0.0, 0.5, 1.0, 0.1, 0.0, 1.0)

    assert known.called(0.0, 0.0) == 0
    assert known.called(1.0, 1.0) == pytest.approx(0.5 * (TITLE + HEADING))

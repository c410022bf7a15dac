"""Training examples made by rule."""

import re
from random import Random

import pytest

from rag_app.train.contrasts import (
    cloze,
    frayed,
    keywords,
    other_number,
    sentence_group,
    somewhere,
    window,
    without_answer,
)
from rag_app.train.groups import Example
from rag_app.train.tables import tables

FACTS = [
    "The warranty of the pump lasts two years from delivery.",
    "It covers the motor and the housing but not the seals.",
    "Seals are replaced free of charge during the first 90 days.",
    "Send the pump to the workshop in Leeds with the form filled in.",
    "The workshop answers within five working days of arrival.",
    "Return postage is paid by us where the warranty applies.",
]
PASSAGE = " ".join(FACTS)


def example(answer: str, question: str = "How long are seals replaced free of charge?") -> Example:
    start = PASSAGE.index(answer)
    return Example("manual", question, "Pump", PASSAGE, (start, start + len(answer)))


@pytest.mark.parametrize("answer", ["two years", "first 90 days", "Return postage"])
@pytest.mark.parametrize("words", [5, 15, 30])
def test_window_keeps_the_sentence_that_answers_whole(answer, words):
    marked = example(answer)

    cut = window(PASSAGE, words, Random(1), marked.answer)

    sentence = next(fact for fact in FACTS if answer in fact)
    assert sentence in cut
    assert cut in PASSAGE
    assert len(cut.split()) <= words + max(len(fact.split()) for fact in FACTS)


def test_window_without_an_answer_is_the_beginning():
    assert window(PASSAGE, 15, Random(1), None) == " ".join(FACTS[:2])


def test_short_passage_stays_as_it_is():
    assert window(FACTS[0], 50, Random(1), None) == FACTS[0]


def test_somewhere_takes_whole_sentences():
    for seed in range(20):
        cut = somewhere(PASSAGE, 12, Random(seed))
        assert any(cut.startswith(fact) for fact in FACTS)
        assert any(cut.endswith(fact) for fact in FACTS)


def test_passage_without_its_answer_keeps_the_rest():
    left = without_answer(example("first 90 days"))

    assert left == " ".join(fact for fact in FACTS if "90 days" not in fact)


def test_every_sentence_with_the_answer_goes():
    left = without_answer(example("workshop"))

    assert left is not None
    assert "workshop" not in left


def test_nothing_is_left_of_a_short_passage():
    assert without_answer(Example("manual", "How long?", "", FACTS[0], (33, 42))) is None


def test_number_of_the_question_is_another_in_the_passage():
    asked = example("first 90 days", "Are seals free in the first 90 days?")

    changed = other_number(asked, Random(3))

    assert changed is not None
    assert "first 90 days" not in changed
    assert changed.replace(changed.split("first ")[1].split(" ")[0], "90") == PASSAGE


@pytest.mark.parametrize("question", ["How long are seals free?", "Are seals free for 12 days?"])
def test_number_that_is_not_shared_is_left(question):
    assert other_number(example("first 90 days", question), Random(3)) is None


def test_sentences_put_the_answering_one_first():
    group = sentence_group(example("first 90 days"), ["Pumps are shipped in crates made of pine wood."], Random(1), 6)

    assert group is not None
    assert group.texts[0] == FACTS[2]
    assert len(group.texts) == len(set(group.texts)) == 6
    assert all("90 days" not in text for text in group.texts[1:])


def test_sentences_need_enough_others():
    alone = Example("manual", "How long?", "", FACTS[0], (33, 42))

    assert sentence_group(alone, [], Random(1), 6) is None


@pytest.mark.parametrize(
    ("question", "typed"),
    [
        ("How do I reset the pump after an alarm?", "reset pump after alarm"),
        ("What is the voltage of the motor?", "voltage motor"),
    ],
)
def test_keywords_are_what_people_type(question, typed):
    assert keywords(question) == typed


def test_cloze_takes_a_sentence_out_of_its_passage():
    made = cloze(example("two years"), Random(2))

    assert made is not None
    assert made.question in FACTS
    assert made.question not in made.passage
    assert sorted([made.question, *(fact for fact in FACTS if fact in made.passage)]) == sorted(FACTS)


def test_frayed_part_keeps_itself_and_some_of_what_stands_around_it():
    part = FACTS[2]

    found = {frayed(PASSAGE, part, Random(seed)) for seed in range(30)}

    assert all(part in one and one in PASSAGE for one in found)
    assert len(found) > 5
    assert all(len(one.split()) <= len(part.split()) + 24 for one in found)


def test_right_table_alone_has_the_row_and_the_column_asked_for():
    for group in tables(150, Random(5), wrong=4):
        right, *wrong = (text.lower() for text in group.texts)
        rows = {line.split("|")[0].split("  ")[0].strip() for line in right.splitlines()}
        asked = [row for row in rows if row and row in group.question.lower()]
        years = re.findall(r"\b20\d\d\b", group.question)

        assert asked, group.question
        assert all(year in right for year in years)
        for text in wrong:
            assert not (all(row in text for row in asked) and all(year in text for year in years)) or not years


def test_tables_come_out_the_same_for_a_seed():
    assert tables(5, Random(1), 3) == tables(5, Random(1), 3) != tables(5, Random(2), 3)

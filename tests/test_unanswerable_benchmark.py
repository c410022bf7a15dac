"""The questions without an answer, and the library that they are asked of."""

from dataclasses import replace

from evaluation_sets import dataset

from benchmarks.unanswerable import ANSWERABLE, NEAR, OFF, REMOVED, halves, table, written
from rag_app.evaluate.records import Given, Question


def given(*, abstained, relevance):
    return Given(Question("1", "?", ()), abstained, relevance, (), (), (), (), ())


def test_fifty_of_each_kind_are_written_and_none_twice():
    kinds = written()

    assert {kind: len(own) for kind, own in kinds.items()} == {NEAR: 50, OFF: 50}
    assert len({question.text for own in kinds.values() for question in own}) == 100


def test_the_questions_of_articles_left_out_have_no_passage_in_the_library():
    made = dataset({"a": "one", "b": "two", "c": "three"}, {"about a": ["a"], "about b": ["b"], "both": ["a", "b"]})
    titled = [
        replace(passage, document=replace(passage.document, title=f"Article {passage.document.path}"))
        for passage in made.passages
    ]

    kept, removed = halves(replace(made, passages=tuple(titled)))

    assert [passage.document.path for passage in kept.passages] == ["a", "c"]
    assert [question.text for question in kept.questions] == ["about a"]
    assert [(question.text, question.targets) for question in removed] == [("about b", ())]


def test_table_tells_each_kind_and_all_together():
    kinds = {
        kind: [given(abstained=kind == NEAR, relevance=0.1), given(abstained=kind != ANSWERABLE, relevance=0.2)]
        for kind in (ANSWERABLE, REMOVED, NEAR, OFF)
    }

    told = {line[:20].strip(): line[20:].split() for line in table(kinds, 0.026).splitlines()[2:7]}

    assert told == {
        ANSWERABLE: ["2", "0.0%"],
        REMOVED: ["2", "50.0%"],
        NEAR: ["2", "100.0%"],
        OFF: ["2", "50.0%"],
        "unanswerable": ["6", "66.7%"],
    }

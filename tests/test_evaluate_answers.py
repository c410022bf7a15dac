"""What is answered from a data set: the figures by hand, and the whole line over small sets."""

import json

import pytest
from evaluation_sets import CountingReranker, beir, dataset, lines
from fakes import HashEmbedder, ScriptedGenerator

from ingest.errors import DatasetError
from rag_app.evaluate.answering import Answerers, KeptJudge, answered
from rag_app.evaluate.answers import answer_figures, as_json, curve, holds, token_f1
from rag_app.evaluate.datasets import read_beir
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.models import Models
from rag_app.evaluate.records import Answered, Given, Question
from rag_app.evaluate.report import report
from rag_app.evaluate.run import Plan, evaluate
from rag_app.evaluate.summary import summary
from rag_app.records import Support

PLAN = Plan(candidates=50, shown=2)
GOOD, BAD = Support.SUPPORTED, Support.UNSUPPORTED
TEXTS = {
    "notice": "The notice period is three months. It begins with the next month.",
    "hotel": "Hotels above 300 dollars a night need approval.",
    "fruit": "Bananas are yellow and bent.",
}


class Judge(CountingReranker):
    threshold = 0.3
    looks_closer = False

    def chances(self, scores):
        return list(scores)


def given(*, right=(), answers=("three months",), answerable=True, abstained=False, relevance=0.5, said=(), support=()):
    targets = (Target("notice", 1, 1.0),) if answerable else ()
    return Given(Question("1", "?", targets, answers), abstained, relevance, said, support, (), said, right)


def figures(*all_given):
    return as_json(answer_figures(Answered("extractive", "", 0.3, tuple(all_given)), 0))


def test_citations_are_counted_over_all_answers_and_refusals_count_against_the_text():
    found = figures(
        given(right=(True, False), said=("Notice is three months.", "Badges are blue."), support=(GOOD, BAD)),
        given(right=(False,), said=("Badges are blue.",), support=(GOOD,)),
        given(abstained=True),
        given(answerable=False, answers=(), right=(False, False), said=("Badges are blue.",), support=(GOOD,)),
        given(answerable=False, answers=(), abstained=True),
    )

    assert (found["citation_precision"], found["citation_recall"]) == (round(1 / 3, 4), 0.5)
    assert (found["answer_in_text"], found["answer_in_first"], found["answer_in_quotes"]) == (
        (round(1 / 3, 4), round(1 / 3, 4), round(1 / 3, 4))
    )
    assert (found["supported"], found["unsupported"], found["partly"]) == (0.75, 0.25, 0)
    assert (found["false_refusal"], found["abstention"]) == (round(1 / 3, 4), 0.5)
    assert found["of"]["citation_precision"] == 3
    assert found["ci95"]["abstention"][0] <= 0.5 <= found["ci95"]["abstention"][1]


def test_what_a_set_cannot_tell_is_left_out():
    found = figures(given(answers=(), abstained=True))

    assert "answer_in_text" not in found
    assert "abstention" not in found
    assert "citation_precision" not in found
    assert found["curve"][0]["abstention"] is None


def test_a_long_answer_is_not_looked_for():
    assert "answer_in_text" not in figures(given(answers=("word " * 13,), said=("word",), support=(GOOD,)))


def test_the_curve_tells_both_errors_at_each_threshold():
    points = curve(
        [
            *(given(relevance=value) for value in (0.2, 0.4, 0.6, 0.8)),
            *(given(relevance=value, answerable=False) for value in (0.1, 0.3)),
        ]
    )

    assert (points[0].threshold, points[0].false_refusal, points[0].abstention) == (0.2, 0.0, 0.5)
    assert (points[-1].threshold, points[-1].false_refusal, points[-1].abstention) == (0.8, 0.75, 1.0)


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("The notice is Three  Months.", "three months", True),
        ("It costs $5.6 million.", "$5.6 million.", True),
        ("It was in 2018.", "18", False),
        ("", "x", False),
        ("Something", ".", False),
    ],
)
def test_an_answer_is_held_as_whole_words(text, answer, expected):
    assert holds(text, answer) is expected


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [("The three months", "three months", 1.0), ("notice is three months", "three months", 2 / 3), ("no", "yes", 0.0)],
)
def test_token_f1_leaves_out_articles_and_punctuation(text, answer, expected):
    assert token_f1(text, answer) == pytest.approx(expected)


@pytest.fixture
def asked(tmp_path):
    def ask(made, endpoint=None, judge=None):
        judge = judge or Judge()
        models = Models(HashEmbedder(), judge, Kept(tmp_path))
        return answered(made, models, Answerers(KeptJudge(models, judge), KeptJudge(models, judge), endpoint), PLAN)

    return ask


def small():
    made = dataset(TEXTS, {"How long is the notice period": ["notice"], "hotels approval": ["hotel"]})
    return made.__class__(made.name, made.questions, made.passages, unanswerable=(Question("u", "Who sang", ()),))


def test_questions_are_answered_as_by_the_application(asked):
    found = asked(small())

    first, second, last = found.given
    assert found.mode == "extractive"
    assert first.sentences[0] == "The notice period is three months."
    assert (first.right[0], second.right, second.support) == (True, (True,), (GOOD,))
    assert (last.abstained, last.sentences, last.question.targets) == (True, (), ())


def test_a_second_time_nothing_is_scored(asked):
    first, judge = asked(small()), Judge()

    assert asked(small(), judge=judge) == first
    assert judge.pairs == []


def test_a_language_model_speaks_and_its_failures_are_counted(asked):
    spoken = asked(small(), ScriptedGenerator("Three months [1]. Bananas sing loudly [2]."))
    failed = asked(small(), ScriptedGenerator(fault="The endpoint is down."))

    assert (spoken.mode, spoken.model, spoken.fell_back) == ("openai_chat", "scripted", 0)
    assert BAD in spoken.given[0].support
    assert failed.fell_back == 2
    assert failed.given[0].sentences[0] == "The notice period is three months."


def test_a_beir_folder_may_say_answers_and_what_nothing_answers(tmp_path):
    folder = beir(tmp_path / "set")
    rows = [
        {"_id": "q1", "text": "How long is the notice period?", "answer": "three months"},
        {"_id": "q2", "text": "How much vacation do I get?", "answer": ["20 days", " "]},
        {"_id": "q7", "text": "Who is the king?", "answerable": False},
        {"_id": "q8", "text": "Forgotten?"},
    ]
    lines(folder / "queries.jsonl", rows)

    read = read_beir(folder)

    assert [question.answers for question in read.questions] == [("three months",), ("20 days",)]
    assert [question.text for question in read.unanswerable] == ["Who is the king?"]
    assert any("1 questions without a judgement" in notice for notice in read.notices)


@pytest.mark.parametrize("odd", [{"answer": 3}, {"answer": [1]}, {"answerable": "no"}])
def test_what_is_no_answer_names_its_line(tmp_path, odd):
    folder = beir(tmp_path / "set")
    lines(folder / "queries.jsonl", [{"_id": "q1", "text": "How?"}, {"_id": "q9", "text": "Who?", **odd}])

    with pytest.raises(DatasetError, match=r"queries.jsonl, line 2: 'answer(able)?' must be"):
        read_beir(folder)


def test_report_and_json_tell_the_answers(asked, tmp_path):
    models = Models(HashEmbedder(), Judge(), Kept(tmp_path))
    run = evaluate(small(), models, PLAN)
    run = run.__class__(*(getattr(run, name) for name in run.__slots__[:-1]), answered=asked(small()))

    page = report(run, summary(run), "today")

    assert "Quoted from the passages; 2 questions with an answer in the set and 1 without." in page
    assert "unanswerable questions refused" in page
    assert '<polyline class="curve"' in page
    assert json.dumps(as_json(summary(run).answers))

"""Six stages over small sets: what is ranked, what is kept, what is summed up."""

import numpy as np
import pytest
from evaluation_sets import CountingReranker, beir, dataset
from fakes import HashEmbedder

from ingest.errors import LibraryError
from rag_app.evaluate.datasets import read_beir
from rag_app.evaluate.kept import FILE, Kept, key
from rag_app.evaluate.models import Models
from rag_app.evaluate.records import STAGES
from rag_app.evaluate.run import Plan, evaluate, sampled
from rag_app.evaluate.summary import as_json, group_of, summary

PLAN = Plan(candidates=50, shown=3)
TEXTS = {
    "far": "bananas are yellow",
    "words": "the notice period notice period notice period of nothing at all in this long line of other words",
    "right": "three months of notice period",
    "other": "hotels need approval",
}
QUESTIONS = {"months notice period": ["right"], "hotels approval": ["other"], "unicorns": ["far"]}


@pytest.fixture
def small():
    return dataset(TEXTS, QUESTIONS)


@pytest.fixture
def models(tmp_path):
    return Models(HashEmbedder(), CountingReranker(), Kept(tmp_path))


def test_every_question_has_a_ranking_of_every_stage(small, models):
    run = evaluate(small, models, PLAN)

    assert [set(outcome.rankings) for outcome in run.outcomes] == [set(STAGES)] * 3
    assert [len(run.outcomes[0].rankings[stage].gains) for stage in STAGES] == [4, 2, 4, 4, 2, 4]


def test_reranking_orders_the_candidates_of_its_own_first_stage(small, models):
    outcome = evaluate(small, models, PLAN).outcomes[2]

    assert outcome.rankings["lexical"].gains == ()
    assert outcome.rankings["lexical+rerank"].gains == ()
    assert sum(outcome.rankings["dense+rerank"].gains) == 1


def test_each_candidate_is_scored_once_for_all_stages(small, models):
    evaluate(small, models, PLAN)

    assert len(models.reranker.pairs) == len(set(models.reranker.pairs)) == 12


def test_a_second_run_computes_nothing_and_finds_the_same(small, tmp_path):
    first = evaluate(small, Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), PLAN)
    reranker = CountingReranker()

    second = evaluate(small, Models(HashEmbedder(), reranker, Kept(tmp_path)), PLAN)

    assert (first.computed.vectors, first.computed.scores) == (7, 12)
    assert (second.computed.vectors, second.computed.scores) == (0, 0)
    assert reranker.pairs == []
    assert summary(second).stages == summary(first).stages


def test_another_reranker_is_scored_anew_over_the_same_vectors(small, tmp_path):
    evaluate(small, Models(HashEmbedder(), CountingReranker("one"), Kept(tmp_path)), PLAN)

    again = evaluate(small, Models(HashEmbedder(), CountingReranker("two"), Kept(tmp_path)), PLAN)

    assert (again.computed.vectors, again.computed.scores) == (0, 12)


def test_what_was_scored_before_a_failure_is_kept(small, tmp_path):
    class Breaking(CountingReranker):
        def scores(self, question, texts):
            if question == "hotels approval":
                raise OSError("gone")
            return super().scores(question, texts)

    with pytest.raises(OSError, match="gone"):
        evaluate(small, Models(HashEmbedder(), Breaking(), Kept(tmp_path)), PLAN)

    assert evaluate(small, Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), PLAN).computed.scores == 8


def test_equal_passages_keep_the_order_of_the_set_in_every_stage(tmp_path):
    same = dataset(dict.fromkeys("abcd", "notice period"), {"notice period": ["a"], "period notice": ["d"]})

    run = evaluate(same, Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), PLAN)

    assert {outcome.rankings[stage].gains for outcome in run.outcomes[:1] for stage in STAGES} == {(1, 0, 0, 0)}
    assert {outcome.rankings[stage].gains for outcome in run.outcomes[1:] for stage in STAGES} == {(0, 0, 0, 1)}


def test_the_joined_list_is_cut_to_the_candidates_of_the_settings(small, models):
    run = evaluate(small, models, Plan(candidates=2, shown=3))

    assert [len(run.outcomes[0].rankings[stage].gains) for stage in ("dense", "hybrid", "hybrid+rerank")] == [4, 2, 2]


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(small):
    questions = dataset(TEXTS, {f"question {n}": ["right"] for n in range(50)}).questions

    first, again, other = (sampled(questions, Plan(candidates=1, shown=1, limit=10, seed=s)) for s in (3, 3, 4))

    assert first == again != other
    assert len(first) == 10
    assert [int(question.id) for question in first] == sorted(int(question.id) for question in first)
    assert sampled(questions, Plan(candidates=1, shown=1, limit=99)) == list(questions)


def test_the_figures_are_means_with_their_intervals(small, models):
    told = as_json(run := evaluate(small, models, PLAN), summary(run))

    lexical, lift = told["stages"]["lexical"], told["lift"]["dense"]
    assert lexical["recall@50"] == pytest.approx(2 / 3, abs=1e-4)
    assert lexical["ci95"]["recall@50"] == [0, 1]
    assert lexical["ms"] > 0
    assert lift["ndcg@10"] == pytest.approx(
        told["stages"]["dense+rerank"]["ndcg@10"] - told["stages"]["dense"]["ndcg@10"], abs=2e-4
    )
    assert told["computed"] == {"vectors": 7, "scores": 12}


def test_questions_are_split_by_what_dense_made_of_them(tmp_path):
    texts = {f"filler {n}": f"notice period {n}" for n in range(60)} | {"lost": "bananas", "exact": "notice period"}
    asked = dataset(texts, {"notice period": ["exact"], "period 7 notice 8": ["exact"], "period notice": ["lost"]})

    run = evaluate(asked, Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), PLAN)

    assert [group_of(outcome) for outcome in run.outcomes] == ["top1_right", "top1_wrong", "not_in_50"]
    groups = as_json(run, summary(run))["by_dense"]
    assert {name: group["questions"] for name, group in groups.items()} == {
        "top1_right": 1, "top1_wrong": 1, "not_in_50": 1
    }  # fmt: skip
    assert groups["top1_right"]["stages"]["dense"]["mrr@10"] == 1
    assert groups["not_in_50"]["stages"]["dense"]["recall@50"] == 0


def test_a_group_without_questions_has_no_figures(small, models):
    run = evaluate(small, models, PLAN)

    assert as_json(run, summary(run))["by_dense"]["not_in_50"] == {"questions": 0, "stages": {}}


def test_the_title_is_searched_embedded_and_reranked(tmp_path):
    found = read_beir(beir(tmp_path / "set", documents={"a": ("Zebra", "stripes"), "b": ("", "zebra")},
                           queries={"q": "zebra"}, judgements=[("q", "a", 1)]))  # fmt: skip

    run = evaluate(found, models := Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), PLAN)

    assert {text for _, text in models.reranker.pairs} == {"Zebra\nstripes", "\nzebra"}
    assert sum(run.outcomes[0].rankings["lexical"].gains) == 1


def test_keys_tell_where_one_text_ends():
    assert key("a", "bc") != key("ab", "c")
    assert len(key("a")) == 16
    assert key("half \ud83d a letter")


def test_what_is_kept_comes_back_as_it_was(tmp_path):
    vector = np.array([0.25, -1.5], dtype=np.float32)
    kept = Kept(tmp_path)
    kept.add_vectors({key(str(n)): (vector + n, 2.0) for n in range(1200)})
    kept.close()

    found = Kept(tmp_path).vectors([key(str(n)) for n in range(1300)])

    assert len(found) == 1200
    assert (found[key("7")][0] == vector + 7).all()


def test_a_file_that_is_no_database_says_what_to_do(tmp_path):
    (tmp_path / FILE).write_text("no database, but long enough to be looked at " * 30)

    with pytest.raises(LibraryError, match="delete it"):
        Kept(tmp_path)

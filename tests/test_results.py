import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from evaluation_sets import DOCUMENTS

from ingest.errors import DatasetError
from ingest.records import Chunk, Document
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import STAGES, Computed, Dataset, FoundPassage, Outcome, Passage, Question, Ranking, Run
from rag_app.evaluate.results import FAILED, FOLDER, keep, kept
from rag_app.evaluate.summary import summary
from rag_app.web.office import Evaluations, Rerankers
from rag_app.web.quality_html import quality_html

MADE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SETTINGS = {"candidates": 50, "passages": 3}


def passage(key, text):
    document = Document(key, "set", "", key, key, 1, 1, 1, "2026")
    return Passage(Chunk(key, key, 0, 1, 1, 1, "1", "", text, 0, 9), document, text)


def outcome(number, gains):
    question = Question(str(number), f"Question {number}?", (Target("notice", 1, 1.0),))
    first = (FoundPassage("board", 1, "The notice board hangs here.", 0.31234, right=False),)
    return Outcome(question, dict.fromkeys(STAGES, Ranking(gains, 1.0)), (), first)


def run(failing=1, name="My set <b>/2026"):
    outcomes = [outcome(n, (0.0, 0.0, 0.0, 1.0)) for n in range(failing)] + [outcome("right", (1.0,))]
    passages = tuple(passage(key, text) for key, (_, text) in DOCUMENTS.items())
    dataset = Dataset(name, tuple(one.question for one in outcomes), passages)
    return Run(dataset, "embedder", "bundled", tuple(outcomes), Computed(0, 0), 0, 0)


def put(home, made=MADE, **given):
    made_run = run(**given)
    return keep(home, made_run, summary(made_run), made, SETTINGS)


def test_a_result_is_kept_with_its_figures_ranks_and_failures(tmp_path):
    file = put(tmp_path)

    (result,), faults = kept(tmp_path)

    assert faults == []
    assert file.name == "20261120T100000-My-set-b-2026.json"
    assert result["name"] == file.stem
    assert set(result["stages"]) == set(STAGES)
    assert result["ranks"]["hybrid"] == {"before": [1, 0, 0, 1, 0, 0, 0], "after": [1, 0, 0, 1, 0, 0, 0]}
    assert result["failed"] == 1
    assert result["failures"] == [
        {
            "question": "Question 0?",
            "right": [{"document": "notice", "page": 1}],
            "found": [
                {
                    "document": "board",
                    "page": 1,
                    "text": "The notice board hangs here.",
                    "relevance": 0.3123,
                    "right": False,
                }
            ],
            "rank": 4,
        }
    ]


def test_results_come_newest_first_and_what_cannot_be_read_is_told(tmp_path):
    put(tmp_path)
    put(tmp_path, MADE + timedelta(days=1))
    (tmp_path / FOLDER / "0-broken.json").write_text("{")
    (tmp_path / FOLDER / "0-list.json").write_text("[]")
    (tmp_path / FOLDER / "0-other.json").write_text('{"made": ""}')

    results, faults = kept(tmp_path)

    assert [one["made"][:10] for one in results] == ["2026-11-21", "2026-11-20"]
    assert [fault.partition(" ")[0] for fault in faults] == ["0-other.json", "0-list.json", "0-broken.json"]
    assert all("Delete it" in fault for fault in faults)


def test_many_failures_are_counted_and_the_first_kept(tmp_path):
    result = json.loads(put(tmp_path, failing=FAILED + 7).read_text())

    assert (result["failed"], len(result["failures"])) == (FAILED + 7, FAILED)


def test_a_home_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / FOLDER).write_text("a file in its place")

    with pytest.raises(DatasetError, match="could not be kept"):
        put(tmp_path)


def test_without_results_the_page_says_what_to_run():
    page = quality_html(Evaluations(), Rerankers(), [], "", "")

    assert "Nothing was measured yet" in page
    assert "rag evaluate FOLDER" in page
    assert "rag train" in page


def test_the_page_compares_with_the_run_before_of_the_same_set(tmp_path):
    put(tmp_path, failing=1)
    put(tmp_path, MADE + timedelta(days=1), failing=1, name="another set")
    put(tmp_path, MADE + timedelta(days=2), failing=1)
    results, _ = kept(tmp_path)
    better = [{**one, "stages": {**one["stages"]}} for one in results]
    better[0]["stages"]["hybrid+rerank"] = {**results[0]["stages"]["hybrid+rerank"], "hit@3": 0.75}

    page = quality_html(Evaluations(better), Rerankers(), [], "", "")

    assert "better since by 0.250" in page
    assert page.count("the same since") == 3
    assert "since" not in quality_html(Evaluations(better[2:]), Rerankers(), [], "", "")
    chosen = quality_html(Evaluations(better), Rerankers(), [], better[1]["name"], better[0]["name"])
    assert "worse since by 0.250" in chosen


def test_a_result_without_a_failure_says_so(tmp_path):
    made = run(failing=0)
    keep(tmp_path, replace(made), summary(made), MADE, SETTINGS)

    assert "No question failed" in quality_html(Evaluations(kept(tmp_path)[0]), Rerankers(), [], "", "")

"""The pools of pairs that reranking is measured on."""

import gzip
import json

import pytest

from benchmarks.pools import table, write_pool
from rag_app.evaluate.datasets import read_beir

ROWS = [
    {"question": "Who?", "passage": "Ada wrote it.", "title": "Notes", "answer": "Ada"},
    {"question": "Who?", "passage": "It was Ada.", "title": "", "answer": "Ada"},
    {"question": "When?", "passage": "Ada wrote it.", "title": "Notes", "answer": None},
]


def test_pool_holds_every_passage_once_and_judges_only_what_is_answered(tmp_path):
    file = tmp_path / "pairs.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in ROWS)

    write_pool(file, tmp_path / "pool")

    pool = read_beir(tmp_path / "pool")
    assert [passage.text for passage in pool.passages] == ["Notes\nAda wrote it.", "\nIt was Ada."]
    assert [(question.text, len(question.targets), question.answers) for question in pool.questions] == [
        ("Who?", 2, ("Ada", "Ada"))
    ]
    assert [question.text for question in pool.unanswerable] == ["When?"]


def test_table_tells_the_share_of_the_gap():
    # recall@50, hit@3, mrr@10, ndcg@10 of two questions
    dense = [(1.0, 0.0, 0.2, 0.3), (1.0, 1.0, 1.0, 1.0)]
    better = [(1.0, 1.0, 0.5, 0.6), (1.0, 1.0, 1.0, 1.0)]

    told = table({"set": {"dense": dense, "bundled": dense, "bundled joined": better}})

    assert "alone 0.0% (0.0% to 0.0%), joined 100.0% (0.0% to 100.0%) closed" in told
    assert told.splitlines()[1].split() == ["set", "0.500", "0.500", "1.000", "1.000"]


@pytest.mark.parametrize("hit", [0.0, 1.0])
def test_table_without_a_gap_divides_by_nothing(hit):
    rows = [(hit, hit, hit, hit)]

    assert "joined 0.0% (0.0% to 0.0%) closed" in table(
        {"set": {"dense": rows, "bundled": rows, "bundled joined": rows}}
    )

"""Libraries made for measuring, and what is measured on them."""

import gzip
import json
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import HashEmbedder
from shelves import new_library

from benchmarks import real
from benchmarks.ask import READ, STAGES, recall, slow, table, turned
from benchmarks.made import SPACE, Maker, Real, documented, documents, put, questions
from ingest.index.generation import Index
from ingest.records import Place

TEXTS = [f"The gate of yard {n} opens at {n} and closes at dusk. Ask the porter there." for n in range(12)]
REAL = Real(TEXTS, HashEmbedder().embed(TEXTS))


def test_made_passages_are_like_real_ones_and_the_same_again():
    texts, vectors = Maker(REAL, seed=3).passages(20)
    again, same = Maker(REAL, seed=3).passages(20)

    assert texts == again
    assert np.array_equal(vectors, same)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(20), abs=1e-5)
    assert len(set(texts)) == 20
    assert {len(text.split()) for text in texts} <= {len(text.split()) for text in TEXTS}
    assert (vectors @ REAL.vectors.T).max(axis=1).min() > 0.5


def test_documents_hold_as_many_passages_as_asked_for_and_are_found_where_they_were_put(tmp_path):
    library = new_library(tmp_path)

    for made in documents(Maker(REAL), 120):
        put(library, HashEmbedder.name, *made)

    shelf = library.documents([SPACE])
    assert sorted(document.chunks for document in shelf) == [20, 50, 50]
    assert len(library.vectors_at([Place(shelf[0].id, 0), Place(shelf[1].id, 19)], HashEmbedder.name)) == 2


def test_questions_are_the_handbooks_and_then_sentences():
    asked = questions(TEXTS, 50)

    assert len(asked) == 50
    assert asked[0].endswith("?")
    assert all(any(question in text for text in TEXTS) for question in asked[45:])
    assert len(documented()) > 50


def test_recall_is_whole_where_the_exact_scan_answers(tmp_path):
    library = new_library(tmp_path)
    for made in documents(Maker(REAL), 80):
        put(library, HashEmbedder.name, *made)
    parts = SimpleNamespace(library=library, index=Index(library, HashEmbedder.name), embedder=HashEmbedder())

    assert recall(SimpleNamespace(parts=parts), turned(library, HashEmbedder.name, 5)) == 1.0


def test_table_has_a_line_for_every_stage():
    stages = {"embed": 2.0, "dense": 3.0, "lexical": 1.0, "join": 4.0, "rerank": 30.0, "prompt": 0.0}

    told = table([{**stages, "all": 40.0, "all but models": 8.0, "lexical alone": 1.0, READ: 12}] * 3)

    assert [line.split()[0] for line in told.splitlines()[1:7]] == list(stages)
    assert told.splitlines()[-3].split()[3:5] == ["8.0", "8.0"]
    assert told.splitlines()[-1].split() == ["passages", "read", "12.0", "12.0"]


def test_the_slowest_questions_come_first():
    times = [{**dict.fromkeys(STAGES, 1.0), "all": took, READ: 20} for took in (3.0, 9.0, 5.0)]

    lines = slow(["quick", "slow it is", "in between"], times, 2).splitlines()[-2:]

    assert [line.split()[:2] for line in lines] == [["3", "20"], ["2", "20"]]


def test_real_passages_and_questions_are_each_taken_once(tmp_path):
    (tmp_path / "pairs").mkdir()
    folder = tmp_path / "retrieval" / "yards"
    folder.mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{n}", "text": "{text}"}}\n' for n, text in enumerate(TEXTS))
    )
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "When does the gate open?"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\t3\t1\n")
    rows = [("When does the gate open?", TEXTS[0]), ("Who has the key?", "word " * 400), ("Whose key?", "word " * 400)]
    with gzip.open(tmp_path / "pairs" / "some.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"question": asked, "passage": text}) + "\n" for asked, text in rows)

    texts, asked = real.passages(tmp_path, 100), real.questions(tmp_path, 100)

    assert len(real.passages(tmp_path, 5)) == 5
    assert set(texts) - set(TEXTS) == {" ".join(["word"] * count) for count in (133, 134)}
    assert len(texts) == len(TEXTS) + 2
    assert sorted(asked) == ["When does the gate open?", "Who has the key?", "Whose key?"]

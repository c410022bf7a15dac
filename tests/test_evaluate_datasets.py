"""BEIR folders, sound and broken."""

import gzip

import pytest
from evaluation_sets import DOCUMENTS, JUDGEMENTS, QUERIES, beir

from ingest.errors import DatasetError
from rag_app.evaluate.datasets import is_beir, read_beir
from rag_app.evaluate.metrics import Target


def test_a_folder_is_read_as_it_was_judged(tmp_path):
    found = read_beir(beir(tmp_path / "small"))

    assert found.name == "small"
    assert [passage.document.path for passage in found.passages] == list(DOCUMENTS)
    assert found.passages[1].text == "Leaving\nThe notice period is three months."
    assert {question.id: question.targets for question in found.questions} == {
        "q1": (Target("notice", 1, 2.0),),
        "q2": (Target("leave", 1, 1.0),),
        "q3": (Target("travel", 1, 1.0),),
    }
    assert found.notices == ()


def test_packed_files_and_the_judgements_in_a_folder_of_their_own_are_read(tmp_path):
    beir(tmp_path)
    for name in ("corpus.jsonl", "queries.jsonl"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels.tsv").rename(tmp_path / "qrels" / "test.tsv")

    assert is_beir(tmp_path)
    assert len(read_beir(tmp_path).questions) == 3


def test_a_mark_before_the_first_character_is_no_part_of_it(tmp_path):
    beir(tmp_path)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + (tmp_path / name).read_bytes())

    assert len(read_beir(tmp_path).questions) == 3


def test_judgements_without_a_heading_lose_no_line(tmp_path):
    beir(tmp_path)
    (tmp_path / "qrels.tsv").write_text("q1\tnotice\t1\nq2\tleave\t1\nq3\ttravel\t1\n")

    assert len(read_beir(tmp_path).questions) == 3


def test_ids_written_as_numbers_are_ids(tmp_path):
    beir(tmp_path)
    (tmp_path / "corpus.jsonl").write_text('{"_id": 7, "text": "seven"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t7\t1\n")

    found = read_beir(tmp_path)

    assert found.passages[0].document.path == "7"
    assert found.passages[0].document.title == ""


def test_questions_that_nothing_was_judged_right_for_are_left_out_and_counted(tmp_path):
    found = read_beir(beir(tmp_path, judgements=[("q1", "notice", 1), ("q2", "leave", 0)]))

    assert [question.id for question in found.questions] == ["q1"]
    assert found.notices == ("2 questions without a judgement above 0 are left out.",)


def test_judgements_of_what_is_not_there_are_told_and_count_as_not_found(tmp_path):
    judgements = [*JUDGEMENTS, ("q1", "burnt", 1), ("q9", "leave", 1)]

    found = read_beir(beir(tmp_path, judgements=judgements))

    assert Target("burnt", 1, 1.0) in found.questions[0].targets
    assert "1 judged questions, such as 'q9', are not among the questions; left out." in found.notices
    assert any(
        notice.startswith("1 judged documents, such as 'burnt', are not in the corpus") for notice in found.notices
    )


def test_a_folder_whose_ids_do_not_fit_together_says_so(tmp_path):
    with pytest.raises(DatasetError, match=r"None of the 3 questions .* See that both files use the same ids"):
        read_beir(beir(tmp_path, judgements=[("1", "notice", 1)]))


@pytest.mark.parametrize("name", ["queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path, name):
    (beir(tmp_path) / name).unlink()

    with pytest.raises(DatasetError, match=f"has no {name} or "):
        read_beir(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "told"),
    [
        ("corpus.jsonl", "{broken", "line 5: this is no JSON"),
        ("corpus.jsonl", "[1]", "line 5: a JSON object was expected"),
        ("corpus.jsonl", '{"text": "no id"}', "line 5: '_id' must be text or a whole number"),
        ("corpus.jsonl", '{"_id": "x", "text": 3}', "line 5: 'text' must be text"),
        ("corpus.jsonl", '{"_id": "leave", "text": "again"}', "line 5: the id 'leave' appears a second time"),
        ("queries.jsonl", '{"_id": "q4"}', "line 4: 'text' must be text"),
        ("qrels.tsv", "q1 notice 1", "line 6: three columns with tabs"),
        ("qrels.tsv", "q1\tnotice\tgood", "line 6: three columns with tabs"),
        ("qrels.tsv", "q1\tnotice\tnan", "line 6: three columns with tabs"),
    ],
)
def test_a_broken_line_is_named_with_its_number(tmp_path, name, line, told):
    with (beir(tmp_path) / name).open("a") as file:
        file.write(line + "\n")

    with pytest.raises(DatasetError) as caught:
        read_beir(tmp_path)

    assert f"{name}, {told}" in str(caught.value)


def test_a_packed_file_that_breaks_off_is_told(tmp_path):
    beir(tmp_path)
    packed = gzip.compress((tmp_path / "corpus.jsonl").read_bytes())
    (tmp_path / "corpus.jsonl").unlink()
    (tmp_path / "corpus.jsonl.gz").write_bytes(packed[:-20])

    with pytest.raises(DatasetError, match=r"corpus.jsonl.gz cannot be read"):
        read_beir(tmp_path)


def test_an_empty_corpus_is_told(tmp_path):
    with pytest.raises(DatasetError, match="holds no documents"):
        read_beir(beir(tmp_path, documents={}, queries=QUERIES))

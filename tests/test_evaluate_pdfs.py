"""Folders of questions beside PDFs: read by the real reader, into a library of their own."""

import pytest
from evaluation_sets import CountingReranker, lines
from fakes import HashEmbedder
from pdf_makers import changed, drawn
from pdf_makers import lines as written

from ingest.errors import DatasetError
from ingest.settings import Settings
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.evaluate.run import Plan, evaluate

pytestmark = pytest.mark.slow

LEAVE = drawn(
    written(
        "Employees receive twenty days of paid vacation a year, which they may take whenever their team agrees to it."
    ),
    written("The notice period is three months for everyone who has been with us for longer than one whole year."),
    title="Leave",
)
TRAVEL = drawn(written("Hotels above 300 dollars a night need approval."), title="Travel")
ASKED = [
    {"question": "How long is the notice period?", "pdf": "leave.pdf", "pages": [2]},
    {"question": "Which hotels need approval?", "pdf": "trips/travel.pdf", "pages": [1], "answer": "dear ones"},
]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "set"
    (made / "trips").mkdir(parents=True)
    (made / "leave.pdf").write_bytes(LEAVE)
    (made / "trips" / "travel.pdf").write_bytes(TRAVEL)
    lines(made / "questions.jsonl", ASKED)
    return made


@pytest.fixture
def read(tmp_path):
    def reading(folder, embedder=None):
        settings = Settings(home=tmp_path / "home", read_seconds=20, passage_pieces=30)
        return read_pdf_folder(folder, settings, embedder or HashEmbedder(), tmp_path / "home" / "cache")

    return reading


def test_the_passages_are_those_the_reader_finds(folder, read):
    found = read(folder)

    assert {(passage.document.path, passage.chunk.page) for passage in found.passages} == {
        ("leave.pdf", 1), ("leave.pdf", 2), ("trips/travel.pdf", 1)
    }  # fmt: skip
    assert found.passages[0].text.startswith("Leave\n")
    assert found.vectors.shape == (3, 384)
    assert (found.vectors[1] == HashEmbedder().embed_question(found.passages[1].text)).all()
    assert found.questions[0].targets == (Target("leave.pdf", 2, 1.0),)


def test_a_passage_counts_for_its_one_page(folder, read, tmp_path):
    run = evaluate(read(folder), models(tmp_path), Plan(candidates=50, shown=3))

    assert [outcome.rankings["hybrid+rerank"].gains[0] for outcome in run.outcomes] == [1, 1]
    assert [sum(outcome.rankings["dense"].gains) for outcome in run.outcomes] == [1, 1]


def test_a_neighbouring_page_counts_where_that_is_tolerated(folder, read, tmp_path):
    lines(folder / "questions.jsonl", [{**ASKED[0], "pages": [1]}])
    strict, lenient = (
        evaluate(read(folder), models(tmp_path), Plan(candidates=50, shown=3, page_tolerance=pages)) for pages in (0, 1)
    )

    assert strict.outcomes[0].rankings["hybrid+rerank"].gains[0] == 0
    assert lenient.outcomes[0].rankings["hybrid+rerank"].gains[0] == 1


def test_a_second_reading_embeds_nothing(folder, read):
    class Counting(HashEmbedder):
        texts = 0

        def embed(self, texts):
            self.texts += len(texts)
            return super().embed(texts)

    first, second = Counting(), Counting()
    read(folder, first)

    again = read(folder, second)

    assert (first.texts, second.texts) == (3, 0)
    assert len(again.passages) == 3


def test_a_changed_a_new_and_a_removed_file_are_noticed(folder, read):
    read(folder)
    (folder / "trips" / "travel.pdf").unlink()
    (folder / "leave.pdf").write_bytes(drawn(written("Now it is six weeks."), title="Leave"))
    (folder / "new.pdf").write_bytes(drawn(written("Taxis need no approval."), title="Taxis"))
    lines(folder / "questions.jsonl", [{**ASKED[0], "pages": [1]}])

    found = read(folder)

    assert sorted((passage.document.path, passage.chunk.text) for passage in found.passages) == [
        ("leave.pdf", "Now it is six weeks."), ("new.pdf", "Taxis need no approval.")
    ]  # fmt: skip


def test_files_that_cannot_be_read_are_listed_and_their_questions_count_as_not_found(folder, read, tmp_path):
    locked = changed(TRAVEL, lambda writer: writer.encrypt("secret", algorithm="AES-256"))
    (folder / "trips" / "travel.pdf").write_bytes(locked)

    found = read(folder)
    run = evaluate(found, models(tmp_path), Plan(candidates=50, shown=3))

    assert [(one.path, one.questions) for one in found.unreadable] == [("trips/travel.pdf", 1)]
    assert "password" in found.unreadable[0].reason
    assert found.notices[0].startswith("trips/travel.pdf was left out: ")
    assert len(run.outcomes) == 2
    assert sum(run.outcomes[1].rankings["dense"].gains) == 0


def test_two_files_with_the_same_contents_answer_the_questions_of_both(folder, read):
    (folder / "copy.pdf").write_bytes(TRAVEL)
    lines(folder / "questions.jsonl", [{**ASKED[1], "pdf": "copy.pdf"}, ASKED[1]])

    found = read(folder)

    held = {passage.document.path for passage in found.passages}
    assert len(found.passages) == 3
    assert {question.targets[0].document for question in found.questions} <= held


def test_a_page_the_file_does_not_have_is_told(folder, read):
    lines(folder / "questions.jsonl", [{**ASKED[0], "pages": [2, 9]}])

    assert read(folder).notices == (
        "1 questions name a page that their PDF does not have, first the one on line 1; such pages count as not found.",
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({**ASKED[0], "pdf": "lost.pdf"}, r"line 1: lost.pdf is not in .* Add the file, or correct the name"),
        ({**ASKED[0], "pages": []}, "line 1: 'pages' must be a list of page numbers from 1 on"),
        ({**ASKED[0], "pages": [0]}, "line 1: 'pages' must be a list"),
        ({**ASKED[0], "pages": ["2"]}, "line 1: 'pages' must be a list"),
        ({"pdf": "leave.pdf", "pages": [1]}, "line 1: 'question' must be text"),
    ],
)
def test_a_line_that_cannot_be_asked_is_named(folder, read, row, told):
    lines(folder / "questions.jsonl", [row])

    with pytest.raises(DatasetError, match=told):
        read(folder)


def test_a_folder_without_questions_says_so(folder, read):
    lines(folder / "questions.jsonl", [])

    with pytest.raises(DatasetError, match="holds no questions"):
        read(folder)


def test_a_folder_in_which_nothing_can_be_read_says_why(folder, read):
    for file in folder.rglob("*.pdf"):
        file.write_bytes(b"%PDF-1.7 broken")

    with pytest.raises(DatasetError, match=r"None of the PDFs in .* The first: leave.pdf: "):
        read(folder)


def models(folder):
    return Models(HashEmbedder(), CountingReranker(), Kept(folder / "cache"))

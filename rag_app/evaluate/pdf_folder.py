"""A folder with questions.jsonl (question, pdf, pages) beside its PDFs -> a data set.

For measuring answers a line may have an `answer`, a text or a list of texts; one with `"answerable": false` is a
question that none of the PDFs answers, and names none.

The PDFs go through the same reading, chunking and embedding as `rag ingest`, into a library of their own under
RAG_HOME/cache. No index is built: evaluation scans exactly. The owner's library is never opened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ingest.build import open_library
from ingest.chunking import embedded_text
from ingest.errors import DatasetError
from ingest.home import OwnerLock
from ingest.intake import Intake, clean_name, files_under
from ingest.library import Library
from ingest.pipeline import DocumentEmbedder, Ingestion, recipe
from ingest.records import Document, Job, JobState
from ingest.settings import Settings
from rag_app.evaluate.datasets import SPACE, Row, rows
from rag_app.evaluate.kept import key
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.progress import Progress
from rag_app.evaluate.records import Dataset, Passage, Question, Unreadable

QUESTIONS = "questions.jsonl"
FOLDER = "pdfs"  # in the cache; one library for each folder, recipe and embedder


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with the pages that answer it."""

    id: str  # the line it stands on
    text: str
    pdf: str  # path in the folder, "/" between its parts
    pages: tuple[int, ...]  # 1-based physical pages; none where no PDF answers it
    answers: tuple[str, ...] = ()


def is_pdf_folder(folder: Path) -> bool:
    """Whether a folder looks like one."""
    return (folder / QUESTIONS).is_file()


def read_pdf_folder(folder: Path, settings: Settings, embedder: DocumentEmbedder, cache: Path) -> Dataset:
    """The data set of a folder; its library under `cache` is made or brought up to date.

    Raises DatasetError with a sentence for whoever made the folder; HomeBusy while another process evaluates it.
    """
    files = {clean_name(file.relative_to(folder).as_posix()): file for file in _pdfs(folder)}
    questions = list(_labelled(folder, files))
    if not any(question.pages for question in questions):
        raise DatasetError(
            f"{folder / QUESTIONS} holds no questions that a PDF answers. Write one JSON object a line: question, pdf "
            "and pages."
        )
    made_of = key(str(folder.resolve()), recipe(settings), embedder.name).hex()
    own = replace(settings, home=cache / FOLDER / made_of, space=SPACE)
    library = open_library(own)
    library.claim_embedder(embedder.name)
    with OwnerLock(library.home).acquire():
        jobs = _taken_in(library, files, own, embedder)
        dataset = _dataset(folder, library, embedder.name, questions, jobs)
    library.close()
    return dataset


def _pdfs(folder: Path) -> Iterator[Path]:
    return (file for file in files_under(folder) if file.suffix.lower() == ".pdf")


def _labelled(folder: Path, files: Mapping[str, Path]) -> Iterator[Labelled]:
    by_name = {file.name: path for path, file in files.items()}
    for row in rows(folder / QUESTIONS):
        if not row.answerable():
            yield Labelled(str(row.line), row.text("question"), "", ())
            continue
        named = row.text("pdf")
        path = named if named in files else by_name.get(named)
        if path is None:
            raise DatasetError(
                f"{row.file}, line {row.line}: {named} is not in {folder}. Add the file, or correct the name."
            )
        yield Labelled(str(row.line), row.text("question"), path, _pages(row), row.answers())


def _pages(row: Row) -> tuple[int, ...]:
    pages = row.values.get("pages")
    if not isinstance(pages, list) or not pages or not all(type(page) is int and page > 0 for page in pages):
        raise row.fault("'pages' must be a list of page numbers from 1 on")
    return tuple(dict.fromkeys(pages))


def _taken_in(
    library: Library, files: Mapping[str, Path], settings: Settings, embedder: DocumentEmbedder
) -> dict[str, Job]:
    """The last job of each file; what is no longer in the folder leaves the library."""
    intake = Intake(library, settings.max_file_mb)
    ingestion = Ingestion(library, embedder, settings)
    progress = Progress("Reading and embedding PDFs", len(files))
    jobs = {}
    for path, file in files.items():
        job = intake.add(file, SPACE, path)
        jobs[path] = job if job.final else ingestion.run(job)
        progress.add(1)
    progress.end()
    present = {named[0].id for path in files if (named := library.named(SPACE, path)) is not None}
    for document in library.documents():
        if document.id not in present:
            library.remove(document.id)
    return jobs


def _dataset(
    folder: Path, library: Library, embedder: str, questions: Sequence[Labelled], jobs: Mapping[str, Job]
) -> Dataset:
    documents = {
        path: named[0] for path in jobs if (named := library.named(SPACE, path)) is not None and _ready(jobs[path])
    }
    unreadable = tuple(
        Unreadable(path, job.reason, sum(question.pdf == path for question in questions))
        for path, job in jobs.items()
        if not _ready(job)
    )
    held = list({document.id: document for document in documents.values()}.values())
    if not held:
        raise DatasetError(f"None of the PDFs in {folder} could be read. The first: {_told(unreadable)}")
    passages = [
        Passage(chunk, document, embedded_text(document.title, chunk.heading, chunk.text))
        for document in held
        for chunk in library.document_chunks(document.id)
    ]
    blocks = [block.vectors for document in held for block in library.document_vectors(document.id, embedder)]
    return Dataset(
        name=folder.resolve().name,
        questions=tuple(_question(question, documents) for question in questions if question.pages),
        passages=tuple(passages),
        notices=tuple(_notices(questions, documents, unreadable)),
        unreadable=unreadable,
        unanswerable=tuple(Question(question.id, question.text, ()) for question in questions if not question.pages),
        vectors=np.concatenate(blocks),
    )


def _ready(job: Job) -> bool:
    return job.state in {JobState.READY, JobState.UNCHANGED}


def _question(question: Labelled, documents: Mapping[str, Document]) -> Question:
    """With its targets under the one path that a document has, also where two files hold the same contents."""
    document = documents.get(question.pdf)
    path = question.pdf if document is None else document.path
    targets = tuple(Target(path, page, 1.0) for page in question.pages)
    return Question(question.id, question.text, targets, question.answers)


def _notices(
    questions: Sequence[Labelled], documents: Mapping[str, Document], unreadable: Sequence[Unreadable]
) -> Iterator[str]:
    for one in unreadable:
        yield f"{one.path} was left out: {one.reason} Its {one.questions} questions count as not found."
    beyond = [
        question
        for question in questions
        if question.pdf in documents and max(question.pages) > documents[question.pdf].pages
    ]
    if beyond:
        yield (
            f"{len(beyond)} questions name a page that their PDF does not have, first the one on line {beyond[0].id}; "
            "such pages count as not found."
        )


def _told(unreadable: Sequence[Unreadable]) -> str:
    return f"{unreadable[0].path}: {unreadable[0].reason}" if unreadable else "there is none."

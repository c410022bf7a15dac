"""A team's own questions with what answers them: from a JSON-lines file, or from the chat's thumbs.

A row names a question, and a document with pages, or a passage (its text), or both a document and a passage.
`pdf` and `pages` as in the data sets of `rag evaluate` are understood too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import DatasetError
from rag_app.evaluate.datasets import Row, row_of
from rag_app.feedback import Judgement, Verdict

SHOWN = 5  # faults told at once
FORM = (
    'Each line is one JSON object: {"question": "...", "document": "file name, title or id", "page": 3}, or with '
    '"pages": [3, 4], or with "passage": "the text that answers" in place of the page.'
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and one place that answers it."""

    origin: str  # "line 12" or "thumb of 2026-11-21"
    question: str
    document: str  # id, file name, path or title; "" where only the passage is known
    pages: tuple[int, ...]  # 1-based physical pages; empty where the passage is given
    passage: str = ""  # its text


def from_file(file: Path) -> list[Labelled]:
    """The rows of a JSON-lines file. Raises DatasetError that names every line in need of correction, up to SHOWN."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read ({error}). Name a file of JSON lines in UTF-8. {FORM}") from error
    found: list[Labelled] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_labelled(row_of(file, number, line)))
        except DatasetError as error:
            faults.append(str(error))
    if faults:
        more = f"\nAnd {len(faults) - SHOWN} more lines." if len(faults) > SHOWN else ""
        raise DatasetError("\n".join(faults[:SHOWN]) + more + f"\n{FORM}")
    return found


def from_feedback(judgements: Sequence[Judgement]) -> list[Labelled]:
    """For each answer that was found good, the question that was searched for with the passages it cites.

    An answer found poor tells what does not answer, not what does, so nothing is learned from it here.
    """
    return [
        Labelled(
            origin=f"thumb of {judgement.given[:10]}",
            question=judgement.searched or judgement.question,
            document=one.document_id,
            pages=(),
            passage=one.passage,
        )
        for judgement in judgements
        if judgement.verdict is Verdict.GOOD
        for one in judgement.passages
        if one.cited
    ]


def _labelled(row: Row) -> Labelled:
    question = row.text("question").strip()
    document = row.text("document", row.text("pdf", "")).strip()
    passage = row.text("passage", "").strip()
    pages = () if passage else tuple(_pages(row))
    if not question:
        raise row.fault("'question' is empty")
    if not passage and not document:
        raise row.fault("it names neither a 'document' nor a 'passage'")
    return Labelled(f"line {row.line}", question, document, pages, passage)


def _pages(row: Row) -> Iterator[int]:
    given: Any = row.values.get("pages", row.values.get("page"))
    pages = given if isinstance(given, list) else [given]
    if not pages or not all(type(page) is int and page > 0 for page in pages):
        raise row.fault("'page' must be a page number from 1 on, or 'pages' a list of them")
    yield from dict.fromkeys(pages)

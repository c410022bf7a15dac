"""A BEIR folder (Thakur et al., NeurIPS 2021) -> a data set.

corpus.jsonl (`_id`, `title`, `text`), queries.jsonl (`_id`, `text`), either may end in .gz; judgements in qrels.tsv or
qrels/test.tsv: query id, document id, score, with or without a heading. For measuring answers a question may have an
`answer`, a text or a list of texts, and `"answerable": false` where no document holds it.

A document is one chunk: the models read its beginning, the embedder 256 word pieces. That is what published dense
figures mean. Cut into passages and scored as the best of them, documents are found a little better (nDCG@10 of dense on
emanual_s10 .787 instead of .767, cranfield .509 instead of .505, cisi .424 instead of .420, cacm .408 instead of .411),
and no figure could be compared any more. Questions over PDFs are what measures the app's own chunks.
"""

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.errors import DatasetError
from ingest.records import Chunk, Document
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Dataset, Passage, Question

SPACE = "evaluation"
JUDGEMENTS = ("qrels.tsv", "qrels/test.tsv")
_COLUMNS = 3
_CODE = "utf-8-sig"  # some editors put a mark before UTF-8


@dataclass(frozen=True, slots=True)
class Row:
    """An object of a JSON-lines file, with the place it came from."""

    file: Path
    line: int  # 1-based
    values: Mapping[str, Any]

    def text(self, name: str, otherwise: str | None = None) -> str:
        """A field that must be text; `otherwise` where it may be missing. Raises DatasetError."""
        value = self.values.get(name)
        if value is None and otherwise is not None:
            return otherwise
        if not isinstance(value, str):
            raise self.fault(f"{name!r} must be text")
        return value

    def identifier(self) -> str:
        """The field `_id`, which some sets write as a number. Raises DatasetError."""
        value = self.values.get("_id")
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise self.fault("'_id' must be text or a whole number")
        return str(value)

    def answers(self) -> tuple[str, ...]:
        """The field `answer`, a text or a list of texts that are each right; it may be missing. Raises DatasetError."""
        value = self.values.get("answer")
        found = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) for one in found):
            raise self.fault("'answer' must be text, or a list of texts")
        return tuple(one.strip() for one in found if one.strip())

    def answerable(self) -> bool:
        """The field `answerable`, true where it is missing. Raises DatasetError."""
        value = self.values.get("answerable", True)
        if not isinstance(value, bool):
            raise self.fault("'answerable' must be true or false")
        return value

    def fault(self, what: str) -> DatasetError:
        """The error for this row."""
        return DatasetError(f"{self.file}, line {self.line}: {what}. Correct the line, then run again.")


def is_beir(folder: Path) -> bool:
    """Whether a folder looks like one."""
    return any((folder / name).is_file() for name in _either("corpus.jsonl"))


def read_beir(folder: Path) -> Dataset:
    """The data set of a BEIR folder. Raises DatasetError with a sentence for whoever made the folder."""
    passages = [_passage(row) for row in _unique(rows(_existing(folder, _either("corpus.jsonl"))))]
    queries = {row.identifier(): row for row in _unique(rows(_existing(folder, _either("queries.jsonl"))))}
    file = _existing(folder, JUDGEMENTS)
    judged = _judgements(file)
    if not passages:
        raise DatasetError(f"{folder} holds no documents: its corpus is empty.")
    asked = [
        Question(identifier, row.text("text"), _targets(judged.get(identifier, {})), row.answers())
        for identifier, row in queries.items()
    ]
    questions = tuple(question for question in asked if question.targets)
    unanswerable = tuple(
        replace(question, answers=())
        for question in asked
        if not question.targets and not queries[question.id].answerable()
    )
    if not questions:
        raise DatasetError(
            f"None of the {len(queries):,} questions in {folder} has a judgement above 0 in {file}. "
            "See that both files use the same ids."
        )
    known = {passage.document.path for passage in passages}
    return Dataset(
        name=folder.resolve().name,
        questions=questions,
        passages=tuple(passages),
        notices=tuple(_notices(set(queries), judged, known, len(questions) + len(unanswerable))),
        unanswerable=unanswerable,
    )


def rows(file: Path) -> Iterator[Row]:
    """The objects of a JSON-lines file, plain or gzip. Raises DatasetError naming the line."""
    try:
        with gzip.open(file, "rt", encoding=_CODE) if file.suffix == ".gz" else file.open(encoding=_CODE) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield row_of(file, number, line)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read ({error}). Copy or download it again.") from error


def row_of(file: Path, number: int, line: str) -> Row:
    """One line (1-based `number`) of such a file. Raises DatasetError."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{file}, line {number}: this is no JSON ({error}). Correct the line.") from error
    if not isinstance(values, dict):
        raise DatasetError(f"{file}, line {number}: a JSON object was expected. Correct the line.")
    return Row(file, number, values)


def _either(name: str) -> tuple[str, str]:
    return name, f"{name}.gz"


def _existing(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DatasetError(f"{folder} has no {' or '.join(names)}. A BEIR folder needs corpus, queries and judgements.")


def _unique(found: Iterator[Row]) -> Iterator[Row]:
    seen: set[str] = set()
    for row in found:
        if row.identifier() in seen:
            raise row.fault(f"the id {row.identifier()!r} appears a second time")
        seen.add(row.identifier())
        yield row


def _passage(row: Row) -> Passage:
    identifier, title, text = row.identifier(), row.text("title", ""), row.text("text", "")
    document = Document(identifier, SPACE, "", title, identifier, 1, 1, len(text), "")
    chunk = Chunk(identifier, identifier, 0, 1, 1, 1, "1", "", text, 0, len(text))
    return Passage(chunk, document, f"{title}\n{text}")


def _judgements(file: Path) -> dict[str, dict[str, float]]:
    """Scores by question and document."""
    judged: dict[str, dict[str, float]] = {}
    try:
        lines = file.read_text(encoding=_CODE).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read ({error}). Copy or download it again.") from error
    for number, line in enumerate(lines, start=1):
        columns = line.split("\t")
        score = _number(columns[-1])
        if (number == 1 and score is None) or not line.strip():  # the heading, or an empty line
            continue
        if len(columns) != _COLUMNS or score is None:
            raise DatasetError(
                f"{file}, line {number}: three columns with tabs between them were expected: question id, "
                "document id and a number. Correct the line."
            )
        judged.setdefault(columns[0], {})[columns[1]] = score
    return judged


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _targets(judged: Mapping[str, float]) -> tuple[Target, ...]:
    return tuple(Target(document, 1, score) for document, score in judged.items() if score > 0)


def _notices(
    queries: set[str], judged: Mapping[str, Mapping[str, float]], known: set[str], asked: int
) -> Iterator[str]:
    """What a reader of the figures should know."""
    strange = [question for question in judged if question not in queries]
    if strange:
        yield f"{len(strange):,} judged questions, such as {strange[0]!r}, are not among the questions; left out."
    absent = sorted(
        {document for question, scores in judged.items() if question in queries for document in scores} - known
    )
    if absent:
        yield (
            f"{len(absent):,} judged documents, such as {absent[0]!r}, are not in the corpus; where they are right "
            "they count as not found."
        )
    if asked < len(queries):
        yield f"{len(queries) - asked:,} questions without a judgement above 0 are left out."

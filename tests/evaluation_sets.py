"""Small data sets for the tests of evaluation, and a reranker that counts what it is asked."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ingest.records import Chunk, Document
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Dataset, Passage, Question
from rag_app.records import Hit
from rag_app.rerank.ranking import ranked

DOCUMENTS = {
    "leave": ("Leave", "Employees receive 20 days of paid vacation a year."),
    "notice": ("Leaving", "The notice period is three months."),
    "board": ("Canteen", "The notice board hangs beside the canteen."),
    "travel": ("Travel", "Hotels above 300 dollars a night need approval."),
}
QUERIES = {
    "q1": "How long is the notice period?",
    "q2": "How much vacation do I get?",
    "q3": "Which hotels may I book?",
}
JUDGEMENTS = [("q1", "notice", 2), ("q1", "board", 0), ("q2", "leave", 1), ("q3", "travel", 1)]


def beir(
    folder: Path,
    documents: Mapping[str, tuple[str, str]] = DOCUMENTS,
    queries: Mapping[str, str] = QUERIES,
    judgements: Sequence[tuple[str, str, float]] = JUDGEMENTS,
) -> Path:
    """A BEIR folder."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in documents.items()]
    lines(folder / "corpus.jsonl", corpus)
    lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, text in queries.items()])
    rows = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in judgements)]
    (folder / "qrels.tsv").write_text("\n".join(rows) + "\n")
    return folder


def lines(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A JSON-lines file."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def dataset(texts: Mapping[str, str], questions: Mapping[str, Sequence[str]]) -> Dataset:
    """Passages by their id, and questions with the ids that are right for them."""
    return Dataset(
        "small",
        tuple(
            Question(str(n), text, tuple(Target(document, 1, 1.0) for document in right))
            for n, (text, right) in enumerate(questions.items())
        ),
        tuple(_passage(name, text) for name, text in texts.items()),
    )


def _passage(name: str, text: str) -> Passage:
    document = Document(name, "evaluation", "", "", name, 1, 1, len(text), "")
    return Passage(Chunk(name, name, 0, 1, 1, 1, "1", "", text, 0, len(text)), document, text)


class CountingReranker:
    """Scores by the words shared with the question, and remembers every pair it scored."""

    name = "counting"

    def __init__(self, identity: str = "one") -> None:
        self._identity = identity
        self.pairs: list[tuple[str, str]] = []

    def identity(self) -> str:
        return self._identity

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.pairs += [(question, text) for text in texts]
        asked = set(re.findall(r"\w+", question.lower()))
        return [len(asked & set(re.findall(r"\w+", text.lower()))) / len(asked) for text in texts]

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        return ranked([replace(hit, relevance=score) for hit, score in zip(hits, scores, strict=True)], scores)

"""Candidates with what every stage thought of them and whether they are right; scored once, then kept as JSON lines."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from ingest.build import Parts
from ingest.build import build as build_parts
from ingest.command import take_in
from ingest.settings import Settings
from rag_app.records import Hit
from rag_app.rerank.cross_encoder import FOLDER, PIECES, Scorer
from rag_app.rerank.ranking import reranked_text
from rag_app.retrieve import DenseRetriever, HybridRetriever, LexicalRetriever

T = TypeVar("T")
LIMIT = 50  # candidates of each retriever
SPACE = "documents"


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate of one question."""

    question: str
    dense: int | None  # 1-based rank
    lexical: int | None  # 1-based rank
    hybrid: int | None  # 1-based rank
    cosine: float  # -1 to 1
    logit: float  # the cross-encoder's
    distance: int | None  # pages from the nearest labelled page; None: another file


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with the pages that answer it."""

    question: str
    pdf: str  # file name
    pages: tuple[int, ...]  # 1-based


def labelled_questions(folder: Path) -> list[Labelled]:
    """The questions of a folder with questions.jsonl beside its PDFs."""
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines() if line]
    return [Labelled(row["question"], row["pdf"], tuple(row["pages"])) for row in rows]


def judge(folder: Path, home: Path) -> list[list[Judged]]:
    """For each question of a folder its candidates; the library in `home` and the scores in it are made once."""
    kept = home / "judged.jsonl"
    if not kept.exists():
        parts = build_parts(Settings(home=home))
        take_in(parts, sorted(folder.glob("*.pdf")), SPACE)
        scorer = Scorer(FOLDER, parts.compute, PIECES)
        questions = labelled_questions(folder)
        rows = [_candidates(parts, scorer, question) for question in told(questions, "questions")]
        temporary = kept.with_suffix(".new")
        temporary.write_text("".join(json.dumps([asdict(item) for item in row]) + "\n" for row in rows))
        temporary.replace(kept)
    return [[Judged(**item) for item in json.loads(line)] for line in kept.read_text().splitlines()]


def _candidates(parts: Parts, scorer: Scorer, question: Labelled) -> list[Judged]:
    asked = question.question
    found = [
        retriever.retrieve(asked, [SPACE], LIMIT)[0]
        for retriever in (
            DenseRetriever(parts.library, parts.index, parts.embedder),
            LexicalRetriever(parts.library, parts.index),
            HybridRetriever(parts.library, parts.index, parts.embedder),
        )
    ]
    dense, lexical, hybrid = ({hit.chunk.id: rank for rank, hit in enumerate(hits, start=1)} for hits in found)
    everything = {hit.chunk.id: hit for hits in found for hit in hits}
    cosines = _cosines(parts, asked, list(everything.values()))
    logits = scorer.logits(asked, [reranked_text(hit) for hit in everything.values()])
    return [
        Judged(
            question=asked,
            dense=dense.get(key),
            lexical=lexical.get(key),
            hybrid=hybrid.get(key),
            cosine=cosines[key],
            logit=logit,
            distance=_distance(hit, question),
        )
        for (key, hit), logit in zip(everything.items(), logits, strict=True)
    ]


def _cosines(parts: Parts, question: str, hits: Sequence[Hit]) -> dict[str, float]:
    from ingest.records import Place

    vector = parts.embedder.embed_question(question)
    places = {Place(hit.chunk.document_id, hit.chunk.position): hit.chunk.id for hit in hits}
    vectors = parts.library.vectors_at(places, parts.embedder.name)
    return {places[place]: float(row @ vector) for place, row in vectors.items()}


def _distance(hit: Hit, question: Labelled) -> int | None:
    if Path(hit.document.path).name != question.pdf:
        return None
    return min(abs(hit.chunk.page - page) for page in question.pages)


def told(items: Sequence[T], name: str) -> Iterable[T]:
    """The items, with a line on stderr about every tenth part and the time left."""
    started = time.monotonic()
    step = max(1, len(items) // 10)
    for done, item in enumerate(items):
        if done and done % step == 0:
            left = (time.monotonic() - started) / done * (len(items) - done)
            sys.stderr.write(f"{done} of {len(items)} {name}, about {left:.0f} s left\n")
        yield item

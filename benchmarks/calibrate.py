"""Fit the calibration that ships beside the bundled cross-encoder.

python -m benchmarks.calibrate --data DIR --write fits relevance = sigmoid(bias + a * (logit + COSINE * cosine +
OVERLAP * overlap)) by logistic regression on the passages an answer would be made from: of questions with their right
passages in the collection, of the same questions with these taken away, and of questions that belong to another
collection. A passage that comes first and is in doubt is read again part by part (rag_app/rerank/closer.py), and a line
of its own joins what that tells. Even questions are fitted on, odd ones are measured on. The threshold is the relevance
below which REFUSED of all answerable questions fall, so what is refused on the odd ones is no independent figure;
benchmarks/unanswerable.py asks other questions.
"""

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.progress import told
from ingest.build import build as build_parts
from ingest.embedding import Embedder, Vectors
from ingest.settings import Settings
from rag_app.overlap import overlaps
from rag_app.rerank.calibration import Calibration, save
from rag_app.rerank.closer import READ
from rag_app.rerank.closer import parts as parts_of
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker
from rag_app.train.calibrating import (
    Case,
    Scored,
    best_relevance,
    cases,
    expected_error,
    fitted_joined,
    refused,
    with_closer,
)

MANUAL = "emanual_s10"  # a BEIR folder under retrieval/, not seen in training
# Under pairs/: what no training sees. Rows without an answer are questions that their passage does not answer.
PAIRS = ("squadshifts_new_wiki", "squad2_devhalf", "covid_qa", "policyqa_test", "qed_dev", "tatqa_dev_test")
QUESTIONS = 60  # of each set
FOREIGN = 30  # questions of another set, asked of each
POOL = 600  # passages of each set of pairs
NEAREST = 20  # passages of each question
REFUSED = 0.025  # share of the answerable questions that may fall below the threshold
# Weights of cosine and overlap beside a logit: the best of a grid on the development sets (docs/training.md).
COSINE = 30.0
OVERLAP = 8.0


@dataclass(frozen=True, slots=True)
class Collection:
    """Questions, passages, and which answer which."""

    name: str
    texts: Sequence[str]
    questions: Sequence[tuple[str, frozenset[int]]]  # a question and the indexes of its right passages


def scored_questions(collection: Collection, home: Path) -> list[list[Scored]]:
    """For each question its nearest passages, scored; kept in `home`."""
    kept = home / f"calibrate-{collection.name}.jsonl"
    if not kept.exists():
        rows = _score(collection, home)
        kept.write_text("".join(json.dumps([asdict(item) for item in row]) + "\n" for row in rows))
    return [[_scored(item) for item in json.loads(line)] for line in kept.read_text().splitlines()]


def _scored(item: dict[str, Any]) -> Scored:
    return Scored(**{**item, "parts": tuple((logit, cosine) for logit, cosine in item["parts"])})


def manual(folder: Path) -> Collection:
    """A BEIR folder."""
    corpus = _rows(folder / "corpus.jsonl.gz")
    place = {entry["_id"]: index for index, entry in enumerate(corpus)}
    right: dict[str, set[int]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        question, passage, judgement = line.split("\t")
        if int(judgement) > 0:
            right.setdefault(question, set()).add(place[passage])
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()][:QUESTIONS]
    texts = [f"{entry['title']}\n{entry['text']}" for entry in corpus]
    return Collection(folder.name, texts, [(query["text"], frozenset(right[query["_id"]])) for query in queries])


def pairs(file: Path) -> Collection:
    """Questions of a file of pairs over a pool of its passages, both spread over the whole file."""
    rows = [row for row in _rows(file) if row.get("label", 1) == 1 and row.get("answer")]
    passages = list(dict.fromkeys(_passage(row) for row in rows))
    texts = passages[:: max(1, len(passages) // POOL)][:POOL]
    place = {text: index for index, text in enumerate(texts)}
    right: dict[str, set[int]] = {}
    for row in rows:
        if _passage(row) in place:
            right.setdefault(row["question"], set()).add(place[_passage(row)])
    asked = list(right)[:: max(1, len(right) // QUESTIONS)][:QUESTIONS]
    questions = [(question, frozenset(right[question])) for question in asked]
    return Collection(file.name.partition(".")[0], texts, questions)


def strangers(collection: Collection, other: Collection) -> Collection:
    """Questions of another collection, asked of this one: off topic, so nothing answers them."""
    questions = [(question, frozenset[int]()) for question, _ in other.questions[:FOREIGN]]
    return Collection(f"{collection.name}-strangers", collection.texts, questions)


def _passage(row: dict[str, str]) -> str:
    return f"{row['title']}\n{row['passage']}" if row.get("title") else row["passage"]


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt") as lines:
        return [json.loads(line) for line in lines]


def _vectors(embedder: Embedder, collection: Collection, home: Path) -> Vectors:
    kept = home / f"vectors-{collection.name.removesuffix('-strangers')}.npy"
    if not kept.exists():
        np.save(kept, embedder.embed(collection.texts))
    vectors: Vectors = np.load(kept)
    return vectors


def _score(collection: Collection, home: Path) -> list[list[Scored]]:
    parts = build_parts(Settings(home=home))
    reranker = BundledReranker(parts.compute)
    vectors = _vectors(parts.embedder, collection, home)
    rows = []
    for question, right in told(collection.questions, f"questions of {collection.name}"):
        cosines = vectors @ parts.embedder.embed_question(question)
        nearest = [int(index) for index in np.argsort(-cosines)[:NEAREST]]
        texts = [collection.texts[index] for index in nearest]
        found = zip(nearest, reranker.scores(question, texts), overlaps(question, texts), strict=True)
        row = [Scored(float(cosines[index]), logit, index in right, overlap) for index, logit, overlap in found]
        vector = parts.embedder.embed_question(question)
        for place in _firsts(row):
            read = _read_again(question, texts[place], vector, parts.embedder, reranker)
            row[place] = replace(row[place], parts=read)
        rows.append(row)
    return rows


def _firsts(row: Sequence[Scored]) -> set[int]:
    """The places that come first among all of a row, and among those that are not right."""
    order = sorted(
        range(len(row)),
        key=lambda place: -(row[place].logit + COSINE * row[place].cosine + OVERLAP * row[place].overlap),
    )
    return {order[0], next((place for place in order if not row[place].right), order[0])}


def _read_again(
    question: str, text: str, vector: Vectors, embedder: Embedder, reranker: BundledReranker
) -> tuple[tuple[float, float], ...]:
    """Logit and cosine of a passage's parts, as the application reads them."""
    own = parts_of(text)
    cosines = embedder.embed_parts(own) @ vector
    nearest = [int(place) for place in np.argsort(-cosines)[:READ]]
    logits = reranker.scores(question, [own[place] for place in nearest])
    return tuple((logit, float(cosines[place])) for logit, place in zip(logits, nearest, strict=True))


def with_threshold(known: Sequence[Case], others: Sequence[Case]) -> Calibration:
    """The calibration fitted on `known`, with the threshold that REFUSED asks for on both."""
    fresh = fitted_joined(known, 0.0, COSINE, OVERLAP)
    closer = with_closer(fresh, known)
    every = [*known, *others]
    return replace(closer, threshold=_threshold(closer, every), first_threshold=_threshold(fresh, every))


def _threshold(calibration: Calibration, known: Sequence[Case]) -> float:
    best = [best_relevance(calibration, case) for case in known if case.answerable]
    return round(float(np.quantile(best, REFUSED)), 3)


def told_table(calibration: Calibration, measured: Mapping[str, Sequence[Case]]) -> str:
    """The table that is printed."""
    lines = [
        (
            f"relevance = sigmoid({calibration.bias:.3f} + {calibration.logit:.3f} logit "
            f"+ {calibration.cosine:.3f} cosine + {calibration.overlap:.3f} overlap)"
        ),
        f"of the first: sigmoid({calibration.lift:.3f} + {calibration.stretch:.3f} times what stands in there)",
        (
            f"of the first in doubt: sigmoid({calibration.closer_bias:.3f} + {calibration.closer_first:.3f} log-odds "
            f"+ {calibration.closer_part:.3f} best part)"
        ),
        f"without a cosine: sigmoid({calibration.alone_bias:.3f} + {calibration.alone_logit:.3f} logit)",
        f"threshold {calibration.threshold:.3f}",
        "",
        f"{'measured on':<20}  ECE    false refusals  unanswerable found",
    ]
    for name, known in measured.items():
        false, true = (refused(calibration, known, answerable=answerable) for answerable in (True, False))
        lines.append(f"{name:<20} {expected_error(calibration, known):5.3f}   {false:13.1%}  {true:18.1%}")
    return "\n".join(lines)


def main() -> None:
    """Fit, measure, print, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/ and pairs/")
    parser.add_argument("--home", type=Path, default=Path("build/calibrate"), help="where scores are kept")
    parser.add_argument("--write", action="store_true", help="put the result beside the bundled weights")
    arguments = parser.parse_args()
    collections = [
        manual(arguments.data / "retrieval" / MANUAL),
        *(pairs(arguments.data / "pairs" / f"{name}.jsonl.gz") for name in PAIRS),
    ]
    even, odd = {}, {}
    for collection, other in zip(collections, collections[1:] + collections[:1], strict=True):
        home = scored_questions(collection, arguments.home)
        foreign = scored_questions(strangers(collection, other), arguments.home)
        even[collection.name], odd[collection.name] = cases(home[::2], foreign[::2]), cases(home[1::2], foreign[1::2])
    others = [case for known in odd.values() for case in known]
    calibration = with_threshold([case for known in even.values() for case in known], others)
    print(told_table(calibration, {**odd, "all": others}))
    if arguments.write:
        save(calibration, FOLDER)


if __name__ == "__main__":
    main()

"""Fit the calibration that ships beside the bundled cross-encoder.

python -m benchmarks.calibrate --data DIR --write fits relevance = sigmoid(bias + a * logit + b * cosine) by logistic
regression on the nearest passages of questions the model has not seen, and the threshold below which the documents are
taken not to hold the answer; a question becomes unanswerable when its right passages are taken away. Even
questions are fitted on, odd ones are measured on.
"""

import argparse
import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import told
from ingest.build import build as build_parts
from ingest.settings import Settings
from rag_app.rerank.calibration import Calibration, save
from rag_app.rerank.cross_encoder import FOLDER, PIECES, Scorer

MANUAL = "emanual_s10"  # a BEIR folder under retrieval/, not seen in training
PAIRS = (
    "uda_nq",
    "policyqa_dev",
    "squadshifts_reddit",
    "medquad",
)  # under pairs/; a fifth of them was seen in training
QUESTIONS = 60  # of each set
POOL = 600  # passages of each set of pairs
NEAREST = 20  # passages of each question
PASSAGES = 3  # as many as an answer is given
MOST_FALSE_REFUSALS = 0.05  # of answerable questions


@dataclass(frozen=True, slots=True)
class Scored:
    """One passage of one question."""

    cosine: float
    logit: float
    right: bool


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
    return [[Scored(**item) for item in json.loads(line)] for line in kept.read_text().splitlines()]


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
    rows = [row for row in _rows(file) if row.get("label", 1) == 1]
    passages = list(dict.fromkeys(_passage(row) for row in rows))
    texts = passages[:: max(1, len(passages) // POOL)][:POOL]
    place = {text: index for index, text in enumerate(texts)}
    held = [row for row in rows if _passage(row) in place]
    asked = held[:: max(1, len(held) // QUESTIONS)][:QUESTIONS]
    questions = [(row["question"], frozenset({place[_passage(row)]})) for row in asked]
    return Collection(file.name.partition(".")[0], texts, questions)


def _passage(row: dict[str, str]) -> str:
    return f"{row['title']}\n{row['passage']}" if row.get("title") else row["passage"]


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt") as lines:
        return [json.loads(line) for line in lines]


def _score(collection: Collection, home: Path) -> list[list[Scored]]:
    parts = build_parts(Settings(home=home))
    scorer = Scorer(FOLDER, parts.compute, PIECES)
    vectors = parts.embedder.embed(collection.texts)
    rows = []
    for question, right in told(collection.questions, f"questions of {collection.name}"):
        cosines = vectors @ parts.embedder.embed_question(question)
        nearest = [int(index) for index in np.argsort(-cosines)[:NEAREST]]
        logits = scorer.logits(question, [collection.texts[index] for index in nearest])
        rows.append(
            [Scored(float(cosines[index]), logit, index in right) for index, logit in zip(nearest, logits, strict=True)]
        )
    return rows


def fit(sets: Sequence[Sequence[Sequence[Scored]]], *, with_cosine: bool) -> list[float]:
    """Bias, weight of the logit and of the cosine where it is used, by Newton's method; every set weighs the same."""
    columns = 3 if with_cosine else 2
    rows = [(item, 1 / sum(map(len, questions))) for questions in sets for row in questions for item in row]
    features = np.array([[1.0, item.logit, item.cosine] for item, _ in rows])[:, :columns]
    labels = np.array([item.right for item, _ in rows], dtype=float)
    weights = np.array([weight for _, weight in rows]) * len(rows)
    beta = np.zeros(columns)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-features @ beta))
        slope = features.T @ (weights * (labels - chance)) - 1e-3 * beta
        curve = (features * (weights * chance * (1 - chance))[:, None]).T @ features + 1e-3 * np.eye(columns)
        beta += np.linalg.solve(curve, slope)
    return [float(value) for value in beta]


def best_relevances(
    calibration: Calibration, questions: Sequence[Sequence[Scored]], *, answerable: bool
) -> NDArray[np.float64]:
    """For each question the best relevance among its passages, with the right ones in or taken away."""
    best = []
    for row in questions:
        seen = [item for item in row if answerable or not item.right]
        if any(item.right for item in row) and seen:
            best.append(max(calibration.relevance(item.logit, item.cosine) for item in seen))
    return np.array(best)


def expected_error(calibration: Calibration, questions: Sequence[Sequence[Scored]], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al., AAAI 2015)."""
    chance = np.array([calibration.relevance(item.logit, item.cosine) for row in questions for item in row])
    right = np.array([item.right for row in questions for item in row], dtype=float)
    which = np.minimum((chance * bins).astype(int), bins - 1)
    parts = [which == index for index in range(bins)]
    return float(sum(part.mean() * abs(chance[part].mean() - right[part].mean()) for part in parts if part.any()))


def threshold_of(calibration: Calibration, sets: Sequence[Sequence[Sequence[Scored]]]) -> float:
    """The threshold that finds most unanswerable questions at no more than the allowed false refusals."""
    best = np.concatenate([best_relevances(calibration, questions, answerable=True) for questions in sets])
    return float(np.quantile(best, MOST_FALSE_REFUSALS))


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
    scored = [scored_questions(collection, arguments.home) for collection in collections]
    fitted_on, measured_on = [questions[::2] for questions in scored], [questions[1::2] for questions in scored]
    bias, logit, cosine = fit(fitted_on, with_cosine=True)
    alone_bias, alone_logit = fit(fitted_on, with_cosine=False)
    draft = Calibration(bias, logit, cosine, 0.0, alone_bias, alone_logit)
    calibration = replace(draft, threshold=threshold_of(draft, fitted_on))
    print(f"relevance = sigmoid({bias:.3f} + {logit:.3f} logit + {cosine:.3f} cosine)")
    print(f"without a cosine: sigmoid({alone_bias:.3f} + {alone_logit:.3f} logit)")
    print(f"threshold {calibration.threshold:.3f}\n\nset                  ECE   false refusals  unanswerable found")
    for collection, questions in zip(collections, measured_on, strict=True):
        refused = (best_relevances(calibration, questions, answerable=True) < calibration.threshold).mean()
        found = (best_relevances(calibration, questions, answerable=False) < calibration.threshold).mean()
        print(f"{collection.name:<18} {expected_error(calibration, questions):5.3f}   {refused:14.1%}  {found:18.1%}")
    if arguments.write:
        save(calibration, FOLDER)


if __name__ == "__main__":
    main()

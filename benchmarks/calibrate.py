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
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import told
from ingest.build import build as build_parts
from ingest.settings import Settings
from rag_app.rerank.calibration import Calibration, save
from rag_app.rerank.cross_encoder import FOLDER, PIECES, Scorer

SETS = {"emanual_s10": 50, "stackfaq": 120}  # BEIR folders under retrieval/, and how many of their questions
NEAREST = 20  # passages of each question
PASSAGES = 3  # as many as an answer is given
MOST_FALSE_REFUSALS = 0.05  # of answerable questions


@dataclass(frozen=True, slots=True)
class Scored:
    """One passage of one question."""

    cosine: float
    logit: float
    right: bool


def questions_of(folder: Path, count: int, home: Path) -> list[list[Scored]]:
    """For the first questions of a BEIR folder its nearest passages, scored; kept in `home`."""
    kept = home / f"calibrate-{folder.name}.jsonl"
    if not kept.exists():
        rows = _score(folder, count, home)
        kept.write_text("".join(json.dumps([asdict(item) for item in row]) + "\n" for row in rows))
    return [[Scored(**item) for item in json.loads(line)] for line in kept.read_text().splitlines()]


def _score(folder: Path, count: int, home: Path) -> list[list[Scored]]:
    parts = build_parts(Settings(home=home))
    scorer = Scorer(FOLDER, parts.compute, PIECES)
    with gzip.open(folder / "corpus.jsonl.gz", "rt") as file:
        corpus = [json.loads(line) for line in file]
    texts = [f"{entry['title']}\n{entry['text']}" for entry in corpus]
    vectors = parts.embedder.embed(texts)
    right: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        question, passage, judgement = line.split("\t")
        if int(judgement) > 0:
            right.setdefault(question, set()).add(passage)
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    # Spread over the whole set: neighbours are often rephrasings of one question.
    queries = queries[:: max(1, len(queries) // count)][:count]
    rows = []
    for query in told(queries, f"questions of {folder.name}"):
        cosines = vectors @ parts.embedder.embed_question(query["text"])
        nearest = np.argsort(-cosines)[:NEAREST]
        logits = scorer.logits(query["text"], [texts[index] for index in nearest])
        rows.append(
            [
                Scored(float(cosines[index]), logit, corpus[index]["_id"] in right.get(query["_id"], set()))
                for index, logit in zip(nearest, logits, strict=True)
            ]
        )
    return rows


def fit(sets: Sequence[Sequence[Sequence[Scored]]]) -> tuple[float, float, float]:
    """Bias and weights of logit and cosine by Newton's method; every set weighs the same."""
    rows = [(item, 1 / sum(map(len, questions))) for questions in sets for row in questions for item in row]
    features = np.array([[1.0, item.logit, item.cosine] for item, _ in rows])
    labels = np.array([item.right for item, _ in rows], dtype=float)
    weights = np.array([weight for _, weight in rows]) * len(rows)
    beta = np.zeros(3)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-features @ beta))
        slope = features.T @ (weights * (labels - chance)) - 1e-3 * beta
        curve = (features * (weights * chance * (1 - chance))[:, None]).T @ features + 1e-3 * np.eye(3)
        beta += np.linalg.solve(curve, slope)
    return float(beta[0]), float(beta[1]), float(beta[2])


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
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--home", type=Path, default=Path("build/calibrate"), help="where scores are kept")
    parser.add_argument("--write", action="store_true", help="put the result beside the bundled weights")
    arguments = parser.parse_args()
    scored = [questions_of(arguments.data / "retrieval" / name, count, arguments.home) for name, count in SETS.items()]
    fitted_on, measured_on = [questions[::2] for questions in scored], [questions[1::2] for questions in scored]
    bias, logit, cosine = fit(fitted_on)
    draft = Calibration(bias, logit, cosine, 0.0)
    calibration = Calibration(bias, logit, cosine, threshold_of(draft, fitted_on))
    print(f"relevance = sigmoid({bias:.3f} + {logit:.3f} logit + {cosine:.3f} cosine)")
    print(f"threshold {calibration.threshold:.3f}\n\nset            ECE   false refusals  unanswerable found")
    for name, questions in zip(SETS, measured_on, strict=True):
        refused = (best_relevances(calibration, questions, answerable=True) < calibration.threshold).mean()
        found = (best_relevances(calibration, questions, answerable=False) < calibration.threshold).mean()
        print(f"{name:<12} {expected_error(calibration, questions):5.3f}   {refused:14.1%}  {found:18.1%}")
    if arguments.write:
        save(calibration, FOLDER)


if __name__ == "__main__":
    main()

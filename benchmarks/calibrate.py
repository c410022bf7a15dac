"""Fit the calibration that ships beside the bundled cross-encoder.

python -m benchmarks.calibrate --data DIR --write fits relevance = sigmoid(bias + a * logit + b * cosine) by logistic
regression on the passages an answer would be made from: of questions with their right passages in the collection, of
the same questions with these taken away, and of questions that belong to another collection. Even questions are
fitted on, odd ones are measured on.
"""

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.progress import told
from ingest.build import build as build_parts
from ingest.embedding import Embedder, Vectors
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
FOREIGN = 30  # questions of another set, asked of each
POOL = 600  # passages of each set of pairs
NEAREST = 20  # passages of each question
PASSAGES = 3  # as many as an answer is given
# Between the chance below which one in twenty answerable questions of the collections falls (.049) and that below
# which one in a hundred over real PDFs does (.023, the questions of `benchmarks/pages.py`): a wrong refusal still
# shows the passages.
THRESHOLD = 0.03


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
    scorer = Scorer(FOLDER, parts.compute, PIECES)
    vectors = _vectors(parts.embedder, collection, home)
    rows = []
    for question, right in told(collection.questions, f"questions of {collection.name}"):
        cosines = vectors @ parts.embedder.embed_question(question)
        nearest = [int(index) for index in np.argsort(-cosines)[:NEAREST]]
        logits = scorer.logits(question, [collection.texts[index] for index in nearest])
        rows.append(
            [Scored(float(cosines[index]), logit, index in right) for index, logit in zip(nearest, logits, strict=True)]
        )
    return rows


@dataclass(frozen=True, slots=True)
class Case:
    """A question's nearest passages, with or without the ones that answer it."""

    passages: Sequence[Scored]
    answerable: bool


def cases(home: Sequence[Sequence[Scored]], foreign: Sequence[Sequence[Scored]]) -> list[Case]:
    """Each question with its right passages, the same without them, and questions from elsewhere."""
    held = [row for row in home if any(item.right for item in row) and not all(item.right for item in row)]
    return [
        *(Case(row, answerable=True) for row in held),
        *(Case([item for item in row if not item.right], answerable=False) for row in held),
        *(Case(row, answerable=False) for row in foreign),
    ]


def fit(rows: Sequence[Scored], *, with_cosine: bool) -> list[float]:
    """Bias, weight of the logit and of the cosine where it is used, by Newton's method."""
    columns = 3 if with_cosine else 2
    features = np.array([[1.0, item.logit, item.cosine] for item in rows])[:, :columns]
    labels = np.array([item.right for item in rows], dtype=float)
    beta = np.zeros(columns)
    for _ in range(50):
        chance = _chance(features @ beta)
        slope = features.T @ (labels - chance) - 1e-3 * beta
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + 1e-3 * np.eye(columns)
        beta += np.linalg.solve(curve, slope)
    return [float(value) for value in beta]


def fitted(known: Sequence[Case]) -> Calibration:
    """The calibration: first an order from all passages, then the chances of those that come first in it."""
    bias, logit, cosine = fit([item for case in known for item in case.passages], with_cosine=True)
    draft = Calibration(bias, logit, cosine, 0.0, 0.0, 0.0)
    first = [item for case in known for item in chosen(draft, case)]
    bias, logit, cosine = fit(first, with_cosine=True)
    return Calibration(bias, logit, cosine, THRESHOLD, *fit(first, with_cosine=False))


def chosen(calibration: Calibration, case: Case) -> list[Scored]:
    """The passages an answer would be made from."""
    ranked = sorted(case.passages, key=lambda item: -calibration.relevance(item.logit, item.cosine))
    return ranked[:PASSAGES]


def best_relevance(calibration: Calibration, case: Case) -> float:
    """The relevance (0 to 1) that decides whether the question is answered."""
    return max(calibration.relevance(item.logit, item.cosine) for item in case.passages)


def expected_error(calibration: Calibration, known: Sequence[Case], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al., AAAI 2015)."""
    rows = [item for case in known for item in chosen(calibration, case)]
    chance = np.array([calibration.relevance(item.logit, item.cosine) for item in rows])
    right = np.array([item.right for item in rows], dtype=float)
    which = np.minimum((chance * bins).astype(int), bins - 1)
    parts = [which == index for index in range(bins)]
    return float(sum(part.mean() * abs(chance[part].mean() - right[part].mean()) for part in parts if part.any()))


def _chance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-values)))


def refused(calibration: Calibration, known: Sequence[Case], *, answerable: bool) -> float:
    """The share (0 to 1) of the answerable, or of the other questions, that would not be answered."""
    best = [best_relevance(calibration, case) for case in known if case.answerable == answerable]
    return float(np.mean(np.array(best) < calibration.threshold))


def told_table(calibration: Calibration, measured: Mapping[str, Sequence[Case]]) -> str:
    """The table that is printed."""
    lines = [
        (
            f"relevance = sigmoid({calibration.bias:.3f} + {calibration.logit:.3f} logit "
            f"+ {calibration.cosine:.3f} cosine)"
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
    calibration = fitted([case for known in even.values() for case in known])
    print(told_table(calibration, {**odd, "all": [case for known in odd.values() for case in known]}))
    if arguments.write:
        save(calibration, FOLDER)


if __name__ == "__main__":
    main()

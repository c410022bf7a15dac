"""The straight line of a team's own model: find -> split -> mine -> train -> calibrate -> compare -> keep."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.compute import Compute
from ingest.embedding import checksum
from ingest.engines import Engines
from ingest.records import Document
from ingest.terminal import printable
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Embedder, Models
from rag_app.evaluate.progress import Progress, told_time
from rag_app.records import Hit
from rag_app.rerank import calibration
from rag_app.rerank.calibration import Calibration
from rag_app.rerank.cross_encoder import BUNDLED, FOLDER, PIECES, BundledReranker
from rag_app.rerank.ranking import reranked_text
from rag_app.rerank.store import RECORD, Live, Store
from rag_app.train import fine_tune
from rag_app.train.asked import Asked, Find, Missing, Shelf, by_question
from rag_app.train.calibrating import fitted
from rag_app.train.compare import Compared, abstaining, compared, figures, judged, scores, threshold
from rag_app.train.fine_tune import Recipe, Training
from rag_app.train.groups import Group
from rag_app.train.labelled import Labelled
from rag_app.train.own import Parts, digest, groups, split

MISSING_SHOWN = 20  # labels that name nothing in the library
ROUNDS = 4  # times each question is learned from, each time with other negatives
# A rate a quarter of that of the shipped model's training: it knows how, and is told where. Groups are few and long.
OWN = Recipe(rate=3e-5, warm=0.1, groups=4, pieces=PIECES, every=sys.maxsize)
PULL = 1.0  # precision of a new calibration around the old one: a few dozen questions outweigh it


@dataclass(frozen=True, slots=True)
class Order:
    """What to train."""

    name: str
    source: str  # where the questions come from, for the record
    seed: int
    threads: int = 0  # 0: as many as there are cores
    rounds: int = ROUNDS
    recipe: Recipe = OWN


@dataclass(frozen=True, slots=True)
class Workshop:
    """What to train with."""

    store: Store
    compute: Compute
    embedder: Embedder
    engines: Engines
    kept: Kept
    documents: Sequence[Document]
    find: Find
    handbook: Callable[[Models], Sequence[Asked]] | None  # questions that must not be forgotten; None: not there


@dataclass(frozen=True, slots=True)
class Side:
    """One model's figures."""

    held_out: list[tuple[float, ...]]
    handbook: list[tuple[float, ...]]
    abstaining: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it."""

    record: Mapping[str, Any]
    missing: Sequence[Missing]


def train(labelled: Sequence[Labelled], order: Order, workshop: Workshop) -> Trained:
    """Train from the live model, compare, and keep the result with its record. The library is only read.

    Raises ModelError for a name that cannot be used, TrainingDataError where there are too few questions. Whatever
    it raises, KeyboardInterrupt included, nothing is left behind.
    """
    started = time.monotonic()
    with workshop.store.making(order.name) as folder:
        base = workshop.store.live()
        models = _models(base.folder, base.name, workshop)
        asked, missing = _found(labelled, workshop)
        known = frozenset() if base.name == BUNDLED else frozenset(workshop.store.record(base.name)["trained_on"])
        parts = split(asked, order.seed, known)
        answering = _answering(parts.train, models)
        examples = groups(answering, order.rounds, order.seed)
        handbook = [] if workshop.handbook is None else list(workshop.handbook(models))
        before = _side(models, calibration.load(base.folder), parts, handbook, "Before training")
        _fine_tuned(base.folder, examples, order, folder)
        models, fresh = _recalibrated(base, parts, workshop, folder)
        after = _side(models, fresh, parts, handbook, "After training")
        record = {
            **_provenance(order, base, folder),
            "questions": {
                "given": len(by_question(labelled)),
                "usable": len(asked),
                "labels_not_in_library": len(missing),
                "without_a_right_candidate": sum(not one.right for one in asked),
                "train": len(answering),
                "calibrate": len(parts.calibrate),
                "held_out": len(parts.held_out),
            },
            **_comparison(before, after, order.seed),
            "pairs": sum(len(one.texts) for one in examples),
            "trained_on": sorted(known | {digest(one.text) for one, _ in answering}),
            "minutes": round((time.monotonic() - started) / 60, 1),
        }
        (folder / RECORD).write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return Trained(record, missing)


def _provenance(order: Order, base: Live, folder: Path) -> dict[str, Any]:
    return {
        "name": order.name,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "base": base.name,
        "base_sha256": checksum(base.folder),
        "sha256": checksum(folder),
        "source": order.source,
        "seed": order.seed,
        "recipe": {**asdict(order.recipe), "seed": order.seed, "rounds": order.rounds},
    }


def _models(folder: Path, name: str, workshop: Workshop) -> Models:
    reranker = BundledReranker(workshop.compute, folder, name, workshop.engines)
    return Models(workshop.embedder, reranker, workshop.kept)


def _found(labelled: Sequence[Labelled], workshop: Workshop) -> tuple[list[Asked], list[Missing]]:
    progress = Progress("Searching for questions", len(by_question(labelled)))
    asked, missing = Shelf(workshop.documents, workshop.find).asked(labelled, progress.add)
    progress.end()
    for one in missing[:MISSING_SHOWN]:
        sys.stderr.write(f"Not used, {one.origin}: {printable(one.reason)} ({printable(one.question)})\n")
    if len(missing) > MISSING_SHOWN:
        sys.stderr.write(f"And {len(missing) - MISSING_SHOWN} more; --json lists them all.\n")
    return asked, missing


def _answering(train: Sequence[Asked], models: Models) -> list[tuple[Asked, Hit]]:
    """Each question that has one with the right candidate that the live model thinks most of."""
    held = [one for one in train if one.right]
    progress = Progress("Choosing what answers", sum(len(one.right) for one in held))
    chosen = []
    for one in held:
        hits = [one.hits[index] for index in sorted(one.right)]
        progress.add(len(hits))
        logits = [score for score, _ in models.scores(one.text, [reranked_text(hit) for hit in hits], lambda _: None)]
        chosen.append((one, models.reranker.ordered(hits, logits)[0]))
    progress.end()
    return chosen


def _side(models: Models, used: Calibration, parts: Parts, handbook: Sequence[Asked], when: str) -> Side:
    held_out = scores(parts.held_out, models, f"{when}, questions held out")
    known = judged(parts.held_out, held_out)
    kept = scores(handbook, models, f"{when}, handbook")
    return Side(figures(parts.held_out, held_out, used), figures(handbook, kept, used), abstaining(used, known))


def _fine_tuned(start: Path, examples: Sequence[Group], order: Order, folder: Path) -> None:
    def told(progress: fine_tune.Progress) -> None:
        sys.stderr.write(
            f"Training: step {progress.step} of {progress.steps}, about {told_time(progress.left_s)} left\n"
        )

    training = Training(start, examples, replace(order.recipe, seed=order.seed), folder, order.threads)
    sys.stderr.write(f"Training on {len(examples)} groups of passages\n")
    training.run(told)
    training.save(folder)


def _recalibrated(base: Live, parts: Parts, workshop: Workshop, folder: Path) -> tuple[Models, Calibration]:
    """The new model with a calibration of its own, written beside it."""
    old = calibration.load(base.folder)
    calibration.save(old, folder)
    models = _models(folder, "new", workshop)
    known = judged(parts.calibrate, scores(parts.calibrate, models, "After training, questions to calibrate on"))
    fresh = old
    if known:
        fresh = fitted(known, old.threshold, near=old, pull=PULL)
        fresh = replace(fresh, threshold=threshold(fresh, known, calibration.load(FOLDER).threshold_unread))
    calibration.save(fresh, folder)
    return models, fresh


def _comparison(old: Side, new: Side, seed: int) -> dict[str, Any]:
    handbook = _told(compared(old.handbook, new.handbook, seed)) if old.handbook else None
    return {
        "held_out": _told(compared(old.held_out, new.held_out, seed)),
        "handbook": handbook,
        "abstaining": {"before": old.abstaining, "after": new.abstaining},
    }


def _told(found: Compared) -> dict[str, Any]:
    return {
        "questions": found.questions,
        "before": dict(found.before),
        "after": dict(found.after),
        "ndcg@10_change_ci95": [round(value, 4) for value in found.change],
    }

"""rag train: the team's own reranker, from its own questions."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ingest.errors import DatasetError
from ingest.home import Home
from rag_app.rerank.store import Store, told
from rag_app.settings import Settings

if TYPE_CHECKING:
    from rag_app.train.labelled import Labelled
    from rag_app.train.line import Trained

FEEDBACK = "feedback"
HANDBOOK = Path(__file__).resolve().parents[2] / "docs_corpus"  # where this runs from a copy of the repository
UNMEASURED = (
    "Whether the model has forgotten anything was not measured: name a folder of PDFs with questions.jsonl beside them "
    "(--handbook)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="train on the questions of a JSON-lines file (question, document, page or passage), or on what the "
        "chat's thumbs collected ('feedback')",
    )
    action.add_argument("--list", action="store_true", help="show the models that were trained, and which is live")
    action.add_argument(
        "--promote", metavar="NAME", help="answer with this model from now on; 'bundled' is the shipped one"
    )
    action.add_argument("--rollback", action="store_true", help="go back to the model that was live before")
    parser.add_argument("--name", help="what to call the model: a to z, 0 to 9 and '-' (default: own-DATE)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="decides what is held out (default 0)")
    parser.add_argument(
        "--handbook",
        type=Path,
        metavar="FOLDER",
        help="PDFs with questions.jsonl that the model must not forget (default: the handbook, where it is at hand)",
    )
    parser.add_argument("--force", action="store_true", help="promote a model although it measures worse")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Train, list, promote or roll back."""
    store = Store(settings.ingest.home)
    if arguments.source is not None:
        with stoppable():
            trained = _trained(arguments, settings, store)
        _say(arguments, {**trained.record, **_left_out(trained)}, _written(trained, store))
        return 0
    if arguments.list:
        records = [store.record(name) for name in store.names()]
        live = store.live()
        _say(arguments, {"live": live.name, "fault": live.fault or None, "models": records}, told(records, live))
    elif arguments.promote is not None:
        against = store.promote(arguments.promote, force=arguments.force)
        _say(arguments, {"live": arguments.promote, "against": against}, _promoted(arguments.promote, against))
    else:
        name = store.rollback()
        _say(arguments, {"live": name}, f"{name} is live again, from the next question on.")
    return 0


def _say(arguments: argparse.Namespace, values: dict[str, Any], text: str) -> None:
    sys.stdout.write((json.dumps(values, ensure_ascii=False) if arguments.json else text) + "\n")


def _promoted(name: str, against: Sequence[str]) -> str:
    return "\n".join([*against, f"{name} is live, from the next question on. `rag train --rollback` goes back."])


@contextmanager
def stoppable() -> Iterator[None]:
    """A service manager's stop ends the training as Ctrl+C does, so that nothing is left behind."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _trained(arguments: argparse.Namespace, settings: Settings, store: Store) -> "Trained":
    from rag_app.train.line import Order, train
    from rag_app.train.workshop import workshop

    name = arguments.name or _free_name(store)
    store.check_name(name)
    labelled = _labelled(arguments.source, settings)
    handbook = _handbook(arguments.handbook)
    order = Order(
        name=name,
        source=FEEDBACK if arguments.source == FEEDBACK else Path(arguments.source).name,
        seed=arguments.seed,
        threads=settings.ingest.threads,
    )
    with workshop(settings, store, handbook) as made:
        return train(labelled, order, made)


def _labelled(source: str, settings: Settings) -> "list[Labelled]":
    from rag_app.app_database import AppDatabase
    from rag_app.feedback import Feedback
    from rag_app.train.labelled import from_feedback, from_file

    if source != FEEDBACK:
        return from_file(Path(source))
    file = Home(settings.ingest.home).app_db
    if not file.is_file():
        raise DatasetError(f"There is no feedback yet in {settings.ingest.home}: nobody has asked in its chat.")
    database = AppDatabase(file)
    try:
        return from_feedback(Feedback(database).given())
    finally:
        database.close()


def _handbook(named: Path | None) -> Path | None:
    folder = HANDBOOK if named is None else named
    if (folder / "questions.jsonl").is_file():
        return folder
    if named is not None:
        raise DatasetError(f"{named} has no questions.jsonl beside its PDFs. Name another --handbook, or leave it out.")
    return None


def _free_name(store: Store) -> str:
    day = f"own-{datetime.now(UTC):%Y-%m-%d}"
    taken = set(store.names())
    return next(name for name in (day, *(f"{day}-{n}" for n in range(2, 1000))) if name not in taken)


def _left_out(trained: "Trained") -> dict[str, Any]:
    missing = [{"origin": one.origin, "question": one.question, "reason": one.reason} for one in trained.missing]
    return {"not_in_library": missing}


def _written(trained: "Trained", store: Store) -> str:
    """What a person wants to know of a training."""
    from rag_app.rerank.store import objections

    record, counts = trained.record, trained.record["questions"]
    lines = [
        (
            f"{counts['usable']} of {counts['given']} questions can be used: trained on {counts['train']}, calibrated "
            f"on {counts['calibrate']}, held out {counts['held_out']}. Of {counts['without_a_right_candidate']} the "
            "search does not find what answers them."
        ),
        "",
        f"{'':<28}{'hit@3':>16}{'mrr@10':>16}{'ndcg@10':>16}",
        *_rows("held out", record["held_out"]),
    ]
    lines += _rows("handbook", record["handbook"]) if record["handbook"] else ["", UNMEASURED]
    against = objections(record, store.live().name)
    promoting = f"`rag train --promote {record['name']}` answers with it."
    verdict = " ".join([*against, "It would not be promoted."]) if against else promoting
    return "\n".join([*lines, "", f"{record['name']}, trained in {record['minutes']} minutes. {verdict}"])


def _rows(what: str, figures: dict[str, Any]) -> list[str]:
    low, high = figures["ndcg@10_change_ci95"]
    cells = "".join(
        f"{figures['before'][name]:.3f} -> {figures['after'][name]:.3f}".rjust(16)
        for name in ("hit@3", "mrr@10", "ndcg@10")
    )
    return [
        f"{what + ', ' + str(figures['questions']) + ' questions':<28}{cells}",
        f"{'':<28}change of ndcg@10, 95 % interval: {low:+.3f} to {high:+.3f}",
    ]

"""The cross-encoders that were trained in a home, and which of them is live.

RAG_HOME/models/<name>/ holds weights, calibration and record of one; live.json names the one that answers and those
that did before it. Without it, and where the one it names is damaged, the bundled one answers.
"""

import fcntl
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.embedding import checksum
from ingest.errors import ModelError
from ingest.home import flush
from rag_app.rerank import calibration
from rag_app.rerank.cross_encoder import BUNDLED, FOLDER

MODELS = "models"  # in a home
LIVE, RECORD = "live.json", "record.json"
HIT, NDCG = "hit@3", "ndcg@10"  # figures of a record, by the names `rag_app/evaluate/metrics.py` gives them
NAME = re.compile(r"[a-z0-9-]{1,40}")
ROOM_BYTES = 600_000_000  # free on the disk before a training: weights, and what is written on the way
_UNFINISHED = ".new-"  # folders of trainings under way


@dataclass(frozen=True, slots=True)
class Live:
    """The model that answers."""

    name: str
    folder: Path
    fault: str = ""  # a sentence where it stands in for one that cannot


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What live.json says."""

    live: str = BUNDLED
    history: tuple[str, ...] = ()  # that were live before, oldest first


class Store:
    """The models of one home. Every change is a rename, so that it is made whole or not at all."""

    def __init__(self, home: Path) -> None:
        self.folder = home / MODELS

    # ---- reading

    def live(self) -> Live:
        """The model to answer with: sound, or the bundled one with the reason."""
        try:
            name = self._chosen().live
            if name == BUNDLED:
                return Live(BUNDLED, FOLDER)
            self._check(name)
        except ModelError as error:
            return Live(BUNDLED, FOLDER, f"{error} Until then the bundled model answers.")
        return Live(name, self.folder / name)

    def stamp(self) -> tuple[int, ...]:
        """Another value when another model may be live."""
        try:
            facts = (self.folder / LIVE).stat()
        except FileNotFoundError:
            return ()
        return facts.st_mtime_ns, facts.st_ino, facts.st_size

    def names(self) -> list[str]:
        """All models that were trained here, by name."""
        if not self.folder.is_dir():
            return []
        return sorted(entry.name for entry in self.folder.iterdir() if entry.is_dir() and NAME.fullmatch(entry.name))

    def record(self, name: str) -> Mapping[str, Any]:
        """How a model was made and what it measured. Raises ModelError where there is no such model."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ModelError(f"There is no model {name!r} in {self.folder}. Trained here: {known}.")
        try:
            values: Mapping[str, Any] = dict(json.loads((self.folder / name / RECORD).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise self._damaged(name, f"its {RECORD} cannot be read") from error
        return values

    def check_name(self, name: str) -> None:
        """Raises ModelError for a name that cannot be given to a new model."""
        if not NAME.fullmatch(name):
            raise ModelError(f"{name!r} is no name for a model: use 1 to 40 of a to z, 0 to 9 and '-'.")
        if name == BUNDLED or (self.folder / name).exists():
            raise ModelError(f"There is a model {name!r} already. Choose another --name.")

    # ---- writing

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """A folder for a new model, which gets its name when the block ends and goes when it raises.

        Raises ModelError for a bad name, while another training is under way, and where the disk is full.
        """
        self.check_name(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            for left in self.folder.glob(_UNFINISHED + "*"):  # of a training that was killed
                shutil.rmtree(left, ignore_errors=True)
            if shutil.disk_usage(self.folder).free < ROOM_BYTES:
                raise ModelError(f"The disk of {self.folder} has less than {ROOM_BYTES / 1e6:.0f} MB left. Make room.")
            unfinished = self.folder / (_UNFINISHED + name)
            unfinished.mkdir()
            try:
                yield unfinished
                for file in unfinished.iterdir():
                    flush(file)
                self.check_name(name)
                unfinished.rename(self.folder / name)
                flush(self.folder)
            except OSError as error:
                raise ModelError(
                    f"{name!r} could not be written to {self.folder} ({error}). Nothing is left."
                ) from error
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)

    def promote(self, name: str, *, force: bool = False) -> list[str]:
        """Make a model the live one. Returns what speaks against it where that was forced.

        Raises ModelError where something does and it was not forced, or the model is missing, damaged or live.
        """
        chosen = self._chosen(forgiving=force)
        if name == chosen.live:
            raise ModelError(f"The model {name!r} is live already.")
        against: list[str] = []
        if name != BUNDLED:
            self._check(name)
            against = objections(self.record(name), chosen.live)
        if against and not force:
            raise ModelError(f"{' '.join(against)} {name!r} was not promoted; --force does it nevertheless.")
        self._choose(_Chosen(name, (*chosen.history, chosen.live)))
        return against

    def rollback(self) -> str:
        """Go back to the model that was live before, and return its name. Raises ModelError where there was none."""
        chosen = self._chosen()
        if not chosen.history:
            raise ModelError(f"No model was live before {chosen.live!r}, so there is none to go back to.")
        before = chosen.history[-1]
        if before != BUNDLED:
            self._check(before)
        self._choose(_Chosen(before, chosen.history[:-1]))
        return before

    # ---- parts

    def _chosen(self, *, forgiving: bool = False) -> _Chosen:
        try:
            values = json.loads((self.folder / LIVE).read_text(encoding="utf-8"))
            return _Chosen(str(values["live"]), tuple(map(str, values["history"])))
        except FileNotFoundError:
            return _Chosen()
        except (OSError, ValueError, KeyError, TypeError) as error:
            if forgiving:
                return _Chosen()
            raise ModelError(
                f"{self.folder / LIVE} cannot be read ({error}). Promote a model with --force to write it anew."
            ) from error

    def _choose(self, chosen: _Chosen) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / (LIVE + ".new")
        new.write_text(json.dumps({"live": chosen.live, "history": chosen.history}, indent=2) + "\n")
        flush(new)
        new.replace(self.folder / LIVE)
        flush(self.folder)

    def _check(self, name: str) -> None:
        """Raises ModelError where a model is missing or not as it was written."""
        if not NAME.fullmatch(name) or not (self.folder / name).is_dir():
            raise ModelError(f"The model {name!r} is not in {self.folder}. `rag train --promote` chooses another.")
        record = self.record(name)
        if checksum(self.folder / name) != record.get("sha256"):
            raise self._damaged(name, "its weights are not those that were written")
        try:
            calibration.load(self.folder / name)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(name, f"its {calibration.FILE} cannot be read") from error

    def _damaged(self, name: str, what: str) -> ModelError:
        return ModelError(
            f"The model {name!r} is damaged: {what}. Promote another; `rag train --promote bundled` takes the one that "
            "shipped."
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "training.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ModelError("Another training of this home is under way. Wait for its end, or stop it.") from error
            yield


def objections(record: Mapping[str, Any], live: str) -> list[str]:
    """What speaks against a model in the place of `live`, by its record; empty where nothing does."""
    against = []
    if record["base"] != live:
        against.append(
            f"It was trained from {record['base']!r} and compared with that, but {live!r} is live now; train it again."
        )
    held_out, handbook = record["held_out"], record["handbook"]
    before, after = held_out["before"][NDCG], held_out["after"][NDCG]
    if after < before:
        against.append(f"It orders worse: {NDCG} on the questions held out fell from {before:.3f} to {after:.3f}.")
    if handbook is not None:
        lost = round((handbook["before"][HIT] - handbook["after"][HIT]) * handbook["questions"])
        if lost > 1:
            against.append(
                f"It has forgotten: of the handbook's {handbook['questions']} questions {lost} fewer find their page "
                "among the first three."
            )
    return against


def told(records: Sequence[Mapping[str, Any]], live: Live) -> str:
    """The models as a table for a terminal."""
    heading = ("model", "made", "from", "held out", "nDCG@10 before", "after", "handbook hit@3 before", "after")
    rows = [heading, *(_row(record, live.name) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    star = " *" if live.name == BUNDLED else ""
    return "\n".join([*lines[:1], f"{BUNDLED}{star}", *lines[1:], "", "* live", *([live.fault] if live.fault else [])])


def _row(record: Mapping[str, Any], live: str) -> tuple[str, ...]:
    star = " *" if record["name"] == live else ""
    held_out, handbook = record["held_out"], record["handbook"]
    first = (record["name"] + star, record["made"][:16], record["base"], str(held_out["questions"]))
    ndcg = (f"{held_out['before'][NDCG]:.3f}", f"{held_out['after'][NDCG]:.3f}")
    if handbook is None:
        return (*first, *ndcg, "not measured", "-")
    return (*first, *ndcg, f"{handbook['before'][HIT]:.3f}", f"{handbook['after'][HIT]:.3f}")

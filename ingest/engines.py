"""What models are run with: torch, or OpenVINO where that is faster. One seam for vectors and for scores."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest import graphics, openvino_bert
from ingest.compute import Compute, Priority
from ingest.errors import ModelError, SettingsError
from ingest.openvino_bert import FLOAT32, INT8, SCORES, Compiled, Shape, Unfit
from ingest.tokens import Text, Tokens

logger = logging.getLogger(__name__)

AUTO, TORCH, OPENVINO, OPENVINO_INT8 = "auto", "torch", "openvino", "openvino-int8"
SETTINGS = (AUTO, TORCH, OPENVINO, OPENVINO_INT8)
FILE = "engines.json"
# A layer as the bundled models have six of, and a batch as a question has many of.
SAMPLE = Shape(width=384, layers=1, heads=12, epsilon=1e-12, positions=512, words=1000)
TEXTS, TOKENS = 8, 176
TURNS = 5
CLEARLY = 1.1  # torch, or int8, is taken when OpenVINO, or float32, was measured so many times slower

Rows = NDArray[np.float32]  # (texts, outputs)
Work = Callable[[], Rows]


class Engine(Protocol):
    """A model made ready to run."""

    name: str  # of the engine, its version where the numbers hang on it, and the number format
    window: int  # tokens it reads of a text, or of a pair
    outputs: int  # numbers it gives for a text

    def parts(self, texts: Sequence[Text], *, question: bool = False) -> Iterator[tuple[Sequence[int], Work]]:
        """The texts in pieces of work of a second at most: places of the texts (0-based), and what makes their rows.

        question: the texts are questions, which some models read otherwise than passages.
        """
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """How a model's folder is to be read by an engine of our own."""

    head: str  # one of openvino_bert.HEADS
    window: int  # tokens at most
    outputs: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds that TEXTS texts of TOKENS tokens took in one layer, by engine, and what they were measured on."""

    processor: str
    openvino: str  # version
    threads: int
    ms: Mapping[str, float]
    on: str  # date, ISO 8601

    @property
    def machine(self) -> tuple[str, str, int]:
        """What another measurement must have alike for this one to hold."""
        return self.processor, self.openvino, self.threads


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine's name and the reason for it, a sentence's end."""

    name: str
    why: str


class OpenVino:
    """A BERT in OpenVINO. Raises Unfit where the folder holds another model."""

    def __init__(self, folder: Path, form: Form, number: str, threads: int) -> None:
        self.name = f"{OPENVINO} {openvino_bert.version()} {number}"
        self.window, self.outputs = form.window, form.outputs
        self._tokens = Tokens(folder, form.window)
        self._compiled = Compiled(openvino_bert.drawn(folder, form.head, number), number, threads)

    def parts(self, texts: Sequence[Text], *, question: bool = False) -> Iterator[tuple[Sequence[int], Work]]:
        """As Engine says; questions and passages are read alike."""
        del question
        for batch in self._tokens.batches(texts):
            yield batch.places, partial(self._compiled.run, (batch.ids, batch.mask, batch.types))


class Engines:
    """Chooses an engine for models. Raises SettingsError for a setting that is none of SETTINGS.

    kept: the folder that remembers what was measured; without one it is measured once a process.
    """

    def __init__(self, setting: str = AUTO, threads: int = 0, kept: Path | None = None) -> None:
        if setting not in SETTINGS:
            raise SettingsError(f"RAG_ENGINE={setting!r} is none of {', '.join(SETTINGS)}. Correct it, or unset it.")
        self.threads = threads
        self._setting = setting
        self._file = None if kept is None else kept / FILE

    def open(self, folder: Path, form: Callable[[], Form], torch: Callable[[], Engine]) -> tuple[Engine, str]:
        """A model's engine, and why it is that one. Raises ModelError where the model cannot be loaded at all.

        form: reads the folder; raises Unfit where only torch knows the model.
        """
        why = self.choice.why
        if self.choice.name != TORCH:
            try:
                known = form()
                return OpenVino(folder, known, self._named(known).rpartition(" ")[2], self.threads), why
            except Unfit as error:
                why = f"OpenVINO is used for plain BERT models, and of this one {error}"
        return torch(), why

    @cached_property
    def choice(self) -> Choice:
        """The engine for models that both engines know. Raises ModelError where the one that is set is missing."""
        if self._setting == TORCH:
            return Choice(TORCH, "RAG_ENGINE says so")
        hindrance = self._hindrance()
        if hindrance and self._setting != AUTO:
            raise ModelError(f"RAG_ENGINE={self._setting}, but {hindrance}. Install openvino, or unset RAG_ENGINE.")
        return Choice(TORCH, hindrance) if hindrance else self._fastest()

    @property
    def measures(self) -> bool:
        """Whether what is measured decides, not the setting or the machine."""
        return self._setting == AUTO and not self._hindrance()

    def _hindrance(self) -> str:
        try:
            openvino_bert.openvino()
        except ImportError as error:
            return f"openvino cannot be imported ({error})"
        try:
            openvino_bert.processor()
        except RuntimeError as error:  # openvino's only one
            return f"openvino does not run on this machine ({str(error).splitlines()[0]})"
        if self._setting == AUTO and graphics.device() != "cpu":
            return f"there is a graphics processor ({graphics.device()})"
        return ""

    def expected(self, form: Callable[[], Form], torch_name: Callable[[], str]) -> str:
        """The name of the engine that `open` takes for a model whose weights are whole; loads nothing."""
        if self.choice.name != TORCH:
            try:
                return self._named(form())
            except Unfit:
                return torch_name()
        return torch_name()

    def _named(self, form: Form) -> str:
        """OpenVINO's name for a model. Vectors are never made with int8: that moved them to a cosine of .998."""
        if self.choice.name.endswith(f" {INT8}") and form.head != SCORES:
            return self._float(self.measured().ms)
        return self.choice.name

    @staticmethod
    def _float(ms: Mapping[str, float]) -> str:
        """The fastest of OpenVINO's floating-point formats."""
        known = {name: took for name, took in ms.items() if name.startswith(OPENVINO) and not name.endswith(f" {INT8}")}
        return min(known, key=lambda name: known[name])

    def measured(self) -> Measured:
        """What was measured on this machine, now or before."""
        before = self._read()
        if before is None:
            before = self._now(openvino_ms(self.threads))
            self._write(before)
        return before

    def compare(self, name: str, way: Callable[[], object]) -> Measured:
        """Measure OpenVINO and another engine in turns, and keep that. `way` does with it what `sampled` does."""
        found = self._now(fastest({**sampled(self.threads), name: way}))
        self._write(found)
        self.__dict__.pop("choice", None)  # what was chosen before is chosen anew
        return found

    def _fastest(self) -> Choice:
        ms = self.measured().ms
        best, whole = self._float(ms), f"{OPENVINO} {openvino_bert.version()} {INT8}"
        if self._setting == OPENVINO_INT8 and whole in ms:
            return Choice(whole, f"RAG_ENGINE says so, and {best} makes vectors")
        if self._setting == OPENVINO_INT8:
            raise ModelError("RAG_ENGINE=openvino-int8 needs an x86 processor. Unset RAG_ENGINE.")
        if self._setting == OPENVINO:
            return Choice(best, "RAG_ENGINE says so")
        theirs = [took for name, took in ms.items() if not name.startswith(OPENVINO)]
        # Where bfloat16 is quick it is taken: it moves scores a quarter as far.
        if best.endswith(f" {FLOAT32}") and whole in ms and ms[whole] * CLEARLY < min([ms[best], *theirs]):
            return Choice(whole, f"it was measured fastest, and {best} makes vectors")
        if theirs and min(theirs) * CLEARLY < ms[best]:
            return Choice(TORCH, "it was measured fastest")
        return Choice(best, "it was measured fastest" if len(ms) > 1 else "there is no graphics processor")

    def _now(self, ms: Mapping[str, float]) -> Measured:
        today = datetime.now(UTC).date().isoformat()
        return Measured(openvino_bert.processor(), openvino_bert.version(), self.threads, ms, today)

    def _read(self) -> Measured | None:
        """What is kept of this machine; None where it is of another one or cannot be read."""
        if self._file is None or not self._file.is_file():
            return None
        try:
            found = Measured(**json.loads(self._file.read_text(encoding="utf-8")))
            usable = found.machine == self._now({}).machine and min(map(float, found.ms.values())) > 0
        except (OSError, ValueError, TypeError, AttributeError) as error:
            logger.warning("%s is measured anew: %s", self._file, error)
            return None
        return found if usable and set(_named_formats()) <= set(found.ms) else None

    def _write(self, found: Measured) -> None:
        if self._file is None or not self._file.parent.parent.is_dir():
            return  # the home is not there yet
        self._file.parent.mkdir(exist_ok=True)
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")  # several processes may measure at once
        temporary.write_text(json.dumps(asdict(found)), encoding="utf-8")
        temporary.replace(self._file)


@cache
def openvino_ms(threads: int) -> Mapping[str, float]:
    """Milliseconds of one layer by number format, measured in turns; takes a quarter of a second."""
    return fastest(sampled(threads))


def sampled(threads: int) -> dict[str, Callable[[], object]]:
    """By the name of each number format of OpenVINO, what puts TEXTS texts of TOKENS tokens through one layer."""
    ids = np.ones((TEXTS, TOKENS), dtype=np.int64)
    return {
        name: partial(Compiled(openvino_bert.sample(SAMPLE, number), number, threads).run, (ids, ids, ids))
        for name, number in _named_formats().items()
    }


def _named_formats() -> dict[str, str]:
    """The number formats that OpenVINO has here, by the names of their engines."""
    return {f"{OPENVINO} {openvino_bert.version()} {number}": number for number in openvino_bert.numbers()}


def fastest(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The least milliseconds that each way took in TURNS turns; the first turn, which prepares, is not counted."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if turn:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: min(own) for name, own in times.items()}


def told(ms: Mapping[str, float]) -> str:
    """What was measured, in words, the fastest first."""
    return ", ".join(f"{name} {took:.1f} ms" for name, took in sorted(ms.items(), key=lambda one: one[1]))


def computed(
    engine: Engine, texts: Sequence[Text], compute: Compute, priority: Priority, *, question: bool = False
) -> Rows:
    """The rows of all texts, (texts, outputs), in the order given, each piece of work done by `compute`."""
    rows = np.zeros((len(texts), engine.outputs), dtype=np.float32)
    if texts:
        for places, work in engine.parts(texts, question=question):
            rows[list(places)] = compute.run(work, priority)
    return rows

"""The index of one home: which generation answers, what it lacks, and how the next one takes over.

The library decides: a generation is named there, whatever is newer than it is scanned exactly, whatever is gone
drops out when passages are joined from the library. Without a sound generation the exact scan answers.
"""

import json
import logging
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ingest.index import exact
from ingest.index.child import CHROMA, WORDS
from ingest.index.chroma import ChromaIndex
from ingest.index.tantivy import WordIndex
from ingest.library import Library
from ingest.records import Place

logger = logging.getLogger(__name__)

FACT = "generation"
STALE_SHARE = 0.1  # of a generation's passages that may be new or gone before it is built again
SPARE = 200  # candidates fetched beyond the limit, for those that are gone


class Answering(StrEnum):
    """What a question's vectors are searched with."""

    CHROMA = "chroma"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Generation:
    """One built index, as the library remembers it."""

    name: str  # its folder under index/
    seq: int  # every document made visible up to this one is in it
    passages: int
    embedder: str


@dataclass(frozen=True, slots=True)
class IndexState:
    """How the index stands, for people and `rag doctor`."""

    answering: Answering
    passages: int  # in the generation
    newer: int  # passages not in it yet, found by the exact scan
    gone: int  # passages in it that were removed since
    rebuilding: bool


class Index:
    """Searches one home. Only the home's owner may call `open`, `refresh` and `rebuild`."""

    def __init__(self, library: Library, embedder: str) -> None:
        self._library = library
        self._embedder = embedder
        self._swap = threading.RLock()  # guards what is open
        self._building = threading.Lock()  # one build at a time
        self._chroma: ChromaIndex | None = None
        self._generation: Generation | None = None
        self._words: WordIndex | None = None
        self._words_seq = 0

    # ---- questions

    def dense(self, question: NDArray[np.float32], spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """At least the `limit` nearest passages where there are so many, best first, with their cosine.

        Some may be gone from the library: join, then cut.
        """
        with self._swap:
            chroma, generation = self._chroma, self._generation
            if chroma is None or generation is None or self._gone(generation) > SPARE:
                return exact.nearest(self._library.vectors(self._embedder, spaces), question, limit)
            newer = {document.id for document, _ in self._library.visible(generation.seq)}
            old = [
                found for found in chroma.nearest(question, spaces, limit + SPARE) if found[0].document_id not in newer
            ]
        fresh = exact.nearest(self._library.vectors(self._embedder, spaces, generation.seq), question, limit)
        return sorted(old + fresh, key=lambda item: (-item[1], item[0]))[: limit + SPARE]

    def lexical(self, question: str, spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """At least the `limit` passages with the question's words, best first, with BM25; join, then cut."""
        with self._swap:
            words = self._current_words()
        return words.search(question, spaces, limit + SPARE)

    def state(self) -> IndexState:
        """How the index stands now."""
        with self._swap:
            generation = self._generation or self._remembered()
            answering = Answering.EXACT if self._chroma is None else Answering.CHROMA
        total = self._library.counts(self._library.spaces()).chunks
        if generation is None:
            return IndexState(answering, 0, total, 0, self._building.locked())
        gone = self._gone(generation)
        held = generation.passages
        return IndexState(answering, held, total - (held - gone), gone, self._building.locked())

    # ---- the owner's work

    def open(self) -> None:
        """Open the remembered generation after a child has shown that it is sound; build one where it is not."""
        generation = self._remembered()
        if generation is None or not self._sound(generation):
            self.rebuild()
            return
        self._take(generation)
        self.refresh()

    def refresh(self) -> None:
        """Bring words up to the library, and build a new generation where a tenth of this one is out of date."""
        with self._swap:
            self._current_words()
        state = self.state()
        if state.newer + state.gone > STALE_SHARE * state.passages:
            self.rebuild()

    def rebuild(self) -> None:
        """Build a new generation in a child, take it, and delete all others."""
        with self._building:
            name = f"{self._library.seq():08d}-{uuid.uuid4().hex[:8]}"
            reply = self._child("build", name, self._embedder)
            if reply is None:
                shutil.rmtree(self._library.home.index / name, ignore_errors=True)
                logger.error("The search index could not be built; the exact scan goes on answering.")
                return
            generation = Generation(name=name, embedder=self._embedder, **json.loads(reply))
            self._library.remember(FACT, json.dumps(asdict(generation)))
            self._library.remember(_words_fact(name), str(generation.seq))
            self._take(generation)
            for folder in self._library.home.index.iterdir():
                if folder.name != name:
                    shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of all files."""
        with self._swap:
            if self._chroma is not None:
                self._chroma.close()
            if self._words is not None:
                self._words.close()
            self._chroma = self._words = None

    # ---- parts

    def _take(self, generation: Generation) -> None:
        folder = self._library.home.index / generation.name
        chroma, words = ChromaIndex(folder / CHROMA), WordIndex(folder / WORDS)
        with self._swap:
            before_chroma, before_words = self._chroma, self._words
            self._chroma, self._words, self._generation = chroma, words, generation
            self._words_seq = int(self._library.fact(_words_fact(generation.name)) or generation.seq)
        if before_chroma is not None:
            before_chroma.close()
        if before_words is not None:
            before_words.close()

    def _current_words(self) -> WordIndex:
        """The word index, brought up to the library; in memory where no generation is open."""
        if self._words is None:
            self._words, self._words_seq = self._readable_words()
        newer = self._library.visible(self._words_seq)
        if newer:
            for document, _ in newer:
                self._words.add(document, self._library.document_chunks(document.id))
            self._words.commit()
            self._words_seq = newer[-1][1]
            if self._generation is not None:
                self._library.remember(_words_fact(self._generation.name), str(self._words_seq))
        return self._words

    def _readable_words(self) -> tuple[WordIndex, int]:
        """The owner's word index where it lacks nothing, since only the owner may add to it; else an empty one."""
        generation = self._remembered()
        seq = 0 if generation is None else int(self._library.fact(_words_fact(generation.name)) or 0)
        if generation is not None and seq == self._library.seq():
            folder = self._library.home.index / generation.name / WORDS
            try:
                if folder.is_dir():
                    return WordIndex(folder), seq
            except (ValueError, OSError) as error:
                logger.warning("The word index cannot be read (%s); words are indexed in memory.", error)
        return WordIndex(None), 0

    def _gone(self, generation: Generation) -> int:
        return generation.passages - self._library.passages_up_to(generation.seq)

    def _remembered(self) -> Generation | None:
        text = self._library.fact(FACT)
        generation = Generation(**json.loads(text)) if text else None
        return generation if generation is not None and generation.embedder == self._embedder else None

    def _sound(self, generation: Generation) -> bool:
        if not (self._library.home.index / generation.name / WORDS).is_dir():
            return False
        return self._child("check", generation.name, self._embedder, str(generation.passages)) is not None

    def _child(self, *arguments: str) -> str | None:
        """What the child printed, or None when it failed; its last line of complaint is logged."""
        verb, *rest = arguments
        command = [sys.executable, "-m", "ingest.index.child", verb, str(self._library.home.folder), *rest]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
            logger.warning("index %s ended with %s: %s", verb, done.returncode, complaint)
            return None
        return done.stdout


def _words_fact(name: str) -> str:
    return f"words:{name}"

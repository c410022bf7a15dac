"""The index of one home: which generation answers, what it lacks, and how the next one takes over.

The library decides: a generation is named there, whatever is newer than it is scanned exactly, whatever is gone
drops out when passages are joined from the library. Without a sound generation the exact scan answers, and words
are indexed in memory; damage that shows while the index is in use has the same effect, and `tend` builds it anew.
"""

import contextlib
import json
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest import failpoints
from ingest.index import chroma, damage, exact
from ingest.index.child import CHROMA, FINISH, WORDS, Built, run
from ingest.index.chroma import COPIES, ChromaIndex
from ingest.index.tantivy import WordIndex
from ingest.library import Library
from ingest.records import Place

logger = logging.getLogger(__name__)
T = TypeVar("T")

STALE_SHARE = 0.1  # of a generation's passages that may be new or gone before it is built again
SPARE = 200  # candidates at most that are fetched beyond the limit, for those that are gone
INSPECT_S = 3600.0  # seconds between two looks at the files of a generation in use
RETRY_S = 60.0  # seconds between two tries to build a generation
WAIT_S = 0.2  # seconds until a build is told once more to come to its end


class Answering(StrEnum):
    """What a question's vectors are searched with."""

    CHROMA = "chroma"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Generation:
    """One built index, as the library remembers it."""

    name: str  # its folder under index/
    embedder: str
    built: Built


@dataclass(frozen=True, slots=True)
class IndexState:
    """How the index stands, for people and `rag doctor`."""

    answering: Answering
    passages: int  # in the generation
    newer: int  # passages not in it yet, found by the exact scan
    gone: int  # passages in it that were removed since
    rebuilding: bool


class Index:
    """Searches one home. Only the home's owner may call `open`, `refresh`, `follow`, `tend` and `rebuild`."""

    def __init__(self, library: Library, embedder: str, child: Callable[[Sequence[str]], str] | None = None) -> None:
        """`child` runs ingest.index.child with arguments, and returns what it wrote or raises OSError."""
        self._library = library
        self._embedder = embedder
        self._run_child = child or run
        self._swap = threading.RLock()  # guards what is open
        self._tending = threading.RLock()  # one build or check at a time
        self._rebuilding = False
        self._follower: threading.Thread | None = None  # builds a generation while documents come in
        self._following: Path | None = None  # that generation's folder
        self._finishing = threading.Event()  # it is to take in what is visible, and come to its end
        self._chroma: ChromaIndex | None = None
        self._generation: Generation | None = None
        self._words: WordIndex | None = None
        self._words_seq = 0
        self._words_kept = False  # whether the open word index is the generation's, rather than one in memory
        self._broken = False  # what was open showed damage, or a build failed
        self._looked = time.monotonic()  # when files were last inspected, or a build was last tried

    # ---- questions

    def dense(self, question: NDArray[np.float32], spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """At least the `limit` nearest passages where there are so many, best first, with their cosine.

        Of many equal ones only some count. Some may be gone from the library: join, then cut.
        """
        with self._swap:
            generation = self._generation
            old = None if generation is None else self._proposed(generation, question, spaces, limit)
        if generation is None or old is None:
            return exact.nearest(self._library.vectors(self._embedder, spaces), question, limit)
        newer = {document.id for document, _ in self._library.visible(generation.built.seq)}
        old = [found for found in old if found[0].document_id not in newer]
        fresh = exact.nearest(self._library.vectors(self._embedder, spaces, generation.built.seq), question, limit)
        return sorted(old + fresh, key=lambda item: (-item[1], item[0]))[: limit + SPARE]

    def _proposed(
        self, generation: Generation, question: NDArray[np.float32], spaces: Sequence[str], limit: int
    ) -> list[tuple[Place, float]] | None:
        """What Chroma finds, `limit` and as many more as are gone; None where it cannot be asked."""
        gone = self._gone(generation)
        if self._chroma is None or gone > SPARE:
            return None
        try:
            return self._chroma.nearest(question, spaces, limit + gone)
        except Exception as error:  # noqa: BLE001 - a broken folder has no one error
            logger.warning("The vector index failed (%s); the exact scan answers until it is built anew.", error)
            self._chroma, self._broken = None, True
            return None

    def lexical(self, question: str, spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """At least the `limit` passages with the question's words, best first, with BM25; join, then cut."""

        def search(words: WordIndex) -> list[tuple[Place, float]]:
            gone = words.count() - self._library.passages_up_to(self._words_seq)
            return words.search(question, spaces, limit + min(max(gone, 0), SPARE))

        return self._with_words(search)

    def _with_words(self, use: Callable[[WordIndex], T]) -> T:
        """What `use` makes of the current word index; where that is broken, of one in memory."""
        with self._swap:
            try:
                return use(self._current_words())
            except (ValueError, OSError) as error:
                logger.warning("The word index failed (%s); words are indexed in memory until it is built anew.", error)
                self._words, self._words_seq, self._words_kept, self._broken = WordIndex(None), 0, False, True
                return use(self._current_words())

    def state(self) -> IndexState:
        """How the index stands now."""
        with self._swap:
            generation = self._generation or self.remembered()
            answering = Answering.EXACT if self._chroma is None else Answering.CHROMA
        total = self._library.passages_up_to(self._library.seq())
        if generation is None:
            return IndexState(answering, 0, total, 0, self._rebuilding)
        gone = self._gone(generation)
        held = generation.built.passages
        return IndexState(answering, held, total - (held - gone), gone, self._rebuilding)

    def remembered(self) -> Generation | None:
        """The generation that the library names for this embedder, or None."""
        text = self._library.fact("generation")
        try:
            values = json.loads(text) if text else {}
            generation = Generation(values["name"], values["embedder"], Built(**values["built"]))
        except (KeyError, TypeError, ValueError):  # none, or as an earlier version wrote it
            return None
        return generation if generation.embedder == self._embedder else None

    def complaint(self, *, alone: bool) -> str:
        """What a child finds wrong with the generation that the library names; "" where nothing is, or none is named.

        `alone`: no process has it open, so that it may be opened and asked too.
        """
        generation = self.remembered()
        if generation is None:
            return ""
        arguments = ["check", self._embedder] if alone else ["inspect"]
        return self._fault(generation, *arguments)

    # ---- the owner's work

    def open(self) -> None:
        """Open the remembered generation after a child has shown that it is sound; build one where it is not."""
        with self._alone():
            if self._generation is not None:  # never two processes on one folder: a child may not look at it any more
                self.refresh()
                return
            generation = self.remembered()
            if generation is None or not self._sound(generation, "check", self._embedder) or not self._take(generation):
                self.rebuild()
                return
            self._delete_others(generation.name)
            self.refresh()

    def refresh(self) -> None:
        """Open what is not open; bring words up to the library; build anew where a tenth is out of date."""
        with self._alone():
            if self._generation is None:
                self.open()
                return
            self._with_words(lambda words: words.count())
            if self._broken or self.behind():
                self.rebuild()

    def behind(self) -> bool:
        """Whether so much is new or gone that a generation has to be built.

        Also when those may be gone that stood in the vector index for equal passages which it leaves out.
        """
        state, generation = self.state(), self._generation
        stood_in = generation is not None and generation.built.copies > 0 and state.gone >= COPIES
        return stood_in or state.newer + state.gone > STALE_SHARE * state.passages

    def follow(self) -> None:
        """Begin to build a generation that takes in what becomes visible, until `refresh` or `rebuild` is called."""
        under_way = self._follower is not None and self._follower.is_alive()
        if not under_way and not (self._broken and time.monotonic() - self._looked < RETRY_S):
            self._finishing.clear()
            self._follower = threading.Thread(target=self._follow, name="index", daemon=True)
            self._follower.start()

    def tend(self) -> None:
        """Now and then, look at the files of what is open, and build anew what showed damage. No file is on its way."""
        since = time.monotonic() - self._looked
        if self._follower is not None and self._follower.is_alive():  # what it was begun for failed
            self.refresh()
        elif self._broken and since > RETRY_S:
            self.rebuild()
        elif since > INSPECT_S:
            with self._alone():
                generation = self._generation
                if generation is not None and not self._sound(generation, "inspect"):
                    self.rebuild()
                self._looked = time.monotonic()

    def rebuild(self) -> bool:
        """Build a new generation in a child, take it, and delete all others; False where that failed."""
        with self._alone():
            return self._rebuilt("build")

    def close(self) -> None:
        """Let go of all files."""
        self._finish()
        with self._swap:
            if self._chroma is not None:
                self._chroma.close()
            if self._words is not None:
                self._words.close()
            self._chroma = self._words = self._generation = None

    # ---- parts

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One build or check at a time; one that follows comes to its end first."""
        self._finish()
        while not self._tending.acquire(timeout=WAIT_S):
            self._finish()
        try:
            yield
        finally:
            self._tending.release()

    def _finish(self) -> None:
        self._finishing.set()
        folder = self._following
        if folder is not None:
            with contextlib.suppress(FileNotFoundError):  # given up, or taken and deleted meanwhile
                (folder / FINISH).touch()

    def _follow(self) -> None:
        try:
            chroma.load()
            with self._tending:
                if not self._finishing.is_set():
                    self._rebuilt("follow")
        except Exception:
            # `refresh` builds one in the usual way.
            logger.exception("no index could be built beside the documents that come in")

    def _rebuilt(self, verb: str) -> bool:
        self._rebuilding, self._looked = True, time.monotonic()
        try:
            self._broken = not self._build(f"{self._library.seq():08d}-{uuid.uuid4().hex[:8]}", verb)
        finally:
            self._rebuilding, self._following = False, None
        return not self._broken

    def _build(self, name: str, verb: str) -> bool:
        folder = self._library.home.index / name
        folder.mkdir(parents=True)
        if verb == "follow":
            self._following = folder
            verb = "build" if self._finishing.is_set() else "follow"  # looked at only now, so that no call is missed
        try:
            built = Built(**json.loads(self._run_child([verb, str(self._library.home.folder), name, self._embedder])))
        except (OSError, ValueError, TypeError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            logger.error("The search index could not be built (%s); the exact scan goes on answering.", error)  # noqa: TRY400
            return False
        failpoints.reached("swap.built")
        generation = Generation(name, self._embedder, built)
        self._library.remember(generation=json.dumps(asdict(generation)))
        failpoints.reached("swap.named")
        if not self._take(generation):
            return False
        failpoints.reached("swap.taken")
        self._delete_others(name)
        return True

    def _take(self, generation: Generation) -> bool:
        folder = self._library.home.index / generation.name
        try:
            chroma, words = ChromaIndex(folder / CHROMA), WordIndex(folder / WORDS)
        except Exception:
            # A child could open it a moment ago; the exact scan answers until `tend` has built another.
            logger.exception("the generation %s cannot be opened", generation.name)
            self._broken = True
            return False
        with self._swap:
            before_chroma, before_words = self._chroma, self._words
            self._chroma, self._words, self._generation = chroma, words, generation
            self._words_seq = self._words_known(generation)[0]
            self._words_kept, self._broken = True, False
        if before_chroma is not None:
            before_chroma.close()
        if before_words is not None:
            before_words.close()
        return True

    def _delete_others(self, name: str) -> None:
        for folder in self._library.home.index.iterdir():
            if folder.name != name:
                shutil.rmtree(folder, ignore_errors=True)
                failpoints.reached("swap.deleted")

    def _current_words(self) -> WordIndex:
        """The word index, brought up to the library; in memory where no generation is open."""
        if self._words is None:
            self._words, self._words_seq = self._readable_words()
        newer = self._library.visible(self._words_seq)
        if newer:
            for document, _ in newer:
                self._words.add(document, self._library.document_chunks(document.id))
                failpoints.reached("words.added")
            self._words.commit()
            failpoints.reached("words.committed")
            self._words_seq = newer[-1][1]
            if self._generation is not None and self._words_kept:
                folder = self._library.home.index / self._generation.name / WORDS
                self._remember_words(self._generation.name, self._words_seq, damage.opstamp(folder))
        return self._words

    def _remember_words(self, generation: str, seq: int, opstamp: int) -> None:
        self._library.remember(words=json.dumps({"generation": generation, "seq": seq, "opstamp": opstamp}))
        failpoints.reached("words.remembered")

    def _words_known(self, generation: Generation) -> tuple[int, int]:
        """The seq up to which the generation's word index is current, and its commit by then."""
        text = self._library.fact("words")
        known = json.loads(text) if text else {}
        if known.get("generation") != generation.name:
            return generation.built.seq, generation.built.opstamp
        return known["seq"], known["opstamp"]

    def _readable_words(self) -> tuple[WordIndex, int]:
        """The owner's word index where it lacks nothing, since only the owner may add to it; else an empty one."""
        generation = self.remembered()
        if generation is not None:
            seq, opstamp = self._words_known(generation)
            folder = self._library.home.index / generation.name / WORDS
            try:
                if seq == self._library.seq():
                    damage.check_words(folder, opstamp)
                    return WordIndex(folder), seq
            except (ValueError, OSError) as error:
                logger.warning("The word index cannot be read (%s); words are indexed in memory.", error)
        return WordIndex(None), 0

    def _gone(self, generation: Generation) -> int:
        return generation.built.passages - self._library.passages_up_to(generation.built.seq)

    def _sound(self, generation: Generation, verb: str, *rest: str) -> bool:
        fault = self._fault(generation, verb, *rest)
        if fault:
            logger.warning("the generation %s is not sound: %s", generation.name, fault)
        return not fault

    def _fault(self, generation: Generation, verb: str, *rest: str) -> str:
        built = replace(generation.built, opstamp=self._words_known(generation)[1])
        try:
            self._run_child([verb, str(self._library.home.folder), generation.name, *rest, json.dumps(asdict(built))])
        except OSError as error:
            return str(error)
        return ""

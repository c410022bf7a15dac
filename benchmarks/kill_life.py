"""One life in `make kill`: recover, be checked against what was acknowledged, work, and be killed.

Runs in a process forked by benchmarks/kill.py, which reads the lines of JSON that a life writes. Only reading and
embedding are stand-ins (text instead of PDFs, hashed words instead of a model).
"""

import hashlib
import json
import os
import random
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.kill_builder import Builder
from ingest import chunking, cleaning, failpoints, intake, purging
from ingest.errors import LibraryError
from ingest.home import Home, OwnerLock
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.library import Library
from ingest.library.renewal import Renewal
from ingest.pipeline import Ingestion, document_id, recipe
from ingest.rebuilding import Rebuilding
from ingest.records import Chunk, JobState, Page, Place, Reading
from ingest.settings import Settings
from ingest.worker import Worker
from rag_app.purge import purge

SPACE = "documents"
COMMON = "corpus"  # a word of every passage
DIMENSIONS = 96
MODELS = {"hashed:1": "hashed:2", "hashed:2": "hashed:1"}  # what each is replaced by
PIECES = (40, 30)  # of a passage at most; lives differ in it, so that they find documents of another recipe
SETTLED = 8  # documents, from which on some are removed
ALL = 100_000
SAMPLE = 12  # passages whose finding is tried, before and after the index is open


class HashedEmbedder:
    """A hashed bag of words: the same text has the same vector. Another name is another model."""

    def __init__(self, name: str = "hashed:1") -> None:
        self.name = name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, (texts, dimensions)."""
        rows = np.full((len(texts), DIMENSIONS), 1e-3, dtype=np.float32)  # a text without words has a vector too
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text):
                digest = hashlib.blake2b(word.encode(), digest_size=4, salt=self.name.encode()).digest()
                row[int.from_bytes(digest, "big") % DIMENSIONS] += 1 if digest[0] & 1 else -1
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float32)

    def pieces(self, text: str) -> int:
        """Words and signs."""
        return len(re.findall(r"\w+|\S", text))


def read(file: Path, /, *, name: str, **_: object) -> Reading:
    """The pages of a text file, which form feeds divide."""
    texts = file.read_text(encoding="utf-8").split("\f")
    pages = tuple(Page(number, str(number), text) for number, text in enumerate(texts, start=1))
    return Reading(name, pages, (), len(pages), (), 0)


@cache
def written(seed: int) -> str:
    """A document of a few pages, or of more than one batch of vectors; each passage has words that no other has."""
    dice = random.Random(seed)
    pages = dice.choice((1, 1, 2, 3, 12))
    return "\f".join(
        "\n\n".join(
            " ".join(f"w{dice.getrandbits(40):x}" for _ in range(14)) + f" is told in the {COMMON} of number {seed}."
            for _ in range(dice.randint(2, 4))
        )
        for _ in range(pages)
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """How a life is to end."""

    step: str  # a failpoint, or "" for a moment that the driver chooses
    passes: int  # of the failpoint before
    group: bool  # whether everything dies, or only the process that got there
    early: bool  # armed before recovery rather than after it


class Life:
    """The real parts on one home, and what they must hold."""

    def __init__(
        self, folder: Path, names: Mapping[str, int], say: Callable[..., None], builder: Builder, pieces: int
    ) -> None:
        """`names` are the acknowledged names, each with the seed of its text."""
        self._folder = folder
        self._builder = builder
        self._names, self._before = dict(names), dict(names)
        self._say = say
        self._cut: dict[tuple[int, str], list[Chunk]] = {}  # the passages that a text comes to by a recipe
        intake.LEFT_BEHIND_S = -1  # nobody else is taking files in
        self._lock = OwnerLock(Home(folder / "home").prepare()).acquire()
        self._library = Library(Home(folder / "home"))
        self._settings = Settings(passage_pieces=pieces)
        self._intake = Intake(self._library, max_file_mb=5)
        self._take(HashedEmbedder(self._library.fact("embedder") or next(iter(MODELS))))

    def _take(self, embedder: HashedEmbedder) -> None:
        """Work with this embedder from now on, as a process does that was started with it."""
        self._embedder = embedder
        self._index = Index(self._library, embedder.name, self._builder.run)
        ingestion = Ingestion(self._library, embedder, self._settings, read)
        self._worker = Worker(self._library, ingestion, self._index)

    def recover(self, doubt: tuple[str, int | None, bool] | None) -> None:
        """Do what a start does, then say what is wrong.

        `doubt` is the name that was being changed, the seed it was to have (None: to be removed), and whether that was
        acknowledged as taken in.
        """
        self._library.claim_embedder(self._embedder.name)
        # What was acknowledged answers at once, before anything is repaired.
        certain = {name: seed for name, seed in self._names.items() if doubt is None or name != doubt[0]}
        self._wrong(self._unfound(certain, "before recovery"))
        self._library.sweep()
        self._intake.tidy()
        self._worker.work_off()
        self._index.open()
        for identifier in purging.unfinished(self._library):
            self._purge_one(identifier)
        self._names = self._held()
        self._wrong(self._unlike(certain, doubt))
        self._wrong(self._misshapen())
        self._wrong(self._unfound(self._names, "after recovery"))
        self._wrong(self._doubled())
        self._say(sound=self._names, answering=str(self._index.state().answering))

    def work(self, dice: random.Random) -> None:
        """Add, replace, copy, cancel, remove, rebuild, follow: each announced before and acknowledged after."""
        steps: list[Callable[[random.Random], None]] = [self._add, self._replace, self._remove, self._copy]
        steps += [self._cancel, self._purge, self._rebuild, self._renew, self._along]
        for step in dice.sample(steps, len(steps)):
            step(dice)
        self._index.close()

    # ---- work

    def _add(self, dice: random.Random) -> None:
        self._put(f"{dice.getrandbits(40):x}.txt", dice.getrandbits(40))

    def _replace(self, dice: random.Random) -> None:
        if self._names:
            self._put(dice.choice(sorted(self._names)), dice.getrandbits(40))

    def _copy(self, dice: random.Random) -> None:
        if self._names:
            self._put(f"{dice.getrandbits(40):x}.txt", dice.choice(sorted(self._names.values())))

    def _cancel(self, dice: random.Random) -> None:
        name, seed = f"{dice.getrandbits(40):x}.txt", dice.getrandbits(40)
        self._say(begun=[name, seed])
        job = self._intake.add(self._file(seed), SPACE, name)
        self._library.jobs.cancel(job.id)
        self._worker.work_off()
        self._say(done=[name, None])

    def _put(self, name: str, seed: int) -> None:
        self._say(begun=[name, seed])
        job = self._intake.add(self._file(seed), SPACE, name)
        self._say(accepted=[name, seed])
        self._worker.work_off()
        if self._library.jobs.get(job.id).state not in {JobState.READY, JobState.UNCHANGED}:
            self._wrong([f"{name} ended as {self._library.jobs.get(job.id)}"])
        self._names[name] = seed
        self._say(done=[name, seed])

    def _remove(self, dice: random.Random) -> None:
        for _ in range(max(1, len(self._names) - SETTLED)):
            alone = [name for name, seed in self._names.items() if list(self._names.values()).count(seed) == 1]
            if not alone:
                return
            name = dice.choice(sorted(alone))
            self._say(begun=[name, None])
            self._library.remove(self._document(self._names[name]))
            del self._names[name]
            self._say(done=[name, None])

    def _purge(self, dice: random.Random) -> None:
        alone = [name for name, seed in self._names.items() if list(self._names.values()).count(seed) == 1]
        if len(alone) > 1:
            name = dice.choice(sorted(alone))
            self._say(begun=[name, None])
            self._purge_one(self._document(self._names[name]))
            word = written(self._names.pop(name)).split()[0]
            self._say(done=[name, None])
            # Another process looks: closing a database's file here would take SQLite's locks on it away.
            home = self._library.home.folder
            left = subprocess.run(["grep", "-rlai", word, "."], cwd=home, capture_output=True, check=False)
            if left.returncode != 1:
                self._wrong([f"{word} of the purged {name} is still in {left.stdout!r}"])

    def _purge_one(self, identifier: str) -> None:
        def build() -> None:
            if not self._index.rebuild():
                raise LibraryError("The builder was killed.")

        purge(self._library, identifier, build_index=build)

    def _rebuild(self, _: random.Random) -> None:
        self._index.rebuild()

    def _along(self, dice: random.Random) -> None:
        """Build an index while files come in, as the worker does when several wait."""
        self._index.follow()
        self._add(dice)
        self._replace(dice)

    def _renew(self, _: random.Random) -> None:
        """Embed everything by another model and cut anew what another life cut, as `rag rebuild --model` does."""
        other = HashedEmbedder(MODELS[self._embedder.name])
        rebuilt = Rebuilding(self._library, other, self._settings, lambda _: None, read).run()
        self._wrong([f"{title} could not be cut anew" for title in rebuilt.refused])
        Renewal(self._library).drop_other_vectors()
        self._index.close()
        self._take(other)
        self._index.rebuild()

    def _file(self, seed: int) -> Path:
        path = self._folder / "file.txt"
        path.write_text(written(seed), encoding="utf-8")
        return path

    # ---- what is held, and what should be

    def _document(self, seed: int) -> str:
        return document_id(SPACE, hashlib.sha256(written(seed).encode()).hexdigest())

    def _held(self) -> dict[str, int]:
        """The visible names with the seed of their text; -1 where it is no text of ours."""
        held = {}
        for name, content in self._rows(
            "SELECT n.path, d.content FROM names n JOIN documents d ON d.id = n.document_id AND d.state = 'ready'"
        ):
            found = re.search(rb"number (\d+)", (self._library.home.originals / content).read_bytes())
            held[name] = int(found[1]) if found else -1
        return held

    def _unlike(self, certain: Mapping[str, int], doubt: tuple[str, int | None, bool] | None) -> Iterator[str]:
        """Names that are not as they were acknowledged."""
        rest = dict(self._names)
        if doubt is not None:
            name, wanted, accepted = doubt
            now = rest.pop(name, None)
            if now != wanted and (accepted or now != self._before.get(name)):
                yield f"{name} is {now} instead of {wanted} (accepted: {accepted}, before: {self._before.get(name)})"
        if rest != certain:
            yield f"the names differ: {sorted(rest.items() ^ certain.items())}"

    def _expected(self, seed: int) -> list[Chunk]:
        ((made_by,),) = self._rows(f"SELECT recipe FROM documents WHERE id = '{self._document(seed)}'")
        if (seed, made_by) not in self._cut:
            self._cut[seed, made_by] = self._chunks(seed, made_by)
        return self._cut[seed, made_by]

    def _chunks(self, seed: int, made_by: str) -> list[Chunk]:
        text = written(seed)
        pages = cleaning.clean([Page(n, str(n), page) for n, page in enumerate(text.split("\f"), start=1)])
        title = next(document.title for document in self._library.documents() if document.id == self._document(seed))
        found = Reading(title, pages, (), len(pages), (), 0)
        limit = next(pieces for pieces in PIECES if recipe(Settings(passage_pieces=pieces)) == made_by)
        return chunking.chunk(found, self._document(seed), made_by, self._embedder.pieces, limit)

    def _misshapen(self) -> Iterator[str]:
        """Documents, originals and rows that are not exactly what the acknowledged texts come to."""
        seeds = set(self._names.values())
        contents = {hashlib.sha256(written(seed).encode()).hexdigest(): seed for seed in seeds}
        originals = {file.name: file.read_bytes() for file in self._library.home.originals.iterdir()}
        if originals != {content: written(seed).encode() for content, seed in contents.items()}:
            yield f"originals lost or orphaned: {sorted(originals.keys() ^ contents.keys())}"
        if left := list(self._library.home.incoming.iterdir()):
            yield f"left in incoming: {left}"
        ids = {self._document(seed) for seed in seeds}
        for table, column in (("documents", "id"), ("chunks", "document_id"), ("vectors", "document_id")):
            found = {row[0] for row in self._rows(f"SELECT DISTINCT {column} FROM {table}")}
            if found != ids:
                yield f"{table} of {found - ids} are too many, of {ids - found} are missing"
        for seed in seeds:
            chunks = self._expected(seed)
            if self._library.document_chunks(self._document(seed)) != chunks:
                yield f"the passages of {seed} are not those of its text"
            yield from self._misplaced_vectors(seed, chunks)

    def _misplaced_vectors(self, seed: int, chunks: Sequence[Chunk]) -> Iterator[str]:
        document = self._library.document(self._document(seed))
        assert document is not None
        wanted = self._embedder.embed([chunking.embedded_text(document.title, one.heading, one.text) for one in chunks])
        blocks = list(self._library.document_vectors(document.id, self._embedder.name))
        starts = [block.position for block in blocks]
        lengths = [len(block.vectors) for block in blocks]
        if starts != [sum(lengths[:n]) for n in range(len(lengths))] or sum(lengths) != len(chunks):
            yield f"the vectors of {seed} have gaps or are doubled: {starts} {lengths}, {len(chunks)} passages"
        elif not np.array_equal(np.vstack([block.vectors for block in blocks]), wanted):
            yield f"the vectors of {seed} are not those of its passages"

    def _unfound(self, names: Mapping[str, int], when: str) -> Iterator[str]:
        """Acknowledged passages that a search for their own words or vector does not bring up first."""
        dice = random.Random(len(names))
        places = [
            (Place(document.id, chunk.position), chunk.text, chunking.embedded_text(document.title, "", chunk.text))
            for seed in sorted(set(names.values()))
            for document in [self._library.document(self._document(seed))]
            if document is not None
            for chunk in self._library.document_chunks(document.id)
        ]
        if missing := [seed for seed in names.values() if self._library.document(self._document(seed)) is None]:
            yield f"{missing} cannot be found {when}"
        for place, text, embedded in dice.sample(places, min(SAMPLE, len(places))):
            found = self._index.dense(self._embedder.embed([embedded])[0], [SPACE], 3)
            if not found or found[0][0] != place:
                yield f"{place} is not nearest to itself {when}: {found[:2]}"
            lexical = [hit for hit, _ in self._index.lexical(text.split()[0], [SPACE], 3)]
            if lexical != [place]:
                yield f"{place} is not found by its first word {when}: {lexical}"

    def _doubled(self) -> Iterator[str]:
        """Passages that the whole index gives twice, or not at all."""
        count = sum(len(self._expected(seed)) for seed in set(self._names.values()))
        for what, found in (
            ("dense", self._index.dense(self._embedder.embed([COMMON])[0], [SPACE], count)),
            ("lexical", self._index.lexical(COMMON, [SPACE], ALL)),
        ):
            places = [place for place, _ in found]
            if len(set(places)) != len(places):
                yield f"{what}: {len(places) - len(set(places))} passages are doubled"
            joined = self._library.chunks_at(places[:30_000], [SPACE])
            if what == "lexical" and len(joined) != count:
                yield f"{what}: {len(joined)} of {count} passages are found"

    def _rows(self, statement: str) -> list[tuple[str, ...]]:
        connection = sqlite3.connect(self._library.home.library_db)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def _wrong(self, sentences: Iterator[str] | list[str]) -> None:
        for sentence in sentences:
            self._say(wrong=sentence)


def live(
    folder: Path, names: Mapping[str, int], doubt: tuple[str, int | None, bool] | None, plan: Plan, seed: int, pipe: int
) -> None:
    """A whole life. Writes lines of JSON to the file descriptor `pipe`."""

    def say(**told: object) -> None:
        os.write(pipe, json.dumps(told).encode() + b"\n")

    builder = Builder(plan.step, plan.passes, group=plan.group)
    if plan.step and plan.early:
        failpoints.arm(plan.step, plan.passes, group=plan.group)
    life = Life(folder, names, say, builder, PIECES[seed % len(PIECES)])
    try:
        life.recover(doubt)
        if plan.step and not plan.early:
            failpoints.arm(plan.step, plan.passes, group=plan.group)
        life.work(random.Random(seed))
    except LibraryError:
        # A purge whose builder was killed says so, and the next life has to finish it.
        if not builder.died:
            raise
    say(ended=builder.died)

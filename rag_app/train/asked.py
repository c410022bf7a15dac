"""Labelled questions -> questions with their candidates, as the app finds them, and which of these are right."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from ingest.records import Document
from ingest.sentences import sentences
from rag_app.evaluate.metrics import Target
from rag_app.evaluate.records import Dataset
from rag_app.evaluate.search import Searcher
from rag_app.naming import with_words
from rag_app.records import Hit
from rag_app.train.labelled import Labelled

MOST_HELD = 0.5  # share of a labelled passage that a candidate must hold where neither holds the other whole
_WHOLE = 80  # letters; a shorter passage inside a longer label says little

Find = Callable[[str], Sequence[Hit]]  # question -> candidates, best first, each with its cosine


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the places that answer it and its candidates."""

    text: str
    targets: tuple[Target, ...]  # at least one
    hits: tuple[Hit, ...]  # best first, as retrieved
    places: tuple[tuple[str, int], ...]  # of each hit, in the terms of the targets
    barred: frozenset[int] = frozenset()  # indexes of hits that must not be taken for wrong

    @property
    def right(self) -> frozenset[int]:
        """Indexes of the hits that answer."""
        wanted = {(target.document, target.page) for target in self.targets}
        return frozenset(index for index, place in enumerate(self.places) if place in wanted)


@dataclass(frozen=True, slots=True)
class Missing:
    """A label that cannot be used, and why."""

    origin: str
    question: str
    reason: str


class Shelf:
    """The documents that questions may be about, by everything people call them."""

    def __init__(self, documents: Sequence[Document], find: Find) -> None:
        self._find = find
        self._called: list[dict[str, list[Document]]] = [{}, {}, {}, {}]
        for document in documents:
            names = (document.id, document.path, PurePath(document.path).name, document.title)
            for names_of_kind, name in zip(self._called, names, strict=True):
                names_of_kind.setdefault(name.casefold(), []).append(document)

    def asked(self, labelled: Sequence[Labelled], tell: Callable[[int], None]) -> tuple[list[Asked], list[Missing]]:
        """Each question once, with its candidates; and the labels that name nothing in the library.

        `tell` is called with 1 for each question. A question of which no label can be used is left out.
        """
        found: list[Asked] = []
        missing: list[Missing] = []
        for rows in by_question(labelled).values():
            targets: list[Target] = []
            barred: set[tuple[str, int]] = set()
            for row in rows:
                fault = self._place(row, targets, barred)
                if fault:
                    missing.append(Missing(row.origin, row.question, fault))
            if targets:
                found.append(self._with_candidates(rows[0].question, tuple(dict.fromkeys(targets)), barred))
            tell(1)
        return found, missing

    def _place(self, row: Labelled, targets: list[Target], barred: set[tuple[str, int]]) -> str:
        """Add the places that a label means; returns what is wrong with it, or ""."""
        documents = self._known_as(row.document)
        if row.document and not documents:
            return f"The library holds no document {row.document!r}."
        if len(documents) > 1:
            return f"{len(documents)} documents are called {row.document!r}; name this one by its id."
        if row.passage:
            return self._place_passage(row, {document.id for document in documents}, targets, barred)
        document = documents[0]
        beyond = [page for page in row.pages if page > document.pages]
        if beyond:
            return f"{row.document!r} has {document.pages} pages, none with the number {beyond[0]}."
        targets += [Target(document.id, page, 1.0) for page in row.pages]
        barred |= {(document.id, page) for page in row.pages}
        return ""

    def _known_as(self, name: str) -> list[Document]:
        for names in self._called:
            if name.casefold() in names:
                return names[name.casefold()]
        return []

    def _place_passage(
        self, row: Labelled, documents: set[str], targets: list[Target], barred: set[tuple[str, int]]
    ) -> str:
        holders = [
            hit
            for hit in self._find(row.passage)
            if holds(hit.chunk.text, row.passage) and (not documents or hit.document.id in documents)
        ]
        targets += [Target(hit.chunk.id, 1, 1.0) for hit in holders]
        barred |= {(hit.document.id, page) for hit in holders for page in _pages(hit)}
        return "" if holders else "No passage of the library holds the text that was given."

    def _with_candidates(self, question: str, targets: tuple[Target, ...], barred: set[tuple[str, int]]) -> Asked:
        hits = with_words(question, self._find(question))
        passages = {target.document for target in targets}
        places = [(hit.chunk.id, 1) if hit.chunk.id in passages else (hit.document.id, hit.chunk.page) for hit in hits]
        near = {
            index
            for index, hit in enumerate(hits)
            if hit.chunk.id in passages or any((hit.document.id, page) in barred for page in _pages(hit))
        }
        return Asked(question, targets, tuple(hits), tuple(places), frozenset(near))


def _pages(hit: Hit) -> range:
    return range(hit.chunk.first_page, hit.chunk.last_page + 1)


def by_question(labelled: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    """Labels of one question together; spaces and capitals do not tell two apart."""
    found: dict[str, list[Labelled]] = {}
    for row in labelled:
        found.setdefault(key(row.question), []).append(row)
    return found


def key(question: str) -> str:
    """What makes two questions the same."""
    return " ".join(question.casefold().split())


def holds(passage: str, label: str) -> bool:
    """Whether a passage holds a labelled text, or most of its sentences; spaces, signs and capitals aside."""
    held, wanted = _letters(passage), _letters(label)
    if wanted in held or (len(held) >= _WHOLE and held in wanted):
        return bool(wanted)
    parts = [_letters(label[start:end]) for start, end in sentences(label)]
    return sum(len(part) for part in parts if part in held) >= MOST_HELD * max(1, len(wanted))


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def of_dataset(dataset: Dataset, vector: Callable[[str], NDArray[np.float32]], candidates: int) -> Iterator[Asked]:
    """The questions of a data set with vectors, each with the candidates of hybrid retrieval."""
    assert dataset.vectors is not None
    searcher = Searcher(dataset.passages, dataset.vectors)
    for question in dataset.questions:
        found = searcher.search(question.text, vector(question.text), candidates)
        passages = [dataset.passages[place] for place in found.hybrid]
        hits = [
            Hit(passage.chunk, passage.document, cosine=found.cosines[place])
            for passage, place in zip(passages, found.hybrid, strict=True)
        ]
        yield Asked(
            question.text,
            question.targets,
            tuple(with_words(question.text, hits)),
            tuple((passage.document.path, passage.chunk.page) for passage in passages),
        )
    searcher.close()

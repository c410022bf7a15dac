"""The real vitals of a server: whether it can answer, and its figures, from an application."""

import sqlite3
from collections.abc import Sequence
from functools import cached_property

from ingest.errors import RagError
from ingest.index.generation import Answering
from ingest.tokens import Counter
from rag_app.build import Application
from rag_app.commands.warmth import Warmth
from rag_app.web.vitals import Figures, Vitals


def vitals(application: Application, warmth: Warmth) -> Vitals:
    """The vitals of one application."""
    looks = _Looks(application, warmth)
    return Vitals(
        lacking=looks.lacking,
        figures=looks.figures,
        pieces=looks.pieces,
        strict=application.settings.strict == 1,
    )


class _Looks:
    def __init__(self, application: Application, warmth: Warmth) -> None:
        self._parts = application.parts
        self._warmth = warmth

    def lacking(self) -> Sequence[str]:
        """What keeps questions from being answered. Without an index the exact scan answers, so that lacks nothing."""
        reasons = [self._warmth.lacking]
        try:
            self._parts.library.counts(self._parts.library.spaces())
            self._parts.index.state()
        except RagError as error:
            reasons.append(str(error))
        except (sqlite3.Error, OSError) as error:
            reasons.append(f"The library cannot be read ({error}). `rag verify` looks at all of it.")
        return [reason for reason in reasons if reason]

    def figures(self) -> Figures:
        library, index = self._parts.library, self._parts.index.state()
        counts = library.counts(library.spaces())
        return Figures(
            documents=counts.documents,
            passages=counts.chunks,
            jobs={str(state): count for state, count in library.jobs.count_by_state().items()},
            waiting=library.jobs.count_under_way(),
            indexed=index.passages,
            newer=index.newer,
            gone=index.gone,
            exact=index.answering == Answering.EXACT,
            rebuilding=index.rebuilding,
        )

    def pieces(self, text: str) -> int:
        return self._counter(text)

    @cached_property
    def _counter(self) -> Counter:
        # One of its own: the embedder's may be used by one thread at a time, and ingestion uses it.
        return Counter(self._parts.embedder.folder)

"""The cross-encoder that judges: the bundled one, or the team's own that was promoted in its place."""

import logging
import threading
from collections.abc import Sequence

from ingest.compute import Compute
from ingest.engines import Engines
from ingest.errors import ModelError
from rag_app.records import Hit
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.rerank.store import Store

logger = logging.getLogger(__name__)


class LiveReranker:
    """Looks once a question whether another model was promoted, and takes it without a restart.

    Where that one is damaged or cannot be loaded, the bundled one answers and `notice` says so. `name` is the model's
    in `rag train --list`.
    """

    def __init__(self, store: Store, compute: Compute, engines: Engines | None = None) -> None:
        self._store, self._compute, self._engines = store, compute, engines or Engines()
        self._changing = threading.Lock()
        self._stamp = store.stamp()
        self._is_loaded = False
        self._model, self.notice = self._chosen()
        self.name = self._model.name

    @property
    def threshold(self) -> float:
        """The relevance (0 to 1) below which the documents are taken not to hold the answer."""
        return self._model.threshold

    def load(self) -> None:
        """Load the model now rather than with the first question."""
        self._loaded()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with rank and calibrated relevance; with a newly promoted model where there is one."""
        self._look()
        return self._loaded().rerank(question, hits)

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability (0 to 1) that it answers the question, by the cross-encoder alone."""
        return self._loaded().relevance(question, texts)

    def identity(self) -> str:
        """What `scores` hang on; the calibration is not part of it."""
        return self._loaded().identity()

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw logit, in the order given."""
        return self._loaded().scores(question, texts)

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        """The hits from their `scores`, best first, with rank and calibrated relevance."""
        return self._model.ordered(hits, scores)

    @property
    def looks_closer(self) -> bool:
        """Whether its calibration knows what a closer look tells."""
        return self._model.looks_closer

    def closer(self, relevance: float, logits: Sequence[float], cosines: Sequence[float]) -> float:
        """The relevance (0 to 1) anew, from the one a passage has and its parts' logits and cosines."""
        return self._model.closer(relevance, logits, cosines)

    def chances(self, scores: Sequence[float]) -> list[float]:
        """For each raw logit the probability (0 to 1) that it stands for, where no cosine is known."""
        return self._model.chances(scores)

    def _look(self) -> None:
        with self._changing:
            stamp = self._store.stamp()
            if stamp != self._stamp:
                self._stamp, self._is_loaded = stamp, False
                self._model, self.notice = self._chosen()
                self.name = self._model.name

    def _loaded(self) -> BundledReranker:
        with self._changing:
            if not self._is_loaded:
                try:
                    self._model.load()
                except ModelError as error:
                    self.notice = f"{error} Until another is promoted, the bundled model answers."
                    logger.warning(self.notice)
                    self._model = BundledReranker(self._compute, engines=self._engines)
                    self._model.load()
                    self.name = self._model.name
                self._is_loaded = True
            return self._model

    def _chosen(self) -> tuple[BundledReranker, str]:
        live = self._store.live()
        if live.fault:
            logger.warning(live.fault)
        return BundledReranker(self._compute, live.folder, live.name, self._engines), live.fault

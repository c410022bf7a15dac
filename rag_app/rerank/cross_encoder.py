"""Local cross-encoders, with sentence-transformers. The only file of answering that knows torch."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.compute import Compute, Priority
from ingest.embedding import fast_dtype, model_folder, quiet
from ingest.errors import ModelError
from rag_app.records import Hit
from rag_app.rerank.calibration import load
from rag_app.rerank.ranking import ranked, reranked_text

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BUNDLED = "bundled"
FOLDER = Path(__file__).with_name("bundled")
BATCH = 8  # pairs at once; 8 to 32 were measured faster than more
WORK = 24  # pairs in one piece of work, so that another question can pass between two
PIECES = 320  # of question and passage together: a passage has at most 250


class Scorer:
    """A cross-encoder's raw logits, one model, loaded with its first use or by `load`."""

    def __init__(self, folder: Path, compute: Compute, pieces: int | None) -> None:
        self._folder, self._compute, self._pieces = folder, compute, pieces
        self._model: CrossEncoder | None = None
        self._loading = threading.Lock()

    def load(self) -> "CrossEncoder":
        """Load the model, once. Raises ModelError when the folder holds no cross-encoder."""
        with self._loading:
            if self._model is None:
                self._model = self._open()
            return self._model

    def logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the model's logit for the pair, in the order given; higher is better."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # like lengths together: less padding
        scores = [0.0] * len(texts)
        for start in range(0, len(order), WORK):
            part = order[start : start + WORK]
            pairs = [(question, texts[index]) for index in part]
            found = self._compute.run(lambda pairs=pairs: self._predict(pairs), Priority.QUESTION)  # type: ignore[misc]  # mypy cannot type a default in a lambda
            for index, score in zip(part, found, strict=True):
                scores[index] = score
        return scores

    def _open(self) -> "CrossEncoder":
        import torch
        from sentence_transformers import CrossEncoder

        quiet()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.float32 if device == "cuda" else fast_dtype()
        extra: dict[str, Any] = {} if self._pieces is None else {"max_length": self._pieces}
        try:
            model = CrossEncoder(
                str(self._folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"dtype": dtype},
                **extra,
            )
        except (OSError, ValueError) as error:
            raise ModelError(f"{self._folder} holds no cross-encoder that can be loaded ({error}).") from error
        if model.num_labels != 1:
            raise ModelError(
                f"{self._folder} is no reranker: it gives {model.num_labels} scores a pair instead of one."
            )
        return model

    def _predict(self, pairs: list[tuple[str, str]]) -> list[float]:
        import torch

        scores = self.load().predict(
            pairs,
            batch_size=BATCH,
            activation_fn=torch.nn.Identity(),
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        return [float(score) for score in scores.float().cpu()]


class BundledReranker:
    """Our own cross-encoder with its calibration: orders, says how relevant, and scores sentences."""

    name = BUNDLED

    def __init__(self, compute: Compute) -> None:
        self._scorer = Scorer(FOLDER, compute, PIECES)
        self._calibration = load(FOLDER)

    @property
    def threshold(self) -> float:
        """The relevance (0 to 1) below which the documents are taken not to hold the answer."""
        return self._calibration.threshold

    def load(self) -> None:
        """Load the model now rather than with the first question."""
        self._scorer.load()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with rank and calibrated relevance."""
        logits = self._scorer.logits(question, [reranked_text(hit) for hit in hits])
        judged = [
            replace(hit, relevance=self._calibration.relevance(logit, hit.cosine))
            for hit, logit in zip(hits, logits, strict=True)
        ]
        return ranked(judged, [hit.relevance or 0.0 for hit in judged])

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability (0 to 1) that it answers the question, by the cross-encoder alone."""
        logits = self._scorer.logits(question, texts)
        return [self._calibration.relevance(logit, None) for logit in logits]


class LocalReranker:
    """Any other cross-encoder, by folder or hub name. It only orders: relevance comes from the bundled one."""

    def __init__(self, model: str, compute: Compute) -> None:
        self.name = model
        self._scorer = Scorer(model_folder(model), compute, None)

    def load(self) -> None:
        """Load the model now rather than with the first question."""
        self._scorer.load()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with their rank; relevance is left as it was."""
        return ranked(hits, self._scorer.logits(question, [reranked_text(hit) for hit in hits]))

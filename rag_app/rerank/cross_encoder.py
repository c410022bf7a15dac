"""Local cross-encoders, by OpenVINO or by sentence-transformers. The only file of answering that knows torch."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest import graphics
from ingest.compute import Compute, Priority
from ingest.embedding import model_folder, quiet, torch_name
from ingest.engines import Engine, Engines, Form, Rows, Work, computed
from ingest.errors import ModelError
from ingest.openvino_bert import Unfit, configuration
from ingest.tokens import Text, longest
from rag_app.copies import wording
from rag_app.records import Hit
from rag_app.rerank import cascade
from rag_app.rerank.calibration import load
from rag_app.rerank.ranking import ranked, reranked_text
from rag_app.rerank.windows import MOST, OVERLAP, SLACK, WORDS, windows

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BUNDLED = "bundled"
FOLDER = Path(__file__).with_name("bundled")
CONFIGURATION, MODULES = "config.json", "modules.json"  # what a folder says of its model, and of its parts
OWN_CONFIGURATION = "config_sentence_transformers.json"  # what the library adds
BATCH = 8  # pairs at once; 8 to 32 were measured faster than more
WORK = 24  # pairs in one piece of work, so that another question can pass between two
PIECES = 320  # of question and passage together: a passage has at most 250
# Files of a model's folder that its logits hang on.
DECISIVE = ("*.safetensors", "config.json", "*/config.json", "tokenizer*", "vocab*", "modules.json")


class TorchScoring:
    """A cross-encoder in torch, as sentence-transformers runs it. Raises ModelError when the folder holds none."""

    outputs = 1

    def __init__(self, folder: Path, pieces: int | None) -> None:
        from safetensors import SafetensorError

        quiet()
        self.name = torch_name()
        try:
            self._placed = graphics.Placed(partial(_scoring, folder, pieces, self.name))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:  # the last two: weights that do not fit
            raise ModelError(_unloadable(folder, error)) from error
        model = self._placed.model
        if model.num_labels != 1:
            raise ModelError(f"{folder} is no reranker: it gives {model.num_labels} scores a pair instead of one.")
        self.window = model.max_seq_length

    def parts(self, texts: Sequence[Text], *, question: bool = False) -> Iterator[tuple[Sequence[int], Work]]:
        """As Engine says; the texts are pairs."""
        del question
        order = sorted(range(len(texts)), key=lambda place: len(texts[place][1]))  # like lengths together
        for start in range(0, len(order), WORK):
            places = order[start : start + WORK]
            work = partial(_predicted, pairs=[texts[place] for place in places])
            yield places, partial(self._placed.run, work)


def _scoring(folder: Path, pieces: int | None, number: str, device: str) -> "CrossEncoder":
    """A folder's model on a device; number: the name of a number format of torch's."""
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(
        str(folder),
        device=device,
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"dtype": getattr(torch, number.removeprefix("torch."))},
        **({} if pieces is None else {"max_length": pieces}),
    )
    model.max_seq_length = min([model.max_seq_length, *_positions(model)])
    return model


def _predicted(model: "CrossEncoder", pairs: Sequence[Text]) -> Rows:
    import torch

    scores = model.predict(
        list(pairs),
        batch_size=BATCH,
        activation_fn=torch.nn.Identity(),
        convert_to_tensor=True,
        show_progress_bar=False,
    )
    rows: Rows = scores.float().cpu().numpy()[:, None]
    return rows


class Scorer:
    """A cross-encoder's raw logits, one model, loaded with its first use or by `load`.

    parted: texts are scored in windows, each by its best.
    """

    def __init__(
        self,
        folder: Path,
        compute: Compute,
        pieces: int | None,
        engines: Engines | None = None,
        *,
        parted: bool = False,
    ) -> None:
        self._folder, self._compute, self._pieces, self._parted = folder, compute, pieces, parted
        self._engines = engines or Engines()
        self._why = ""
        self._engine: Engine | None = None
        self._loading = threading.Lock()

    def load(self) -> Engine:
        """Load the model, once. Raises ModelError when the folder holds no cross-encoder."""
        with self._loading:
            if self._engine is None:
                _check_form(self._folder)
                self._engine, self._why = self._engines.open(
                    self._folder, self._form, lambda: TorchScoring(self._folder, self._pieces)
                )
            return self._engine

    @property
    def engine(self) -> str:
        """What runs it, with the reason where that is not the machine's usual one. Loads the model."""
        name = self.load().name
        return name if self._why == self._engines.choice.why else f"{name} ({self._why})"

    @property
    def window(self) -> int:
        """Tokens of question and passage that are read together; the rest is cut off."""
        return self.load().window

    def identity(self) -> str:
        """What the logits hang on, 64 hex digits: weights, configuration, tokenizer, window, engine, number format."""
        files = sorted({file for pattern in DECISIVE for file in self._folder.glob(pattern)})
        cut = f" {WORDS} {OVERLAP} {SLACK} {MOST}" if self._parted else ""
        digest = hashlib.sha256(f"{self._pieces} {self._engines.expected(self._form, torch_name)}{cut}".encode())
        for file in files:
            with file.open("rb") as content:
                digest.update(f"\0{file.name}\0".encode() + hashlib.file_digest(content, "sha256").digest())
        return digest.hexdigest()

    def logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the model's logit for the pair, in the order given; higher is better."""
        parts = [windows(text) if self._parted else [text] for text in texts]
        pairs = [(question, part) for own in parts for part in own]
        scores = iter(computed(self.load(), pairs, self._compute, Priority.QUESTION)[:, 0].tolist())
        return [max(next(scores) for _ in own) for own in parts]

    def _form(self) -> Form:
        return scoring_form(self._folder, self._pieces)


def scoring_form(folder: Path, pieces: int | None) -> Form:
    """How a folder's cross-encoder makes a logit of a pair. Raises Unfit where torch alone does that."""
    found = configuration(folder)
    labels = found.get("id2label")
    if found.get("architectures") != ["BertForSequenceClassification"] or not isinstance(labels, dict):
        raise Unfit(f"its architectures are {found.get('architectures')}, not BertForSequenceClassification")
    if len(labels) != 1 or (folder / MODULES).is_file():
        raise Unfit("it gives several scores a pair, or is made of several parts")
    positions = int(found.get("max_position_embeddings", 0))
    return Form("logits", min(pieces, positions) if pieces else longest(folder, positions), 1)


class BundledReranker:
    """Our own cross-encoder, or a team's made from it, with its calibration.

    It orders, says how relevant, and scores sentences.
    """

    def __init__(
        self, compute: Compute, folder: Path = FOLDER, name: str = BUNDLED, engines: Engines | None = None
    ) -> None:
        self.name = name
        self._scorer = Scorer(folder, compute, PIECES, engines, parted=True)
        self._calibration = load(folder)
        self._cascade = cascade.load(folder)

    @property
    def threshold(self) -> float:
        """The relevance (0 to 1) below which the documents are taken not to hold the answer."""
        return self._calibration.threshold

    def load(self) -> None:
        """Load the model now rather than with the first question."""
        self._scorer.load()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with rank and calibrated relevance.

        Where a cascade was fitted for the model, what can't come among the first is not read and has no relevance.
        """
        texts = [reranked_text(hit) for hit in hits]
        seen = [(hit.cosine, hit.overlap or 0.0) for hit in hits if hit.cosine is not None]
        if self._cascade is None or len(seen) < len(hits):
            return self.ordered(hits, self.scores(question, texts))
        reading = cascade.read(
            self._cascade,
            self._calibration,
            seen,
            [wording(hit.chunk.text) for hit in hits],
            lambda places: self.scores(question, [texts[place] for place in places]),
            raised=self._raised(hits),
        )
        return self._ranked(hits, reading.values, reading.read)

    def identity(self) -> str:
        """What `scores` hang on; the calibration is not part of it."""
        return self._scorer.identity()

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw logit, of its best window where it is long, in the order given."""
        return self._scorer.logits(question, texts)

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        """The hits from their `scores`, best first, with rank and calibrated relevance."""
        known = self._calibration
        values = [
            known.value(logit, hit.cosine, hit.overlap) + more
            for hit, logit, more in zip(hits, scores, self._raised(hits), strict=True)
        ]
        return self._ranked(hits, values, [True] * len(hits))

    def _raised(self, hits: Sequence[Hit]) -> list[float]:
        known = self._calibration
        if all(hit.lexical_rank is None for hit in hits):  # only the meaning was searched
            return [0.0] * len(hits)
        return [known.raised(hit.lexical_rank) + known.called(*hit.named) for hit in hits]

    def _ranked(self, hits: Sequence[Hit], order: Sequence[float], read: Sequence[bool]) -> list[Hit]:
        # What is told of the first was fitted where every passage has its cosine.
        whole = all(hit.cosine is not None for hit in hits)
        values = [value - more for value, more in zip(order, self._raised(hits), strict=True)]
        chances = self._calibration.relevances(values, first=whole, order=order)
        told = zip(hits, chances, read, strict=True)
        return ranked([replace(hit, relevance=one if known else None) for hit, one, known in told], order)

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the probability (0 to 1) that it answers the question, by the cross-encoder alone."""
        return self.chances(self._scorer.logits(question, texts))

    @property
    def looks_closer(self) -> bool:
        """Whether its calibration knows what a closer look tells."""
        return self._calibration.closer_part > 0

    def closer(self, relevance: float, logits: Sequence[float], cosines: Sequence[float]) -> float:
        """The relevance (0 to 1) anew, from the one a passage has and its parts' logits and cosines."""
        return self._calibration.closer(relevance, max(map(self._calibration.part, logits, cosines)))

    def chances(self, scores: Sequence[float]) -> list[float]:
        """For each raw logit the probability (0 to 1) that it stands for, where no cosine is known."""
        return [self._calibration.relevance(logit, None) for logit in scores]


class LocalReranker:
    """Any other cross-encoder, by folder or hub name. It only orders: relevance comes from the bundled one."""

    def __init__(self, model: str, compute: Compute, engines: Engines | None = None) -> None:
        self.name = model
        self._scorer = Scorer(model_folder(model), compute, None, engines)

    @property
    def engine(self) -> str:
        """What runs it; loads it."""
        return self._scorer.engine

    @property
    def window(self) -> int:
        """Tokens of question and passage that are read together, by the model's own account; loads it."""
        return self._scorer.window

    def load(self) -> None:
        """Load the model now rather than with the first question."""
        self._scorer.load()

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with their rank; relevance is left as it was."""
        return self.ordered(hits, self.scores(question, [reranked_text(hit) for hit in hits]))

    def identity(self) -> str:
        """What `scores` hang on."""
        return self._scorer.identity()

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the raw logit, in the order given."""
        return self._scorer.logits(question, texts)

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        """The hits from their `scores`, best first, with their rank."""
        return ranked(hits, scores)


def _configuration(folder: Path, name: str = CONFIGURATION) -> Mapping[str, Any]:
    """What a model's folder says of it; nothing where it says nothing that can be read."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_form(folder: Path) -> None:
    """Refuse what the library would make a cross-encoder of with a part at random: noise that looks like a ranking."""
    form = str((_configuration(folder).get("architectures") or [""])[0])
    if (folder / MODULES).is_file():
        if _configuration(folder, OWN_CONFIGURATION).get("model_type") != "CrossEncoder":
            raise ModelError(f"{folder} is no reranker: it holds a model that makes vectors. Name a cross-encoder.")
    elif form.endswith("ForCausalLM"):
        raise ModelError(
            f"{folder} holds a language model and no {MODULES} that says how it scores a passage. Take a version of it "
            "that was saved for sentence-transformers, or serve it and name the server in RAG_RERANKER."
        )
    elif form and not form.endswith("ForSequenceClassification"):
        raise ModelError(f"{folder} is no reranker: its {form} has no layer that scores. Name a cross-encoder.")


def _unloadable(folder: Path, error: Exception) -> str:
    if "auto_map" in _configuration(folder):
        return (
            f"{folder} needs program code of its own, which is never run here. Choose another model (`rag models` "
            "lists them); Jina's are used through its service: RAG_RERANKER=jina:MODEL."
        )
    return f"{folder} holds no cross-encoder that can be loaded ({error})."


def _positions(model: "CrossEncoder") -> Iterator[int]:
    """How many tokens each table of positions has room for; models with rotary positions have none.

    One with a padding row counts from behind that row (RoBERTa and what came of it), which the library forgets.
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings"):
            padding: int | None = getattr(module, "padding_idx", None)
            yield int(module.num_embeddings) - (0 if padding is None else padding + 1)

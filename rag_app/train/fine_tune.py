"""The training loop: a cross-encoder learns from groups. Knows torch.

What makes it three times faster on a processor: no dropout, plain attention, embeddings frozen, bfloat16 weights (where
the processor has AMX, or on a GPU) with float32 masters, and batches of like length.
"""

import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ingest.embedding import fast_dtype, quiet
from rag_app.train.groups import Group

CHECKPOINT = "checkpoint.pt"
PART = 16  # pairs that pass through the model together


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained."""

    rate: float = 1.2e-4  # peak learning rate
    warm: float = 0.06  # share of the steps in which it rises; then it falls to 0 in a straight line
    groups: int = 12  # of a step
    binary: float = 0.5  # weight of the binary loss beside the listwise one
    decay: float = 0.01  # weight decay
    pieces: int = 192  # word pieces of question and passage, at most; a window of 110 words has about 150
    seed: int = 7
    every: int = 200  # steps between checkpoints


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is."""

    step: int
    steps: int
    loss: float  # mean of the last steps
    pairs_per_s: float
    left_s: float


def batches(groups: Sequence[Group], recipe: Recipe) -> list[list[int]]:
    """Places of groups, batch by batch: like lengths together, the batches in a seeded order."""
    rng = Random(recipe.seed)  # noqa: S311 - no secret
    order = list(range(len(groups)))
    rng.shuffle(order)
    sizes = [len(group.texts) * 10_000 + max(len(text) for text in group.texts) for group in groups]
    # Sorted within stretches only, so that a batch is not all of one source.
    stretch = recipe.groups * 64
    made = []
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=lambda place: sizes[place])
        made += [part[i : i + recipe.groups] for i in range(0, len(part), recipe.groups)]
    rng.shuffle(made)
    return made


def loss_of(scores: Tensor, sizes: Sequence[int], binary: float) -> Tensor:
    """Listwise softmax cross-entropy over each group plus `binary` times the binary one.

    scores: (pairs,), the groups one after the other, each with its right passage first. The listwise part is ListNet's
    with one right passage (Cao et al., ICML 2007).
    """
    padded = scores.new_full((len(sizes), max(sizes)), -1e9)
    labels = torch.zeros_like(scores)
    place = 0
    for row, size in enumerate(sizes):
        padded[row, :size] = scores[place : place + size]
        labels[place] = 1.0
        place += size
    target = torch.zeros(len(sizes), dtype=torch.long, device=scores.device)
    listwise = functional.cross_entropy(padded, target)
    return listwise + binary * functional.binary_cross_entropy_with_logits(scores, labels)


class Training:
    """One training run, which can be left and taken up again.

    start: a folder with a BERT-like encoder or cross-encoder; work: a folder for checkpoints.
    """

    def __init__(self, start: Path, groups: Sequence[Group], recipe: Recipe, work: Path, threads: int = 0) -> None:
        quiet()
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(recipe.seed)
        self._groups, self._recipe, self._work = groups, recipe, work
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if self._device == "cuda" else fast_dtype()
        self.tokenizer = AutoTokenizer.from_pretrained(str(start), local_files_only=True)
        self.model = AutoModelForSequenceClassification.from_pretrained(
            str(start),
            num_labels=1,
            attn_implementation="eager",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            classifier_dropout=0.0,
            local_files_only=True,
            dtype=torch.float32,
        )
        _embeddings(self.model).requires_grad_(requires_grad=False)
        self._masters = [p.detach().clone().to(self._device) for p in self._trained()]
        self._frozen = [p.detach().clone() for p in self.model.parameters() if not p.requires_grad]
        self.model.to(self._device, dtype).train()
        plain = {"params": [m for m in self._masters if m.ndim == 1], "weight_decay": 0.0}
        heavy = {"params": [m for m in self._masters if m.ndim > 1], "weight_decay": recipe.decay}
        self._optimizer = torch.optim.AdamW([plain, heavy], lr=recipe.rate)
        self._plan = batches(groups, recipe)
        told = json.dumps([asdict(recipe), [asdict(group) for group in groups]])
        self._name = hashlib.sha256(told.encode()).hexdigest()  # of this very training
        self._step = 0

    def run(self, told: Callable[[Progress], None]) -> None:
        """Train to the end, from the last checkpoint where there is one. `told` hears of it every 20 steps."""
        self._resume()
        started, pairs, losses = time.monotonic(), 0, [0.0]
        for step in range(self._step, len(self._plan)):
            group = [self._groups[place] for place in self._plan[step]]
            losses.append(self._learn(group, step))
            pairs += sum(len(item.texts) for item in group)
            self._step = step + 1
            if self._step % 20 == 0:
                speed = pairs / (time.monotonic() - started)
                left = sum(len(self._groups[i].texts) for part in self._plan[self._step :] for i in part) / speed
                told(Progress(self._step, len(self._plan), sum(losses[-20:]) / 20, speed, left))
            if self._step % self._recipe.every == 0:
                self._checkpoint()

    def save(self, folder: Path) -> None:
        """Write the model: 16-bit weights that load as 32-bit ones, whatever the processor."""
        for parameter, master in zip(self._trained(), self._masters, strict=True):
            parameter.data = master.to("cpu")
        frozen = [p for p in self.model.parameters() if not p.requires_grad]
        for parameter, kept in zip(frozen, self._frozen, strict=True):
            parameter.data = kept
        write_model(self.model.to("cpu"), self.tokenizer, folder)

    def _trained(self) -> list[Any]:
        return [p for p in self.model.parameters() if p.requires_grad]

    def _learn(self, groups: Sequence[Group], step: int) -> float:
        pairs = [(group.question, text) for group in groups for text in group.texts]
        scores = self._scores(pairs)
        loss = loss_of(scores, [len(group.texts) for group in groups], self._recipe.binary)
        torch.autograd.backward(loss)
        for parameter, master in zip(self._trained(), self._masters, strict=True):
            master.grad = parameter.grad.float()
            parameter.grad = None
        torch.nn.utils.clip_grad_norm_(self._masters, 1.0)
        for settings in self._optimizer.param_groups:
            settings["lr"] = self._recipe.rate * share(step, len(self._plan), self._recipe.warm)
        self._optimizer.step()
        with torch.no_grad():
            for parameter, master in zip(self._trained(), self._masters, strict=True):
                parameter.copy_(master)
        return float(loss.detach())

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> Tensor:
        """Logits (pairs,), computed in parts of like length: less padding."""
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
        parts = []
        for start in range(0, len(order), PART):
            part = [pairs[place] for place in order[start : start + PART]]
            inputs = self.tokenizer(
                [question for question, _ in part],
                [text for _, text in part],
                truncation="longest_first",
                max_length=self._recipe.pieces,
                padding=True,
                return_tensors="pt",
            ).to(self._device)
            parts.append(self.model(**inputs).logits[:, 0].float())
        places = torch.tensor(order, device=self._device)
        return torch.cat(parts)[torch.argsort(places)]

    def _checkpoint(self) -> None:
        self._work.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": self._name,
            "step": self._step,
            "masters": self._masters,
            "optimizer": self._optimizer.state_dict(),
        }
        temporary = self._work / (CHECKPOINT + ".new")
        torch.save(state, temporary)
        temporary.replace(self._work / CHECKPOINT)

    def _resume(self) -> None:
        file = self._work / CHECKPOINT
        if not file.exists():
            return
        state = torch.load(file, map_location=self._device, weights_only=True)
        if state["plan"] != self._name:
            sys.stderr.write(f"{file} belongs to another training and is not used.\n")
            return
        self._step = state["step"]
        self._optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            for parameter, master, kept in zip(self._trained(), self._masters, state["masters"], strict=True):
                master.copy_(kept)
                parameter.copy_(kept)


def write_model(model: Any, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401 - torch and transformers
    """Write a cross-encoder as 16-bit weights that load as 32-bit ones, whatever the processor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    file = folder / "config.json"
    config = json.loads(file.read_text())
    # A half-precision type in the configuration makes the model compute in half precision.
    config["dtype"] = "float32"
    config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.linear.Identity"}
    file.write_text(json.dumps(config, indent=2) + "\n")


def share(step: int, steps: int, warm: float) -> float:
    """The learning rate as a share (0 to 1) of its peak: a rise over `warm` of the steps, then a straight fall."""
    rising = max(1, math.ceil(steps * warm))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (steps - step) / max(1, steps - rising))


def _embeddings(model: Any) -> Any:  # noqa: ANN401 - a torch module of whatever architecture
    return model.base_model.embeddings

"""A small cross-encoder that learns the scores of a large one: 2 layers of 128, under 10 MB. Knows torch.

python -m rag_app.train.sister --model FOLDER --groups FILE --to FOLDER. Its embeddings are the large one's, reduced to
their 128 principal components; it learns the teacher's order within each group and its scores (knowledge distillation,
Hinton et al., 2015).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig

from ingest.compute import Compute
from ingest.embedding import quiet
from rag_app.rerank.cross_encoder import PIECES, Scorer
from rag_app.train.fine_tune import share, write_model
from rag_app.train.groups import Group, load

WIDTH = 128
LAYERS = 2
HEADS = 4
GROUPS = 12_000  # of those the teacher learnt from
EPOCHS = 6
RATE = 1e-3
WARM = 0.05  # share of the steps in which the rate rises
BATCH = 32  # groups of a step
LEVEL = 0.05  # weight of the squared error of the scores beside the error of the order
SEED = 7


@dataclass(frozen=True, slots=True)
class Lesson:
    """A group with the teacher's logits, in the order of its texts."""

    group: Group
    logits: tuple[float, ...]


def lessons(groups: Sequence[Group], scorer: Scorer, kept: Path) -> list[Lesson]:
    """Groups with the teacher's logits, read from `kept` where they were written before."""
    if not kept.exists():
        rows = []
        for place, group in enumerate(groups, start=1):
            rows.append(scorer.logits(group.question, group.texts))
            if place % 1000 == 0:
                sys.stderr.write(f"{place} of {len(groups)} groups scored\n")
        temporary = kept.with_name(kept.name + ".new")
        temporary.write_text(json.dumps(rows))
        temporary.replace(kept)
    rows = json.loads(kept.read_text())
    return [Lesson(group, tuple(row)) for group, row in zip(groups, rows, strict=True)]


def small_model(teacher: Path) -> Any:  # noqa: ANN401 - a torch module
    """An untrained model of 2 layers whose embeddings are the teacher's, reduced by principal components."""
    large = AutoModelForSequenceClassification.from_pretrained(str(teacher), local_files_only=True, dtype=torch.float32)
    config = BertConfig(
        vocab_size=large.config.vocab_size,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH,
        num_labels=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(SEED)
    small = AutoModelForSequenceClassification.from_config(config)
    words = large.base_model.embeddings.word_embeddings.weight.detach()
    _, _, directions = torch.pca_lowrank(words, q=WIDTH)
    for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        reduced = getattr(large.base_model.embeddings, name).weight.detach() @ directions
        getattr(small.base_model.embeddings, name).weight.data.copy_(reduced)
    return small


def loss_of(scores: Tensor, taught: Tensor, sizes: Sequence[int]) -> Tensor:
    """Kullback-Leibler divergence within each group from the teacher's order, plus the squared error of the scores.

    scores, taught: (pairs,), the groups one after the other.
    """
    orders = [
        functional.kl_div(own.log_softmax(0), theirs.softmax(0), reduction="sum")
        for own, theirs in zip(torch.split(scores, list(sizes)), torch.split(taught, list(sizes)), strict=True)
    ]
    return torch.stack(orders).mean() + LEVEL * functional.mse_loss(scores, taught)


def distil(model: Any, tokenizer: Any, taught: Sequence[Lesson]) -> None:  # noqa: ANN401 - torch and transformers
    """Train the small model, in place."""
    rng = Random(SEED)  # noqa: S311 - no secret
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    parts = [list(range(start, min(start + BATCH, len(taught)))) for start in range(0, len(taught), BATCH)]
    steps, step = len(parts) * EPOCHS, 0
    model.train()
    for epoch in range(EPOCHS):
        rng.shuffle(parts)
        total = 0.0
        for part in parts:
            for settings in optimizer.param_groups:
                settings["lr"] = RATE * share(step, steps, WARM)
            loss = _loss(model, tokenizer, [taught[place] for place in part])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            total += float(loss.detach())
            step += 1
        sys.stderr.write(f"epoch {epoch + 1} of {EPOCHS}, loss {total / len(parts):.3f}\n")


def _loss(model: Any, tokenizer: Any, taught: Sequence[Lesson]) -> Tensor:  # noqa: ANN401 - torch and transformers
    questions = [item.group.question for item in taught for _ in item.group.texts]
    texts = [text for item in taught for text in item.group.texts]
    inputs = tokenizer(
        questions, texts, truncation="longest_first", max_length=PIECES, padding=True, return_tensors="pt"
    )
    scores = model(**inputs).logits[:, 0]
    logits = torch.tensor([logit for item in taught for logit in item.logits])
    return loss_of(scores, logits, [len(item.logits) for item in taught])


def main() -> None:
    """Score, distil, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the teacher's folder")
    parser.add_argument("--groups", type=Path, required=True, help="groups.jsonl.gz of the teacher's training")
    parser.add_argument("--to", type=Path, required=True, help="the folder for the scores and the model")
    parser.add_argument("--most", type=int, default=GROUPS, help=f"groups to learn from (default {GROUPS})")
    arguments = parser.parse_args()
    quiet()
    arguments.to.mkdir(parents=True, exist_ok=True)
    scorer = Scorer(arguments.model, Compute(), PIECES)
    taught = lessons(load(arguments.groups)[: arguments.most], scorer, arguments.to / "scores.json")
    model = small_model(arguments.model)
    tokenizer = AutoTokenizer.from_pretrained(str(arguments.model), local_files_only=True)
    distil(model, tokenizer, taught)
    write_model(model, tokenizer, arguments.to / "model")


if __name__ == "__main__":
    main()

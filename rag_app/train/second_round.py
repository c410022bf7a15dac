"""Negatives that a trained cross-encoder takes for the answer (after ANCE: Xiong et al., ICLR 2021). Pure, given it."""

import sys
from collections.abc import Sequence
from typing import Protocol

from rag_app.train.groups import Group

DOUBTED = 4.0  # logits above the right passage from which one is taken to answer too; by eye, nothing was fitted
TOLD = 500  # groups between two lines on how far it is


class Scores(Protocol):
    """What choosing needs of a cross-encoder."""

    def logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the logit of the pair, in the order given; higher is better."""
        ...


def hardest(groups: Sequence[Group], model: Scores, size: int) -> list[Group]:
    """The groups with `size` texts at most: the right one and the wrong ones that the model thinks most of.

    What it thinks DOUBTED better than the right one may answer too and comes last.
    """
    chosen = []
    for place, group in enumerate(groups, start=1):
        if len(group.texts) <= size:
            chosen.append(group)
            continue
        right, *wrong = model.logits(group.question, group.texts)
        order = sorted(range(len(wrong)), key=lambda i: (wrong[i] > right + DOUBTED, -wrong[i]))
        texts = (group.texts[0], *(group.texts[1 + i] for i in order[: size - 1]))
        chosen.append(Group(group.source, group.question, texts))
        if place % TOLD == 0:
            sys.stderr.write(f"hardest negatives of {place} of {len(groups)} groups chosen\n")
    return chosen

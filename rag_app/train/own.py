"""A team's own questions -> parts to train on, to calibrate on and to hold out; and groups with hard negatives."""

import hashlib
import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from random import Random

from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text
from rag_app.train.asked import Asked, key
from rag_app.train.groups import Group
from rag_app.train.mining import Candidate, negatives
from rag_app.train.pairs import TrainingDataError
from rag_app.train.prepare import MARGIN

LEAST = 40  # questions that can be used
HELD_OUT = 0.2  # share of the questions; as many again are for calibrating
LEAST_HELD_OUT = 8  # questions; fewer tell nothing
LEAST_GROUPS = 12  # questions with an answer among their candidates, to train on
WRONG = 5  # hard negatives of a group
SOURCE = "own"


@dataclass(frozen=True, slots=True)
class Parts:
    """Questions by what they are for."""

    train: tuple[Asked, ...]
    calibrate: tuple[Asked, ...]
    held_out: tuple[Asked, ...]


def split(asked: Sequence[Asked], seed: int, trained_on: Set[str] = frozenset()) -> Parts:
    """The questions in three parts, 60, 20 and 20 in a hundred, by a hash of seed and question.

    Questions that the model or one it descends from has been trained on (`trained_on`, their digests) are never held
    out: it would seem better than it is. Raises TrainingDataError where too few questions are left.
    """
    if len(asked) < LEAST:
        raise TrainingDataError(
            f"{len(asked)} questions can be used; training needs at least {LEAST}, a part of which is held out. "
            "Collect more, or correct those that name nothing in the library."
        )
    order = sorted(asked, key=lambda one: hashlib.sha256(f"{seed}\0{key(one.text)}".encode()).digest())
    known = [one for one in order if digest(one.text) in trained_on]
    fresh = [one for one in order if digest(one.text) not in trained_on]
    apart = min(math.floor(HELD_OUT * len(asked)), len(fresh) // 2)
    if apart < LEAST_HELD_OUT:
        raise TrainingDataError(
            f"The live model was trained on {len(known)} of these {len(asked)} questions, and {len(fresh)} new ones "
            f"are too few to measure with. Add at least {2 * LEAST_HELD_OUT - len(fresh)} more."
        )
    held_out, calibrate, rest = fresh[:apart], fresh[apart : 2 * apart], fresh[2 * apart :]
    return Parts((*known, *rest), tuple(calibrate), tuple(held_out))


def digest(question: str) -> str:
    """A question as it is remembered in a record: 16 hex digits."""
    return hashlib.sha256(key(question).encode()).hexdigest()[:16]


def group(asked: Asked, answering: Hit, rng: Random) -> Group | None:
    """A question with the passage that answers it and hard negatives drawn from its other candidates.

    None where no candidate may be taken for wrong.
    """
    hits = asked.hits
    places = [Candidate(index, hit.cosine or 0.0) for index, hit in enumerate(hits)]
    meaning = sorted(places, key=lambda item: -item.cosine)
    words = sorted(
        (item for item in places if hits[item.place].lexical_rank is not None),
        key=lambda item: hits[item.place].lexical_rank or 0,
    )
    highest = (answering.cosine or 0.0) + MARGIN
    wrong = negatives(meaning, words, asked.right | asked.barred, highest, WRONG, rng)
    if not wrong:
        return None
    return Group(
        SOURCE, asked.text, tuple(reranked_text(hit) for hit in (answering, *(hits[place] for place in wrong)))
    )


def groups(train: Sequence[tuple[Asked, Hit]], rounds: int, seed: int) -> list[Group]:
    """`rounds` groups of each question, each with negatives of its own.

    Raises TrainingDataError where too few questions find a passage that answers and passages that do not.
    """
    made = [
        one
        for turn in range(rounds)
        for asked, answering in train
        if (one := group(asked, answering, _chance(seed, turn, asked))) is not None
    ]
    if len(made) < LEAST_GROUPS * rounds:
        raise TrainingDataError(
            f"For only {len(made) // max(1, rounds)} of the questions to train on, the search finds a passage that "
            f"answers beside some that do not; at least {LEAST_GROUPS} are needed. See that the pages are counted from "
            "1 as the file has them, not as printed."
        )
    return made


def _chance(seed: int, turn: int, asked: Asked) -> Random:
    return Random(f"{seed} {turn} {key(asked.text)}")  # noqa: S311 - what is drawn guards nothing

"""How much of a question's words a passage holds, weighed by how well they tell the candidates apart. Pure.

A cross-encoder joined with this and with the cosine orders better than with the cosine alone: a name or a number that
the question says and two of fifty candidates hold is worth more than the model sees in it (docs/training.md).
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text
from rag_app.words import FUNCTION_WORDS, fold, stem

SATURATION = 0.5  # BM25's k1: a second mention of a word adds little (docs/training.md)
UNHELD = 2.0  # weight of a word that no candidate holds: it tells nothing apart, but that it is missing says something
_WORD = re.compile(r"\w+")


def with_overlap(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, each with its overlap among all of them."""
    found = overlaps(question, [reranked_text(hit) for hit in hits])
    return [replace(hit, overlap=overlap) for hit, overlap in zip(hits, found, strict=True)]


def overlaps(question: str, texts: Sequence[str]) -> list[float]:
    """For each text its BM25 (without the length) as a share, 0 to 1, of what a text with every word would reach.

    The weight of a word is its inverse document frequency among `texts` (Robertson and Zaragoza, 2009), and UNHELD
    where none of them holds it.
    """
    asked = set(_stems(question))
    held = [Counter(word for word in _stems(text) if word in asked) for text in texts]
    frequency = Counter(word for words in held for word in words)
    weight = {word: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for word, n in frequency.items()}
    most = sum(weight.values()) + UNHELD * (len(asked) - len(weight))
    if not weight:
        return [0.0] * len(texts)
    return [sum(weight[word] * n / (n + SATURATION) for word, n in words.items()) / most for words in held]


def content_stems(text: str) -> frozenset[str]:
    """The stems of a text's words, without those that every text has."""
    return frozenset(_stems(text))


def _stems(text: str) -> list[str]:
    return [root for word in _WORD.findall(text) if (root := _root(word))]


@lru_cache(maxsize=65_536)
def _root(word: str) -> str:
    folded = fold(word)
    return "" if folded in FUNCTION_WORDS else stem(folded)

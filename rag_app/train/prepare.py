"""From pairs of question and passage to groups with hard negatives, for the model that ships."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from ingest.embedding import Vectors
from rag_app.train.contrasts import (
    cloze,
    frayed,
    keywords,
    length,
    other_number,
    sentence_group,
    somewhere,
    window,
    without_answer,
)
from rag_app.train.groups import Example, Group, titled
from rag_app.train.mining import DEEP, Candidate, Embeds, Pool, negatives
from rag_app.train.tables import tables

SIZE = 5  # texts of a group: one right, four wrong
DRAWN = 11  # texts of a group of which a trained model chooses SIZE (second_round.py)
SENTENCES = 6  # texts of a group of sentences: they are short
# How much nearer to the question than the right passage a passage may be and still count as wrong.
MARGIN = 0.08
STRICT = {"policyqa_dev"}  # a few hundred general questions asked of every policy: the margin is turned round
SPOKEN = 0.12  # share of the questions that become search words
QUOTES = 0.5  # share of the questions with a marked answer that also become a group of sentences
TITLED = 0.8  # share of the groups whose passages keep their titles
FRAYED = 0.4  # share of the passages that begin and end within a sentence
TABLES = 1_800  # groups of tables
CONTRASTS = 0.6  # share of the groups that get a contrast where there is one
TOPICS = {"medquad": 2_500, "uda_nq": 1_500, "pubmedqa_labeled": 900, "policyqa_dev": 500, "squadshifts_reddit": 600}
CLAIMED = "pubmedqa_labeled"  # its conclusions are searched for in the abstracts
QUOTED = {"squadshifts_amazon_reviews", "squadshifts_reddit", "policyqa_dev", "uda_nq"}


class Part(StrEnum):
    """What can be left out of the recipe, to see what it is worth."""

    BM25 = "bm25"  # negatives found by words
    CONTRASTS = "contrasts"  # the right passage without its answer, or with another number
    SENTENCES = "sentences"  # groups of sentences
    TABLES = "tables"
    TOPICS = "topics"  # a sentence against the passage it was taken from


@dataclass(frozen=True, slots=True)
class Draw:
    """What is drawn from the pairs."""

    seed: int
    without: frozenset[Part] = frozenset()
    size: int = SIZE  # texts of a group
    share: float = 1.0  # of every source, and of the tables

    @property
    def name(self) -> str:
        """For a file's name; another draw has another."""
        sizes = [str(self.size)] * (self.size != SIZE) + [f"{self.share:g}"] * (self.share < 1)
        return "-".join([str(self.seed), *sizes, *(f"without-{part}" for part in sorted(self.without))])

    def of(self, count: int) -> int:
        """The share of a number."""
        return round(count * self.share)


def prepared(
    examples: Mapping[str, Sequence[Example]], claims: Sequence[Example], embedder: Embeds, draw: Draw
) -> list[Group]:
    """All groups, in a seeded order."""
    groups: list[Group] = []
    started = time.monotonic()
    for source, every in examples.items():
        pairs = every[: draw.of(len(every))]
        pool = Pool(list(dict.fromkeys(pair.text for pair in pairs)), embedder)
        rng = Random(f"{draw.seed} {source}")  # noqa: S311 - no secret
        asked = list(pairs)
        if Part.TOPICS not in draw.without:
            known = claims[: draw.of(len(claims))] if source == CLAIMED else ()
            asked += [*known, *_topics(pairs[: draw.of(TOPICS.get(source, 0))], rng)]
        groups += of_source(asked, pool, embedder, rng, draw)
        sys.stderr.write(f"{len(groups)} groups with {source}, {time.monotonic() - started:.0f} s\n")
    if Part.TABLES not in draw.without:
        groups += tables(draw.of(TABLES), Random(f"{draw.seed} tables"), draw.size - 1)  # noqa: S311 - no secret
    Random(draw.seed).shuffle(groups)  # noqa: S311 - no secret
    return groups


def of_source(pairs: Sequence[Example], pool: Pool, embedder: Embeds, rng: Random, draw: Draw) -> Iterator[Group]:
    """The groups of one source: a question with passages each, and one with sentences where the answer is marked."""
    places = {text: place for place, text in enumerate(pool.texts)}
    right: dict[str, set[int]] = {}
    for pair in pairs:
        if pair.text in places:
            right.setdefault(pair.question.lower(), set()).add(places[pair.text])
    passages = {pair.text: pair for pair in pairs}
    vectors = embedder.embed([pair.question for pair in pairs])
    for pair, vector in zip(pairs, vectors, strict=True):
        known = frozenset(right.get(pair.question.lower(), set()) | _origin(pair, pool, vector))
        found = _wrong(pair, pool, vector, known, rng, draw)
        wrong = [passages.get(pool.texts[place]) or Example("", "", "", pool.texts[place]) for place in found]
        if len(wrong) < SIZE - 1:
            continue
        yield _passages(pair, wrong, rng, contrasted=Part.CONTRASTS not in draw.without)
        if Part.SENTENCES not in draw.without and pair.source in QUOTED and rng.random() < QUOTES:
            group = sentence_group(pair, [item.passage for item in wrong], rng, SENTENCES)
            if group is not None:
                yield group


def _origin(pair: Example, pool: Pool, vector: Vectors) -> set[int]:
    """For a question cut out of a passage, the passage it was cut from: it holds the question itself."""
    if not pair.source.endswith((" topics", " claims")):
        return set()
    return {item.place for item in pool.by_meaning(vector, 5) if pair.passage[-60:] in pool.texts[item.place]}


def _wrong(pair: Example, pool: Pool, vector: Vectors, known: frozenset[int], rng: Random, draw: Draw) -> list[int]:
    meaning: list[Candidate] = pool.by_meaning(vector, DEEP + len(known))
    words = [] if Part.BM25 in draw.without else pool.by_words(pair.question, vector, DEEP // 2)
    cosine = max((item.cosine for item in meaning if item.place in known), default=0.4)
    highest = cosine - MARGIN if pair.source in STRICT else cosine + MARGIN
    return negatives(meaning, words, known, highest, draw.size - 1, rng)


def _passages(pair: Example, wrong: Sequence[Example], rng: Random, *, contrasted: bool) -> Group:
    words = length(rng)
    title = pair.title if rng.random() < TITLED else ""
    texts = [
        titled(
            item.title if title or not pair.title else "", _cut(item.passage, somewhere(item.passage, words, rng), rng)
        )
        for item in wrong
    ]
    contrast = _contrast(pair, rng) if contrasted and rng.random() < CONTRASTS else None
    if contrast is not None:
        texts[-1] = titled(title, somewhere(contrast, words, rng))
    question = pair.question
    if rng.random() < SPOKEN and len(keywords(question).split()) > 1:
        question = keywords(question)
    right = _cut(pair.passage, window(pair.passage, words, rng, pair.answer), rng)
    return Group(pair.source, question, (titled(title, right), *texts))


def _cut(passage: str, part: str, rng: Random) -> str:
    return frayed(passage, part, rng) if rng.random() < FRAYED else part


def _contrast(pair: Example, rng: Random) -> str | None:
    numbered = other_number(pair, rng) if pair.answer is not None else None
    return numbered if numbered is not None else without_answer(pair)


def _topics(pairs: Sequence[Example], rng: Random) -> list[Example]:
    return [made for pair in pairs if (made := cloze(replace(pair, answer=None), rng))]

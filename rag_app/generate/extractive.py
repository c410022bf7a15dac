"""Answers by quoting: whole sentences of the passages, picked by the cross-encoder. No language model.

What is quoted stands in the passage letter by letter, but for spaces, and for brackets that could be read as one of our
markers. A sentence that leans on the one before it ("This takes two days.") is judged and quoted together with it.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ingest.sentences import sentences
from rag_app.markers import unmarked
from rag_app.records import Hit, Mode, Turn
from rag_app.stages import SentenceScorer
from rag_app.words import covered, facts

SENTENCES = 3  # quoted at most
WORDS = 80  # quoted at most, unless the best alone is longer
WORTH = 0.4  # share of the best one's relevance that another sentence needs
_ALIKE = 0.8  # share of words in common that makes two sentences the same
_FRAGMENT = 5  # words that even a line without a full stop must have, where there is nothing better
_LONGEST = 90  # words a sentence may have; what is longer is a table or a list that lost its lines
_ITEM = re.compile(r"\s*(?:[-*•▪◦‣–]|\(?(?:\d{1,2}|[a-z])[.)])\s+")  # noqa: RUF001 - bullets of real documents
_END = re.compile(r"[.!?…:;][\"'”’)\]]*$")  # noqa: RUF001
_LEANING = re.compile(
    r"(?:it|its|this|that|these|those|they|their|them|he|she|his|her|such|both|then|otherwise|instead|however|therefore|"
    r"for example|in this case|in that case|if so|if not|doing so)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a list item or a table row of a passage."""

    passage: int  # 0-based, in the order the passages were given
    position: int  # 0-based, in its passage
    text: str  # as it is quoted
    item: bool  # stands in a list
    whole: bool  # not a heading, not a fragment
    context: int | None  # position of the one it leans on: the sentence before it, or what leads into its list


class Extractive:
    """Quotes the sentences that answer."""

    mode = Mode.EXTRACTIVE
    model = ""

    def __init__(self, scorer: SentenceScorer) -> None:
        self._scorer = scorer

    async def generate(
        self,
        question: str,
        passages: Sequence[Hit],
        turns: Sequence[Turn],  # noqa: ARG002 - the protocol's
    ) -> AsyncGenerator[str, None]:
        """Quote at most 3 sentences, each with its marker; nothing where the passages hold no whole sentence."""
        cut = [unit for index, hit in enumerate(passages) for unit in units(hit.chunk.text, index, hit.chunk.heading)]
        spans = candidates(cut)
        if not spans:
            return
        texts = [" ".join(unit.text for unit in span) for span in spans]
        found = await asyncio.to_thread(self._scorer.relevance, question, texts)
        # A sentence is read without its surroundings, a passage with them; the geometric mean asks both.
        scores = [
            math.sqrt(score * (passages[span[0].passage].relevance or 1.0))
            for score, span in zip(found, spans, strict=True)
        ]
        for line in written(chosen(spans, scores)):
            yield line


def units(text: str, passage: int, heading: str = "") -> list[Unit]:
    """Cut a passage under a heading path into what can be quoted. Headings and questions answer nothing."""
    found: list[Unit] = []
    titles = {part.strip().casefold() for part in heading.split(" > ")}
    lead: int | None = None  # the line that leads into the list under way
    for start, end in sentences(text):
        bullet = _ITEM.match(text, start, end)
        shown = unmarked(" ".join(text[bullet.end() if bullet else start : end].split()))
        if not shown:
            continue
        item = bullet is not None
        context = lead if item else len(found) - 1 if found and _LEANING.match(shown) else None
        whole = _whole(shown, item=item) and not shown.endswith("?") and shown.casefold() not in titles
        found.append(Unit(passage, len(found), shown, item, whole, context))
        if not item:
            lead = len(found) - 1 if shown.endswith(":") else None
    return found


def _whole(text: str, *, item: bool) -> bool:
    words = len(text.split())
    if words > _LONGEST or not any(map(str.isalpha, text)):
        return False
    if item:
        return words > 1
    return words > 2 and bool(_END.search(text))  # noqa: PLR2004


def candidates(cut: Sequence[Unit]) -> list[tuple[Unit, ...]]:
    """List what may be quoted: each whole unit, with the one it leans on; and each short list as a whole."""
    whole = [unit for unit in cut if unit.whole] or [unit for unit in cut if len(unit.text.split()) > _FRAGMENT]
    by_place = {(unit.passage, unit.position): unit for unit in whole}
    spans: list[tuple[Unit, ...]] = []
    lists: dict[tuple[int, int], list[Unit]] = {}
    for unit in whole:
        before = None if unit.context is None else by_place.get((unit.passage, unit.context))
        if before is not None:
            spans.append((before, unit))
            if unit.item:
                lists.setdefault((before.passage, before.position), [before]).append(unit)
        elif not unit.text.endswith(":"):
            spans.append((unit,))
    return spans + [tuple(items) for items in lists.values() if len(items) > 2 and _words(items) <= WORDS]  # noqa: PLR2004


def chosen(spans: Sequence[tuple[Unit, ...]], scores: Sequence[float]) -> list[Unit]:
    """Take the best spans while they are worth it and fit; what follows each other is joined, the best comes first."""
    ranked = sorted(range(len(spans)), key=lambda index: -scores[index])
    best = scores[ranked[0]]
    taken: list[Unit] = []
    for index in ranked:
        fresh = [unit for unit in spans[index] if not any(alike(unit.text, other.text) for other in taken)]
        more = [*taken, *fresh]
        if taken and (scores[index] < WORTH * best or _sentences(more) > SENTENCES or _words(more) > WORDS):
            continue
        taken += fresh
    runs: list[list[Unit]] = []
    for unit in sorted(taken, key=lambda unit: (unit.passage, unit.position)):
        if runs and follows(unit, runs[-1][-1]):
            runs[-1].append(unit)
        else:
            runs.append([unit])
    runs.sort(key=lambda run: min(map(taken.index, run)))
    return [unit for run in runs for unit in run]


def follows(unit: Unit, before: Unit) -> bool:
    """Whether a unit stands right after another in the same passage, or in the list that the other leads into."""
    return unit.passage == before.passage and before.position in {unit.position - 1, unit.context}


def _words(quoted: Sequence[Unit]) -> int:
    return sum(len(unit.text.split()) for unit in quoted)


def _sentences(quoted: Sequence[Unit]) -> int:
    """Count sentences; a list counts as the sentence that leads into it."""
    places = {(unit.passage, unit.position) for unit in quoted}
    return sum(not (unit.item and (unit.passage, unit.context) in places) for unit in quoted)


def alike(one: str, other: str) -> bool:
    """Whether two sentences say nearly the same."""
    first, second = facts(one), facts(other)
    both = covered(first.words | first.numbers, second.words | second.numbers)
    return min(both, covered(second.words | second.numbers, first.words | first.numbers)) >= _ALIKE


def written(quoted: Sequence[Unit]) -> list[str]:
    """Write the quotes as an answer: sentences run on, list items on lines of their own, each with its marker."""
    pieces: list[str] = []
    for index, unit in enumerate(quoted):
        lead = _gap(quoted[index - 1], unit) if index else ""
        pieces.append(f"{lead}{'- ' if unit.item else ''}{unit.text} [{unit.passage + 1}]")
    return pieces


def _gap(before: Unit, unit: Unit) -> str:
    if unit.item and before.passage == unit.passage and (before.item or follows(unit, before)):
        return "\n"
    return " " if follows(unit, before) and not before.item else "\n\n"

"""Answers by quoting: whole sentences of the passages, picked by the cross-encoder. No language model.

What is quoted stands in the passage letter by letter, but for spaces, and for brackets that could be read as one of our
markers. A sentence that leans on the one before it ("This takes two days.") is judged and quoted together with it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from ingest.sentences import sentences
from rag_app.markers import unmarked
from rag_app.records import Hit, Mode, Turn
from rag_app.stages import SentenceScorer
from rag_app.words import covered, facts

SENTENCES = 3  # quoted at most
WORDS = 80  # quoted at most, unless the best alone is longer
WORTH = 0.35  # share of the best one's relevance that another sentence needs
_ALIKE = 0.8  # share of words in common that makes two sentences the same
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
    leans: bool  # is understood only after the one before it


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
    ) -> AsyncIterator[str]:
        """Quote at most 3 sentences, each with its marker; nothing where the passages hold no whole sentence."""
        cut = [unit for index, hit in enumerate(passages) for unit in units(hit.chunk.text, index)]
        spans = candidates(cut)
        if not spans:
            return
        texts = [" ".join(unit.text for unit in span) for span in spans]
        scores = await asyncio.to_thread(self._scorer.relevance, question, texts)
        for line in written(chosen(spans, scores)):
            yield line


def units(text: str, passage: int) -> list[Unit]:
    """Cut a passage into what can be quoted."""
    found: list[Unit] = []
    for start, end in sentences(text):
        for line in _lines(text[start:end]):
            bullet = _ITEM.match(line)
            item = bullet is not None
            shown = unmarked(" ".join(line[bullet.end() if bullet else 0 :].split()))
            if shown:
                leans = bool(found) and (bool(_LEANING.match(shown)) or (item and found[-1].text.endswith(":")))
                found.append(Unit(passage, len(found), shown, item, _whole(shown, item=item), leans))
    return found


def _lines(span: str) -> list[str]:
    """Part a span at the lines that begin a list item."""
    lines: list[str] = []
    for line in span.splitlines():
        if lines and not _ITEM.match(line):
            lines[-1] += " " + line
        else:
            lines.append(line)
    return lines


def _whole(text: str, *, item: bool) -> bool:
    words = len(text.split())
    if words > _LONGEST or not any(map(str.isalpha, text)):
        return False
    if item:
        return words > 1
    return words > 2 and bool(_END.search(text))  # noqa: PLR2004


def candidates(cut: Sequence[Unit]) -> list[tuple[Unit, ...]]:
    """List what may be quoted: each whole unit, with the one before it where it leans on that."""
    whole = [unit for unit in cut if unit.whole] or [unit for unit in cut if len(unit.text.split()) > 5]  # noqa: PLR2004
    by_place = {(unit.passage, unit.position): unit for unit in whole}
    spans: list[tuple[Unit, ...]] = []
    for unit in whole:
        before = by_place.get((unit.passage, unit.position - 1))
        if unit.leans and before is not None:
            spans.append((before, unit))
        elif not unit.text.endswith(":"):
            spans.append((unit,))
    return spans


def chosen(spans: Sequence[tuple[Unit, ...]], scores: Sequence[float]) -> list[Unit]:
    """Take the best spans while they are worth it and fit; in reading order, the best passage first."""
    ranked = sorted(range(len(spans)), key=lambda index: -scores[index])
    best = scores[ranked[0]]
    taken: list[Unit] = []
    for index in ranked:
        fresh = [unit for unit in spans[index] if not any(alike(unit.text, other.text) for other in taken)]
        words = sum(len(unit.text.split()) for unit in [*taken, *fresh])
        if taken and (scores[index] < WORTH * best or len(taken) + len(fresh) > SENTENCES or words > WORDS):
            continue
        taken += fresh
    passages = list(dict.fromkeys(unit.passage for unit in taken))
    return sorted(taken, key=lambda unit: (passages.index(unit.passage), unit.position))


def alike(one: str, other: str) -> bool:
    """Whether two sentences say nearly the same."""
    first, second = facts(one), facts(other)
    both = covered(first.words | first.numbers, second.words | second.numbers)
    return min(both, covered(second.words | second.numbers, first.words | first.numbers)) >= _ALIKE


def written(quoted: Sequence[Unit]) -> list[str]:
    """Write the quotes as an answer: sentences run on, list items on lines of their own, each with its marker."""
    pieces: list[str] = []
    for index, unit in enumerate(quoted):
        before = quoted[index - 1] if index else None
        new_paragraph = before is not None and before.passage != unit.passage
        if unit.item:
            lead = "" if before is None else "\n" if before.item and not new_paragraph else "\n\n"
            pieces.append(f"{lead}- {unit.text} [{unit.passage + 1}]")
        else:
            lead = "" if before is None else "\n\n" if new_paragraph or before.item else " "
            pieces.append(f"{lead}{unit.text} [{unit.passage + 1}]")
    return pieces

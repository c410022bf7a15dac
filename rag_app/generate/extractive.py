"""Answers by quoting: whole sentences of the passages, picked by the cross-encoder. No language model.

What is quoted stands in the passage letter by letter, but for spaces, for brackets that could be read as one of our
markers, and for the two stars around the words that answer a question about a number, a time, a person or a place. A
sentence that leans on the one before it ("This takes two days.") is judged and quoted together with it. One that
follows a question is judged together with that question. Whoever asks what to do gets the instruction that follows the
sentence found, which often only tells the symptom.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ingest.sentences import sentences
from rag_app.key_phrase import key_phrase
from rag_app.markers import unmarked
from rag_app.neighbours import ITEM, LEANING
from rag_app.records import Hit, Mode, Turn
from rag_app.stages import SentenceScorer
from rag_app.team.wording import identifier_of
from rag_app.words import Facts, covered, facts, stem

SENTENCES = 3  # quoted at most
WORDS = 80  # quoted at most, unless the best alone is longer
WORTH = 0.5  # share of the best one's relevance that another sentence needs
# What the relevance of a passage that is not the first counts for here: it is told as about a fifth of what the first's
# is at the same scores (rerank/calibration.py), which says which passage leads, not which sentence answers.
NOT_FIRST = 3.0
_ALIKE = 0.8  # share of words in common that makes two sentences the same
_FRAGMENT = 5  # words that even a line without a full stop must have, where there is nothing better
_LONGEST = 90  # words a sentence may have; what is longer is a table or a list that lost its lines
_END = re.compile(r"[.!?…:;][\"'”’)\]]*$")  # noqa: RUF001
_ROW = re.compile(r"\S \| +\S")  # a table row, as the reader of PDFs writes it
_WHAT_TO_DO = re.compile(
    r"\b(?:what (?:should|can|must|do|shall|could) (?:i|we|you|one|they)|what (?:now|to do|helps)|how to|"
    r"how (?:do|can|should|must|could) (?:i|we|you|one))\b",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"(?:(?:please|first|then|instead|otherwise|if [^,]{3,60}),? )?(?:"
    r"add|ask|call|change|check|choose|clean|click|close|connect|contact|copy|correct|delete|enter|export|fill|free|give|"
    r"go|hold|install|keep|leave|lower|make|move|name|open|pick|press|print|pull|put|raise|read|rebuild|remove|replace|"
    r"report|restart|restore|run|save|see that|select|send|set|start|stop|switch|take|tell|try|turn|type|unplug|unset|"
    r"update|upgrade|use|wait|write|you (?:can|may|should|must|have to|need to))\b",
    re.IGNORECASE,
)
_NEXT = 0.999  # of the best one's score, for what must come right after it
# Words of a question that do not say what it is about; "what do I do when GH-217 comes up" is about GH-217.
_LIGHT = frozenset(map(stem, "come comes go goes get make take happen happens mean means work works need want".split()))
_OVERLAP = 0.1  # added to the share of the question's words, so that other words for the same do not count as nothing


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a list item or a table row of a passage."""

    passage: int  # 0-based, in the order the passages were given
    position: int  # 0-based, in its passage
    text: str  # as it is quoted
    item: bool  # stands in a list
    row: bool  # is a row of a table
    whole: bool  # not a heading, not a fragment
    context: int | None  # position of the one it leans on: the sentence before it, or what leads into its list
    asked: str = ""  # the question right before it, which it seems to answer
    joined: bool = False  # comes from a neighbour that completes the passage: quoted with what leans on it, never alone
    goes_on: bool = False  # in the same table row as the one before it, and quoted with it


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
        if passages and identifier_of(passages[0].document.path):
            for line in whole(passages):
                yield line
            return
        cut = [unit for index, hit in enumerate(passages) for unit in _units_of(hit, index)]
        spans = candidates(cut)
        if not spans:
            return
        texts = [judged(span) for span in spans]
        found = await asyncio.to_thread(self._scorer.relevance, question, texts)
        asked = facts(question)
        # A sentence is read without its surroundings, a passage with them, and words shared weigh what a small model
        # does not see: measured on the development sets (docs/retrieval.md).
        scores = [
            math.sqrt(score * weight(passages, span[0].passage) * (_OVERLAP + shared(asked, text)))
            for score, span, text in zip(found, spans, texts, strict=True)
        ]
        for line in written(chosen(spans, with_remedy(question, spans, scores)), question):
            yield line


def weight(passages: Sequence[Hit], place: int) -> float:
    """What the passage at a place (0-based) counts for beside its sentences, 0 to 1; none for more than the first."""
    first = passages[0].relevance or 1.0
    return first if place == 0 else min(first, NOT_FIRST * (passages[place].relevance or 1.0))


def whole(passages: Sequence[Hit]) -> list[str]:
    """An approved answer as it was written: all passages of the first one's document, in their order there.

    The question above it, which is its title, is left out.
    """
    document = passages[0].document
    own = sorted(
        (place for place, hit in enumerate(passages) if hit.document.id == document.id),
        key=lambda place: passages[place].chunk.position,
    )
    said = [unit for place in own for unit in units(passages[place].chunk.text, place)]
    return written([unit for unit in said if unit.text != unmarked(document.title)] or said)


def _units_of(hit: Hit, passage: int) -> list[Unit]:
    """Cut a passage, with what it goes on from, where it was cut there."""
    before = "" if hit.before is None else f"{hit.before.text}\n"
    return units(before + hit.chunk.text, passage, hit.chunk.heading, own=len(before))


def units(text: str, passage: int, heading: str = "", own: int = 0) -> list[Unit]:
    """Cut a passage under a heading path into what can be quoted. Headings and questions answer nothing.

    What stands before the offset `own` was joined to it.
    """
    found: list[Unit] = []
    titles = {part.strip().casefold() for part in heading.split(" > ")}
    lead: int | None = None  # the line that leads into the list under way
    ended = 0
    for start, end in sentences(text):
        goes_on = bool(found) and found[-1].row and "\n" not in text[ended:start]
        ended = end
        bullet = ITEM.match(text, start, end)
        shown = unmarked(" ".join(text[bullet.end() if bullet else start : end].split()))
        if not shown:
            continue
        row = goes_on or _ROW.search(shown) is not None
        # Lines of a list without bullets, and commands to type: what a colon leads into and no full stop ends.
        item = bullet is not None or (lead is not None and not row and not _END.search(shown))
        context = lead if item else len(found) - 1 if found and LEANING.match(shown) else None
        whole = _whole(shown, item=item, row=row and bool(found) and found[-1].row)
        whole = whole and not shown.endswith("?") and shown.casefold() not in titles
        asked = found[-1].text if found and found[-1].text.endswith("?") else ""
        if goes_on:
            item, whole, context, asked = False, found[-1].whole, None, ""
        found.append(Unit(passage, len(found), shown, item, row, whole, context, asked, start < own, goes_on))
        if not item:
            lead = len(found) - 1 if shown.endswith(":") else None
    return found


def _whole(text: str, *, item: bool, row: bool) -> bool:
    """Whether a text says something by itself; of a table every row but the first, which names the columns."""
    words = len(text.split())
    if words > _LONGEST or not any(map(str.isalpha, text)):
        return False
    if item or row:
        return words > 1
    return words > 2 and bool(_END.search(text))  # noqa: PLR2004


def candidates(cut: Sequence[Unit]) -> list[tuple[Unit, ...]]:
    """List what may be quoted: each whole unit, with the one it leans on; and each short list as a whole."""
    whole = [unit for unit in cut if unit.whole]
    if all(unit.joined for unit in whole):
        whole = [unit for unit in cut if len(unit.text.split()) > _FRAGMENT]
    by_place = {(unit.passage, unit.position): unit for unit in whole}
    spans: list[tuple[Unit, ...]] = []
    lists: dict[tuple[int, int], list[Unit]] = {}
    for unit in whole:
        if unit.joined:
            continue
        before = None if unit.context is None else by_place.get((unit.passage, unit.context))
        row = (*spans[-1], unit) if unit.goes_on and spans and follows(unit, spans[-1][-1]) else ()
        if row and _words(row) <= WORDS:
            spans[-1] = row
        elif before is not None:
            spans.append((before, unit))
            if unit.item and not before.joined:  # otherwise the list begins in another passage
                lists.setdefault((before.passage, before.position), [before]).append(unit)
        elif not unit.text.endswith(":"):
            spans.append((unit,))
    return spans + [tuple(items) for items in lists.values() if len(items) > 2 and _words(items) <= WORDS]  # noqa: PLR2004


def judged(span: Sequence[Unit]) -> str:
    """What the cross-encoder reads of a span: its text, after the question that it answers in its document.

    What was joined is left out: a line that leads into a list names what is asked about, whatever its items say.
    """
    own = [unit for unit in span if not unit.joined]
    return " ".join([*([own[0].asked] if own[0].asked else []), *(unit.text for unit in own)])


def shared(asked: Facts, text: str) -> float:
    """The share (0 to 1) of the question's words and numbers that a text has, those that say nothing left out."""
    said = facts(text)
    return covered((asked.words - _LIGHT) | asked.numbers, said.words | said.numbers)


def with_remedy(question: str, spans: Sequence[tuple[Unit, ...]], scores: Sequence[float]) -> list[float]:
    """The scores, but the instruction right after the best span comes next where the question asks what to do."""
    raised = list(scores)
    best = max(range(len(spans)), key=scores.__getitem__)
    last = spans[best][-1]
    if not _WHAT_TO_DO.search(question) or _INSTRUCTION.match(last.text):
        return raised
    for index, span in enumerate(spans):
        if span[-1].passage == last.passage and span[-1].position == last.position + 1:
            instruction = _INSTRUCTION.match(span[-1].text) and len(span) <= 2  # noqa: PLR2004 - no list as a whole
            raised[index] = max(scores[index], scores[best] * _NEXT) if instruction else scores[index]
    return raised


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
    """Count sentences; a list counts as the sentence that leads into it, a table row as one."""
    places = {(unit.passage, unit.position) for unit in quoted}
    return sum(not (unit.goes_on or (unit.item and (unit.passage, unit.context) in places)) for unit in quoted)


def alike(one: str, other: str) -> bool:
    """Whether two sentences say nearly the same."""
    first, second = facts(one), facts(other)
    both = covered(first.words | first.numbers, second.words | second.numbers)
    return min(both, covered(second.words | second.numbers, first.words | first.numbers)) >= _ALIKE


def written(quoted: Sequence[Unit], question: str = "") -> list[str]:
    """Write the quotes as an answer: sentences run on, items and rows on lines of their own, each with its marker.

    The words that answer the question are set off once, in the first sentence that has such words.
    """
    pieces: list[str] = []
    told = False
    for index, unit in enumerate(quoted):
        lead = _gap(quoted[index - 1], unit) if index else ""
        key = None if told or "*" in unit.text else key_phrase(question, unit.text)
        text = unit.text if key is None else f"{unit.text[: key[0]]}**{unit.text[slice(*key)]}**{unit.text[key[1] :]}"
        told = told or key is not None
        pieces.append(f"{lead}{'- ' if unit.item else ''}{text} [{unit.passage + 1}]")
    return pieces


def _gap(before: Unit, unit: Unit) -> str:
    same = before.passage == unit.passage
    if unit.goes_on and follows(unit, before):
        return " "
    if same and ((unit.item and (before.item or follows(unit, before))) or (unit.row and before.row)):
        return "\n"
    return " " if follows(unit, before) and not (before.item or before.row or unit.row) else "\n\n"

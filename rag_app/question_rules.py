"""Questions made from a document's own headings and sentences, by rule and without a language model. Pure.

Each rule turns a form that English statements often have into the question they answer: "The notice period is three
months." becomes "How long is the notice period?". What a rule makes may still be a poor question; suggestions.py keeps
only those that the library answers from the passage they were made of.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.records import Chunk
from ingest.sentences import sentences

LONGEST = 90  # characters of a question
_COUNT = r"(?:about |up to |at most |at least |nearly |under |between )?(?:\d[\d.,]*|one|two|three|four|five|six|seven|"
_COUNT += r"eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety)(?: (?:to|and|or) \w+)?(?: \w+)?"
_TIME = rf"{_COUNT} (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)"
_THING = r"(?P<thing>(?:The|A|An|Every|Each|Our) (?:[\w'-]+ ){0,4}[\w'-]+)"
_OFTEN = r"(?:every|each|once|twice|daily|weekly|monthly|yearly|annually|quarterly)"
# Words that no name of a thing ends with or holds: then the rule has read the sentence wrongly.
_NOT_IN_A_NAME = frozenset(
    "is are was were be been has have had will would can could may might must shall should do does did not that which "
    "who whom if when while and or but by to for in on at from with than then as it its this these those there "
    "of".split()
)
# Names of nothing in particular: what they mean stands in the sentence before.
_TOO_GENERAL = frozenset(
    "result reason purpose aim goal idea problem rest following answer example point way thing first last next other "
    "second third same main only best most difference change case matter process system text list number".split()
)
_MAY_STAND_INSIDE = frozenset(("of", "for", "in", "on", "at", "and"))
_POINTS_BACK = re.compile(
    r"\b(?:this|these|that|those|it|its|they|their|them|he|she|his|her|above|below|here)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question and the passage it was made of."""

    question: str
    chunk: Chunk
    rank: int  # 0 is the best kind of question


def proposals(chunks: Sequence[Chunk]) -> list[Proposal]:
    """The questions of one document, the best kinds first and within a kind in reading order; none twice."""
    made: dict[str, Proposal] = {}
    for chunk in chunks:
        for question, rank in _of_chunk(chunk):
            if len(question) <= LONGEST:
                made.setdefault(question.casefold(), Proposal(question, chunk, rank))
    return sorted(made.values(), key=lambda one: one.rank)


def _of_chunk(chunk: Chunk) -> Iterator[tuple[str, int]]:
    heading = " ".join(chunk.heading.rpartition(" > ")[2].split())
    if question := _of_heading(heading):
        yield question, 1 if question == heading else 3
    for start, end in sentences(chunk.text):
        sentence = " ".join(chunk.text[start:end].split())
        for rank, (form, make) in enumerate(_RULES):
            found = form.match(sentence)
            question = make(found) if found and not _POINTS_BACK.search(found.group(0)) else ""
            if question:
                yield question, (0, 0, 0, 0, 2, 2)[rank]
                break


def _of_heading(heading: str) -> str:
    """A heading that asks, tells how to, or names a thing; "" for any other."""
    words = heading.split()
    if heading.endswith("?") and 3 <= len(words) <= 14:  # noqa: PLR2004
        return heading
    if re.match(r"How to [a-z]", heading) and len(words) <= 10:  # noqa: PLR2004
        return f"How do I {heading.removeprefix('How to ')}?"
    plain = re.sub(r"^[\dIVXA-Z.]*\d[\d.]*\s+", "", heading)  # "4.2 Sick leave"
    if not 2 <= len(plain.split()) <= 6 or re.search(r"[^\w\s'-]", plain):  # noqa: PLR2004
        return ""
    return f"What is said about {_lowered(plain)}?"


def _thing(found: re.Match[str]) -> str:
    """The name of a thing as it stands inside a sentence; "" where it is none."""
    words = found.group("thing").split()
    inner = {word.casefold() for word in words[1:]} - _MAY_STAND_INSIDE
    if len(words) < 2 or inner & _NOT_IN_A_NAME or words[-1].casefold() in _NOT_IN_A_NAME:  # noqa: PLR2004
        return ""
    if inner <= _TOO_GENERAL:
        return ""
    return " ".join([words[0].lower(), *words[1:]])


def _lowered(text: str) -> str:
    """The first word small, unless it is a name in capitals."""
    first, _, rest = text.partition(" ")
    kept = first if first[1:] != first[1:].lower() else first.lower()
    return f"{kept} {rest}".strip()


def _about(words: str) -> Callable[[re.Match[str]], str]:
    """A maker of questions: `words` with the thing put into it; for several things `is` becomes `are`."""

    def make(found: re.Match[str]) -> str:
        thing = _thing(found)
        several = found.groupdict().get("verb") in ("are", "take", "last", "cost")
        said = words.replace("does", "do").replace(" is ", " are ") if several else words
        return said.format(thing=thing, **_rest(found)) if thing else ""

    return make


def _rest(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if name != "thing" and value is not None}


def _how_do_i(found: re.Match[str]) -> str:
    return f"How do I {found.group('act')}?" if len(found.group("act").split()) <= 9 else ""  # noqa: PLR2004


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"{_THING} (?P<verb>is|are) {_TIME}\b"), _about("How long is {thing}?")),
    (re.compile(rf"{_THING} (?P<verb>takes?|lasts?) {_TIME}\b"), _about("How long does {thing} take?")),
    (re.compile(rf"{_THING} (?P<verb>is|are) (?P<done>\w+ed|held|paid|read) {_OFTEN}\b"),
     _about("How often is {thing} {done}?")),
    (re.compile(rf"{_THING} (?P<verb>is|are) (?P<done>stored|kept|found|located|held) (?:in|on|at|under|beside) "),
     _about("Where is {thing} {done}?")),
    (re.compile(r"To (?P<act>[a-z]+ (?:the|a|an|your|[a-z]+s) [\w' -]{2,60}), "), _how_do_i),
    (re.compile(rf"{_THING} (?P<verb>is|are) (?:a|an|the) [a-z]"), _about("What is {thing}?")),
)  # fmt: skip


def mixed(documents: Iterable[Sequence[Proposal]]) -> Iterator[Proposal]:
    """Proposals of several documents in turn: the best of each, then the second of each."""
    waiting = [list(one) for one in documents]
    while waiting := [one for one in waiting if one]:
        for one in waiting:
            yield one.pop(0)

"""From the model's raw text to what the reader sees: safe text, renumbered markers, citations with their quotes. Pure.

The numbers in the raw text name the passages handed to the generator, from 1. Numbers that name none are taken out and
counted; the others are renumbered in the order of their first use, so the reader sees [1] to [n] without gaps. It does
not escape HTML or Markdown: text stays text, and whoever draws it escapes it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.sentences import sentences
from rag_app.markers import MARKER, marks, settled, spoken
from rag_app.records import Citation, Hit, Sentence, Support
from rag_app.sentences import Piece, pieces, without_sentences
from rag_app.support import Evidence, check
from rag_app.words import Facts, covered, facts

_JOINER = "\u2060"  # keeps "[1]" inside code from being read as a marker
_UNCLOSED = re.compile(r"[\[【［(][^\]】］)\n]*$")  # noqa: RUF001 - full width brackets
_QUOTE_REACH = 3  # sentences that lie between the first and the last of one quote, at most


@dataclass(frozen=True, slots=True)
class Numbered:
    """An answer with markers [1]..[n]."""

    text: str
    passages: tuple[int, ...]  # marker n names the passage at index passages[n - 1], 0-based
    removed: int  # markers that named no passage


@dataclass(frozen=True, slots=True)
class Resolved:
    """An answer and what each of its markers stands for."""

    text: str  # with markers [1]..[n]
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    removed: int  # markers that named no passage
    taken_out: int = 0  # sentences that no cited passage says


def resolve(raw: str, passages: Sequence[Hit], *, strict: bool = False) -> Resolved:
    """Turn a finished raw text into safe text, citations and checked sentences.

    Where it is strict, sentences that are unsupported are taken out, and the markers renumbered after that.
    """
    numbered = number(raw, len(passages))
    cited = [passages[index] for index in numbered.passages]
    parts = pieces(numbered.text)
    checked = tuple(_checked(part, cited) for part in parts)
    dropped = [strict and sentence.support is Support.UNSUPPORTED for sentence in checked]
    if any(dropped):
        kept = resolve(without_sentences(numbered.text, dropped), cited)
        return replace(kept, removed=numbered.removed, taken_out=sum(dropped))
    return Resolved(
        text=numbered.text,
        citations=tuple(_citation(marker, hit, parts) for marker, hit in enumerate(cited, start=1)),
        sentences=checked,
        removed=numbered.removed,
    )


def showable(raw: str, passages: int) -> str:
    """Show of a growing raw text what is safe: no half marker, no half tag, no thoughts, no number that names nothing.

    Each result is how the finished text will begin, but for spaces at its end.
    """
    return number(settled(raw), passages).text


def number(raw: str, passages: int) -> Numbered:
    """Renumber the markers of a raw text in the order of their first use; `passages` were handed over."""
    text = _guarded(spoken(raw))
    order: list[int] = []
    out, position, removed = "", 0, 0
    group: list[int] = []  # shown already in this unbroken row of markers
    for mark in marks(text):
        between = text[position : mark.start]
        if between.strip():
            group = []
        named = [raw_number - 1 for raw_number in mark.numbers if 1 <= raw_number <= passages]
        removed += len(mark.numbers) - len(named)
        order += [index for index in dict.fromkeys(named) if index not in order]
        fresh = [index for index in dict.fromkeys(named) if index not in group]
        group += fresh
        out = _joined(out + between, " ".join(f"[{order.index(index) + 1}]" for index in fresh))
        if not fresh and _UNCLOSED.search(out):
            out += _JOINER  # or what stood on both sides of the marker taken out would be a marker now
        position = mark.end
    return Numbered((out + text[position:]).strip(), tuple(order), removed)


def _joined(text: str, shown: str) -> str:
    """Set markers one space behind the text; where none is left, leave no space behind either."""
    text = text.rstrip(" ")
    if not shown or not text or text.endswith("\n"):
        return text + shown
    return f"{text} {shown}"


def _guarded(text: str) -> str:
    """Put a joiner into every bracket that only looks like a marker: inside code, or longer than any marker."""
    meant = {mark.start for mark in marks(text)}

    def guard(match: re.Match[str]) -> str:
        whole = match.group()
        return whole if match.start() in meant else whole[0] + _JOINER + whole[1:]

    return MARKER.sub(guard, text)


def _checked(part: Piece, cited: Sequence[Hit]) -> Sentence:
    evidence = [evidence_of(cited[marker - 1]) for marker in part.markers]
    return Sentence(part.text, part.markers, check(part.text, evidence))


def evidence_of(hit: Hit) -> Evidence:
    """Give a passage as evidence, with its title and headings."""
    return Evidence(hit.text, f"{hit.document.title}\n{hit.chunk.heading}")


def _citation(marker: int, hit: Hit, parts: Sequence[Piece]) -> Citation:
    chunk, text = hit.chunk, hit.text
    citing = [part.text for part in parts if marker in part.markers]
    start, end = quote_span(text, citing, hit.own, apart=hit.skips)
    page, label = place(hit, (start + end) // 2)
    return Citation(
        marker=marker,
        document_id=hit.document.id,
        title=hit.document.title,
        path=hit.document.path,
        page=page,
        label=label,
        quote=text[start:end],
        passage=chunk.text,
        relevance=hit.relevance or 0.0,
        first_page=chunk.first_page,
        start=chunk.start,
        before=hit.lead,
        after=hit.after.text if hit.after else "",
        near=_near(hit, start, page),
    )


def quote_span(passage: str, citing: Sequence[str], own: int = 0, *, apart: bool = False) -> tuple[int, int]:
    """Find the sentences of a passage that best support the sentences that cite it: one unbroken span of it.

    What stands before the offset `own` was joined to it. Where that stands `apart`, no quote holds some of both, and
    the passage's own sentences come first.
    """
    spans: list[tuple[int, int]] = sentences(passage) or [(0, len(passage))]
    read = [facts(passage[start:end]) for start, end in spans]
    best: dict[int, float] = {}
    for text in citing:
        said = facts(text)
        scores = [_fit(said, facts_) for facts_ in read]
        index = max(range(len(spans)), key=scores.__getitem__)
        best[index] = max(best.get(index, 0.0), scores[index])
    if not best:
        return next((span for span in spans if span[0] >= own), spans[0])
    border = own if apart else 0
    top = max(best, key=lambda index: (spans[index][0] >= border, best[index], -index))
    same = [index for index in best if (spans[index][0] >= border) == (spans[top][0] >= border)]
    near = [index for index in same if abs(index - top) <= _QUOTE_REACH]
    first, last = min(near), max(near)
    if last - first > _QUOTE_REACH:
        first, last = min(first, top), top
    return spans[first][0], spans[last][1]


def _fit(said: Facts, span: Facts) -> float:
    """Score how well a sentence of the passage fits a citing sentence: words both ways, figures and codes on top."""
    if not span.words and not span.numbers:
        return -1.0
    exact = said.numbers | said.codes | said.names
    there = span.numbers | span.codes | span.words
    figures = covered(exact, there) if exact else 0.0
    return covered(said.words, span.words) + 0.25 * covered(span.words, said.words) + 0.75 * figures


def place(hit: Hit, offset: int) -> tuple[int, str]:
    """Tell the page, and its printed label, on which a character of a hit's text stands.

    `chunk.end` counts the characters of the last page that belong to the passage, so a passage over two pages is parted
    there; over more pages only the last can be told, and the page with most of the text stands for the rest.
    """
    chunk, offset = hit.at(offset)
    page = chunk.page
    if chunk.last_page > chunk.first_page:
        if offset >= len(chunk.text) - chunk.end:
            page = chunk.last_page
        elif chunk.last_page == chunk.first_page + 1:
            page = chunk.first_page
    if page == chunk.page:
        return page, chunk.label
    return page, str(int(chunk.label) + page - chunk.page) if chunk.label.isdecimal() else str(page)


def _near(hit: Hit, start: int, page: int) -> int:
    """The offset in the page's cleaned text of what stands at `start` of a hit's text; 0 where that is on another page.

    Exact on the first page of a passage. On its last it is counted from the passage's end there.
    """
    chunk, offset = hit.at(start)
    if page == chunk.first_page:
        return chunk.start + offset
    return max(0, chunk.end - (len(chunk.text) - offset)) if page == chunk.last_page else 0

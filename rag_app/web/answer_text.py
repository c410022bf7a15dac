"""The text of an answer as HTML: paragraphs, lists, citation marks, and what the check said of each sentence. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rag_app.escape import escape, escape_name
from rag_app.records import Citation, Sentence, Support

_MARKER = re.compile(r"[ \t]*\[(\d{1,3})\]")
_SHAPES = {
    "ul": re.compile(r"^\s*[-*\N{BULLET}]\s+(?=\S)"),
    "ol": re.compile(r"^\s*\d{1,3}[.)]\s+(?=\S)"),
    "strong": re.compile(r"^\s*#{1,6}\s+(?=\S)"),
    "p": re.compile(r"^\s*"),
}
_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")

_SAID = {
    Support.SUPPORTED: "supports this sentence",
    Support.PARTLY: "supports part of this sentence",
    Support.UNSUPPORTED: "does not support this sentence",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the answer with its markers taken out and remembered."""

    text: str
    marks: tuple[tuple[int, int], ...]  # offset in text, marker


def answer_html(
    turn_id: str, text: str, sentences: Sequence[Sentence], citations: Sequence[Citation], *, linked: bool = False
) -> str:
    """`text` with a button for each marker that stands for a citation, and what the check said of each sentence.

    On a page without scripts they are links (`linked`), to the places that `source_place` names.
    """
    marks = _Marks(turn_id, citations, linked=linked)
    lines = [raw for raw in text.splitlines() if raw.strip()]
    blocks = [
        _block(tag, [_line_html(_read(_SHAPES[tag].sub("", raw, count=1)), sentences, marks) for raw in group])
        for tag, group in groupby(lines, _tag)
    ]
    missing = _MISSING if any(one.support is Support.UNSUPPORTED for one in sentences) else ""
    return f'<div class="said foreign">{"".join(blocks)}{missing}</div>' if blocks else ""


def source_place(turn_id: str, index: int) -> str:
    """Where a source (its 0-based place in the answer) stands on a page without scripts."""
    return f"source-{turn_id}-{index}"


def _tag(raw: str) -> str:
    return next((tag for tag, shape in _SHAPES.items() if shape.match(raw)), "p")


def _block(tag: str, lines: Sequence[str]) -> str:
    if tag in ("ul", "ol"):
        return f"<{tag}>{''.join(f'<li>{line}</li>' for line in lines)}</{tag}>"
    if tag == "strong":
        return "".join(f"<p><strong>{line}</strong></p>" for line in lines)
    return "".join(f"<p>{line}</p>" for line in lines)


_MISSING = (
    '<p class="missing"><span class="sign">!</span> Not found in the sources: what has a dashed '
    "underline. Check before you rely on it.</p>"
)


class _Marks:
    """Citation marks as buttons; a marker without a citation shows nothing."""

    def __init__(self, turn_id: str, citations: Sequence[Citation], *, linked: bool) -> None:
        self._turn_id = turn_id
        self._linked = linked
        self._places = {citation.marker: index for index, citation in enumerate(citations)}
        self._citations = citations

    def html(self, marker: int, support: Support | None) -> str:
        index = self._places.get(marker)
        if index is None:
            return ""
        source = self._citations[index]
        place = f"{escape_name(source.title)}, page {escape(source.label or str(source.page))}"
        said = f", {_SAID[support]}" if support is not None else ""
        told = (
            f'<span class="visually-hidden">Source </span>{marker}<span class="visually-hidden">, {place}{said}</span>'
        )
        if self._linked:
            return f'<a class="cite" href="#{source_place(self._turn_id, index)}">{told}</a>'
        support_words = _SAID[support].capitalize() if support is not None else ""
        hover = f"{place}&#10;{support_words}&#10;{escape(source.quote)}"  # three lines, which citations.js reads
        return f'<button type="button" class="cite" id="cite-{self._turn_id}-{index}" title="{hover}">{told}</button>'


def _read(raw: str) -> _Line:
    text, marks, last = "", [], 0
    for found in _MARKER.finditer(raw):
        text += raw[last : found.start()]
        marks.append((len(text), int(found.group(1))))
        last = found.end()
    return _Line(text + raw[last:], tuple(marks))


def _line_html(line: _Line, sentences: Sequence[Sentence], marks: _Marks) -> str:
    """Cut the line where a sentence or a mark stands, and write the pieces one after the other."""
    spans = _spans(line.text, sentences)
    cuts = sorted({0, len(line.text), *(offset for offset, _ in line.marks), *(edge for s in spans for edge in s[:2])})
    parts = [_marks_at(line, 0, spans, marks)]
    for start, end in pairwise(cuts):
        parts.append(_piece(line.text[start:end], _support_at(spans, start)))
        parts.append(_marks_at(line, end, spans, marks))
    return "".join(parts)


def _marks_at(line: _Line, offset: int, spans: Sequence[tuple[int, int, Support]], marks: _Marks) -> str:
    support = _support_at(spans, max(0, offset - 1))
    return "".join(marks.html(marker, support) for at, marker in line.marks if at == offset)


def _piece(text: str, support: Support | None) -> str:
    # re.split with one group gives plain and strong pieces in turn.
    pieces = enumerate(_STRONG.split(text))
    shown = "".join(f"<strong>{escape(part)}</strong>" if place % 2 else escape(part) for place, part in pieces)
    if support is Support.PARTLY:
        return f'<span class="partly">{shown}<span class="visually-hidden"> (partly in the sources)</span></span>'
    if support is Support.UNSUPPORTED and text.strip():
        return (
            f'<span class="unsupported">{shown}<span class="visually-hidden"> (not found in the sources)</span></span>'
        )
    return shown


def _spans(text: str, sentences: Sequence[Sentence]) -> list[tuple[int, int, Support]]:
    """Where in the line each checked sentence stands; spacing and marks of emphasis may differ between the two."""
    spans, at = [], 0
    for sentence in sentences:
        letters = "".join(sentence.text.split())
        found = re.compile(r"[\s*_`]*".join(map(re.escape, letters))).search(text, at) if letters else None
        if found is not None:
            spans.append((found.start(), found.end(), sentence.support))
            at = found.end()
    return spans


def _support_at(spans: Sequence[tuple[int, int, Support]], offset: int) -> Support | None:
    return next((support for start, end, support in spans if start <= offset < end), None)

"""Headings from lines that are clearly larger or bolder than the body, for files without an outline. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.records import Heading
from ingest.sentences import sentences

LONGEST = 120  # characters of a heading
LARGER = 1.12  # times the body's size
LEVELS = 4
MOST_LINES = 3  # of one heading
LEAST_LETTERS = 2
_TOO_MANY, _TOO_MUCH = 0.35, 0.25  # of all lines and characters; where more of both look like headings, none is one
_NEARLY_ALL = 0.8
_SENTENCE_WORDS = 4  # at least
_SENTENCE_END = re.compile(r"[.;,]$")

Style = tuple[float, bool]  # size in points, bold


@dataclass(frozen=True, slots=True)
class StyledLine:
    """One line of a page and how it is set."""

    text: str
    style: Style
    page: int  # 1-based


def headings(pages: Sequence[Sequence[StyledLine]]) -> tuple[Heading, ...]:
    """The headings of a document whose pages' lines are given; an empty line parts two paragraphs."""
    body = _body(line for page in pages for line in page)
    if body is None:
        return ()
    found = [line for page in pages for line in _candidates(page, body)]
    once = _without_repeated(found, _edges(pages), len(pages))
    lines = [line for page in pages for line in page if line.text.strip()]
    if _are_too_many(once, lines) and not _lead_to_sentences(once, lines):
        return ()
    order = sorted({line.style for line in once}, key=lambda style: (-style[0], not style[1]))
    levels = {style: min(level, LEVELS) for level, style in enumerate(order, start=1)}
    return tuple(Heading(levels[line.style], line.text, line.page) for line in once)


def _body(lines: Iterator[StyledLine]) -> Style | None:
    weights: Counter[Style] = Counter()
    for line in lines:
        if line.text.strip() and line.style[0] > 0:
            weights[line.style] += len(line.text)
    return weights.most_common(1)[0][0] if weights else None


def _candidates(page: Sequence[StyledLine], body: Style) -> Iterator[StyledLine]:
    """Runs of a few lines in one style that stands out, joined."""
    run: list[StyledLine] = []
    for line in [*page, StyledLine("", (0, False), 0)]:
        if run and (not line.text.strip() or line.style != run[0].style):
            yield from _joined(run)
            run = []
        if line.text.strip() and _stands_out(line.style, body):
            run.append(line)
    yield from _joined(run)


def _joined(run: Sequence[StyledLine]) -> Iterator[StyledLine]:
    if not run or len(run) > MOST_LINES:
        return
    text = " ".join(" ".join(line.text.split()) for line in run)
    letters = sum(character.isalpha() for character in text)
    worded = letters >= LEAST_LETTERS and letters >= 0.4 * len(text.replace(" ", ""))
    if worded and len(text) <= LONGEST and not _SENTENCE_END.search(text):
        yield StyledLine(text, run[0].style, run[0].page)


def _stands_out(style: Style, body: Style) -> bool:
    larger = style[0] >= LARGER * body[0]
    bolder = style[1] and not body[1] and style[0] >= 0.95 * body[0]
    return larger or bolder


def _are_too_many(found: Sequence[StyledLine], lines: Sequence[StyledLine]) -> bool:
    """Whether so much looks like headings that it is something else, such as the labels of a form.

    By lines alone a page of short sections would have none.
    """
    length, all_length = (sum(len(line.text) for line in own) for own in (found, lines))
    return len(found) > max(_TOO_MANY * len(lines), 1) and length > _TOO_MUCH * all_length


def _lead_to_sentences(found: Sequence[StyledLine], lines: Sequence[StyledLine]) -> bool:
    """Whether behind nearly every one of them stands at least a sentence, as behind the questions of an FAQ."""
    wanted = {line.text for line in found}
    parts: list[list[str]] = []
    for line in lines:
        text = " ".join(line.text.split())
        if text in wanted:
            parts.append([])
        elif parts:
            parts[-1].append(text)
    return sum(_holds_sentence(" ".join(part)) for part in parts) >= _NEARLY_ALL * len(found)


def _holds_sentence(text: str) -> bool:
    spans = [text[start:end] for start, end in sentences(text)]
    return any(span[-1] in ".!?" and len(span.split()) >= _SENTENCE_WORDS for span in spans)


def _edges(pages: Sequence[Sequence[StyledLine]]) -> frozenset[tuple[int, str]]:
    """Page and key of the first and the last line of each page, where running heads stand."""
    written = [[line for line in page if line.text.strip()] for page in pages]
    return frozenset((line.page, _key(line.text)) for page in written if page for line in (page[0], page[-1]))


def _without_repeated(found: Sequence[StyledLine], edges: frozenset[tuple[int, str]], pages: int) -> list[StyledLine]:
    """Less what returns on many pages, as a running head does, at a page's edge also with other numbers.

    "Version 2.1" and "Version 2.0" within the pages are headings of their own.
    """
    said = Counter(line.text.casefold() for line in found)
    heads = Counter(key for _, key in edges)
    often = max(3, pages // 4)
    return [
        line
        for line in found
        if said[line.text.casefold()] <= often
        and (heads[_key(line.text)] <= often or (line.page, _key(line.text)) not in edges)
    ]


def _key(text: str) -> str:
    return re.sub(r"\d+", "0", " ".join(text.casefold().split()))

"""The lines of a text or Markdown file: which are headings, code and rows of tables, and which end on purpose. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

from ingest.reading.titles import sensible

LONGEST_PART = 1500  # characters; a longer line is cut into parts
LONGEST_HEADING = 120  # characters
WRAPPED = 132  # characters of a line at most where somebody wrapped the text by hand
SHORT = 40  # characters; a shorter line ends on purpose
FULL = 0.86  # of the longest line of its block; a shorter line ended on purpose
FRONT_MATTER = 60  # lines
FEW = 5  # headings, which are never too many
_TOO_MANY = 0.35  # of all lines; where more look like headings, none is one

_HASHES = re.compile(r"^ {0,3}(?P<signs>#{1,6})[ \t]+(?P<title>.*?\w.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(?:={3,}|-{3,})[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^\s*\|[\s:|-]+\|\s*$")
_LISTED = re.compile(r"^\s*(?:[-*+>|]|\d{1,3}[.)])\s")
_CLOSED = re.compile(r"[.!?:{}][\"'\u201d\u2019)\]]*$")
_STRONG = re.compile(r"(?<![\w*])(?P<signs>\*\*|__)(?=\S)(?P<text>[^*_\n]+?)(?<=\S)(?P=signs)(?![\w*])")
_PIPE = re.compile(r"(?<!\\)\|")


class Kind(Enum):
    """What a line is."""

    PROSE = "prose"
    BLANK = "blank"
    HEADING = "heading"
    SIGNS = "signs"  # of Markdown, around what is said: fences, underlines, the rule below a table's head
    CODE = "code"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, or a part of one that is too long."""

    number: int  # 1-based, in the file
    text: str  # as it stands there
    begins_page: bool = False  # a form feed stands before it
    kind: Kind = Kind.PROSE
    level: int = 0  # of a heading, 1 is the highest
    ends: bool = False  # on purpose, not where somebody wrapped the text

    @property
    def said(self) -> str:
        """What it says, without the signs of Markdown; cells of a row are parted by tabs."""
        if self.kind is Kind.HEADING:
            found = _HASHES.match(self.text)
            return _STRONG.sub(r"\g<text>", found["title"] if found else self.text.strip())
        if self.kind is Kind.ROW:
            cells = _PIPE.split(self.text.strip().strip("|"))
            return "\t".join(" ".join(_STRONG.sub(r"\g<text>", cell).split()) or "-" for cell in cells)
        if self.kind is Kind.CODE or self.text.startswith("\t"):
            return self.text.expandtabs(4)
        return "" if self.kind in {Kind.SIGNS, Kind.BLANK} else _STRONG.sub(r"\g<text>", self.text)


def lines(text: str) -> list[Line]:
    """The lines of a text, up to the last that is not blank; at least one."""
    found = [part for number, raw in enumerate(text.rstrip().split("\n"), start=1) for part in _parts(number, raw)]
    kinds = _without_comments(_marked(found))
    return [line for blank, block in groupby(kinds, lambda line: line.kind is Kind.BLANK) for line in _block(block)]


def title(found: Sequence[Line]) -> str:
    """The title in the lines at the top, or the only heading of the first level; "" where there is neither."""
    if found[0].text.strip() == "---":
        for line in found[1:FRONT_MATTER]:
            key, colon, value = line.text.partition(":")
            if colon and key.strip().casefold() == "title":
                return sensible(value.strip().strip("\"'"))
    first = alone(found)
    return sensible(first.said) if first else ""


def alone(found: Sequence[Line]) -> Line | None:
    """The first heading where it is the only one of the first level."""
    headings = [line for line in found if line.kind is Kind.HEADING]
    highest = [line for line in headings if line.level == 1]
    return headings[0] if len(highest) == 1 and headings[0] is highest[0] else None


def _parts(number: int, raw: str) -> Iterator[Line]:
    for turn, page in enumerate(raw.split("\f")):
        rest = page
        while len(rest) > LONGEST_PART:
            cut = rest.rfind(" ", LONGEST_PART // 2, LONGEST_PART) + 1 or LONGEST_PART
            yield Line(number, rest[:cut], begins_page=turn > 0 and len(rest) == len(page))
            rest = rest[cut:]
        yield Line(number, rest, begins_page=turn > 0 and len(rest) == len(page))


def _marked(found: Sequence[Line]) -> list[Line]:
    """The lines with their kinds."""
    marked: list[Line] = []
    fence = ""
    for at, line in enumerate(found):
        opening = _FENCE.match(line.text)
        if fence:
            closes = opening is not None and opening["fence"].startswith(fence) and not line.text.strip(" `~")
            marked.append(replace(line, kind=Kind.SIGNS if closes else Kind.CODE))
            fence = "" if closes else fence
        elif opening:
            fence = opening["fence"]
            marked.append(replace(line, kind=Kind.SIGNS))
        else:
            before = marked[-1] if marked else None
            marked.append(_of_one(line, before, found[at + 1].text if at + 1 < len(found) else ""))
    return marked


def _of_one(line: Line, before: Line | None, following: str) -> Line:
    """A line outside of code, given the one before it and the text of the one after."""
    text = line.text
    apart = before is None or before.kind in {Kind.BLANK, Kind.HEADING, Kind.SIGNS}
    hashes = _HASHES.match(text)
    if not text.strip():
        return replace(line, kind=Kind.BLANK)
    if hashes and len(hashes["title"]) <= LONGEST_HEADING and (apart or len(hashes["signs"]) > 1):
        return replace(line, kind=Kind.HEADING, level=len(hashes["signs"]))
    if before is not None and before.kind is Kind.HEADING and not _HASHES.match(before.text) and _UNDERLINE.match(text):
        return replace(line, kind=Kind.SIGNS)
    short = len(text.strip()) <= LONGEST_HEADING and any(map(str.isalpha, text))
    if apart and short and _UNDERLINE.match(following) and not _LISTED.match(text) and not text.startswith("---"):
        return replace(line, kind=Kind.HEADING, level=1 if following.strip()[0] == "=" else 2)
    if _ROW.match(text):
        return replace(line, kind=Kind.SIGNS if _RULE.match(text) else Kind.ROW)
    return line


def _without_comments(marked: list[Line]) -> list[Line]:
    """Less headings that are a program's comments: two in a row of one level, or too many of them."""
    headings = [at for at, line in enumerate(marked) if line.kind is Kind.HEADING]
    levels = {at: marked[at].level for at in headings}
    comments = {at for at in headings if levels[at] in (levels.get(at - 1), levels.get(at + 1))}
    if len(headings) - len(comments) > max(_TOO_MANY * sum(line.kind is not Kind.BLANK for line in marked), FEW):
        comments = set(headings)
    for at in comments:
        marked[at] = replace(marked[at], kind=Kind.PROSE, level=0)
    return marked


def _block(block: Iterator[Line]) -> Iterator[Line]:
    """The lines between two blank ones, each with whether it ends on purpose."""
    held = list(block)
    longest = max(len(line.text) for line in held)
    for line, following in zip(held, [*held[1:], None], strict=True):
        yield replace(line, ends=following is None or _ends(line, following, longest))


def _ends(line: Line, following: Line, longest: int) -> bool:
    if line.number == following.number:
        return False
    if line.kind is not Kind.PROSE or following.kind is not Kind.PROSE or line.text.endswith(("  ", "\\")):
        return True
    text, after = line.text.strip(), following.text.strip()
    goes_on = after[:1].islower() and not _CLOSED.search(text)
    wraps = len(text) + 1 + len(after.split(" ", 1)[0]) > FULL * longest
    prose = text.count(" ") * 15 >= len(text) and not text.endswith(("{", "}"))
    return not goes_on and not (wraps and prose and SHORT <= longest <= WRAPPED)

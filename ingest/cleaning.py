"""A reader's pages -> pages of whole words and paragraphs. Pure.

Joins what the line ends cut, takes out what repeats at the top and bottom of pages, and leaves everything else.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.records import Page
from ingest.running import without_running_lines

VERSION = "cleaning-2"  # part of a recipe: raise it when the same pages would be cleaned otherwise

_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_DROPPED = dict.fromkeys([*range(0x09), 0x0B, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x200B, 0x2060, 0xFEFF, 0xFFFE])
_SPACES = dict.fromkeys([0x0C, 0x0D, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_TABLE = {**_DROPPED, **_SPACES, **_LIGATURES}

_HYPHENS = "-\u2010\u00ad"
ENDED = "\u2028"  # a reader's mark after a line that ends though the next word had room
# A word begins where none goes on before it; without looking back, one long word would take the square of its time.
_CUT = re.compile(r"(?P<word>(?<![^\W_])[^\W_]+(?:[-\u2010][^\W_]+)*)[-\u2010\u00ad]$")
_NEXT = re.compile(r"[^\W_]+(?:[-\u2010][^\W_]+)*")
_COMPOUND = re.compile(r"(?<![^\W\d_])[^\W\d_]+(?:[-\u2010][^\W\d_]+)+")
_WORD = re.compile(r"[^\W\d_]+")
_BULLET = re.compile(
    r"^(?:[\u2022\u2023\u25e6\u25aa\u25cf\u25cb\u25a0\u2043\u2219\u00b7\uf0b7\uf0a7*\u2013\u2014-]\s|o\s(?=[A-Z]))"
)
_COUNTED = re.compile(r"^(?:[(\[]?(?:\d{1,3}|[A-Za-z]|[ivx]{1,5})[.)\]]\s|\d{1,2}(?:\.\d{1,2}){1,4}\.?\s)")
_NO_SPACE = re.compile(r"(?:\w[\u2013\u2014]|://\S*/|://|@)$")
_CLOSED = re.compile(r"[.!?:;\u3002\uff01\uff1f][\"'\u201d\u2019)\]]*$")
FULL = 0.86  # of the longest line of its block; a shorter line was ended on purpose
_SHORTEST_PART = 3  # letters of a word that can be half of a compound
FULL_LINE = 60  # characters; a shorter line may be a heading, which no sentence goes on from
CELL = " | "  # between the cells of a table row


def clean(pages: Sequence[Page], *, own_pages: bool = True) -> tuple[Page, ...]:
    """The same pages with cleaned text. Nothing runs at their edges where they are not the file's `own_pages`.

    Paragraphs, list items, headings and table rows are lines; blocks are an empty line apart.
    """
    signs = [replace(page, text=_signs(page.text)) for page in pages]
    kept = without_running_lines(signs) if own_pages else signs
    words = _Vocabulary(page.text for page in kept)
    cleaned = [_page(page.text, words) for page in kept]
    return tuple(replace(page, text=text) for page, text in zip(kept, _across_pages(cleaned, words), strict=True))


def _signs(text: str) -> str:
    """Ligatures apart, composed letters, no control signs; spaces are spaces."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_TABLE))
    text = re.sub("\u00ad(?!\n|$)", "", text)
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)


class _Vocabulary:
    """The words of the document that no line end cuts, to tell "well-known" from "infor-mation"."""

    def __init__(self, texts: Iterator[str]) -> None:
        whole = re.sub(r"(?<!\S)\S+[-\u2010\u00ad]\n\s*\S+", " ", "\n".join(texts)).casefold()
        self._compounds = Counter(match.replace("\u2010", "-") for match in _COMPOUND.findall(whole))
        self._words = Counter(_WORD.findall(whole))

    def keeps_hyphen(self, first: str, second: str) -> bool:
        """Whether `first` and `second`, cut at a hyphen and a line end, are a compound rather than one word."""
        one, compound = (first + second).casefold(), f"{first}-{second}".casefold()
        if self._words[one] or self._compounds[compound]:
            return self._compounds[compound] > self._words[one]
        if "-" in compound.removeprefix(first.casefold() + "-") or "-" in first:
            return True
        known = self._words[first.casefold()] and self._words[second.casefold()]
        return bool(known) and min(len(first), len(second)) >= _SHORTEST_PART


def _page(text: str, words: _Vocabulary) -> str:
    blocks = re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)
    marked = ENDED in text
    joined: list[str] = []
    for block in blocks:
        cleaned = _block(block, words, marked=marked)
        if joined and cleaned and _goes_on(joined[-1], cleaned):
            joined[-1] = _join(joined[-1], cleaned, words)
        elif cleaned:
            joined.append(cleaned)
    return "\n\n".join(joined)


def _goes_on(before: str, block: str) -> bool:
    """Whether a block begins in the middle of a sentence, as after the end of a column."""
    last, first = before.rpartition("\n")[2], block.partition("\n")[0]
    rows = CELL in last or CELL in first
    if _wide(last[-1]) and _wide(first[0]):  # no small letters tell, and a line holds half as many signs
        return not rows and len(last) >= FULL_LINE / 2 and not _CLOSED.search(last)
    return not rows and len(last) >= FULL_LINE and last[-1] not in ".!?:;" and first[0].islower()


def _block(block: str, words: _Vocabulary, *, marked: bool) -> str:
    """The lines of a block, those of one paragraph joined. `marked`: the reader says which lines end on purpose."""
    lines = [line for raw in block.split("\n") if (line := _spaced(raw))]
    if not lines:
        return ""
    longest = 0 if marked else max(len(line) for line in lines)
    joined = [lines[0]]
    for before, line in pairwise(lines):
        if _own_line(before, line, longest):
            joined.append(line)
        else:
            joined[-1] = _join(joined[-1], line, words)
    return "\n".join(line.replace("\t", CELL).rstrip(ENDED + "\u00ad") for line in joined)


def _spaced(line: str) -> str:
    """Single spaces; tabs, which part cells, and the mark at the end stay."""
    cells = (" ".join(cell.split()) for cell in line.split("\t"))
    spaced = "\t".join(cell for cell in cells if cell)
    return spaced + ENDED if spaced and line.endswith(ENDED) else spaced


def _own_line(before: str, line: str, longest: int) -> bool:
    """Whether `line` does not go on with what `before` says."""
    if "\t" in before or "\t" in line or _BULLET.match(line) or before.endswith(ENDED):
        return True
    if before[-1] in _HYPHENS and line[0].islower():
        return False
    closed = bool(_CLOSED.search(before))
    if _COUNTED.match(line) and (closed or _COUNTED.match(before)):
        return True
    fits = len(before) + 1 + len(line.split(" ", 1)[0]) <= FULL * longest
    return fits and (closed or not line[0].islower())


def _join(before: str, line: str, words: _Vocabulary) -> str:
    cut, following = _CUT.search(before), _NEXT.match(line)
    if cut and following:
        whole = before[-1] == "\u00ad" or not (
            line[0].isupper()
            or line[0].isdigit()
            or cut["word"][-1].isdigit()
            or _address(before)
            or words.keeps_hyphen(cut["word"], following.group())
        )
        return (before[:-1] if whole else before) + line
    together = (_wide(before[-1]) and _wide(line[0])) or _NO_SPACE.search(before)
    return before + ("" if together else " ") + line


def _address(before: str) -> bool:
    """Whether the last word is part of a web or mail address or of a path."""
    return any(sign in before.rsplit(" ", 1)[-1] for sign in ("/", "@", "_", "www."))


def _wide(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces."""
    return unicodedata.east_asian_width(character) in {"W", "F"} and not "\uac00" <= character <= "\ud7a3"


def _across_pages(texts: list[str], words: _Vocabulary) -> list[str]:
    """The second half of a word that a page end cuts goes to the page where the word begins."""
    for index in range(len(texts) - 1):
        before, after = texts[index], texts[index + 1]
        if before and after and _CUT.search(before) and after[0].islower():
            half, _, rest = after.partition(" ")
            texts[index], texts[index + 1] = _join(before, half, words), rest
    return texts

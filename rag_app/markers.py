"""The grammar of citation markers, and text made safe to show. Pure.

A marker is a bracketed list of numbers, as models write it: [1], [1, 2], [1-3], [1][3], 【1】, 【1†source】,
[Source 2], (passages 1 and 3). A number in bare parentheses, "(1)", is an enumeration and stays text. Inside `code`
nothing is a marker.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 60  # characters a marker may have; what is longer is text
_WORD = r"(?:sources?|passages?|documents?|docs?|refs?|references?|citations?)"
_JOIN = r"\s*(?:,|;|&|\+|and|-|–|—|to)\s*"  # noqa: RUF001 - the dashes models write
_ITEM = rf"(?:{_WORD}\s*)?[\^#]?\d{{1,9}}"
_LIST = rf"{_ITEM}(?:{_JOIN}{_ITEM})*"
_TAIL = r"(?:†[^\]】]{0,30})?"
_SQUARE = rf"[\[【［]{{1,2}}\s*(?:{_WORD}\s*[:.]?\s*)?{_LIST}\s*{_TAIL}\s*[\]】］]{{1,2}}"  # noqa: RUF001 - full width brackets
_ROUND = rf"\(\s*(?:see\s+)?{_WORD}\s*[:.]?\s*{_LIST}\s*\)"
MARKER = re.compile(rf"{_SQUARE}|{_ROUND}", re.IGNORECASE)
_OPEN = re.compile(r"(?:[\[【［][^\]】］\n]*|\([^)\n]*)$")  # noqa: RUF001 - full width brackets
_RANGE = re.compile(r"(\d{1,9})\s*(?:-|–|—|to)\s*(?:[a-z#^]*\s*)(\d{1,9})", re.IGNORECASE)  # noqa: RUF001
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*(?:`|$)", re.DOTALL | re.MULTILINE)
_THINK = re.compile(r"<(think(?:ing)?)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(/?(?:think(?:ing)?|sup))>", re.IGNORECASE)
_HALF_TAG = re.compile(r"</?[a-z]{0,8}$", re.IGNORECASE)
_SUPERSCRIPT = re.compile(r"</?sup>", re.IGNORECASE)
# Controls, soft hyphen, bidi marks and overrides, invisible operators, tags, halves of pairs. The joiners \u200c and
# \u200d stay: they are spelling in Persian and Hindi, and in emoji.
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BREAK = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker as it stands in a text."""

    start: int  # character offset of its opening bracket
    end: int  # just past its closing bracket
    numbers: tuple[int, ...]  # in the order written, ranges spelled out


def marks(text: str) -> Iterator[Mark]:
    """Find the markers of a text, in order; none inside code."""
    code = [match.span() for match in _CODE.finditer(text)]
    for match in MARKER.finditer(text):
        if match.end() - match.start() <= LONGEST and not any(a <= match.start() < b for a, b in code):
            yield Mark(match.start(), match.end(), _numbers(match.group()))


def _numbers(marker: str) -> tuple[int, ...]:
    """Read the numbers of one marker. Example: "[1, 3-5]" -> (1, 3, 4, 5)."""
    marker = marker.partition("†")[0]
    found: list[int] = []
    position = 0
    for span in _RANGE.finditer(marker):
        found += _plain_numbers(marker[position : span.start()])
        first, last = int(span[1]), int(span[2])
        found += range(first, last + 1) if first <= last <= first + 20 else [first, last]
        position = span.end()
    return tuple(found + _plain_numbers(marker[position:]))


def _plain_numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def spoken(raw: str) -> str:
    """Take a reasoning model's thoughts out of what it wrote, and the characters that mislead a reader."""
    text = _THINK.sub("", clean(raw))
    text = _THOUGHT.sub("", text)  # templates that open the block themselves show only its end
    return _SUPERSCRIPT.sub("", text)


def clean(text: str) -> str:
    """Strip control, bidi override, invisible and broken characters; line ends become newlines."""
    return _HARMFUL.sub("", _BREAK.sub("\n", text))


def unmarked(text: str) -> str:
    """Rewrite whatever in a text could be read as a marker, so that it no longer can.

    Used on passages: the documents' own "[12]" becomes "(12)". Example: "as in [4, 7]" -> "as in (4, 7)".
    """
    text = _TAG.sub(r"(\1)", clean(text))
    while (match := MARKER.search(text)) is not None:
        inner = match.group()[1:-1]
        harmless = inner if match.group().startswith("(") else f"({inner})"
        text = text[: match.start()] + harmless + text[match.end() :]
    return text


def settled(raw: str) -> str:
    """Cut a growing text before whatever may still become a marker or a tag."""
    text = _HALF_TAG.sub("", raw)
    match = _OPEN.search(text)
    if match is not None and len(match.group()) <= LONGEST:
        text = text[: match.start()]
    return text

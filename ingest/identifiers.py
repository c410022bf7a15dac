"""Identifiers in a text: error codes, versions, part numbers, names of settings. Pure.

One rule finds them in passages and in questions. An identifier is a run of letters, digits and joining signs that no
sentence is made of: letters together with digits ("KB-ERR-2847-fatal", "v1.2.3", "0x8007000E"), words joined by
underscores ("E_OUTOFMEMORY"), three or more numbers in a row ("10.0.0.1"), or a long number ("4711009834"). Quantities
and ordinals ("24h", "10-day", "3rd"), decimals, times and hyphenated words are none. It does not know whether a thing
of that name exists.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 64  # characters; a longer run is data, not a name
MOST_PARTS = 8  # of an identifier; the rest of a longer one is found as a whole only
_SHORTEST_PART = 3  # signs of a part that names the whole
_LONG_NUMBER = 6  # digits
_JOINED_NUMBERS = 3  # numbers in a row that make a version, a date or an address of them
# Scripts that are written without spaces end an identifier as a space would.
_SIGN = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
_RUN = re.compile(rf"{_SIGN}+(?:[-_./:+#]+{_SIGN}+)*")
_VERSION = re.compile(r"v\d")
_PART = re.compile(r"[^\W_]+")
_QUANTITY = re.compile(r"\d{1,3}(?:[.:]\d+)?-?[^\W\d_]+(?:-[^\W\d_]+)*|\d{4}s")
_WRITTEN = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-") | {"\u00ad": "", "\u200b": ""})


def identifiers(text: str) -> list[str]:
    """The identifiers of a text, folded, each once, in order. Example: "Fix KB-2847, please." -> ["kb-2847"]."""
    runs = (match.group() for match in _RUN.finditer(folded(text)))
    return list(dict.fromkeys(run for run in runs if len(run) <= LONGEST and _is_identifier(run)))


def folded(text: str) -> str:
    """Lower case without accents, in compatibility form, with one kind of hyphen."""
    letters = unicodedata.normalize("NFKD", text.translate(_WRITTEN)).casefold()
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFKC", letters)


def parts(identifier: str) -> list[str]:
    """What else an identifier is called: every run of its parts, single ones only with a digit; not itself.

    Example: "kb-err-2847" -> ["kb-err", "err-2847", "2847"]; "v1.2" -> ["1.2"]
    """
    return [part for part in dict.fromkeys(_runs(identifier)) if part != identifier]


def _runs(identifier: str) -> Iterator[str]:
    if _VERSION.match(identifier):
        yield identifier[1:]
    spans = [match.span() for match in _PART.finditer(identifier)][:MOST_PARTS]
    for length in range(len(spans), 0, -1):
        for first in range(len(spans) - length + 1):
            run = identifier[spans[first][0] : spans[first + length - 1][1]]
            if length > 1 or (len(run) >= _SHORTEST_PART and any(map(str.isdigit, run))):
                yield run


def _is_identifier(run: str) -> bool:
    found = _PART.findall(run)
    if not any(map(str.isdigit, run)):
        return "_" in run
    if all(map(str.isdecimal, found)):
        return len(found) >= _JOINED_NUMBERS or max(map(len, found)) >= _LONG_NUMBER
    return run.startswith("0x") or not _QUANTITY.fullmatch(run)

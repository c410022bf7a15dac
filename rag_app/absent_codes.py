"""Codes in a question that the passages chosen for its answer do not hold. Pure.

"What does KB-ERR-4310 mean?" finds what KB-ERR-2810 means where nothing is said of the other: a cross-encoder reads
codes as bits of words. Here the characters decide, in every language.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

from ingest.identifiers import folded, identifiers, parts
from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text

_LETTERS, _DIGITS, _SIGNS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"[\W_]+")
_WORD = re.compile(r"\w+")
_HEXADECIMAL = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class AbsentCodes:
    """What the passages lack of the codes in a question."""

    codes: tuple[str, ...] = ()  # those that no passage holds, as the question writes them
    doubtful: bool = False  # no passage holds any of the question's codes
    mistaken: bool = False  # and one holds another of the same kind, so it is about that


def absent_codes(question: str, passages: Sequence[Hit]) -> AbsentCodes:
    """The codes of the question that no passage holds in title, heading or text; none where there are no passages.

    "ERR-4310" is held by "KB-ERR-4310", and "KB4310" by "KB-4310"; "v1.2.0" by "1.2.0" and "KB-4310" by "error 4310",
    unless a passage holds another code of the same kind.
    """
    asked = identifiers(question)
    if not asked or not passages:
        return AbsentCodes()
    texts = [reranked_text(hit) for hit in passages]
    written = set(chain.from_iterable(map(identifiers, texts)))
    known = written.union(*map(parts, written))
    words = known.union(*(_WORD.findall(folded(text)) for text in texts))
    joined = "\n".join(_SIGNS.sub("", folded(text)) for text in texts)
    others = {code for code in asked if any(_is_akin(code, other) for other in written)}
    absent = [
        code
        for code in asked
        if code not in known and _SIGNS.sub("", code) not in joined and (code in others or not _in_part(code, words))
    ]
    doubtful = len(absent) == len(asked)
    return AbsentCodes(tuple(_as_typed(code, question) for code in absent), doubtful, doubtful and bool(others))


def _in_part(code: str, words: Collection[str]) -> bool:
    """Whether a part that names the whole is among the words; none does of "10.0.0.1"."""
    named = [part for part in parts(code) if any(map(str.isdigit, part))] if _LETTERS.search(code) else []
    return any(part in words for part in named)


def _is_akin(code: str, other: str) -> bool:
    """Whether two codes are of one kind: written alike but for the digits and the later letters.

    "kb-err-4310-fatal" and "kb-err-2810-notice" are, "10.0.0.1" and "192.168.0.1" are not: nothing but their dots says
    that they mean the same kind of thing. Long numbers are akin where they have as many digits.
    """
    if code.isdecimal() or other.isdecimal():
        return code.isdecimal() and other.isdecimal() and len(code) == len(other)
    first, second = _kind(code), _kind(other)
    return first == second and bool(first[0])


def _kind(code: str) -> tuple[str, str]:
    """The first letters of a code, and its shape; "kb-4310-x" -> ("kb", "a-0-a")."""
    if _HEXADECIMAL.fullmatch(code):
        return "0x", "0x0"
    letters = _LETTERS.search(code)
    return letters.group() if letters else "", _DIGITS.sub("0", _LETTERS.sub("a", code))


def _as_typed(code: str, question: str) -> str:
    found = re.search(re.escape(code), question, re.IGNORECASE)
    return found.group() if found else code

"""Names in a question that the passages chosen for its answer do not speak of. Pure.

"Which port does PostgreSQL listen on?" finds the passage about ports, and it is about another program. Told by capital
letters, so in English only: other languages write other words with them.
"""

import re
from collections.abc import Sequence

from rag_app.leaning import ENGLISH
from rag_app.overlap import content_stems
from rag_app.records import Hit
from rag_app.rerank.ranking import reranked_text
from rag_app.words import FUNCTION_WORDS, fold

MOSTLY = 0.6  # share of the words with a capital from which on capitals tell nothing: a question typed as a headline
SHOWN = 3  # names told at most
_WORD = re.compile(r"\w(?:[\w'’.-]*\w)?")  # noqa: RUF001
_POSSESSIVE = re.compile(r"['’]s?$")  # noqa: RUF001
# Abbreviations are no names here: documents that spell one out answer the question all the same. Nor are codes, which
# have a rule of their own (verbatim.py).
_ABBREVIATION = re.compile(r"[A-Z.-]+s?|\S*[\d_]\S*")
_BEGINNING = re.compile(r"(?:^|[.?!:\"“‘(\[])[\s'*]*$")  # noqa: RUF001 - of a sentence, or of a quoted one
# Months and days are capitals of English, no names: "from November to March" speaks of December.
_CALENDAR = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays".split()
)
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]")


def names(question: str) -> list[str]:
    """Words of an English question that are written as names are: with a capital inside, or not at the beginning.

    "Does the Bosch mixer run with a PostgreSQL?" -> ["Bosch", "PostgreSQL"]; abbreviations such as LLM are left out.
    """
    found = list(_WORD.finditer(question))
    words = [match.group() for match in found]
    capital = sum(word[0].isupper() for word in words)
    english = sum(fold(word) in FUNCTION_WORDS for word in words)
    if not words or capital > MOSTLY * len(words) or english < ENGLISH * len(words):
        return []
    bare = [(_POSSESSIVE.sub("", match.group()), not _BEGINNING.search(question[: match.start()])) for match in found]
    return [
        word
        for word, inside in bare
        if word.lower() not in _CALENDAR
        and not _ABBREVIATION.fullmatch(word)
        and ((inside and word[0].isupper()) or _INNER_CAPITAL.search(word))
    ]


def absent_names(question: str, passages: Sequence[Hit]) -> list[str]:
    """The names of which no passage writes a part with a capital, in any form, in title, heading or text.

    None where there are no passages. A word of the same letters is not the name: what is said of words is not of Word.
    """
    asked = {name: content_stems(name) for name in dict.fromkeys(names(question))}
    if not passages or not any(asked.values()):
        return []
    written = {word for hit in passages for word in _WORD.findall(reranked_text(hit)) if word != word.lower()}
    held = content_stems(" ".join(written))
    return [name for name, stems in asked.items() if stems and not stems & held]


def told(absent: Sequence[str]) -> str:
    """A sentence that says which names the passages do not speak of; "" where there are none."""
    quoted = [f'"{name}"' for name in absent[:SHOWN]]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted else ""
    return f"None of these passages speaks of {listed}." if listed else ""

"""The words of a quoted sentence that answer a question about a number, a time, a person or a place. Pure.

Told by the form of the question and of the words; where neither tells, nothing is set off.
"""

import re
from collections.abc import Callable, Iterator

from rag_app.words import FUNCTION_WORDS, NUMBER_WORDS, facts, found, stem

MOST = 6  # words of a phrase
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
)
_MONTH += r"Nov(?:ember)?|Dec(?:ember)?)"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}(?:,? \d{{4}})?|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|"
    rf"{_MONTH} \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}:\d{{2}}(?: ?[ap]\.?m\.?)?|(?:1\d|20)\d{{2}}|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?)\b"
)
_WORDED = "|".join(NUMBER_WORDS)
_SMALL = "|".join(sorted(FUNCTION_WORDS))
# Numbers of a time, a date or a code are no amounts: 9:00, 3/4, E-201.
_AMOUNT = re.compile(
    rf"(?:[€$£] ?)?(?<!\d[:/])(?<![^\W\d]-)(?:\b\d[\d.,]*\d\b|\b\d\b|\b(?:{_WORDED})\b)(?![:/]\d)"
    r"(?:(?:[-\u2013]| to )\d(?:[\d.,]*\d)?\b)?(?: ?%| (?:hundred|thousand|million|billion))?"
    rf"(?:[ -](?:working|calendar|business|square|full))?(?:[ -](?!(?:{_SMALL})\b)[a-z]+)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][\w'-]+(?:(?: (?:of|the|de|van|von|al))? [A-Z][\w.'-]*\w)*")
_ASKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(
            r"^(?:and )?(?:until |since |in |on |at |by )?(?:when|(?:what|which) (?:year|date|day|time|month))\b",
            re.IGNORECASE,
        ),
        _DATE,
    ),
    (
        re.compile(
            r"\bhow (?:many|much|long|old|far|often|high|tall|big|large|deep|fast|heavy)\b|"
            r"\bwhat (?:percentage|share|number|amount|is the (?:price|fee|cost|limit|size|number))\b",
            re.IGNORECASE,
        ),
        _AMOUNT,
    ),
    (re.compile(r"^(?:and )?(?:who|whose|where)\b", re.IGNORECASE), _NAME),
)


def key_phrase(question: str, sentence: str) -> tuple[int, int] | None:
    """Start and end of the words in a sentence that answer a question; None where they cannot be told.

    Example: "When did it open?" and "It opened in May 1991 in Bonn." -> the place of "May 1991"
    """
    form = next((form for asks, form in _ASKS if asks.search(question)), None)
    if form is None:
        return None
    fresh = list(_fresh(question, sentence, form))
    if not fresh or (form is _NAME and len(fresh) > 1):  # which of several names it is takes understanding
        return None
    return min(fresh, key=_distance(question, sentence))


def _fresh(question: str, sentence: str, form: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The phrases of the form that the question does not say itself."""
    asked = question.casefold()
    for match in form.finditer(sentence):
        phrase = match.group()
        opens = match.start() == 0 and phrase.split()[0].casefold() in FUNCTION_WORDS
        if phrase.casefold() not in asked and len(phrase.split()) <= MOST and not opens:
            yield match.span()


def _distance(question: str, sentence: str) -> Callable[[tuple[int, int]], float]:
    """How far a phrase stands, in characters in the mean, from the words that the sentence shares with the question."""
    asked = facts(question).words
    shared = [match.start() for match in re.finditer(r"\w+", sentence) if found(stem(match.group().casefold()), asked)]

    def distance(span: tuple[int, int]) -> float:
        return sum(min(abs(place - span[0]), abs(place - span[1])) for place in shared) / max(len(shared), 1)

    return distance

"""Whether a question can be understood alone, and what it is about. Pure.

The rules know English. In other languages a question counts as standing alone.
"""

import re
from collections.abc import Sequence

from ingest.identifiers import identifiers
from rag_app.markers import clean
from rag_app.words import FUNCTION_WORDS, fold, is_content, stem

# Different words of its own with which a question is too short to stand alone, and with which it can explain its
# pronouns itself; measured by benchmarks/follow_ups.py.
FEW, ENOUGH = 3, 4
ENGLISH = 0.3  # share of function words in an English question
WORD = re.compile(r"[^\W_](?:[\w'’./:-]*\w)?|[?.,;:!()]")  # noqa: RUF001
_LEAD_IN = re.compile(
    r"^(?:(?:ok(?:ay)?|thanks?(?: you)?|great|right|so|well|hm+)[,.! ]+)*"
    r"(?:(?:and|but|or|also|then|plus)\b[, ]*)*",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"^(?:what|how) about\b[, ]*|^what of\b[, ]*|^same (?:question )?(?:for|with)\b[, ]*", re.IGNORECASE
)
_PRONOUNS = frozenset("it its they them their theirs he him his she her hers these those mine ours".split())
# Adverbs that point at what was said before, as a pronoun does.
_POINTING_ADVERBS = frozenset("there then meanwhile afterwards afterward beforehand instead otherwise thereby".split())
# A question that begins so goes on with another: what happens there if, also if, why not there.
_GOES_ON = re.compile(
    r"(?:(?:but |and |or )?(?:what|even|only) if|why not|why so|only|even|except|unless)\b", re.IGNORECASE
)
_POINTING = frozenset("this that these those".split())
_AFTER_POINTING = frozenset("year month week day morning afternoon evening quarter time computer".split())
_BEFORE_THAT = frozenset(
    """is does was did do are about of for to with on like can will would should could after before than from in by why
    how what and if""".split()
)
_ONES = frozenset("one ones other others latter former same first second third last".split())
_CLAUSE = frozenset("and or if when while because but after before since , ;".split())
# Things that the citation check reads over, and that a question here can well be about.
_THINGS = frozenset("passage passages document documents".split())
_BEING = frozenset("is are was were be been isnt arent".split())
_SAY_NOTHING = frozenset(
    """use need want know tell explain show give list find say mean work works apply happen make take say says come go
    help think ask please describe compare differ cost costs last lasts often long soon exactly else""".split()
)
AUXILIARIES = frozenset("do does did is are was were can could may might must shall should will would has have".split())
# "What does it cost to ...", "Is it possible that ...": "it" stands for what comes behind.
_EMPTY_IT = re.compile(
    r"it (?:costs?|takes?|possible|allowed|necessary|safe|enough|worth|helps?|matters?)\b.* (?:to|that|if|whether) "
)
_STEMS = frozenset(stem(word) for word in _SAY_NOTHING)


def leans(question: str) -> bool:
    """Whether a question can't be understood alone: it goes on with another, points outside itself, or says too little.

    Too little are few words of its own, unless one brings in something new: a name, an identifier, or "a ...".
    """
    return points_outside(question) or _says_too_little(question)


def may_stand_alone(question: str, rewritten: str) -> bool:
    """Whether a question that was carried on from an earlier one might have meant nothing but what it says.

    So it is with one that has few words and points nowhere: "May I water the orchids?" What is found by either wording
    has to decide.
    """
    body = " ".join(clean(question).split())
    plain = about_of(question) == body and bool(_read(body)[1])
    return plain and rewritten.strip() != body and not points_outside(body)


def points_outside(question: str) -> bool:
    """Whether a question has no topic, or is short and goes on with another or has a pronoun that nothing explains."""
    words, own = _read(question)
    if not own:
        return True
    if len({words[index] for index in own}) > ENOUGH:
        return False
    return bool(_GOES_ON.match(question)) or any(_points_out(words, index, own) for index in range(len(words)))


def _says_too_little(question: str) -> bool:
    words, own = _read(question)
    english = sum(word in FUNCTION_WORDS for word in words) >= ENGLISH * len(words)
    return english and len({words[index] for index in own}) <= FEW and not _brings_in(question, words, own)


def _read(question: str) -> tuple[list[str], list[int]]:
    """The words of a question, folded, and the indices (0-based) of those that name a topic."""
    words = [fold(word) or word for word in WORD.findall(question)]
    return words, [index for index, word in enumerate(words) if _is_topic(word) and stem(word) not in _STEMS]


def _brings_in(question: str, words: Sequence[str], own: Sequence[int]) -> bool:
    """Whether a question names something that no earlier one need have named."""
    names = [word for word in WORD.findall(question)[1:] if word[:1].isupper() and _is_topic(fold(word))]
    return bool(names or identifiers(question) or any(words[index - 1] in {"a", "an"} for index in own if index))


def _points_out(words: Sequence[str], index: int, own: Sequence[int]) -> bool:
    """Whether the word at `index` stands for something outside the question."""
    word = words[index]
    after = words[index + 1] if index + 1 < len(words) else ""
    before = words[index - 1] if index else ""
    if word in _POINTING:
        if after in _AFTER_POINTING or (word == "that" and before not in _BEFORE_THAT and after not in {"", "?"}):
            return False
    elif word in _POINTING_ADVERBS:
        if before in _BEING or after in _BEING or (word == "instead" and after == "of"):
            return False
    elif word in _ONES:
        number = word in {"one", "ones"}
        picked = before in {"which", "the", "other", "that", "this"}
        alone = number and after in {"", "?"}  # "How do I put a folder into one?"
        if not alone and not (picked and (number or after in {"", "?", "one", "ones", "of"})):
            return False
    elif word not in _PRONOUNS or after == "own" or _EMPTY_IT.match(" ".join(words[index:])):
        return False
    clause = max((place for place in range(index) if words[place] in _CLAUSE), default=-1)
    return not any(place < clause for place in own)


def without_lead_in(asked: str) -> str:
    """A question without "thanks, and" before it."""
    return _LEAD_IN.sub("", asked, count=1)


def about_of(question: str) -> str:
    """A question without what only joins it to the one before."""
    return _WHAT_ABOUT.sub("", without_lead_in(" ".join(clean(question).split())), count=1)


def phrases(question: str) -> list[str]:
    """List the topics of a question: runs of content words, without the verbs that say nothing at their ends."""
    return [question[start:end] for start, end in runs_of(question)]


def topic(question: str) -> str:
    """Name what a question is about, in its own words. "How do I reset my password?" -> "reset my password"."""
    named, before = "", 0
    for start, end in runs_of(question):
        gap = question[before:start]
        joined = gap if named and not {fold(word) for word in WORD.findall(gap)} & AUXILIARIES else ", "
        named += (joined if named else "") + question[start:end]
        before = end
    return named


def runs_of(question: str) -> list[tuple[int, int]]:
    """Where the topics of a question stand in it: start and end (exclusive) of each, in characters."""
    runs: list[list[re.Match[str]]] = [[]]
    for match in WORD.finditer(question):
        if _is_topic(fold(match.group())) or match.group()[:1].isdigit():
            runs[-1].append(match)
        else:
            runs.append([])
    return [(run[0].start(), run[-1].end()) for run in map(_trimmed, runs) if run]


def _trimmed(run: list[re.Match[str]]) -> list[re.Match[str]]:
    while run and stem(fold(run[-1].group())) in _STEMS:
        run = run[:-1]
    while run and stem(fold(run[0].group())) in _STEMS:
        run = run[1:]
    return run


def topics_of(text: str) -> list[str]:
    """Stems of the words that can name what a text is about."""
    return [stem(fold(word)) for word in WORD.findall(text) if _is_topic(fold(word))]


def _is_topic(word: str) -> bool:
    """Whether a folded word can name what a question is about."""
    return (is_content(word) or word in _THINGS) and word not in _POINTING_ADVERBS

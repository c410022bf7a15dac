"""What a text says, as far as words can tell: its content words, numbers, codes, names and what it denies. Pure.

English function words only; in other languages they count as content, which makes the checks stricter, never blind.
It does not understand: "a fortnight" and "two weeks" are different words here.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

FUNCTION_WORDS = frozenset(
    """a about above after again all also although am an and any anyone anything are as at be because been before
    being below between both but by can could did do does doing done down during each either else etc ever every
    for from further get gets got had has have having he her here hers him his how however i if in into is it
    its itself just let like many may me might more most much must my nor of off on once one ones only onto or
    other others our ours out over own per please rather same shall she should since so some something such than
    that the their theirs them then there these they this those though through thus to too under until up upon
    us very via was we were what when where whether which while who whom whose why will with within would yes
    yet you your yours according passage passages document documents""".split()
)
NEGATORS = frozenset(
    """no not never none neither nor nobody nothing nowhere without cannot cant dont doesnt didnt isnt arent wasnt
    werent wont wouldnt shouldnt couldnt mustnt hasnt havent hadnt neednt unable""".split()
)
MONTHS = {
    name[:3]: name
    for name in """january february march april may june july august september october november december""".split()
}
_NUMBER_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty""".split()
NUMBER_WORDS = {word: str(value) for value, word in enumerate(_NUMBER_WORDS)} | {
    word: str(value * 10)
    for value, word in enumerate("thirty forty fifty sixty seventy eighty ninety hundred".split(), start=3)
}
UNITS = {
    form: forms.split()[0]
    for forms in """percent % pct|eur € euro euros|usd $ dollar dollars|gbp £ pound pounds|second seconds sec secs s
    |minute minutes min mins|hour hours hr hrs h|day days|week weeks|month months|year years yr yrs|ms millisecond
    milliseconds|kb kilobyte kilobytes|mb megabyte megabytes|gb gigabyte gigabytes|tb terabyte terabytes|kg kilogram
    kilograms kilo|g gram grams|mm millimetre millimetres millimeter millimeters|cm centimetre centimetres centimeter
    |m metre metres meter meters|km kilometre kilometres kilometer kilometers|mile miles|people person persons employee
    employees|page pages|°c celsius|°f fahrenheit|v volt volts|w watt watts|kw kilowatt kilowatts""".split("|")
    for form in forms.split()
}
_TOKEN = re.compile(
    r"[€$£]|\d+(?:[.,'’]\d+)*(?![\w-])|\d+(?:[.,]\d+)*(?=(?:%|°|k?[gmv]b?\b|[csk]?m\b|hrs?\b|min\b))"  # noqa: RUF001
    r"|[^\W_](?:[\w'’]|[-./:](?=\w))*|%|°[cf]|[.;:,!?()\n]",  # noqa: RUF001
    re.IGNORECASE,
)
_COMPOUND = re.compile(rf"\b(\d+|{'|'.join(NUMBER_WORDS)})-(?=[a-z]{{3}})", re.IGNORECASE)  # "five-day" says 5 and day
_GROUPED = re.compile(r"\d{1,3}(?:[,.'’]\d{3})+$")  # noqa: RUF001
_CLAUSE_END = frozenset(".;:,!?()\n") | {"but", "unless", "except", "if", "because", "although", "while"}
_SUFFIXES = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ingly",
    "ings",
    "ing",
    "edly",
    "ied",
    "ies",
    "ers",
    "ed",
    "es",
    "er",
    "ly",
    "s",
)
_SHORTEST_STEM = 4  # letters left after a suffix is taken off
_ENDING = 3  # letters by which two forms of a word may differ at their end
_REACH = 5  # words after a negation in which the denied word is looked for


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text says."""

    plain: frozenset[str]  # all its words, lower case, accents folded
    words: frozenset[str]  # stems of its content words, lower case, accents folded
    numbers: frozenset[str]  # canonical: "1,200.50" is "1200.5"; number words count
    measures: frozenset[tuple[str, str]]  # a number and its unit, canonical
    codes: frozenset[str]  # words with digits, underscores or inner capitals, lower case
    names: frozenset[str]  # stems of words written with a capital inside a sentence
    denied: frozenset[str]  # stems of the words that a negation stands before


def facts(text: str) -> Facts:
    """Read the facts of a text."""
    tokens = _TOKEN.findall(_COMPOUND.sub(r"\1 ", unicodedata.normalize("NFKC", text)))
    plain = [fold(token) for token in tokens]
    numbers = [_number(token) for token in plain]
    return Facts(
        plain=frozenset(plain),
        words=frozenset(stem(word) for word in plain if is_content(word)),
        numbers=frozenset(number for number in numbers if number),
        measures=frozenset(_measures(numbers, plain)),
        codes=frozenset(word for word, token in zip(plain, tokens, strict=True) if _is_code(token)),
        names=frozenset(stem(plain[index]) for index in _names(tokens, plain)),
        denied=frozenset(_denied(plain)),
    )


def fold(token: str) -> str:
    """Lower the case and take off accents, apostrophes and a possessive s."""
    letters = unicodedata.normalize("NFKD", token.casefold().replace("’", "'"))  # noqa: RUF001
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return letters.removesuffix("'s").replace("'", "").rstrip("./:-")


def is_content(word: str) -> bool:
    """Whether a folded word carries meaning of its own."""
    return (
        word[:1].isalpha()
        and word not in FUNCTION_WORDS
        and word not in NEGATORS
        and (len(word) > 1 or not word.isascii())
    )


def stem(word: str) -> str:
    """Take common English endings off. Example: "models" -> "model", "reranking" -> "rerank"."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM and not word.endswith("ss"):
            word = word.removesuffix(suffix)
            break
    return word[:-1] if word.endswith(("e", "y", "i")) and len(word) > _SHORTEST_STEM else word


def found(word: str, among: Iterable[str]) -> bool:
    """Whether a form of a stem is among others: itself, or one that begins the other and is little shorter."""
    begins = word[: _SHORTEST_STEM + 1]
    if len(begins) <= _SHORTEST_STEM:  # "day" and "days", but not "ga" for "gas"
        return word in among or f"{word}s" in among or (len(word) == _SHORTEST_STEM and word.removesuffix("s") in among)
    return any(
        other.startswith(begins)
        and abs(len(other) - len(word)) <= _ENDING
        and (other.startswith(word) or word.startswith(other))
        for other in among
    )


def covered(wanted: frozenset[str], among: frozenset[str]) -> float:
    """Measure the share (0 to 1) of `wanted` that is among the others; 1 where nothing is wanted."""
    if not wanted:
        return 1.0
    return sum(word in among or found(word, among) for word in wanted) / len(wanted)


def content_words(text: str) -> list[str]:
    """List the content words of a text as it writes them, in order."""
    return [token for token in _TOKEN.findall(text) if is_content(fold(token)) or token[:1].isdigit()]


def _number(word: str) -> str:
    """Write a number one way. "1,200.50" -> "1200.5"; "" where the word is no number."""
    if word in NUMBER_WORDS:
        return "" if word == "one" else NUMBER_WORDS[word]
    if not word[:1].isdigit() or not re.fullmatch(r"[\d.,'’]+", word):  # noqa: RUF001
        return ""
    if _GROUPED.match(word):
        return str(int(re.sub(r"\D", "", word)))
    word = re.sub(r"[,'’](?=\d{3}(?:\D|$))", "", word).replace(",", ".")  # noqa: RUF001
    whole, _, rest = word.partition(".")
    rest = rest.rstrip("0") if "." not in rest else rest
    return f"{int(whole)}.{rest}" if rest else str(int(whole))


def _measures(numbers: list[str], plain: list[str]) -> Iterable[tuple[str, str]]:
    for index, number in enumerate(numbers):
        if not number:
            continue
        around = [*plain[index + 1 : index + 2], *plain[max(index - 1, 0) : index]]
        yield from ((number, UNITS[word]) for word in around if word in UNITS)


def _is_code(token: str) -> bool:
    inner = token[1:]
    mixed = any(map(str.isdigit, token)) and any(map(str.isalpha, token))
    return mixed or "_" in token or (any(map(str.isupper, inner)) and any(map(str.islower, token)))


def _names(tokens: list[str], plain: list[str]) -> Iterable[int]:
    for index, token in enumerate(tokens):
        first = index == 0 or tokens[index - 1] in {".", "!", "?", ":", "\n", "("}
        acronym = len(token) > 1 and token.isupper()
        if token[:1].isupper() and is_content(plain[index]) and (acronym or not first):
            yield index


def _denied(plain: list[str]) -> Iterable[str]:
    for index, word in enumerate(plain):
        if word not in NEGATORS or plain[index + 1 : index + 2] == ["only"]:
            continue
        start = index + 1
        if plain[start : start + 1] == [","] and "," in plain[start + 1 : start + _REACH]:
            start = plain.index(",", start + 1) + 1  # "do not, however, collect"
        for after in plain[start : start + _REACH]:
            if after in _CLAUSE_END:
                break
            if is_content(after):
                yield stem(after)
                break

"""Where sentences begin and end. Pure; knows no language model, only signs and a list of abbreviations."""

import re

# Never the end of a sentence: something always follows.
_LEADS_ON = frozenset(
    "mr mrs ms mx dr prof rev hon gen col capt lt sgt st mt fr sr.a no nos nr fig figs sec secs eq eqs ch chap vol "
    "vols pp p art para paras ref refs tab vs cf viz e.g i.e eg ie ca approx incl esp resp max min bzw z.b d.h u.a vgl "
    "abs ed eds trans al tel ext".split()
)
# The end of a sentence only where the next word clearly begins one.
_MAY_END = frozenset(
    "inc ltd co corp llc plc jr sr dept est ave blvd rd bros assn univ gov u.s u.k u.n e.u d.c u.s.a ph.d m.d b.a m.a "
    "a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun bldg apt ft hr hrs".split()
)
_BEGINNERS = frozenset(
    "the this that these those it its he she we you they there here in on at for from to if when while as but and or "
    "however also after before all any both each our your their his her is are do does please see what why how who "
    "where because although since then thus an use for not no such some many most only under with without".split()
)
# Enders, closing marks, then [1]-like references that belong to the sentence before them.
_END = re.compile(
    r"(?P<sign>[.!?\u2026]+)(?P<close>[\"'\u201d\u2019\u00bb)\]]*)(?P<refs>(?:\s?\[\d{1,3}\])*)(?=\s|$)"
    r"|[\u3002\uff01\uff1f\uff61]+[\u300d\u300f\u201d\u2019\uff09\"')]*"
)
_LAST_WORD = re.compile(r"[^\s(\[\"'\u201c\u2018]*$")
_ENUMERATOR = re.compile(
    r"^\s*[(\[]?(?:(?:section|chapter|article|appendix|part|step|table|figure|rule)\s+)?"
    r"(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivxlcdm]{1,6})$",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"^(?:[A-Z]|(?:[A-Za-z]\.)+[A-Za-z])$")
_NEXT_WORD = re.compile(r"[\s\"'\u201c\u2018(\[]*(\S+)")


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, in order, without the spaces around it.

    A line end always ends a sentence. Every character that is not a space lies in exactly one of them.
    """
    return [
        span for line in re.finditer(r"[^\n\r\u2028\u2029]+", text) for span in _of_line(text, line.start(), line.end())
    ]


def _of_line(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begun = start
    for match in _END.finditer(text, start, end):
        if match.start() >= begun and _ends(text, begun, match, end):
            spans.append((begun, match.end()))
            begun = match.end()
    spans.append((begun, end))
    return [trimmed for span in spans if (trimmed := _trimmed(text, *span))]


def _ends(text: str, begun: int, match: re.Match[str], end: int) -> bool:
    """Whether a sentence ends with the sign that was found."""
    sign = match.group("sign")
    if sign is None:
        return True
    rest = _NEXT_WORD.match(text, match.end(), end)
    following = rest.group(1) if rest else ""
    if not following:
        return True
    if following[0].islower():
        return False
    if sign != ".":
        return True
    return match.group("close") != "" or _full_stop(text[begun : match.start()], following)


def _full_stop(before: str, following: str) -> bool:
    """Whether a single full stop after `before` ends a sentence; `following` does not begin with a small letter."""
    if _ENUMERATOR.match(before):
        return False
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    small = word.casefold().rstrip(".")
    if small in _LEADS_ON and not (small in {"no", "p", "max", "min", "art", "tab"} and not following[0].isdigit()):
        return False
    if small in _MAY_END or _INITIAL.match(word):
        return re.split(r"\W", following.casefold(), maxsplit=1)[0] in _BEGINNERS
    return True


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None

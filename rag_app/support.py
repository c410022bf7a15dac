"""Whether the cited passages say what a sentence says. Pure; words, not understanding.

A sentence is supported when its words stand in the passages it cites and nothing in it contradicts them: every number
with its unit, every code and name must be there, and what is denied must be denied there too. The cross-encoder has no
say: relevance is not entailment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.sentences import sentences
from rag_app.records import Support
from rag_app.words import Facts, covered, facts, found

ENOUGH = 0.7  # share of the content words found for `supported`
SOME = 0.4  # for `partly`
_TAKEN_OVER = 0.75  # share of the words that makes it a sentence taken over with changes
_CLOSE = 0.5  # share of the words that makes a sentence of the passage the one that is meant
_OPPOSITES = {
    one: other
    for pair in """before after|more less|minimum maximum|min max|least most|increase decrease|increases decreases|
    allowed forbidden|allow forbid|always never|above below|include exclude|includes excludes|included excluded|required
    optional|enable disable|enabled disabled|accept reject|accepted rejected|higher lower|open closed|mandatory
    voluntary|buy sell|internal external|paid unpaid|permitted prohibited|start end|early late|longer
    shorter|larger smaller|with without""".split("|")
    for one, other in [pair.split(), pair.split()[::-1]]
}
_REFUSAL = re.compile(
    r"\b(?:passages?|documents?|sources?|texts?|library|they|information)\b.{0,60}"
    r"\b(?:do(?:es)? not|don't|doesn't|is not|isn't|are not|aren't|not|no|cannot)\b"
    r"|\b(?:could not|couldn't|cannot|can't|unable to|did not|didn't) (?:find|answer)\b"
    r"|\b(?:there is no|no) (?:information|mention|answer)\b|\bnothing (?:is|was) (?:said|found)\b"
    r"|\bnot (?:mentioned|stated|specified|given|answered|covered)\b",
    re.IGNORECASE | re.DOTALL,
)
_LEAD_IN_WORDS = 16  # words a lead-in may have


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may support a sentence: a passage and where it stands."""

    text: str
    about: str = ""  # title and heading path; names and words there count as said


def check(sentence: str, cited: Sequence[Evidence]) -> Support:
    """Judge a sentence by the passages it cites."""
    if not cited:
        return Support.SUPPORTED if needs_none(sentence) else Support.UNSUPPORTED
    if any(quoted(sentence, evidence.text) for evidence in cited):
        return Support.SUPPORTED
    said = facts(sentence)
    whole = facts("\n".join(f"{evidence.about}\n{evidence.text}" for evidence in cited))
    read = [_read(evidence) for evidence in cited]
    share = covered(said.words, whole.words)
    near, closeness = _nearest(said, read)
    if share < SOME or _contradicts(said, whole, near):
        return Support.UNSUPPORTED
    about = facts("\n".join(evidence.about for evidence in cited))
    if closeness >= _TAKEN_OVER and ((said.denied and not near.denied) or _exchanged(said, near, about)):
        return Support.UNSUPPORTED
    complete = max(_complete(said, evidence, spans) for evidence, spans in zip(cited, read, strict=True))
    return Support.SUPPORTED if share >= ENOUGH and complete else Support.PARTLY


def _read(evidence: Evidence) -> list[Facts]:
    """Read each sentence of a passage."""
    return [facts(evidence.text[start:end]) for start, end in sentences(evidence.text)]


def needs_none(sentence: str) -> bool:
    """Whether a sentence claims nothing that passages would have to hold: a refusal, or a lead-in ("You can use:")."""
    if _REFUSAL.search(sentence):
        return True
    said = facts(sentence)
    short = len(sentence.split()) <= _LEAD_IN_WORDS
    return sentence.rstrip().endswith(":") and short and not said.numbers and not said.codes


def quoted(sentence: str, passage: str) -> bool:
    """Whether a sentence stands in a passage letter by letter, spaces, case and punctuation aside."""
    letters = _letters(sentence)
    return bool(letters) and letters in _letters(passage)


def _letters(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _contradicts(said: Facts, whole: Facts, near: Facts) -> bool:
    """Whether a number, unit, code or name is missing from the passages, or something is denied on one side only."""
    if not said.numbers <= whole.numbers | {code for code in whole.codes if code.isdigit()}:
        return True
    if _other_unit(said, whole) or any(code not in whole.codes and not found(code, whole.words) for code in said.codes):
        return True
    if not all(found(name, whole.words | whole.codes) or _initials(name, whole) for name in said.names):
        return True
    return _denies(said, near) or _denies(near, said) or _opposes(said, near)


def _other_unit(said: Facts, whole: Facts) -> bool:
    known = {number for number, _ in whole.measures}
    return any(number in known for number, unit in said.measures if (number, unit) not in whole.measures)


def _exchanged(said: Facts, near: Facts, about: Facts) -> bool:
    """Whether a number or name of a sentence taken over was exchanged for one that stands elsewhere in the passages."""
    known = near.words | near.codes | about.words
    strange = [name for name in said.names if not found(name, known) and not _initials(name, near)]
    missing = [name for name in near.names if not found(name, said.words | said.codes)]
    numbers = bool(said.numbers - near.numbers - about.numbers) and bool(near.numbers - said.numbers)
    return numbers or (bool(strange) and bool(missing))


def _initials(name: str, whole: Facts) -> bool:
    return len(name) <= 5 and all(any(word.startswith(letter) for word in whole.names) for letter in name)  # noqa: PLR2004


def _denies(one: Facts, other: Facts) -> bool:
    """Whether `one` denies a word that `other` says without denying anything."""
    return any(found(word, other.words) and not found(word, other.denied) for word in one.denied)


def _opposes(said: Facts, near: Facts) -> bool:
    return any(
        word in said.plain and opposite in near.plain and word not in near.plain and opposite not in said.plain
        for word, opposite in _OPPOSITES.items()
    )


def _nearest(said: Facts, read: Sequence[Sequence[Facts]]) -> tuple[Facts, float]:
    """Find the sentence of the passages that the checked one seems to come from, and the share of its words there."""
    spans = [span for passage in read for span in passage]
    best = max(spans, key=lambda span: covered(said.words, span.words), default=facts(""))
    share = covered(said.words, best.words)
    return (best, share) if share >= _CLOSE else (facts(""), 0.0)


def _complete(said: Facts, evidence: Evidence, spans: Sequence[Facts]) -> bool:
    """Whether names and numbers stand near the words they are said with: two sentences before, one after, or on top."""
    about = facts(evidence.about)
    wanted = said.words | said.numbers
    windows = [spans[max(index - 2, 0) : index + 2] for index in range(len(spans))]
    if not windows:
        return False
    single = [covered(said.words, span.words) for span in spans]
    closest = max(range(len(spans)), key=single.__getitem__)
    shares = [sum(len(wanted & (span.words | span.numbers)) for span in window) for window in windows]
    best = max(range(len(windows)), key=shares.__getitem__)
    near = spans[max(closest - 1, 0) : closest + 1] if single[closest] >= _TAKEN_OVER else windows[best]
    words = about.words.union(*(span.words for span in near))
    numbers = about.numbers.union(*(span.numbers for span in near))
    return said.numbers <= numbers and all(found(name, words) for name in said.names)

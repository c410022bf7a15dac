"""Tell how often the check of a sentence against its passage is right.

python -m benchmarks.support --data DIR makes pairs of a sentence and a passage by rule from the passages of the
development sets: true ones (verbatim, re-worded, shortened) and altered ones (another number, another name, a negation
put in or taken out, another passage), 200 of each, and prints which share of each kind is flagged. A pair counts as
flagged when the check says `partly` or `unsupported`; the second column counts `unsupported` alone. The check was made
while looking at the even passages only; the odd ones tell whether it holds.

The rules know no meaning: where a sentence of an altered pair stays true by chance, it counts against the check.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.sentences import sentences
from rag_app.records import Support
from rag_app.support import Evidence, check
from rag_app.words import FUNCTION_WORDS, NUMBER_WORDS, is_content

SETS = ("squadshifts_new_wiki", "squad2_devhalf", "covid_qa", "policyqa_test", "tatqa_dev_test")
PAIRS = 200  # true ones, and as many altered
VERBATIM, REWORDED, SHORTENED = "verbatim", "re-worded", "shortened"
NUMBER, ENTITY, NEGATION, ELSEWHERE = "number", "entity", "negation", "another passage"
TRUE, ALTERED = (VERBATIM, REWORDED, SHORTENED), (NUMBER, ENTITY, NEGATION, ELSEWHERE)
FEWEST, MOST = 8, 35  # words of a sentence
LONGEST = 2_500  # characters of a passage: what the application's chunks are made of
_WORDINGS = (
    (r"\bapproximately\b", "about"),
    (r"\bhowever, ", ""),
    (r"\bbecause\b", "since"),
    (r"\bin order to\b", "to"),
    (r"\bsuch as\b", "like"),
    (r"\bmany\b", "a lot of"),
    (r"\boften\b", "frequently"),
    (r"\bfor example, ", "for instance, "),
    (r"\balso\b ", ""),
    (r"\bmust\b", "has to"),
    (r"\bbegan\b", "started"),
    (r"\blarge\b", "big"),
    (r"\bhelp\b", "assist"),
    (r"\bobtain\b", "get"),
    (r"\bwe may\b", "we might"),
    (r"\bwhile\b", "whereas"),
    (r"\bwithin\b", "inside"),
    (r"\bbut\b", "yet"),
    (r"\busually\b", "generally"),
    (r"\bprovide\b", "give"),
)
_AUXILIARY = re.compile(r"\b(?:is|are|was|were|can|could|will|would|should|may|must|has been|have been|had)\b")
_DENIED = re.compile(r"\b(is|are|was|were|can|could|will|would|should|may|must|do|does|did|has|have|had) not\b")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?![\w-]|[.,]\d)|(?<![\w.,-])\d{4}(?![\w-]|[.,]\d)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w'-])(?! [A-Z])")


@dataclass(frozen=True, slots=True)
class Source:
    """A passage and the whole sentences in it that say enough to be checked."""

    evidence: Evidence
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, the passage it cites, and how it was made."""

    kind: str
    sentence: str
    evidence: Evidence


def sources(data: Path) -> list[Source]:
    """The passages of all sets, each once, those of one set after those of another."""
    found = []
    for name in SETS:
        with gzip.open(data / "pairs" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        held = {row["passage"]: row.get("title") or "" for row in rows if len(row["passage"]) <= LONGEST}
        found += [Source(Evidence(text, title.replace("_", " ")), _said(text)) for text, title in held.items()]
    return [source for source in found if source.sentences]


def _said(text: str) -> tuple[str, ...]:
    spans = [" ".join(text[start:end].split()) for start, end in sentences(text)]
    return tuple(one for one in spans if FEWEST <= len(one.split()) <= MOST and re.fullmatch(r"[A-Z\"].*[.!]", one))


def pairs(held: Sequence[Source], seed: int, count: int = PAIRS) -> list[Pair]:
    """`count` true and as many altered pairs, each kind alike often, from passages drawn at random."""
    draw = random.Random(seed)
    made: list[Pair] = []
    for kinds in (TRUE, ALTERED):
        for place, kind in enumerate(kinds):
            wanted = count // len(kinds) + (place < count % len(kinds))
            made += _of_kind(kind, held, draw, wanted)
    return made


def _of_kind(kind: str, held: Sequence[Source], draw: random.Random, wanted: int) -> list[Pair]:
    made: list[Pair] = []
    for source in draw.sample(held, len(held)):
        if len(made) == wanted:
            break
        for sentence in draw.sample(source.sentences, len(source.sentences)):
            pair = _pair(kind, sentence, source.evidence, held, draw)
            if pair is not None:
                made.append(pair)
                break
    return made


def _pair(kind: str, sentence: str, own: Evidence, held: Sequence[Source], draw: random.Random) -> Pair | None:
    if kind == ELSEWHERE:
        alike = [one.evidence for one in held if one.evidence.about == own.about and sentence not in one.evidence.text]
        other = draw.choice(alike if alike and draw.random() < 0.5 else [one.evidence for one in held])  # noqa: PLR2004
        return None if " ".join(other.text.split()).find(sentence) >= 0 else Pair(kind, sentence, other)
    if kind == ENTITY:
        names = [name for one in draw.sample(held, 40) for name in _NAME.findall(one.evidence.text)]
        strange = [name for name in names if name.casefold() not in f"{own.about} {own.text}".casefold()]
        near = [name for name in _NAME.findall(own.text) if name not in sentence]
        strange = near if near and draw.random() < 0.5 else strange  # noqa: PLR2004 - half from the same passage
        changed = _replaced(sentence, _NAME, draw.choice(strange), draw) if strange else None
    else:
        changed = _CHANGES[kind](sentence, draw)
        near = [number for number in _NUMBER.findall(own.text) if number not in sentence]
        if kind == NUMBER and near and draw.random() < 0.5:  # noqa: PLR2004 - half from the same passage
            changed = _replaced(sentence, _NUMBER, draw.choice(near), draw)
    if changed is None or (changed == sentence and kind != VERBATIM):
        return None
    if kind in {NUMBER, ENTITY, NEGATION} and draw.random() < 0.5:  # noqa: PLR2004 - half of them in other words too
        changed = _reworded(changed, draw) or changed
    return Pair(kind, changed, own)


def _verbatim(sentence: str, _: random.Random) -> str:
    return sentence


def _reworded(sentence: str, draw: random.Random) -> str | None:
    """Other words for the same, and at times the first part of the sentence set last."""
    said = sentence
    for pattern, other in _WORDINGS:
        said = re.sub(pattern, other, said, count=1, flags=re.IGNORECASE)
    opening = re.match(r"((?:In|On|At|During|After|Before|By|Since|For) [^,]{3,40}), (.+)\.$", said)
    if opening:
        said = f"{opening[2]} {opening[1][0].lower()}{opening[1][1:]}."
    if said == sentence and draw.random() < 0.5:  # noqa: PLR2004
        plain = said.split()[0].lower() in FUNCTION_WORDS
        return f"According to the document, {said[0].lower() if plain else said[0]}{said[1:]}"
    return None if said == sentence else said[0].upper() + said[1:]


def _shortened(sentence: str, _: random.Random) -> str | None:
    """Without what stands in brackets, behind "which", or behind the last comma."""
    for pattern in (
        r" \([^()]+\)",
        r", (?:which|who|where)\b[^,]*(?=\.$)",
        r", (?:and|but|while|although) [^,]+(?=\.$)",
        r"^(?:In|On|At|After) [^,]{3,30}, ",
    ):
        said = re.sub(pattern, "", sentence, count=1)
        if said != sentence and len(said.split()) >= FEWEST - 2:
            return said[0].upper() + said[1:]
    return None


def _other_number(sentence: str, draw: random.Random) -> str | None:
    found = list(_NUMBER.finditer(sentence))
    words = [
        match
        for match in re.finditer(r"\b[a-z]+\b", sentence)
        if match.group() in NUMBER_WORDS and match.group() not in {"one", "zero"}
    ]
    if not found and not words:
        return None
    match = draw.choice(found or words)
    if not found:
        other = draw.choice(
            [word for word in NUMBER_WORDS if word not in {match.group(), "one", "zero"} and word not in sentence]
        )
    else:
        value = match.group()
        digit = draw.choice([place for place, letter in enumerate(value) if letter.isdigit()])
        other = value[:digit] + draw.choice([d for d in "123456789" if d != value[digit]]) + value[digit + 1 :]
    return sentence[: match.start()] + other + sentence[match.end() :]


def _negated(sentence: str, draw: random.Random) -> str | None:
    denied = _DENIED.search(sentence)
    if denied:
        return sentence[: denied.end(1)] + sentence[denied.end() :]
    found = list(_AUXILIARY.finditer(sentence))
    if not found or re.search(r"\b(?:not|no|never|n't|without)\b|n't", sentence):
        return None
    match = draw.choice(found)
    first = match.group().split()[0]
    rest = match.group()[len(first) :]
    return f"{sentence[: match.start()]}{first} not{rest}{sentence[match.end() :]}"


def _replaced(sentence: str, pattern: re.Pattern[str], other: str, draw: random.Random) -> str | None:
    found = [
        match
        for match in pattern.finditer(sentence)
        if match.group()[0].isdigit() or is_content(match.group().casefold())
    ]
    if not found:
        return None
    match = draw.choice(found)
    return sentence[: match.start()] + other + sentence[match.end() :]


_CHANGES: dict[str, Callable[[str, random.Random], str | None]] = {
    VERBATIM: _verbatim,
    REWORDED: _reworded,
    SHORTENED: _shortened,
    NUMBER: _other_number,
    NEGATION: _negated,
}


def table(made: Sequence[Pair], found: Sequence[Support]) -> str:
    """The share flagged of each kind, and of all true and all altered ones."""
    lines = [f"{'':<18}{'pairs':>6}{'flagged':>9}{'unsupported':>13}"]
    for name, kinds in [*((kind, (kind,)) for kind in (*TRUE, *ALTERED)), ("true", TRUE), ("altered", ALTERED)]:
        own = [support for pair, support in zip(made, found, strict=True) if pair.kind in kinds]
        if not own:
            continue
        flagged = sum(support is not Support.SUPPORTED for support in own)
        lines.append(
            f"{name:<18}{len(own):>6}{flagged / len(own):>9.1%}{own.count(Support.UNSUPPORTED) / len(own):>13.1%}"
        )
    return "\n".join(lines)


def wrong(made: Sequence[Pair], found: Sequence[Support]) -> str:
    """The pairs that were judged wrong."""
    return "\n".join(
        f"[{pair.kind}: {support}] {pair.sentence}\n    {' '.join(pair.evidence.text.split())}"
        for pair, support in zip(made, found, strict=True)
        if (support is Support.SUPPORTED) is (pair.kind in ALTERED)
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/")
    parser.add_argument("--seed", type=int, default=0, help="decides which pairs are made")
    parser.add_argument("--wrong", action="store_true", help="list the pairs of even passages that are judged wrong")
    arguments = parser.parse_args()
    held = sources(arguments.data)
    for name, part in (("even", held[::2]), ("odd", held[1::2])):
        made = pairs(part, arguments.seed)
        found = [check(pair.sentence, [pair.evidence]) for pair in made]
        print(f"{name} passages\n{table(made, found)}\n")
        if arguments.wrong and name == "even":
            print(wrong(made, found))


if __name__ == "__main__":
    main()

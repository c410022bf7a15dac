"""The pairs of question and passage that the shipped model may be trained on.

Left out, so that figures on them mean something: squadshifts_new_wiki, squad2_devhalf, squad2_otherhalf_noanswers,
nqg_*, covid_qa, policyqa_test, qed_dev, tatqa_dev_test. Left out for their licence: sciqag_qa, wikiqa_*, trecqa_*.
"""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

from ingest.errors import RagError
from rag_app.train.groups import Example

# file -> questions taken at most. What is alike (many questions of few passages, tales) is taken in part.
SOURCES = {
    "squadshifts_amazon_reviews": 10_000,
    "squadshifts_reddit": 10_000,
    "medquad": 7_000,
    "fairytaleqa": 3_500,
    "uda_nq": 2_500,
    "condaqa_negation": 2_400,
    "medical_questionDoctor": 1_500,
    "policyqa_dev": 3_800,
    "pubmedqa_labeled": 1_000,
    "medical_icliniq": 500,
    "medical_ehealthforum": 200,
}
UNTITLED = {"squadshifts_amazon_reviews", "squadshifts_reddit"}  # their titles are names of files
CLAIMS = "pubmedqa_labeled"  # its answers are the conclusions of the abstracts: statements to be found


class TrainingDataError(RagError):
    """What should be trained on cannot be read."""

    kind = "training_data"


def examples(folder: Path, seed: int) -> dict[str, list[Example]]:
    """By source the pairs to train on, in a seeded order. Raises TrainingDataError for a missing or broken file."""
    found = {}
    for source, most in SOURCES.items():
        kept = [_example(source, row) for row in _rows(folder / f"{source}.jsonl.gz") if row.get("label", 1) == 1]
        Random(f"{seed} {source}").shuffle(kept)  # noqa: S311 - no secret
        if source == "condaqa_negation":  # one question has up to five versions of its passage
            kept = list({example.question: example for example in kept}.values())
        found[source] = kept[:most]
    return found


def claims(folder: Path) -> list[Example]:
    """The conclusions of abstracts, each with the abstract it belongs to."""
    rows = [row for row in _rows(folder / f"{CLAIMS}.jsonl.gz") if row.get("answer")]
    return [
        Example(f"{CLAIMS} claims", _plain(row["answer"].partition(". ")[2]), "", _plain(row["passage"]))
        for row in rows
        if row["answer"].partition(". ")[2]
    ]


def _example(source: str, row: dict[str, Any]) -> Example:
    passage, answer = row["passage"], row.get("answer") or ""
    title = "" if source in UNTITLED else (row.get("title") or "")
    plain = _plain(passage)
    span = None
    if row.get("start") is not None and answer:
        start = len(_plain(passage[: row["start"]] + "x")) - 1
        if plain[start:].startswith(_plain(answer)[:20]):
            span = (start, start + len(_plain(answer)))
    elif answer and (start := plain.lower().find(_plain(answer).lower())) >= 0:
        span = (start, start + len(_plain(answer)))
    return Example(source, _plain(row["question"]), title.replace("_", " "), plain, span)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except (OSError, ValueError, EOFError) as error:
        raise TrainingDataError(
            f"{file} cannot be read ({error}). --data must name the folder with pairs/, as docs/training.md says."
        ) from error

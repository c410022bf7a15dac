"""What evaluations found, kept in the home as one small file each, so that the next can be compared with them."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.errors import DatasetError
from ingest.home import flush
from rag_app.evaluate.metrics import first_right, hit
from rag_app.evaluate.records import BASES, HYBRID, RERANKED, Outcome, Run
from rag_app.evaluate.report import rank_counts
from rag_app.evaluate.summary import Summary, as_json

FOLDER = "evaluations"  # in a home
READ = 100  # the newest that are read
STAGE = HYBRID + RERANKED  # what the application does with a question
FAILED = 50  # questions kept that failed
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_NEEDED = ("made", "dataset", "questions", "stages", "ranks", "failed", "settings")


def keep(home: Path, run: Run, figures: Summary, made: datetime, settings: Mapping[str, int]) -> Path:
    """Write the result of a run into the home and return its file. Raises DatasetError where that cannot be done."""
    name = _NOT_IN_NAMES.sub("-", run.dataset.name).strip("-")[:40] or "set"
    file = home / FOLDER / f"{made:%Y%m%dT%H%M%S}-{name}.json"
    values = {**as_json(run, figures), **_more(run), "made": made.isoformat(), "settings": dict(settings)}
    unfinished = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        flush(unfinished)
        unfinished.replace(file)
    except OSError as error:
        raise DatasetError(
            f"The figures above could not be kept in {file.parent} ({error.strerror}). Make room there."
        ) from error
    return file


def kept(home: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The newest results, newest first, each with its file's `name`; and a sentence for each that cannot be read."""
    results, faults = [], []
    for file in sorted((home / FOLDER).glob("*.json"), reverse=True)[:READ]:
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            lacking = [name for name in _NEEDED if name not in values]
        except (OSError, ValueError, TypeError) as error:
            faults.append(f"{file.name} cannot be read ({error}). Delete it, and run `rag evaluate` again.")
            continue
        if lacking:
            faults.append(f"{file.name} has no {lacking[0]}. Delete it, and run `rag evaluate` again.")
        else:
            results.append({**values, "name": file.stem})
    return results, faults


def _more(run: Run) -> dict[str, Any]:
    """What the pages show beyond the figures: where right passages stood, and the questions that failed."""
    failed = [outcome for outcome in run.outcomes if not hit(outcome.rankings[STAGE].gains)]
    return {
        "ranks": {
            base: {
                "before": rank_counts(run.outcomes, base),
                "after": rank_counts(run.outcomes, base + RERANKED),
            }
            for base in BASES
        },
        "failed": len(failed),
        "failures": [_failure(outcome) for outcome in failed[:FAILED]],
    }


def _failure(outcome: Outcome) -> dict[str, Any]:
    return {
        "question": outcome.question.text,
        "right": [{"document": target.document, "page": target.page} for target in outcome.question.targets],
        "found": [{**asdict(one), "relevance": one.relevance and round(one.relevance, 4)} for one in outcome.first],
        "rank": first_right(outcome.rankings[STAGE].gains),
    }

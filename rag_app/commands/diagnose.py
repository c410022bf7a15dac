"""rag diagnose: which symptom the questions of a data set have, and what to try."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.terminal import printable
from rag_app.commands.evaluate import add_sampling
from rag_app.settings import Settings

if TYPE_CHECKING:
    from rag_app.evaluate.diagnose import Diagnosis


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "dataset",
        type=Path,
        help="a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv), or a folder with questions.jsonl beside its PDFs",
    )
    add_sampling(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Diagnose a data set; the library is neither read nor written. 1 where one of its PDFs was refused."""
    from rag_app.evaluate.diagnose import diagnosis
    from rag_app.evaluate.folder import evaluate_folder
    from rag_app.evaluate.run import Plan

    plan = Plan(
        candidates=settings.candidates,
        shown=settings.passages,
        limit=arguments.limit,
        seed=arguments.seed,
        page_tolerance=arguments.page_tolerance,
    )
    finished = evaluate_folder(arguments.dataset, settings, plan, answers=True)
    found = diagnosis(finished, settings.passages)
    sys.stdout.write(json.dumps(as_json(found), ensure_ascii=False) + "\n" if arguments.json else written(found))
    return 1 if finished.dataset.unreadable else 0


def as_json(found: "Diagnosis") -> dict[str, object]:
    """What `--json` prints."""
    from rag_app.evaluate.diagnose import SYMPTOMS

    return {
        "questions": found.questions,
        "well": found.well,
        "symptoms": [
            {"symptom": name, "means": SYMPTOMS[name][0], "try": SYMPTOMS[name][1], "count": len(own), "questions": own}
            for name, own in found.symptoms.items()
        ],
    }


def written(found: "Diagnosis") -> str:
    """The symptoms for a terminal, each with what to try and its questions."""
    from rag_app.evaluate.diagnose import SYMPTOMS

    lines = [f"{found.well} of {found.questions} questions are answered from the right page."]
    for name, own in found.symptoms.items():
        means, attempt = SYMPTOMS[name]
        lines += ["", f"{len(own)}: {means}", f"   {attempt}", *(f"   - {printable(text)}" for text in own)]
    return "\n".join([*lines, ""])

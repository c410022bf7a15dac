"""rag evaluate: how well the right passage is found, with and without reranking."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import DatasetError
from ingest.terminal import printable
from rag_app.settings import Settings

if TYPE_CHECKING:
    from rag_app.evaluate.records import Run
    from rag_app.evaluate.summary import Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "dataset",
        type=Path,
        help="a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv), or a folder with questions.jsonl beside its PDFs",
    )
    add_sampling(parser)
    parser.add_argument(
        "--answers", action="store_true", help="also answer the questions, and measure what is said and cited"
    )
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with plots, for a browser")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which questions are asked, and how near a right page must be."""
    parser.add_argument("--limit", type=_positive, metavar="N", help="ask only N questions, drawn at random")
    parser.add_argument("--seed", type=_counted, default=0, metavar="S", help="decides what is drawn (default 0)")
    parser.add_argument(
        "--page-tolerance", type=_counted, default=0, metavar="N", help="take a page for right that is N pages away"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Evaluate a data set; the library is neither read nor written. 1 where one of its PDFs was refused."""
    from rag_app.evaluate.folder import evaluate_folder
    from rag_app.evaluate.results import keep
    from rag_app.evaluate.run import Plan
    from rag_app.evaluate.summary import as_json, summary

    if arguments.report is not None and not arguments.report.absolute().parent.is_dir():
        raise DatasetError(f"There is no folder {arguments.report.parent} to write the report to. Make it first.")
    plan = Plan(
        candidates=settings.candidates,
        shown=settings.passages,
        limit=arguments.limit,
        seed=arguments.seed,
        page_tolerance=arguments.page_tolerance,
    )
    finished = evaluate_folder(arguments.dataset, settings, plan, answers=arguments.answers)
    figures = summary(finished)
    if arguments.report is not None:
        _write_report(arguments.report, finished, figures)
    if arguments.json:
        sys.stdout.write(json.dumps(as_json(finished, figures), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(written(figures, len(finished.outcomes)))
    shown = {"candidates": plan.candidates, "passages": plan.shown}
    keep(settings.ingest.home, finished, figures, datetime.now(UTC), shown)  # the Quality page shows it
    return 1 if finished.dataset.unreadable else 0


def _write_report(file: Path, finished: "Run", figures: "Summary") -> None:
    from rag_app.evaluate.report import report

    made = datetime.now().astimezone().isoformat(" ", timespec="minutes")
    try:
        file.write_text(report(finished, figures, made), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{file} cannot be written ({error.strerror}). Name another file with --report.") from error
    sys.stderr.write(f"The report is in {printable(str(file))}.\n")


def written(figures: "Summary", questions: int) -> str:
    """The figures as a table for a terminal."""
    from rag_app.evaluate.metrics import METRICS

    lines = [f"{questions} questions; 95 % intervals", "", _row("", METRICS)]
    for stage, own in figures.stages.items():
        cells = [f"{own[name].mean:.3f} [{own[name].low:.3f}, {own[name].high:.3f}]" for name in METRICS]
        lines.append(_row(stage, cells) + f"{figures.ms[stage]:9.1f} ms")
    lines += ["", "What reranking adds, question by question"]
    for base, own in figures.lifts.items():
        cells = [f"{own[name].mean:+.3f} [{own[name].low:+.3f}, {own[name].high:+.3f}]" for name in METRICS]
        lines.append(_row(base, cells))
    lines += ["", "Where it adds: ndcg@10 of dense, and reranked", *_split(figures)]
    return "\n".join([*lines, *_answers(figures), ""])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<16}" + "".join(f"{cell:>24}" for cell in cells)


def _split(figures: "Summary") -> list[str]:
    """A line for each group of questions, by what dense retrieval alone made of them."""
    from rag_app.evaluate.metrics import NDCG
    from rag_app.evaluate.records import DENSE, RERANKED

    lines = []
    for group, (count, stages) in figures.groups.items():
        change = f"{stages[DENSE][NDCG]:8.3f} {stages[DENSE + RERANKED][NDCG]:8.3f}" if stages else ""
        lines.append(f"dense {group.replace('_', ' '):<12} {count:6} questions {change}".rstrip())
    return lines


def _answers(figures: "Summary") -> list[str]:
    """What was answered, a line for each figure that this set can tell."""
    from rag_app.evaluate.answers import NAMES

    own = figures.answers
    if own is None:
        return []
    speaker = f"written by {own.model}" if own.model else "quoted"
    asked = f"{own.answerable} answerable and {own.unanswerable} unanswerable questions"
    fell_back = f"; {own.fell_back} quoted because the model failed" if own.fell_back else ""
    rows = [
        f"{NAMES[name]:<44}{share.value:7.3f} [{share.low:.3f}, {share.high:.3f}] of {share.of:,.0f}"
        for name, share in own.shares.items()
    ]
    return ["", f"Answers, {speaker}, to {asked}{fell_back}", *rows]


def _counted(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value

"""rag report: what came of questions, by week and space."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ingest.build import open_library
from ingest.errors import SettingsError
from ingest.terminal import printable
from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.settings import Settings
from rag_app.team.approved import Approved
from rag_app.team.report import WEEKS, WEEKS_MOST, Ledger, Report, Reports, Week, to_look_at
from rag_app.web.report_html import report_csv, space_words

_SHOWN = 10  # gaps and documents told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--weeks", type=int, default=WEEKS, metavar="N", help=f"how many, with this one ({WEEKS})")
    parser.add_argument("--space", default="", help="one space only; without it all of them")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write everything into a file for spreadsheets")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Tell or write the report. Raises SettingsError."""
    if not 1 <= arguments.weeks <= WEEKS_MOST:
        raise SettingsError(f"--weeks must be between 1 and {WEEKS_MOST}.")
    library = open_library(settings.ingest)
    with closing(AppDatabase(library.home.app_db)) as database:
        # Whoever runs commands on the server may read its files anyway.
        stale = to_look_at(Approved(database), library.documents)
        report = Reports(Ledger(database), library.documents, stale).made(Who(""), arguments.weeks, arguments.space)
    if arguments.space and report.shown != (arguments.space,):
        known = ", ".join(printable(name) for name in report.spaces if name) or "none yet"
        raise SettingsError(f"There is no space called {printable(arguments.space)}. There are: {known}.")
    if arguments.csv is not None:
        write(arguments.csv, report_csv(report))
    else:
        sys.stdout.write(_told(report))
    return 0


def write(path: Path, text: str) -> None:
    """Write a table to a file. Raises SettingsError where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as failure:
        raise SettingsError(f"{path} cannot be written: {failure.strerror}. Name another file.") from failure
    sys.stderr.write(f"Written to {path}.\n")


def _told(report: Report) -> str:
    lines = ["week        questions  answered  not answered  good  poor  first words  space"]
    lines += [_week(week) for week in report.by_space]
    if not report.by_space:
        lines = ["Nothing was asked in these weeks."]
    lines += _section(
        "Questions without an answer", [f"{one.times} x {printable(one.question)}" for one in report.gaps]
    )
    cited = [f"{one.answers} x {printable(one.title)}" for one in report.documents if one.answers]
    never = [printable(one.title) for one in report.documents if not one.answers]
    lines += _section("Most cited", cited) + _section("Never cited", never)
    lines += _section("Approved answers to look at", [f"{printable(one.question)}: {one.why}" for one in report.stale])
    return "\n".join(lines) + "\n"


def _week(week: Week) -> str:
    words = "-" if week.first_words is None else f"{week.first_words / 1000:.1f} s"
    counts = f"{week.questions:>9}  {week.answered:>8}  {week.abstained:>12}  {week.good:>4}  {week.poor:>4}"
    return f"{week.begins}  {counts}  {words:>11}  {printable(space_words(week.space))}"


def _section(title: str, items: Sequence[str]) -> list[str]:
    more = [f"  and {len(items) - _SHOWN} more; --csv FILE has all"] if len(items) > _SHOWN else []
    return ["", f"{title} ({len(items)})", *(f"  {item}" for item in items[:_SHOWN]), *more] if items else []

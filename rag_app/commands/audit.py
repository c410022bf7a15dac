"""rag audit: sign-ins, uploads, deletions, approvals and changes of roles, newest first."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from ingest.build import open_library
from ingest.terminal import printable
from rag_app.app_database import AppDatabase
from rag_app.commands.report import write
from rag_app.settings import Settings
from rag_app.team.audit import KEPT, Audit, Entry
from rag_app.team.spreadsheet import as_csv

LIMIT = 50
COLUMNS = ("at", "who", "id", "act", "subject", "detail")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--limit", type=int, metavar="N", help=f"how many entries ({LIMIT}; into a file all of them)")
    parser.add_argument("--act", default="", help="of one kind only, as the third column names it")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the entries into a file for spreadsheets")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """List what was done, or write it into a file. Raises SettingsError."""
    limit = arguments.limit or (LIMIT if arguments.csv is None else KEPT)
    with closing(AppDatabase(open_library(settings.ingest).home.app_db)) as database:
        entries = Audit(database).listed(limit=limit, act=arguments.act)
    if arguments.csv is not None:
        rows = [(one.at, one.name, one.person, one.act, one.subject, one.detail) for one in entries]
        write(arguments.csv, as_csv(COLUMNS, rows))
    else:
        sys.stdout.write("".join(map(_line, entries)) or "Nothing was done yet that is kept here.\n")
    return 0


def _line(entry: Entry) -> str:
    detail = f" ({printable(entry.detail)})" if entry.detail else ""
    who = printable(entry.name) or entry.person[:8]
    return f"{entry.at}  {who:<20}  {entry.act:<16}  {printable(entry.subject)}{detail}\n"

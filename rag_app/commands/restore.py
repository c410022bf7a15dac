"""rag restore: fill an empty RAG_HOME from a backup."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ingest import backup
from ingest.home import Home
from ingest.terminal import printable
from rag_app.app_database import VERSIONS
from rag_app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup that `rag backup` made")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore a backup whose every bit is right."""
    home = Home(settings.ingest.home)
    found = backup.restore(home, arguments.file, {home.app_db.name: len(VERSIONS)})
    if arguments.json:
        sys.stdout.write(json.dumps({"home": str(home.folder), **asdict(found)}) + "\n")
    else:
        sys.stdout.write(
            f"Restored into {printable(str(home.folder))}: {found.documents} documents, {found.passages} passages, as "
            f"they were at {found.made}. Questions work now; the next `rag serve` builds the search index.\n"
        )
    return 0

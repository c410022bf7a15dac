"""rag backup: one file that holds the library, the conversations and the originals."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ingest import backup
from ingest.build import open_library
from ingest.terminal import printable
from rag_app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup to make, outside of RAG_HOME")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make a backup, also of a home that is being served; 1 where an original was harmed already."""
    made = backup.write(open_library(settings.ingest).home, arguments.file)
    if arguments.json:
        sys.stdout.write(json.dumps({"file": str(arguments.file), **asdict(made)}) + "\n")
    else:
        sys.stdout.write(
            f"{printable(str(arguments.file))}: {made.documents} documents, {made.passages} passages, "
            f"{made.size / 1e6:.1f} MB, read back and whole. The search index is left out; it is rebuilt.\n"
        )
    if made.harmed:
        sys.stderr.write(
            f"{len(made.harmed)} originals are missing or damaged and so they are in the backup. `rag verify` names "
            "their documents.\n"
        )
    return 1 if made.harmed else 0

"""rag ingest: what `python -m ingest` does."""

import argparse

from ingest import command
from rag_app.settings import Settings

add_arguments = command.add_arguments


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Add files to the library."""
    return command.run(arguments, settings.ingest)

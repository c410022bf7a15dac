"""python -m ingest PATH... does what `rag ingest` does."""

import argparse
import logging
import os
import sys

from ingest import command
from ingest.errors import RagError
from ingest.settings import Settings, from_env
from ingest.terminal import failed


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m ingest", description="Add PDF files to the library.")
    command.add_arguments(parser)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return command.run(arguments, from_env(Settings, os.environ))
    except RagError as error:
        return failed(error, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())

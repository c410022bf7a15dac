"""rag rebuild: passages cut or embedded anew, beside those that answer meanwhile."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ingest.build import engines_of, open_library
from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.errors import HomeBusy, LibraryError
from ingest.home import OwnerLock
from ingest.index.generation import Index
from ingest.library import Library
from ingest.library.renewal import Renewal
from ingest.rebuilding import Rebuilding, Rebuilt
from ingest.terminal import printable
from rag_app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--model", metavar="NAME", help="embed with this model from now on: a folder or a hub name")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Rebuild what is out of date, or everything with another model; 1 where a document could not be read again."""
    library = open_library(settings.ingest)
    embedder = Embedder(arguments.model or settings.ingest.embedder, Compute(), engines_of(settings.ingest))
    if arguments.model is None:
        library.claim_embedder(embedder.name)
    else:
        folder = Path(arguments.model)
        Renewal(library).announce(embedder.name, str(folder.resolve()) if folder.is_dir() else arguments.model)
    rebuilt = Rebuilding(library, embedder, settings.ingest, _tell).run()
    owner = _index(library, embedder.name)
    if arguments.json:
        sys.stdout.write(json.dumps({**asdict(rebuilt), "index": "built" if owner is None else "old"}) + "\n")
    else:
        sys.stdout.write(_text(rebuilt, arguments.model, owner))
    return 1 if rebuilt.refused else 0


def _index(library: Library, embedder: str) -> int | None:
    """Build the index and drop other vectors, where no process owns the home; else its process id."""
    try:
        with OwnerLock(library.home).acquire():
            Renewal(library).drop_other_vectors()
            index = Index(library, embedder)
            built = index.rebuild()
            index.close()
    except HomeBusy as busy:
        return busy.pid or 0
    if not built:
        raise LibraryError("Everything was made anew but the search index. See above; the next `rag serve` builds it.")
    return None


def _text(rebuilt: Rebuilt, model: str | None, owner: int | None) -> str:
    lines = [f"{rebuilt.embedded} passages embedded with {rebuilt.embedder}, {rebuilt.recut} documents cut anew."]
    if rebuilt.refused:
        lines.append(f"{len(rebuilt.refused)} could not be read again and stay as they were.")
    if model is not None:
        lines.append(f"Set RAG_EMBEDDER={model} from now on.")
    if owner is not None and model is not None:
        lines.append(
            f"The process that owns this library (pid {owner}) answers with the old vectors until it is started again "
            "with that setting, and embeds what is added meanwhile with both models. Run `rag rebuild` once more "
            "without a server to free the room of the old ones."
        )
    return "\n".join(printable(line) for line in lines) + "\n"


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{printable(sentence)}\n")

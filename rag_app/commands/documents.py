"""rag documents: what the library holds."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from ingest.build import open_library
from ingest.errors import LibraryError
from ingest.terminal import printable
from rag_app.as_json import of_document
from rag_app.purge import Receipt, purge
from rag_app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="list all documents (the default)")
    removing = actions.add_parser("remove", help="take a document out of the library, with its passages and original")
    removing.add_argument("id", help="the document's id, as `rag documents` shows it")
    removing.add_argument(
        "--purge",
        action="store_true",
        help="leave no byte of it: also blank its quotes in stored answers, rebuild the index, compact the databases",
    )
    for parser_of_action in (listing, removing):
        # The same flag after the action; without a default, so that one before it is kept.
        parser_of_action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """List documents, or remove one."""
    library = open_library(settings.ingest)
    if arguments.action == "remove" and arguments.purge:
        receipt = purge(library, arguments.id)
        told: dict[str, Any] = {"purged": asdict(receipt)}
        text = as_text(receipt)
    elif arguments.action == "remove":
        removed = library.remove(arguments.id)
        if removed is None:
            raise LibraryError(
                f"There is no document {printable(arguments.id)}. `rag documents` lists them with their ids."
            )
        told = {"removed": of_document(removed)}
        text = (
            f"{printable(removed.title)} is removed: original, {removed.chunks} passages, {removed.chunks} vectors.\n"
        )
    else:
        documents = library.documents()
        told = {"documents": [of_document(document) for document in documents]}
        text = (
            "".join(
                f"{document.id}  {document.pages:>5} pages  {document.chunks:>6} passages  "
                f"{printable(document.space)}: {printable(document.title)}\n"
                for document in documents
            )
            or "No documents. Add some with `rag ingest PATH`.\n"
        )
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if arguments.json else text)
    return 0


def as_text(receipt: Receipt) -> str:
    """What a purge did and did not reach, in lines."""
    deleted = f"the original, {receipt.passages} passages and vectors, the old search index, what evaluations computed"
    blanked = f"{receipt.answers} stored answers, {receipt.results} results of evaluations"
    lines = [
        f"Removed for good at {receipt.at}: {printable(receipt.title) or 'document'} ({receipt.document_id}).",
        f"Deleted: {deleted}. Blanked: {blanked}. Both databases were written anew.",
    ]
    lines += [f"The same file stays as another document in the space {printable(one)}." for one in receipt.also_in]
    lines += ["Not reached:", *(f"  - {one}" for one in receipt.not_reached)]
    return "\n".join(lines) + "\n"

"""rag models: the rerankers to choose from."""

import argparse
import json
import sys
from dataclasses import asdict

from ingest.embedding import on_this_machine
from rag_app.rerank.catalogue import ENTRIES, Entry, Place
from rag_app.rerank.store import Store
from rag_app.settings import Settings

HEADINGS = ("RAG_RERANKER", "size", "languages", "licence", "needs", "window", "score", "here")
NOTE = """
* in use. `window`: tokens of question and passage that are read together; what is longer is cut. `score`: what it
ranks by. `here`: the weights are on this machine; a hub model that is not is downloaded at the first start, and
`rag doctor` tells whether the chosen one works. Any other sentence-transformers cross-encoder can be named as well,
by its folder or hub name. For `tei`, `infinity`, `vllm` and `llamacpp` set RAG_RERANKER_URL to the server's address.
To a hosted reranker or a server go the question and the passages found for it. Jina's open weights need code of their
own, which is never run here, so they are used through Jina's service.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """List the field's rerankers."""
    here = {entry.name: _here(entry) for entry in ENTRIES}
    store = Store(settings.ingest.home)
    live = store.live()
    if arguments.json:
        rows = [{**asdict(entry), "here": here[entry.name]} for entry in ENTRIES]
        own = {"trained": store.names(), "live": live.name, "fault": live.fault or None}
        sys.stdout.write(json.dumps({"chosen": settings.reranker, "rerankers": rows, **own}) + "\n")
        return 0
    table = [HEADINGS, *(_row(entry, settings.reranker, here=here[entry.name]) for entry in ENTRIES)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.write(NOTE)
    if store.names():
        sys.stdout.write(f"Trained here: {', '.join(store.names())}. In the place of the bundled one: {live.name}.\n")
    if live.fault:
        sys.stdout.write(f"{live.fault}\n")
    return 0


def _here(entry: Entry) -> bool | None:
    """Whether the weights are on this machine; None for those that never are."""
    if entry.place is Place.HUB:
        return on_this_machine(entry.name)
    return True if entry.place is Place.BUNDLED else None


def _row(entry: Entry, chosen: str, *, here: bool | None) -> tuple[str, ...]:
    mark = " *" if entry.name == chosen else ""
    told = {True: "yes", False: "no", None: "-"}[here]
    window = f"{entry.window:,}" if entry.window else "-"
    return (
        entry.name + mark, entry.size, entry.languages, entry.licence, entry.needs, window, entry.scale or "-", told
    )  # fmt: skip

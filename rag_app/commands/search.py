"""rag search: the candidates for a question, without an answer."""

import argparse
import json
import sys

from ingest.terminal import printable
from rag_app.as_json import of_hit
from rag_app.records import Hit
from rag_app.settings import Settings

_TEXT = 100  # characters of a passage shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("question", help="the question, in quotation marks")
    parser.add_argument("--space", action="append", help="search only this space; may be given several times")
    parser.add_argument("--no-rerank", action="store_true", help="keep the order retrieval gave")
    parser.add_argument("--limit", type=int, default=10, help="passages shown (default 10; --json shows all)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Show the candidates."""
    from rag_app.build import build

    pipeline = build(settings).pipeline
    answer = pipeline.search(arguments.question, spaces=arguments.space, rerank=not arguments.no_rerank)
    if arguments.json:
        sys.stdout.write(json.dumps({"hits": [of_hit(hit) for hit in answer.hits]}, ensure_ascii=False) + "\n")
    else:
        if answer.notice:
            sys.stdout.write(answer.notice + "\n")
        sys.stdout.writelines(_row(hit) for hit in answer.hits[: arguments.limit])
    return 0


def _row(hit: Hit) -> str:
    ranks = f"dense {hit.dense_rank or '-':>3}  words {hit.lexical_rank or '-':>3}"
    relevance = "    " if hit.relevance is None else f"{hit.relevance:.2f}"
    place = f"{printable(hit.document.title)}, page {printable(hit.chunk.label)}"
    text = printable(" ".join(hit.chunk.text.split()))[:_TEXT]
    return f"{hit.rerank_rank or '-':>3}  relevance {relevance}  {ranks}  {place}\n     {text}…\n"

"""rag ask: one question, one answer."""

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING

from ingest.terminal import printable
from rag_app.as_json import of_answer, plain
from rag_app.records import Answer, Mode, Stage, Support
from rag_app.settings import Settings

if TYPE_CHECKING:
    from rag_app.pipeline import Pipeline

TOLD = {
    Stage.REWRITING: "Reading the question",
    Stage.SEARCHING: "Searching {passages:,} passages",
    Stage.RERANKING: "Reading the best {hits}",
    Stage.WRITING: "Writing",
    Stage.CHECKING: "Checking each sentence",
}
ABSTAINED = "The documents do not seem to answer this. The nearest passages:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("question", help="the question, in quotation marks")
    parser.add_argument("--space", action="append", help="search only this space; may be given several times")
    parser.add_argument("--no-rerank", action="store_true", help="keep the order retrieval gave")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, progress on stderr")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer the question; abstaining is an answer too."""
    from rag_app.build import build

    application = build(settings)
    answer = asyncio.run(_last(application.pipeline, arguments))
    if arguments.json:
        sys.stdout.write(json.dumps(of_answer(answer), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(written(answer))
    return 0


async def _last(pipeline: "Pipeline", arguments: argparse.Namespace) -> Answer:
    told = ""
    async for answer in pipeline.ask(arguments.question, spaces=arguments.space, rerank=not arguments.no_rerank):
        now = TOLD.get(answer.stage, "").format(passages=answer.passages_searched, hits=len(answer.hits))
        if now and now != told:
            told = now
            sys.stderr.write(now + "\n")
    return answer


def written(answer: Answer) -> str:
    """An answer for a terminal."""
    lines = [printable(answer.notice), ""] if answer.notice else []
    if answer.text:
        lines += [_plain(plain(answer)), ""]
    elif answer.abstained:
        lines += [ABSTAINED, ""]
    doubtful = [sentence for sentence in answer.sentences if sentence.support != Support.SUPPORTED]
    lines += [f"({sentence.support} by the sources: {_plain(sentence.text)})" for sentence in doubtful]
    if answer.citations:
        lines += [
            f"[{source.marker}] {printable(source.title)}, page {printable(source.label)}: “{_plain(source.quote)}”"
            for source in answer.citations
        ]
    else:
        lines += [
            f"  - {printable(hit.document.title)}, page {printable(hit.chunk.label)}: {_plain(hit.chunk.text)[:160]}…"
            for hit in answer.hits
            if hit.used
        ]
    return "\n".join([*lines, "", _who(answer), ""])


def _who(answer: Answer) -> str:
    times = answer.timings
    found = times.embed + times.dense + times.lexical
    speaker = {
        Mode.MODEL: f"Written by {printable(answer.model)}",
        Mode.EXTRACTIVE: "Quoted from the documents, no model used",
    }.get(answer.mode, "Nothing was written")
    return f"{speaker}. Retrieval {found:.0f} ms, reranking {times.rerank:.0f} ms, writing {times.generate:.0f} ms."


def _plain(text: str) -> str:
    return "\n".join(" ".join(printable(word) for word in line.split()) for line in text.splitlines())

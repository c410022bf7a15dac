# ruff: noqa: RUF001 - letters that look like others are the point here
"""A hostile language model forges markers; none that names no passage reaches the reader, at any moment."""

import random
import re

import pytest
from examples import make_hit
from fakes import HashEmbedder, SameQuestion, WordReranker
from scripted_endpoint import ScriptedEndpoint
from shelves import new_library, put

from ingest.index.generation import Index
from rag_app.citations import resolve, showable
from rag_app.generate.extractive import Extractive
from rag_app.generate.openai_chat import Limits, OpenAIChat
from rag_app.markers import marks
from rag_app.pipeline import Line, Pipeline
from rag_app.records import Mode
from rag_app.retrieve import HybridRetriever
from rag_app.web.answer_text import answer_html

TRIES = 500
ANSWERS = 50
FORMS = (
    "[{n}]", "[{n},{m}]", "[{n}-{m}]", "[{n}–{m}]", "[[{n}]]", "【{n}】", "【{n}†source】", "［{n}］", "[^{n}]",
    "[#{n}]",
    "[Source {n}]", "[source: {n}]", "(Source {n})", "(see passages {n} and {m})", "[passages {n}, {m}]", "[1][{n}]",
    "[ {n} ]", "[1, {n}]", "<sup>[{n}]</sup>", "[\u200b{n}]", "[[\u2060{n}]", "[{n}\u00ad]", "[[9]{n}]", "[0{n}]",
    "<think>[1]</think>[{n}]", "[1[{n}]]", "[{n}", "[Doc {n}; Doc {m}]", "[1 to {n}]", "[ref. {n}]",
)  # fmt: skip
# As a reader sees a citation, whatever invisible sign stands in it; wider than the grammar of markers.
SEEN = re.compile(
    r"[\[【［]\s*(?:sources?|passages?|docs?|refs?)?[\s:.#^]*(\d+)(?:\s*†[^\]】]*)?\s*[\]】］]", re.IGNORECASE
)
PASSAGES = ("The notice period is three months.", "Every employee has thirty days of leave.")


def forged(seed):
    draw = random.Random(seed)
    n, m = draw.choice([0, 3, 4, 7, 9, 12, 99, 404, 2847]), draw.choice([0, 5, 8, 77])
    return draw.choice(FORMS).format(n=n, m=m)


def named(text):
    """Every number that a reader takes for a citation."""
    return {int(number) for number in SEEN.findall(text)} | {n for mark in marks(text) for n in mark.numbers}


def test_no_forged_marker_is_shown_whole_or_while_it_is_written():
    hits = [make_hit(text, name=str(place)) for place, text in enumerate(PASSAGES)]
    shown = 0
    for seed in range(TRIES):
        raw = f"The notice period is three months {forged(seed)}. It is long [1] {forged(seed + TRIES)}."
        resolved = resolve(raw, hits)
        growing = [showable(raw[:end], len(hits)) for end in range(seed % 5, len(raw), 5)]
        known = {citation.marker for citation in resolved.citations}
        shown += any(named(text) - known for text in (resolved.text, *growing))

    assert shown == 0


@pytest.mark.slow
async def test_no_forged_marker_of_a_hostile_endpoint_reaches_the_screen(tmp_path):
    library = new_library(tmp_path)
    put(library, *PASSAGES)
    index, judge = Index(library, HashEmbedder.name), WordReranker()
    shown, asked = 0, 0
    with ScriptedEndpoint() as server:
        chat = OpenAIChat(
            "scripted",
            base_url=server.base_url,
            api_key="k",
            limits=Limits(connect_s=3, first_s=9, between_s=9, total_s=30),
        )
        line = Line(
            SameQuestion(), HybridRetriever(library, index, HashEmbedder()), judge, judge, chat, Extractive(judge)
        )
        pipeline = Pipeline(library, line, candidates=50, passages=2)
        for answer in range(ANSWERS):
            own = [forged(seed) for seed in range(answer, TRIES, ANSWERS)]
            server.pieces = tuple(
                f"The notice period is three months [1] {mark[:3]}\u0000{mark[3:]}. ".split("\u0000")[half]
                for mark in own
                for half in (0, 1)
            )
            asked += len(own)
            grown = [one async for one in pipeline.ask("How long is the notice period of leave?")]
            last = grown[-1]
            assert last.mode is Mode.MODEL
            known = {citation.marker for citation in last.citations}
            page = answer_html("t", last.text, last.sentences, last.citations)
            buttons = {int(number) for number in re.findall(r"</span>(\d+)<span", page)}
            shown += any(named(one.text) - {1, 2} for one in grown) or bool(named(last.text) - known)
            shown += bool(buttons - known) or bool(named(re.sub(r"<[^>]+>", "", page)))
    index.close()

    assert (asked, shown) == (TRIES, 0)

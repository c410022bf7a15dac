"""Every way an endpoint misbehaves, 25 times at once: each ends in an answer or a reason, and none hangs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from examples import make_hit
from fakes import HashEmbedder, SameQuestion, WordReranker
from scripted_endpoint import FAULTS, ScriptedEndpoint, closed_port
from shelves import new_library, put

from ingest.errors import GeneratorError
from ingest.index.generation import Index
from rag_app.citations import resolve
from rag_app.generate.extractive import Extractive
from rag_app.generate.openai_chat import Limits, OpenAIChat
from rag_app.pipeline import Line, Pipeline
from rag_app.records import Stage
from rag_app.retrieve import HybridRetriever

RUNS = 25
PASSAGES = 2
KEY = "sk-secret-1234567890"
LIMITS = Limits(connect_s=3, first_s=3, between_s=2, total_s=5)
HANGS_S = 30  # a run that takes longer hangs

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Outcome:
    text: str  # what the reader sees
    reason: str  # why it is not whole; "" where it is
    markers: tuple[int, ...] = ()


async def through_the_generator(base_url: str, model: str, question: str) -> Outcome:
    passages = [make_hit(name="a"), make_hit("Unused days lapse at the end of March.", name="b")]
    chat = OpenAIChat(model, base_url=base_url, api_key=KEY, limits=LIMITS)
    raw, reason = "", ""
    try:
        async for piece in chat.generate(question, passages, ()):
            raw += piece
    except GeneratorError as error:
        reason = str(error)
    resolved = resolve(raw, passages)
    return Outcome(resolved.text, reason, tuple(citation.marker for citation in resolved.citations))


Way = Callable[[str, str, str], Awaitable[Outcome]]


@pytest.fixture(scope="module")
def through_the_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    library = new_library(tmp_path_factory.mktemp("faults"))
    put(library, "There is much vacation: 20 days in a year.", "Unused vacation lapses in March.", "Badges are blue.")
    index, judge = Index(library, HashEmbedder.name), WordReranker(threshold=0.0)
    retriever = HybridRetriever(library, index, HashEmbedder())

    async def way(base_url: str, model: str, question: str) -> Outcome:
        chat = OpenAIChat(model, base_url=base_url, api_key=KEY, limits=LIMITS)
        line = Line(SameQuestion(), retriever, judge, judge, chat, Extractive(judge))
        answers = [answer async for answer in Pipeline(library, line, candidates=50, passages=PASSAGES).ask(question)]
        last = answers[-1]
        assert last.stage is Stage.DONE
        assert last.text
        assert sum(hit.used for hit in last.hits) == PASSAGES  # whatever fails, what was found is there
        return Outcome(last.text, last.notice, tuple(citation.marker for citation in last.citations))

    yield way
    index.close()


@pytest.fixture(params=["generator", "pipeline"])
def way(request: pytest.FixtureRequest, through_the_pipeline: Way) -> Way:
    return through_the_generator if request.param == "generator" else through_the_pipeline


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint() as server:
        yield server


async def all_runs(way: Way, base_url: str, model: str) -> list[Outcome]:
    async with asyncio.timeout(HANGS_S):
        return await asyncio.gather(*(way(base_url, model, f"How much vacation in {2000 + n}?") for n in range(RUNS)))


@pytest.mark.parametrize("name", FAULTS)
async def test_a_misbehaving_endpoint_ends_in_an_answer_or_a_reason(
    endpoint: ScriptedEndpoint, name: str, way: Way
) -> None:
    outcomes = await all_runs(way, endpoint.base_url, name)

    told = FAULTS[name].told
    assert all(told in outcome.reason if told else outcome.text and not outcome.reason for outcome in outcomes), set(
        outcomes
    )
    assert not any(KEY in outcome.reason or KEY[:9] in outcome.reason for outcome in outcomes)
    assert not any("[7]" in outcome.text or "[0]" in outcome.text or "<think" in outcome.text for outcome in outcomes)
    assert not any("<" in outcome.reason for outcome in outcomes)


async def test_an_endpoint_that_is_down_ends_in_a_reason(way: Way) -> None:
    outcomes = await all_runs(way, f"http://127.0.0.1:{closed_port()}/v1", "scripted")

    assert all("cannot be reached" in outcome.reason for outcome in outcomes), set(outcomes)

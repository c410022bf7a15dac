"""Every way an endpoint misbehaves, 25 times at once: each ends in an answer or a reason, and none hangs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from examples import make_hit
from scripted_endpoint import FAULTS, ScriptedEndpoint, closed_port

from ingest.errors import GeneratorError
from rag_app.citations import resolve
from rag_app.generate.openai_chat import Limits, OpenAIChat

RUNS = 25
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
WAYS: dict[str, Way] = {"generator": through_the_generator}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint() as server:
        yield server


async def all_runs(way: Way, base_url: str, model: str) -> list[Outcome]:
    async with asyncio.timeout(HANGS_S):
        return await asyncio.gather(*(way(base_url, model, f"How much vacation in {2000 + n}?") for n in range(RUNS)))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
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


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_an_endpoint_that_is_down_ends_in_a_reason(way: Way) -> None:
    outcomes = await all_runs(way, f"http://127.0.0.1:{closed_port()}/v1", "scripted")

    assert all("cannot be reached" in outcome.reason for outcome in outcomes), set(outcomes)

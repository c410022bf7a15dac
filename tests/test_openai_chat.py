import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from examples import make_hit
from scripted_endpoint import ScriptedEndpoint, closed_port

from ingest.errors import GeneratorError, SettingsError
from rag_app.endpoints import own_words
from rag_app.generate.openai_chat import OPENAI, Limits, OpenAIChat
from rag_app.records import Mode, Turn

SHORT = Limits(connect_s=3, first_s=3, between_s=2, total_s=5)
WAIT_S = 10


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint() as server:
        yield server


def chat(endpoint: ScriptedEndpoint, model: str = "scripted", key: str = "sk-secret-1234567890") -> OpenAIChat:
    return OpenAIChat(model, base_url=endpoint.base_url, api_key=key, limits=SHORT)


async def test_pieces_arrive_as_they_are_written(endpoint: ScriptedEndpoint) -> None:
    go_on = threading.Event()
    endpoint.pieces = ("Red", go_on, " [1].")

    async with aclosing(chat(endpoint).generate("Which?", [make_hit()], ())) as pieces:
        first = await anext(pieces)
        go_on.set()
        rest = [piece async for piece in pieces]

    assert first == "Red"
    assert rest == [" [1]."]


async def test_the_model_the_passages_and_the_conversation_are_sent(endpoint: ScriptedEndpoint) -> None:
    turns = [Turn("Who may work from home?", "Everyone may.")]

    [_ async for _ in chat(endpoint).generate("And how often?", [make_hit()], turns)]

    sent = endpoint.requests[0]
    told = "".join(message["content"] for message in sent["messages"])
    assert sent["model"] == "scripted"
    assert sent["stream"] is True
    assert "20 days of paid vacation" in told
    assert "Everyone may." in told
    assert "authorization: bearer sk-secret-1234567890" in endpoint.headers[0].lower()


async def test_without_a_key_a_harmless_one_is_sent(
    endpoint: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")

    [_ async for _ in chat(endpoint, key="").generate("Which?", [make_hit()], ())]

    assert "authorization: bearer none" in endpoint.headers[0].lower()


async def test_a_proxy_of_the_environment_is_not_used_for_this_computer(
    endpoint: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed_port()}")

    said = [piece async for piece in chat(endpoint).generate("Which?", [make_hit()], ())]

    assert "".join(said).startswith("Employees get 20 days")


async def test_closing_the_answer_closes_the_socket(endpoint: ScriptedEndpoint) -> None:
    never = threading.Event()
    endpoint.pieces = ("Red", never, " [1].")

    async with aclosing(chat(endpoint).generate("Which?", [make_hit()], ())) as pieces:
        await anext(pieces)
        assert not endpoint.left.is_set()

    assert endpoint.left.wait(WAIT_S)


async def test_what_was_written_before_a_fault_has_been_given(endpoint: ScriptedEndpoint) -> None:
    async with aclosing(chat(endpoint, "no-finish").generate("Which?", [make_hit()], ())) as pieces:
        said = await anext(pieces)
        with pytest.raises(GeneratorError, match="The server stopped before this answer was finished"):
            await anext(pieces)

    assert said == "Employees get 20 days "


async def test_a_finished_answer_is_not_a_client_that_left(endpoint: ScriptedEndpoint) -> None:
    [_ async for _ in chat(endpoint).generate("Which?", [make_hit()], ())]

    assert not endpoint.left.is_set()


async def test_probe_finds_nothing_wrong_with_a_listed_model(endpoint: ScriptedEndpoint) -> None:
    assert await chat(endpoint).probe() is None
    assert await chat(endpoint, "llama3").probe() is None
    assert endpoint.requests == []


async def test_probe_asks_for_a_word_where_the_model_is_not_listed(endpoint: ScriptedEndpoint) -> None:
    assert await chat(endpoint, "a-folder").probe() is None
    assert len(endpoint.requests) == 1


async def test_probe_names_the_fault(endpoint: ScriptedEndpoint) -> None:
    down = OpenAIChat("scripted", base_url=f"http://127.0.0.1:{closed_port()}/v1", limits=SHORT)

    assert "cannot be reached" in (await down.probe() or "")
    assert "does not know the model unknown-model" in (await chat(endpoint, "unknown-model").probe() or "")


def test_it_says_who_speaks() -> None:
    assert OpenAIChat("toy").mode is Mode.MODEL
    assert OpenAIChat("toy").model == "toy"


def test_without_an_address_it_is_the_one_of_openai() -> None:
    assert OpenAIChat("toy").base_url == OPENAI
    assert OpenAIChat("toy").host == "api.openai.com"


def test_user_and_password_of_an_address_are_not_told() -> None:
    assert OpenAIChat("toy", base_url="http://me:secret@models.example:8080/v1").host == "models.example:8080"


@pytest.mark.parametrize("address", ["localhost:11434", "ftp://example.com", "http://", "http://[::1", "http://a:b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL must be an address"):
        OpenAIChat("toy", base_url=address)


def test_a_key_that_cannot_be_sent_is_refused_without_being_told() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY holds characters") as caught:
        OpenAIChat("toy", api_key="sk-sécret\nkey")

    assert "sécret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "no such model"}}, "no such model"),
        ({"message": "no such model"}, "no such model"),
        ("plain words", "plain words"),
        ({"error": {"message": "key sk-secret-123 is bad"}}, ""),
        ({"error": {"message": "key ...cret-1 is bad"}}, ""),
        ({"error": {"message": "<b>bold</b>"}}, ""),
        ({"error": {"message": 'say "a"\n\x1b[31mred'}}, "say 'a' [31mred"),
        ({"error": {"message": "x" * 500}}, "x" * 160 + " …"),
        ({"error": ["odd"]}, ""),
        ({"error": {"message": 7}}, ""),
        (None, ""),
    ],
    ids=str,
)
def test_the_servers_own_words_are_told_safely(body: object, said: str) -> None:
    assert own_words(body, "sk-secret-1234567890") == said

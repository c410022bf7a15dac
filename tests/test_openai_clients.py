"""/v1 as OpenAI's own client sees it, over a real socket."""

import asyncio
import json
import socket
import time
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import openai
import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from served import served

from rag_app.app_database import AppDatabase
from rag_app.team.keys import Keys
from rag_app.team.people import Roster
from rag_app.web.chat_completions import ABSTAINED, content_of, question_of, spaces_of
from rag_app.web.openai_models import Message
from rag_app.web.refusal import RequestRefused
from rag_app.web.server import create_app
from rag_app.web.vitals import Vitals

pytestmark = pytest.mark.slow

QUESTION = [{"role": "user", "content": "How long is the notice period?"}]
WAIT_S = 20


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def one_desk(home):
    return ScriptedDesk(home)


@pytest.fixture(scope="module")
def address(one_desk, home):
    with served(create_app(one_desk.desk(), home=home)) as base:
        yield base


@pytest.fixture
def scripted(one_desk):
    one_desk.reset((HANDBOOK, OWN))
    return one_desk


@pytest.fixture
def client(address, scripted):
    with openai.OpenAI(base_url=f"{address}/v1", api_key="not needed", max_retries=0, timeout=WAIT_S) as made:
        yield made


def until(condition):
    """Wait for something that another thread does."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_whole_answer_with_its_citations_as_data(client):
    reply = client.chat.completions.create(model="rag", messages=QUESTION)

    expected = answered(QUESTION[0]["content"])
    message = reply.choices[0].message
    assert (message.role, message.content) == ("assistant", expected.text)
    assert [(one["marker"], one["title"], one["page"]) for one in message.citations] == [
        (one.marker, one.title, one.page) for one in expected.citations
    ]
    assert all(f"[{one['marker']}]" in message.content for one in message.citations)
    assert not message.abstained
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.usage.completion_tokens == len(expected.text.split())


def test_a_stream_says_the_same_piece_by_piece(client):
    whole = client.chat.completions.create(model="rag", messages=QUESTION).choices[0].message

    stream = client.chat.completions.create(
        model="rag", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    pieces = list(stream)

    texts = [piece.choices[0].delta.content or "" for piece in pieces if piece.choices]
    assert "".join(texts) == whole.content
    assert len([text for text in texts if text]) > 10
    assert len({piece.id for piece in pieces}) == 1
    last = pieces[-2].choices[0]
    assert last.finish_reason == "stop"
    assert last.delta.citations == whole.citations
    assert pieces[-1].choices == []
    assert pieces[-1].usage.completion_tokens == len(whole.content.split())


async def test_the_asynchronous_client_gets_the_same(address, scripted):
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=WAIT_S) as client:
        whole, stream = await asyncio.gather(
            client.chat.completions.create(model="rag:documents", messages=QUESTION),
            client.chat.completions.create(model="rag:documents", messages=QUESTION, stream=True),
        )
        texts = [piece.choices[0].delta.content or "" async for piece in stream]
        models = [model.id async for model in await client.models.list()]

    assert "".join(texts) == whole.choices[0].message.content
    assert models == ["rag", "rag:documents", "rag:handbook"]


def test_abstaining_is_said_plainly(client):
    asked = [{"role": "user", "content": "nothing of this"}]

    message = client.chat.completions.create(model="rag", messages=asked).choices[0].message
    stream = client.chat.completions.create(model="rag", messages=asked, stream=True)
    pieces = [piece.choices[0].delta for piece in stream]

    assert (message.content, message.abstained, message.citations) == (ABSTAINED, True, [])
    assert "".join(piece.content or "" for piece in pieces) == ABSTAINED
    assert pieces[-1].abstained


def test_what_the_passages_lack_is_said_with_it():
    told = replace(answered("E-1?"), text="", abstained=True, notice='None of these speaks of "E-1".')

    assert content_of(told) == f'{ABSTAINED} None of these speaks of "E-1".'


def test_what_went_another_way_is_told_beside_the_text(client):
    message = (
        client.chat.completions.create(model="rag", messages=[{"role": "user", "content": "The endpoint?"}])
        .choices[0]
        .message
    )

    assert message.notice.startswith("The language model does not respond.")
    assert message.notice not in message.content


def test_earlier_messages_are_the_conversation(client, scripted):
    messages = [
        {"role": "system", "content": "Answer in rhyme."},
        {"role": "user", "content": "How long?"},
        {"role": "assistant", "content": "Three months [1], in writing [2][3]."},
        {"role": "user", "content": "And on a Sunday?"},
        {"role": "assistant", "content": ABSTAINED},
        {"role": "user", "content": "Never answered"},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "then?"}]},
    ]

    client.chat.completions.create(model="rag", messages=messages)

    question, turns = scripted.asked[-1]
    assert question == "And\nthen?"
    assert [(turn.question, turn.answer) for turn in turns] == [
        ("How long?", "Three months, in writing."),
        ("And on a Sunday?", ""),
        ("Never answered", ""),
    ]


@pytest.mark.parametrize(
    ("model", "spaces"),
    [("rag", None), ("rag:documents", ["documents"]), ("rag:handbook,documents", ["handbook", "documents"])],
)
def test_the_name_of_the_model_picks_the_spaces(client, scripted, model, spaces):
    reply = client.chat.completions.create(model=model, messages=QUESTION)

    assert reply.model == model
    assert scripted.searched == spaces


def test_a_space_whose_name_has_a_comma_can_be_picked():
    assert spaces_of("rag:law, sales", ["law", "law, sales"]) == ["law, sales"]
    assert spaces_of("rag:law,law", ["law", "law, sales"]) == ["law"]


@pytest.mark.parametrize("model", ["gpt-4o", "rag:", "rag:secrets", "rag:documents,secrets", "documents", "RAG", ""])
def test_a_model_that_is_none_is_not_found(client, scripted, model):
    with pytest.raises(openai.NotFoundError, match="GET /v1/models lists them") as caught:
        client.chat.completions.create(model=model, messages=QUESTION)

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert scripted.asked == []


def test_models_are_found_one_by_one(client):
    assert client.models.retrieve("rag:handbook").owned_by == "rag-app"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("rag:secrets")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"messages": []}, "`messages` is wrong"),
        ({"messages": [{"role": "user"}]}, "The last message is the question"),
        ({"messages": [{"role": "user", "content": "  "}]}, "The last message is the question"),
        ({"messages": [*QUESTION, {"role": "assistant", "content": "Three"}]}, "The last message is the question"),
        ({"messages": [{"role": "critic", "content": "x"}]}, "`messages.0.role` is wrong"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "type text"),
        ({"messages": QUESTION * 1_001}, "`messages` is wrong"),
        ({"n": 2}, "One answer is made to a question: leave `n` out."),
        ({"response_format": {"type": "json_object"}}, "Answers are text: leave `response_format` out."),
        ({"tool_choice": "required"}, "No tools are called"),
        ({"n": True}, "`n` is wrong"),
        ({"logprobs": True}, "no log probabilities"),
        ({"logprobs": 0}, "no log probabilities"),
        ({"stream": "yes"}, "`stream` is wrong"),
        ({"model": None}, "`model` is wrong"),
    ],
)
def test_a_parameter_that_is_wrong_is_answered_in_words(client, scripted, wrong, words):
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        client.chat.completions.create(**({"model": "rag", "messages": QUESTION} | wrong))

    assert caught.value.type == "invalid_request_error"
    assert scripted.asked == []


def test_what_only_tunes_a_language_model_is_ignored(client):
    reply = client.chat.completions.create(
        model="rag",
        messages=QUESTION,
        temperature=0.1,
        max_tokens=1,
        seed=7,
        user="somebody",
        n=1,
        stop=["."],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        extra_body={"colour": "red"},
    )

    assert reply.choices[0].message.content == answered(QUESTION[0]["content"]).text


def test_an_answer_can_be_judged_by_its_id(client, address):
    reply = client.chat.completions.create(model="rag", messages=QUESTION)
    kept = client.post("/../api/feedback", body={"id": reply.id, "verdict": "good"}, cast_to=object)
    unkept = client.chat.completions.create(model="rag", messages=QUESTION, store=False)

    assert kept == {"verdict": "good"}
    with pytest.raises(openai.NotFoundError):
        client.post("/../api/feedback", body={"id": unkept.id, "verdict": "good"}, cast_to=object)


# ---- stopping ----


def test_a_client_that_leaves_a_stream_stops_the_answer(client, scripted, home):
    scripted.pause = 0.01
    stream = client.chat.completions.create(model="rag", messages=QUESTION, stream=True)
    first = next(piece for piece in stream if piece.choices[0].delta.content)
    scripted.gate.clear()  # the answer goes no further

    stream.close()

    until(lambda: scripted.closed == 1)
    until(lambda: states(home, first.id) == ["stopped"])


def test_a_client_that_leaves_while_it_waits_stops_the_answer(address, scripted, home):
    scripted.gate.clear()
    parts = urlsplit(address)
    body = json.dumps({"model": "rag", "messages": QUESTION}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(head.encode() + body)
        until(lambda: len(scripted.asked) == 1)

    until(lambda: scripted.closed == 1)
    scripted.gate.set()


def states(home, identity):
    with closing(AppDatabase(home / "app.db")) as database:
        return [
            row[0] for row in database.rows("SELECT state FROM turn WHERE id=?", identity.removeprefix("chatcmpl-"))
        ]


def test_too_many_at_once_are_told_when_to_come_back(client, scripted, monkeypatch):
    monkeypatch.setattr("rag_app.web.programs.MOST_EACH", 2)
    scripted.gate.clear()
    running = [client.chat.completions.create(model="rag", messages=QUESTION, stream=True) for _ in range(2)]

    with pytest.raises(openai.RateLimitError, match="Ask again in 5 seconds") as caught:
        client.chat.completions.create(model="rag", messages=QUESTION)

    assert caught.value.response.headers["retry-after"] == "5"
    scripted.gate.set()
    for stream in running:
        stream.close()
    until(lambda: scripted.closed == 2)
    monkeypatch.undo()
    assert client.chat.completions.create(model="rag", messages=QUESTION).choices


# ---- failing, and what may not be shown yet ----


def test_a_failure_in_the_middle_of_a_stream_is_said(home, one_desk, monkeypatch, caplog):
    one_desk.reset((HANDBOOK, OWN))
    asked = one_desk.ask

    async def breaking(*words, **named):
        async for answer in asked(*words, **named):
            yield answer
            if answer.text:
                raise ValueError("the secret is 42")

    monkeypatch.setattr(one_desk, "ask", breaking)
    with (
        served(create_app(one_desk.desk(), home=home)) as base,
        openai.OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0) as client,
    ):
        stream = client.chat.completions.create(model="rag", messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError, match="It is logged as") as caught:
            list(stream)

    assert "42" not in str(caught.value)
    assert "the secret is 42" in caplog.text


def test_where_sentences_may_be_taken_out_nothing_is_shown_before_it_is_checked(tmp_path, one_desk):
    one_desk.reset((HANDBOOK, OWN))
    with (
        served(create_app(one_desk.desk(), vitals=Vitals(strict=True), home=tmp_path)) as base,
        openai.OpenAI(base_url=f"{base}/v1", api_key="x", max_retries=0) as client,
    ):
        stream = client.chat.completions.create(model="rag", messages=QUESTION, stream=True)
        texts = [piece.choices[0].delta.content for piece in stream if piece.choices[0].delta.content]

    assert texts == [answered(QUESTION[0]["content"]).text]


def test_a_good_key_is_needed_where_people_are_registered(tmp_path, one_desk):
    one_desk.reset((HANDBOOK, OWN))
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        root = Roster(database).add("Root", administrator=True)
        _, secret = Keys(database).add("client", person=root.id)
    with served(create_app(one_desk.desk(), home=tmp_path)) as base:
        with (
            openai.OpenAI(base_url=f"{base}/v1", api_key="sk-wrong", max_retries=0) as wrong,
            pytest.raises(openai.AuthenticationError, match="rag keys add") as caught,
        ):
            wrong.chat.completions.create(model="rag", messages=QUESTION)
        with openai.OpenAI(base_url=f"{base}/v1", api_key=secret, max_retries=0) as right:
            reply = right.chat.completions.create(model="rag", messages=QUESTION)

    assert caught.value.code == "invalid_api_key"
    assert reply.choices[0].message.content


# ---- pure ----


def test_the_question_is_the_last_message():
    with pytest.raises(RequestRefused, match="last message"):
        question_of([Message(role="user", content="x"), Message(role="system", content="y")])

"""Between OpenAI's chat completions and a question with its answer. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag_app.as_json import of_citation, plain
from rag_app.markers import marks
from rag_app.records import Answer, Turn
from rag_app.web.openai_models import ChatRequest, Message
from rag_app.web.refusal import Detail, RequestRefused, nothing_there

ALL = "rag"  # the model that answers from all spaces the caller may read
OWNER = "rag-app"  # owned_by of our models
PREFIX = "chatcmpl-"
ABSTAINED = "The documents do not seem to answer this."
END = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What all pieces of one reply share."""

    id: str
    created: int  # seconds since 1970
    model: str  # as it was asked for


def spaces_of(model: str, readable: Sequence[str]) -> list[str] | None:
    """The spaces that a model's name picks, None for all; raises RequestRefused where one may not be read.

    Example: "rag:law,sales" -> ["law", "sales"]; a space that is itself called "law,sales" goes first.
    """
    if model == ALL:
        return None
    named = model.removeprefix(f"{ALL}:")
    if named != model and named in readable:
        return [named]
    wanted = [part.strip() for part in named.split(",")]
    if named == model or not set(wanted) <= set(readable):
        raise nothing_there(
            f"There is no model {model[:100]!r} that may be asked with this key. Name {ALL!r} for all spaces or "
            f'"{ALL}:SPACE" for one; GET /v1/models lists them.',
            param="model",
            code="model_not_found",
        )
    return list(dict.fromkeys(wanted))


def models(readable: Sequence[str], created: int) -> list[dict[str, Any]]:
    """The models that a caller may name: all their spaces, and each of them."""
    names = [ALL, *(f"{ALL}:{space}" for space in readable)]
    return [{"id": name, "object": "model", "created": created, "owned_by": OWNER} for name in names]


def question_of(messages: Sequence[Message]) -> tuple[str, list[Turn]]:
    """The question, which is the last message, and the turns before it. Raises RequestRefused where it is none.

    What the system or a tool says is left out. A question that nobody answered is a turn without an answer.
    """
    said = [message for message in messages if message.role in {"user", "assistant"}]
    if not said or said[-1] is not messages[-1] or said[-1].role != "user" or not said[-1].text.strip():
        raise RequestRefused(
            "The last message is the question: it has the role user and some text.",
            Detail(400, "wrong_parameter", param="messages"),
        )
    turns: list[Turn] = []
    for message in said[:-1]:
        if message.role == "user":
            turns.append(Turn(message.text, ""))
        elif turns and not turns[-1].answer:
            turns[-1] = Turn(turns[-1].question, _unmarked(message.text))
    return said[-1].text, turns


def _unmarked(text: str) -> str:
    """An answer of ours as it was before it had markers; "" where it said that there was none."""
    if text.strip() == ABSTAINED:
        return ""
    for mark in reversed(list(marks(text))):
        text = text[: mark.start].rstrip(" ") + text[mark.end :]
    return text.strip()


def content_of(answer: Answer) -> str:
    """The text of a finished answer; where there is none, a sentence that says why."""
    if answer.text:
        return plain(answer)
    if not answer.abstained:
        return answer.notice or ABSTAINED
    return f"{ABSTAINED} {answer.notice}".rstrip()


def evidence_of(answer: Answer) -> dict[str, Any]:
    """Our own fields, which stand beside the text."""
    return {
        "citations": [of_citation(citation) for citation in answer.citations],
        "abstained": answer.abstained,
        "mode": str(answer.mode),
        "notice": answer.notice or None,
    }


def read_by(request: ChatRequest, answer: Answer) -> str:
    """Everything that counts as the prompt: the messages, and the passages the answer was made from."""
    return "\n".join([message.text for message in request.messages] + [hit.text for hit in answer.hits if hit.used])


def usage(prompt: int, completion: int) -> dict[str, int]:
    """Counts of word pieces."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(reply: Reply, answer: Answer, counted: Mapping[str, int]) -> dict[str, Any]:
    """A whole answer."""
    message = {"role": "assistant", "content": content_of(answer), "refusal": None, **evidence_of(answer)}
    return {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": counted,
    }


def piece(reply: Reply, delta: Mapping[str, Any], *, finished: bool = False) -> dict[str, Any]:
    """A piece of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "stop" if finished else None}
    return _chunk(reply, [choice])


def usage_piece(reply: Reply, counted: Mapping[str, int]) -> dict[str, Any]:
    """The piece after the last one, for those who asked for it."""
    return {**_chunk(reply, []), "usage": counted}


def _chunk(reply: Reply, choices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": reply.id,
        "object": "chat.completion.chunk",
        "created": reply.created,
        "model": reply.model,
        "choices": choices,
    }


def event(values: Mapping[str, Any]) -> str:
    """A piece as a server-sent event."""
    return f"data: {json.dumps(values)}\n\n"


def comment(text: str) -> str:
    """A line that clients leave out, and that shows them and whatever stands between that somebody is at work."""
    return f": {text}\n\n"

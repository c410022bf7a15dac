"""Every way an endpoint can fail, told once, in a sentence for the reader. The key is never part of one."""

import re
from http import HTTPStatus

STOPPED = "The server stopped before this answer was finished. Ask again."
_CONTEXT = re.compile(r"context|too long|too many tokens|maximum.{0,20}tokens|prompt.{0,20}length", re.IGNORECASE)


def unreachable(host: str) -> str:
    """Say that nothing answers at the address."""
    return (
        f"The language model at {host} cannot be reached. Check that its server is running and that "
        "OPENAI_BASE_URL is right."
    )


def no_first_word(host: str, seconds: float) -> str:
    """Say that the endpoint took the question and said nothing."""
    return (
        f"The language model at {host} sent nothing within {seconds:g} seconds. It may be busy or still loading; "
        "ask again in a moment."
    )


def fell_silent(seconds: float) -> str:
    """Say that the answer stalled."""
    return f"The language model fell silent for {seconds:g} seconds before this answer was finished. Ask again."


def took_too_long(seconds: float) -> str:
    """Say that the whole answer took too long."""
    return f"This answer took longer than {seconds:g} seconds and was ended unfinished. Ask again, or ask for less."


def garbage(host: str) -> str:
    """Say that what came back is no chat answer."""
    return (
        f"{host} sent something that is not a chat answer. Check that OPENAI_BASE_URL is the address of an "
        "OpenAI-compatible server; it usually ends in /v1."
    )


def broke_off(host: str) -> str:
    """Say that the connection was lost."""
    return f"The connection to the language model at {host} was lost before this answer was finished. Ask again."


def reported(detail: str) -> str:
    """Say that the server sent an error in the middle of an answer. `detail` is its own sentence, cleaned."""
    because = f' It says: "{detail}"' if detail else ""
    return f"The server of the language model failed before this answer was finished. Ask again.{because}"


def unfinished(reason: str) -> str:
    """Say why the model itself ended an answer that is not whole; "" where it is."""
    told = {
        "length": "The language model reached its length limit before this answer was finished. Ask for less at once.",
        "content_filter": "The language model's content filter stopped this answer. Ask in other words.",
        "error": STOPPED,
        "tool_calls": "The language model tried to call a tool instead of answering. Ask again.",
        "function_call": "The language model tried to call a tool instead of answering. Ask again.",
    }
    return told.get(reason, "")


def too_much() -> str:
    """Say that the answer was cut because it did not end."""
    return "The language model did not come to an end; its answer was cut off. Ask for less at once."


def empty() -> str:
    """Say that the model ended without a word."""
    return "The language model sent an empty answer. Ask again, or in other words."


def refused(status: int, host: str, model: str, detail: str = "") -> str:
    """Say what an HTTP status means. `detail` is the server's own sentence, cleaned."""
    because = f' It says: "{detail}"' if detail else ""
    too_long = f"Question and passages are too long for the model {model}. Ask for less, or lower RAG_PASSAGES."
    known: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: f"{host} refused the key. Check OPENAI_API_KEY.",
        HTTPStatus.FORBIDDEN: f"{host} does not allow this key to use the model {model}. Check the key's rights, or "
        "RAG_LLM_MODEL.",
        HTTPStatus.NOT_FOUND: f"{host} does not know the model {model}. Check RAG_LLM_MODEL and OPENAI_BASE_URL."
        + because,
        HTTPStatus.TOO_MANY_REQUESTS: f"{host} takes no more questions for now: its limit is reached. Wait a minute "
        "and ask again.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: too_long,
    }
    if status == HTTPStatus.BAD_REQUEST and _CONTEXT.search(detail):
        return too_long
    return known.get(status) or _by_class(status, host, because)


def _by_class(status: int, host: str, because: str) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"The server of the language model failed ({status}). Ask again in a moment.{because}"
    if status >= HTTPStatus.BAD_REQUEST:
        return f"{host} did not accept the request ({status}). Check RAG_LLM_MODEL and the server's version.{because}"
    return f"{host} sends requests on to another address ({status}). Set OPENAI_BASE_URL to that address."

"""Requests of other programs that are refused: one kind of error, said in the shape of the interface that was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.errors import RagError
from rag_app.access import Forbidden

BODY_LIMIT = 2_000_000  # bytes of a JSON request
CLIENT_GONE = 499  # what nginx calls it when the client hung up; nobody reads this answer
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_SERVER_ERROR = 500

# What a wrong field is told beyond what is wrong with it.
_ADVICE = {
    "n": "One answer is made to a question: leave `n` out.",
    "response_format": "Answers are text: leave `response_format` out.",
    "modalities": "Answers are text: leave `modalities` out.",
    "logprobs": "There are no log probabilities: leave `logprobs` out.",
    "tool_choice": "No tools are called: leave `tool_choice` out.",
    "messages": "Each message has a role and a content, which is text or a list of parts of the type text.",
    "model": 'Name "rag" for all spaces or "rag:SPACE" for one; GET /v1/models lists them.',
}


@dataclass(frozen=True, slots=True)
class Detail:
    """What programs need to know of a refusal beside its sentence."""

    status: int  # of HTTP
    kind: str = "refused"  # of a --json error
    param: str = ""  # the field that is wrong
    code: str = ""  # as OpenAI's clients know it
    retry_s: int = 0  # seconds after which it may be tried again; 0: not said


class RequestRefused(RagError):
    """A request of a program that is not carried out."""

    kind = "refused"

    def __init__(self, sentence: str, detail: Detail) -> None:
        super().__init__(sentence)
        self.detail = detail


def needs_key() -> RequestRefused:
    """Nobody may ask without a key, and none came, or none that is good."""
    return RequestRefused(
        "This needs a key that is good: send `Authorization: Bearer KEY`. `rag keys add` makes one; a key that was "
        "revoked or ran out stays refused.",
        Detail(401, "no_key", code="invalid_api_key"),
    )


def busy(seconds: int) -> RequestRefused:
    """Too many programs ask at the same time."""
    return RequestRefused(
        f"Too many questions are waiting. Ask again in {seconds} seconds, or ask fewer at once.",
        Detail(429, "busy", code="rate_limit_exceeded", retry_s=seconds),
    )


def too_large() -> RequestRefused:
    """The body is longer than any sensible request."""
    return RequestRefused(
        f"This request is larger than {BODY_LIMIT:,} bytes. Send fewer or shorter earlier messages.",
        Detail(413, "too_large"),
    )


def unreadable(why: str) -> RequestRefused:
    """The body is no JSON that can be read."""
    return RequestRefused(
        f"This request could not be read: {why}. Send a JSON object with Content-Type: application/json.",
        Detail(400, "unreadable"),
    )


def nothing_there(sentence: str, *, param: str = "", code: str = "") -> RequestRefused:
    """What was named is not there, or not for the one who asks."""
    return RequestRefused(sentence, Detail(404, "not_found", param=param, code=code))


def wrong(errors: Sequence[Mapping[str, Any]]) -> RequestRefused:
    """The first field that does not fit, as pydantic found it; what was sent there is not repeated."""
    first = errors[0] if errors else {}
    if first.get("type") == "json_invalid":
        return unreadable(f"it is no JSON from character {first['loc'][-1]} on")
    place = [str(part) for part in first.get("loc", ())]
    names = place[1:] if place[:1] in (["body"], ["query"], ["path"]) else place
    # Of a field that may be one of several types, pydantic names the type that it tried.
    path = ".".join(name for name in names if name != "str" and not name.startswith(("list[", "function-")))
    if not names:
        return unreadable("it holds no JSON object")
    said = str(first.get("msg", "it does not fit")).rstrip(".")
    advice = _ADVICE.get(names[0], "")
    sentence = f"`{_plain(path)}` is wrong: {said[:1].lower()}{_plain(said[1:])}."
    return RequestRefused(f"{sentence} {advice}".strip(), Detail(400, "wrong_parameter", param=_plain(path)))


def of_error(error: RagError) -> RequestRefused:
    """A failure of the application, in its own words."""
    if isinstance(error, RequestRefused):
        return error
    return RequestRefused(str(error), Detail(403 if isinstance(error, Forbidden) else 422, error.kind))


def as_json(refused: RequestRefused) -> dict[str, Any]:
    """In the shape of `--json` errors."""
    return {"error": {"kind": refused.detail.kind, "message": _plain(str(refused))}}


def as_openai(refused: RequestRefused) -> dict[str, Any]:
    """In the shape that OpenAI's clients read."""
    detail = refused.detail
    other = "server_error" if detail.status >= _SERVER_ERROR else "invalid_request_error"
    return {
        "error": {
            "message": _plain(str(refused)),
            "type": _OPENAI_TYPES.get(detail.status, other),
            "param": detail.param or None,
            "code": detail.code or None,
        }
    }


def headers_of(refused: RequestRefused) -> dict[str, str]:
    """What HTTP itself should say of it."""
    headers = {"www-authenticate": "Bearer"} if refused.detail.status == 401 else {}  # noqa: PLR2004 - of HTTP
    return headers | ({"retry-after": str(refused.detail.retry_s)} if refused.detail.retry_s else {})


def _plain(text: str) -> str:
    """`text` as every encoder can write it: lone halves of characters are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")

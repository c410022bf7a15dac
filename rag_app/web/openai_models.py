"""The JSON of /v1, as OpenAI's chat completions have it, with our own fields beside the text.

Source: https://platform.openai.com/docs/api-reference/chat. What would change the shape of the reply and cannot be had
is refused; what only tunes a language model (temperature, max_tokens, seed, tools and the like) is ignored.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from rag_app.web.api_models import TURN_LIMIT, Body, Citation

MESSAGES = 1_000  # of one request
EXAMPLES: list[JsonValue] = [
    {"model": "rag", "messages": [{"role": "user", "content": "How long is the notice period?"}]},
    {"model": "rag", "messages": [{"role": "user", "content": "How long?"}], "stream": True},
]


def _number(value: object) -> object:
    """Python's True equals 1; JSON's does not."""
    if isinstance(value, bool):
        raise ValueError("input should be a number")  # noqa: TRY004 - what pydantic takes
    return value


def _boolean(value: object) -> object:
    """Python's 0 equals False; JSON's does not."""
    if not isinstance(value, bool):
        raise ValueError("input should be true or false")  # noqa: TRY004 - what pydantic takes
    return value


class Part(Body):
    """A piece of a message's content; only text can be read."""

    type: Literal["text"]
    text: str = Field(max_length=TURN_LIMIT)


class Message(Body):
    """One message. What the system says is not used: answers come from the documents alone."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = Field(None, max_length=TURN_LIMIT)

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(Body):
    """What a stream carries beside the text."""

    include_usage: bool | None = None


class TextFormat(Body):
    """The only form of an answer."""

    type: Literal["text"]


class ChatRequest(Body):
    """A conversation whose last message is the question."""

    model_config = ConfigDict(json_schema_extra={"examples": EXAMPLES})

    model: str = Field(max_length=10_000, description='"rag", "rag:SPACE" or "rag:SPACE,SPACE"; GET /v1/models lists')
    messages: list[Message] = Field(min_length=1, max_length=MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    store: bool | None = Field(None, description="false keeps nothing of it in reports, inbox and feedback")
    n: Annotated[Literal[1], BeforeValidator(_number)] | None = None
    logprobs: Annotated[Literal[False], BeforeValidator(_boolean)] | None = None
    modalities: list[Literal["text"]] | None = None
    response_format: TextFormat | None = None
    tool_choice: Literal["none", "auto"] | None = None


class Evidence(BaseModel):
    """Our own fields of a message, and of the last piece of a stream."""

    citations: list[Citation] = Field(description="what the markers [1] to [n] in the text stand for")
    abstained: bool = Field(description="the documents do not seem to answer this")
    mode: Literal["extractive", "openai_chat", "abstained", "passages"] = Field(description="who wrote the text")
    notice: str | None = Field(description="a sentence where something went another way than asked")


class AnswerMessage(Evidence):
    """The answer."""

    role: Literal["assistant"]
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer there is."""

    index: int
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Literal["stop"]


class Usage(BaseModel):
    """Word pieces of the embedding model: an approximation of any language model's tokens. Nothing is billed by it."""

    prompt_tokens: int = Field(description="of the messages, and of the passages the answer was made from")
    completion_tokens: int = Field(description="of the answer")
    total_tokens: int


class Completion(BaseModel):
    """A whole answer."""

    id: str = Field(description="`chatcmpl-` and what feedback refers to")
    object: Literal["chat.completion"]
    created: int = Field(description="seconds since 1970")
    model: str
    choices: list[Choice]
    usage: Usage


class Model(BaseModel):
    """Spaces that can be asked, as a model."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """What the caller may ask."""

    object: Literal["list"]
    data: list[Model]


class OpenAIFault(BaseModel):
    """What went wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIFailed(BaseModel):
    """An answer to a request that was not carried out."""

    error: OpenAIFault

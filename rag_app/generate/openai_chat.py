"""Any OpenAI-compatible chat endpoint: OpenAI, Ollama, vLLM, llama.cpp. Owns the openai client.

Four limits bound an answer: reaching the server, its first word, the pause between two words, the whole. Only what
moves the answer on counts as a word; empty pieces and blanks do not. The size of a response is bounded as well, so a
server can neither hang nor fill this process.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ingest.errors import GeneratorError, SettingsError
from rag_app.endpoints import can_be_sent, host_of, is_local, own_words, pause_s
from rag_app.generate import faults
from rag_app.generate.stream import Reading, is_answer
from rag_app.prompt import messages
from rag_app.records import Hit, Mode, Turn

if TYPE_CHECKING:
    import httpx2
    from openai import APIStatusError, AsyncOpenAI, AsyncStream

OPENAI = "https://api.openai.com/v1"
NO_KEY = "none"  # local servers want the header, whatever it holds
ANSWER_LIMIT = 20_000  # characters of one answer
BYTES_LIMIT = 8 * 2**20  # of one response, everything counted
LINE_LIMIT = 2**20  # bytes of one line
REST_S = 0.2  # seconds for what follows a finished answer
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds an endpoint is given."""

    connect_s: float = 5.0
    first_s: float = 15.0  # from asking to the first word, one repetition included
    between_s: float = 10.0
    total_s: float = 120.0


class OpenAIChat:
    """Writes answers with a language model behind an OpenAI-compatible address."""

    mode = Mode.MODEL

    def __init__(self, model: str, *, base_url: str = "", api_key: str = "", limits: Limits | None = None) -> None:
        """Raise SettingsError for an address or a key that could never be sent."""
        self.model = model
        self.base_url = base_url.strip() or OPENAI
        self.host = host_of(self.base_url)
        if not self.host:
            raise SettingsError("OPENAI_BASE_URL must be an address such as http://localhost:11434/v1.")
        self._key = api_key.strip()
        if not can_be_sent(self._key):
            raise SettingsError("OPENAI_API_KEY holds characters that no key has. Set it again.")
        self._limits = limits or Limits()
        self._tls: ssl.SSLContext | None = None

    async def generate(
        self, question: str, passages: Sequence[Hit], turns: Sequence[Turn]
    ) -> AsyncGenerator[str, None]:
        """Write an answer in pieces. Raises GeneratorError; what was yielded before it is the unfinished answer."""
        async with aclosing(self.stream(messages(question, passages, turns))) as pieces:
            async for piece in pieces:
                yield piece

    async def probe(self) -> str | None:
        """Tell in a sentence why the endpoint cannot answer; None when it can. Asks for one word where need be."""
        if self.model in await self._listed():
            return None
        try:
            async with aclosing(self.stream([{"role": "user", "content": "Answer with the word yes."}])) as pieces:
                await anext(pieces)
        except GeneratorError as error:
            return str(error)
        return None

    async def stream(self, told: Sequence[Mapping[str, str]]) -> AsyncGenerator[str, None]:
        """Send chat messages and yield the answer in pieces. Raises GeneratorError."""
        await asyncio.to_thread(import_module, "openai")  # 1.5 s the first time: off the loop and the clock
        clock = asyncio.get_running_loop().time
        reading = Reading(started=clock())
        total = reading.started + self._limits.total_s
        quiet = min(total, reading.started + self._limits.first_s)
        async with self._client() as client:
            events = await self._opened(client, told, quiet)
            try:
                while not reading.finish:
                    piece = reading.take(await self._next(events, quiet, reading))
                    if piece:
                        yield piece
                    if piece or reading.thinks:
                        quiet = min(total, clock() + self._limits.between_s)
                    if reading.shown > ANSWER_LIMIT:
                        raise GeneratorError(faults.too_much())
                await _read_out(events)
            finally:
                await events.close()
        if fault := faults.unfinished(reading.finish) or ("" if reading.shown else faults.empty()):
            raise GeneratorError(fault)

    async def _opened(
        self, client: "AsyncOpenAI", told: Sequence[Mapping[str, str]], deadline: float
    ) -> "AsyncStream[object]":
        """Ask; once more where the server says it is only busy and there is time."""
        from openai import APIStatusError

        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(deadline):
                try:
                    return await self._asked(client, told)
                except APIStatusError as error:
                    pause = pause_s(error.response.headers.get("retry-after", ""))
                    if error.status_code not in RETRIED or clock() + 2 * pause > deadline:
                        raise
                await asyncio.sleep(pause)
                return await self._asked(client, told)
        except _faults() as error:
            raise GeneratorError(self._sentence(error, None)) from error

    async def _asked(self, client: "AsyncOpenAI", told: Sequence[Mapping[str, str]]) -> "AsyncStream[object]":
        from openai import AsyncStream

        # Not chat.completions.create: it builds typed values, and breaks, on answers of the wrong shape.
        return await client.post(
            "/chat/completions",
            body={"model": self.model, "messages": list(told), "stream": True},
            cast_to=object,
            stream=True,
            stream_cls=AsyncStream[object],
        )

    async def _next(self, events: "AsyncStream[object]", deadline: float, reading: Reading) -> object:
        try:
            async with asyncio.timeout_at(deadline):
                event = await anext(events)
        except StopAsyncIteration:
            raise GeneratorError(faults.STOPPED if reading.events else faults.garbage(self.host)) from None
        except _faults() as error:
            raise GeneratorError(self._sentence(error, reading)) from error
        if not is_answer(event):
            raise GeneratorError(faults.garbage(self.host))
        return event

    def _sentence(self, error: Exception, reading: Reading | None) -> str:
        """Say what an error of the client means; `reading` is None while nothing has come back."""
        import httpx2
        from openai import APIConnectionError, APIError, APIStatusError

        if isinstance(error, APIStatusError):
            return self._refusal(error)
        if isinstance(error, TimeoutError):
            return self._late(reading)
        if isinstance(error, ValueError | RecursionError | httpx2.DecodingError) or isinstance(
            error.__cause__, httpx2.DecodingError
        ):
            return faults.garbage(self.host)
        if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
            return faults.unreachable(self.host)
        if isinstance(error, APIError) and not isinstance(error, APIConnectionError):
            return faults.reported(own_words(error.body, self._key))
        return faults.broke_off(self.host)

    def _late(self, reading: Reading | None) -> str:
        """Say which of the limits was reached."""
        limits = self._limits
        if reading is None or not (reading.shown or reading.thought):
            return faults.no_first_word(self.host, min(limits.first_s, limits.total_s))
        if reading.seconds(asyncio.get_running_loop().time()) >= limits.total_s:
            return faults.took_too_long(limits.total_s)
        return faults.fell_silent(limits.between_s)

    def _refusal(self, error: "APIStatusError") -> str:
        return faults.refused(error.status_code, self.host, self.model, own_words(error.body, self._key))

    async def _listed(self) -> list[str]:
        """List the models the server names; none where it names none, which says nothing about it."""
        try:
            async with self._client() as client, asyncio.timeout(self._limits.connect_s + self._limits.first_s):
                answer = await client.get("/models", cast_to=object)
        except _faults():
            return []
        entries = answer.get("data") if isinstance(answer, dict) else None
        names = [entry.get("id") for entry in entries or [] if isinstance(entry, dict)]
        return [str(name).removesuffix(":latest") for name in names] + [str(name) for name in names]

    def _client(self) -> "AsyncOpenAI":
        """Make a client for one answer: closing it closes its socket, and no event loop is outlived."""
        import httpx2
        from openai import AsyncOpenAI

        limits = self._limits
        timeout = httpx2.Timeout(None, connect=limits.connect_s, pool=limits.connect_s)
        http = httpx2.AsyncClient(
            timeout=timeout,
            verify=self._verification(),
            trust_env=not is_local(self.base_url),  # a proxy for the internet is none for this computer
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_bounded]},
        )
        return AsyncOpenAI(
            api_key=self._key or NO_KEY, base_url=self.base_url, timeout=timeout, max_retries=0, http_client=http
        )

    def _verification(self) -> ssl.SSLContext | bool:
        import httpx2

        if not self.base_url.lower().startswith("https:"):
            return False  # nothing to verify, and loading the certificates takes 0.1 s
        if self._tls is None:
            self._tls = httpx2.create_ssl_context()
        return self._tls


async def _read_out(events: "AsyncStream[object]") -> None:
    """Read what follows a finished answer, so that the parts of the stream end here.

    Left as garbage, they may be collected on another thread while the loop closes them, which fails.
    """
    with contextlib.suppress(TimeoutError, *_faults()):  # the answer is whole, whatever comes after it
        async with asyncio.timeout(REST_S):
            async for _ in events:
                pass


async def _bounded(response: "httpx2.Response") -> None:
    """Let a response end with an error once it is far larger than any answer."""
    import httpx2

    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.DecodingError("A compressed answer was not asked for.", request=response.request)
    stream = response.stream

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            whole = line = 0
            assert isinstance(stream, httpx2.AsyncByteStream)
            async for part in stream:
                whole += len(part)
                line = len(part) - part.rindex(b"\n") if b"\n" in part else line + len(part)
                if whole > BYTES_LIMIT or line > LINE_LIMIT:
                    raise httpx2.DecodingError("The answer is far too large.", request=response.request)
                yield part

        async def aclose(self) -> None:
            assert isinstance(stream, httpx2.AsyncByteStream)
            await stream.aclose()

    response.stream = Bounded()


def _faults() -> tuple[type[Exception], ...]:
    """Name what the client lets through: its own errors, the transport's, and those of reading what was sent."""
    import anyio
    import httpx2
    from openai import OpenAIError

    broken = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
    return (OpenAIError, httpx2.HTTPError, httpx2.StreamError, *broken, OSError, ValueError, RecursionError)

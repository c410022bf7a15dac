"""An OpenAI-compatible chat server on loopback that says what it is told to, and misbehaves in named ways.

The model's name in a request chooses the fault, so one server can misbehave in all ways at once. Any other name gets
`pieces`, the scripted answer; a `threading.Event` among them is waited for.
"""

import asyncio
import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

GOOD = ("Employees get 20 days ", "of vacation [1]. ", "Unused days lapse [2].")
COMPRESSED = gzip.compress(b" " * 2**24)
NEVER = 3600.0  # seconds; longer than any limit


@dataclass
class Reply:
    """One connection: what was asked, and the means to answer badly."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    body: dict[str, Any] = field(default_factory=dict)
    finished: bool = False  # the whole answer was sent
    tries: int = 1  # times this very request was made, this one included

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, kind: str = "text/event-stream", *more: str) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {kind}", "Connection: close", *more]
        await self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def status(self, status: int, message: str, *more: str) -> None:
        body = json.dumps({"error": {"message": message, "type": "scripted"}}).encode()
        await self.head(status, "application/json", f"Content-Length: {len(body)}", *more)
        await self.raw(body)

    async def event(self, data: object) -> None:
        await self.raw(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())

    async def say(self, text: str | None) -> None:
        await self.event(chunk({"content": text}))

    async def finish(self, reason: str = "stop") -> None:
        await self.event(chunk({}, reason))
        self.finished = True
        await self.event("[DONE]")

    async def answer(
        self, pieces: Sequence[str] = GOOD, *, reason: str = "stop", kind: str = "text/event-stream"
    ) -> None:
        await self.head(200, kind)
        for piece in pieces:
            await self.say(piece)
        await self.finish(reason)

    def reset(self) -> None:
        """Close with a reset instead of an end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


async def _silent(_: Reply) -> None:
    await asyncio.sleep(NEVER)


async def _slow_first_word(reply: Reply) -> None:
    await reply.head()
    while True:  # alive, and saying nothing
        await reply.raw(b": keep-alive\n\n")
        await asyncio.sleep(0.1)


async def _stalls(reply: Reply) -> None:
    await reply.head()
    await reply.say(GOOD[0])
    await asyncio.sleep(NEVER)


async def _closes(reply: Reply) -> None:
    await reply.head(200, "text/event-stream", "Content-Length: 100000")
    await reply.say(GOOD[0])


async def _resets(reply: Reply) -> None:
    await reply.head()
    await reply.say(GOOD[0])
    await asyncio.sleep(0.05)
    reply.reset()


async def _resets_at_once(reply: Reply) -> None:
    reply.reset()


async def _no_finish(reply: Reply) -> None:
    await reply.head()
    await reply.say(GOOD[0])
    await reply.event("[DONE]")


async def _rate_limited_once(reply: Reply) -> None:
    if reply.tries == 1:
        await reply.status(429, "Slow down.", "Retry-After: 0")
    else:
        await reply.answer()


async def _busy_once(reply: Reply) -> None:
    if reply.tries == 1:
        await reply.status(503, "Loading model.")
    else:
        await reply.answer()


async def _bad_gateway(reply: Reply) -> None:
    await reply.head(502, "text/html")
    await reply.raw(b"<html><body><h1>502 Bad Gateway</h1><script>alert(1)</script></body></html>")


async def _web_page(reply: Reply) -> None:
    await reply.head(200, "text/html")
    await reply.raw(b"<!doctype html><html><body>Welcome to nginx!</body></html>")


async def _garbage(reply: Reply) -> None:
    await reply.head()
    await reply.raw(bytes(range(256)) * 16 + b"\n\n" + b"data: \xff\xfe\x00\n\n")


async def _no_http(reply: Reply) -> None:
    await reply.raw(b"SSH-2.0-OpenSSH_9.2p1\r\n")


async def _invalid_json(reply: Reply) -> None:
    await reply.head()
    await reply.say(GOOD[0])
    await reply.event('{"choices": [{"delta": {"content": "days')


async def _deep_json(reply: Reply) -> None:
    await reply.head()
    await reply.event("[" * 200_000)


async def _wrong_shape(reply: Reply) -> None:
    await reply.head()
    for event in ([1, 2], {"choices": "none"}):
        await reply.event(event)


async def _odd_values(reply: Reply) -> None:
    await reply.head()
    for choices in ([], [None], [{"delta": None}], [{"delta": {"content": 7}}], [{"delta": {"content": None}}]):
        await reply.event({"choices": choices})
    await reply.event(chunk({"role": "assistant", "content": ""}))
    await reply.say(GOOD[0])
    await reply.finish()


async def _whole_at_once(reply: Reply) -> None:
    body = json.dumps({"choices": [{"message": {"content": "20 days [1]."}, "finish_reason": "stop"}]}).encode()
    await reply.head(200, "application/json", f"Content-Length: {len(body)}")
    await reply.raw(body)


async def _empty_stream(reply: Reply) -> None:
    await reply.head(200, "text/event-stream", "Content-Length: 0")


async def _only_blanks(reply: Reply) -> None:
    await reply.head()
    while True:
        await reply.say(" \n")
        await asyncio.sleep(0.01)


async def _never_ends(reply: Reply) -> None:
    await reply.head()
    while True:
        await reply.say("and so on and on " * 20)
        await asyncio.sleep(0.002)


async def _drips(reply: Reply) -> None:
    await reply.head()
    while True:
        await reply.say("drip ")
        await asyncio.sleep(0.05)


async def _huge_line(reply: Reply) -> None:
    await reply.head()
    await reply.raw(b'data: {"choices": [{"delta": {"content": "')
    while True:
        await reply.raw(b"x" * 2**20)


async def _compressed(reply: Reply) -> None:
    await reply.head(200, "text/event-stream", "Content-Encoding: gzip")
    await reply.raw(COMPRESSED)


async def _error_event(reply: Reply) -> None:
    await reply.head()
    await reply.say(GOOD[0])
    await reply.event({"error": {"message": "CUDA out of memory", "code": 500}})


async def _redirect(reply: Reply) -> None:
    await reply.head(307, "text/plain", "Location: http://127.0.0.1:9/elsewhere", "Content-Length: 0")


def _always(status: int, message: str, *more: str) -> Callable[[Reply], Awaitable[None]]:
    return lambda reply: reply.status(status, message, *more)


def _saying(pieces: Sequence[str], finish: str = "stop") -> Callable[[Reply], Awaitable[None]]:
    return lambda reply: reply.answer(pieces, reason=finish)


@dataclass(frozen=True)
class Fault:
    """A way to misbehave, and what the reader must be told: a part of the reason, or "" where an answer must come."""

    act: Callable[[Reply], Awaitable[None]]
    told: str


FAULTS: dict[str, Fault] = {
    "silent": Fault(_silent, "sent nothing within"),
    "slow-first-word": Fault(_slow_first_word, "sent nothing within"),
    "stalls": Fault(_stalls, "fell silent for"),
    "closes": Fault(_closes, "was lost before"),
    "resets": Fault(_resets, "was lost before"),
    "resets-at-once": Fault(_resets_at_once, "was lost before"),
    "no-finish": Fault(_no_finish, "stopped before this answer was finished"),
    "cut-at-length": Fault(_saying(GOOD[:1], "length"), "length limit"),
    "filtered": Fault(_saying(GOOD[:1], "content_filter"), "content filter"),
    "wrong-key": Fault(_always(401, "Incorrect API key provided: sk-secret-1234567890."), "Check OPENAI_API_KEY"),
    "forbidden": Fault(_always(403, "Your key sk-secret-1234567890 may not."), "does not allow this key"),
    "unknown-model": Fault(_always(404, "model not found"), "does not know the model unknown-model"),
    "rate-limited": Fault(_always(429, "Slow down.", "Retry-After: 60"), "takes no more questions for now"),
    "rate-limited-once": Fault(_rate_limited_once, ""),
    "server-error": Fault(_always(500, "model requires more memory"), "more memory"),
    "bad-gateway": Fault(_bad_gateway, "failed (502)"),
    "busy-once": Fault(_busy_once, ""),
    "too-long": Fault(_always(400, "This model's maximum context length is 4096 tokens."), "too long for the model"),
    "bad-request": Fault(_always(400, "Unknown field: stream."), "Unknown field"),
    "web-page": Fault(_web_page, "not a chat answer"),
    "garbage": Fault(_garbage, "not a chat answer"),
    "no-http": Fault(_no_http, "was lost before"),
    "invalid-json": Fault(_invalid_json, "not a chat answer"),
    "deep-json": Fault(_deep_json, "not a chat answer"),
    "wrong-shape": Fault(_wrong_shape, "not a chat answer"),
    "odd-values": Fault(_odd_values, ""),
    "whole-at-once": Fault(_whole_at_once, "not a chat answer"),
    "empty-stream": Fault(_empty_stream, "not a chat answer"),
    "empty-answer": Fault(_saying(()), "empty answer"),
    "only-blanks": Fault(_only_blanks, "sent nothing within"),
    "never-ends": Fault(_never_ends, "did not come to an end"),
    "drips": Fault(_drips, "took longer than"),
    "huge-line": Fault(_huge_line, "not a chat answer"),
    "compressed": Fault(_compressed, "not a chat answer"),
    "error-event": Fault(_error_event, "CUDA out of memory"),
    "wrong-content-type": Fault(lambda reply: reply.answer(kind="text/plain"), ""),
    "redirect": Fault(_redirect, "sends requests on"),
    "forged-markers": Fault(_saying(["20 days [7]", "[", "0] and [9", "99]."]), ""),
    "thinks-aloud": Fault(_saying(["<thi", "nk>hm [1]</th", "ink>", *GOOD]), ""),
}


class ScriptedEndpoint:
    """The server, in a thread of its own. Use it as a context."""

    def __init__(self, pieces: Sequence[str | threading.Event] = GOOD) -> None:
        self.pieces = pieces
        self.requests: list[dict[str, Any]] = []  # bodies, in order
        self.headers: list[str] = []  # of the same requests, as sent
        self.left = threading.Event()  # a client closed its socket before its answer was finished
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="scripted endpoint", daemon=True)
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(10)
        self._loop.close()

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._listen())
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await asyncio.Event().wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer(Reply(reader, writer))
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            writer.close()

    async def _answer(self, reply: Reply) -> None:
        head = (await reply.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
        sent = await reply.reader.readexactly(int(lengths[0])) if lengths else b""
        if "/models" in head.partition("\r\n")[0]:
            await self._models(reply)
            return
        reply.body = json.loads(sent)
        self.requests.append(reply.body)
        self.headers.append(head)
        model = reply.body["model"]
        reply.tries = self.requests.count(reply.body)
        act = FAULTS[model].act if model in FAULTS else self._scripted
        acting = asyncio.ensure_future(act(reply))
        leaving = asyncio.ensure_future(reply.reader.read(1))
        await asyncio.wait({acting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done() and not reply.finished:
            self.left.set()
        for task in (acting, leaving):
            task.cancel()
        await asyncio.gather(acting, leaving, return_exceptions=True)

    async def _models(self, reply: Reply) -> None:
        body = json.dumps({"object": "list", "data": [{"id": "scripted"}, {"id": "llama3:latest"}]}).encode()
        await reply.head(200, "application/json", f"Content-Length: {len(body)}")
        await reply.raw(body)

    async def _scripted(self, reply: Reply) -> None:
        await reply.head()
        for piece in self.pieces:
            if isinstance(piece, str):
                await reply.say(piece)
            else:
                while not piece.is_set():
                    await asyncio.sleep(0.005)
        await reply.finish()


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])

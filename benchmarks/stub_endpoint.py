"""An OpenAI-compatible chat server on loopback that answers from its prompt: it quotes what the question is about.

The question names something in quotation marks. The answer is the sentence of the first passage that holds that name,
with the passage's number; without one it says so. What it cannot do is know what is not in the prompt, so an answer
that was mixed up with another person's shows.
"""

import asyncio
import contextlib
import json
import re
import threading
from types import TracebackType
from typing import Any, Self

PIECES = 4  # of an answer
NOTHING = "The passages do not say."
_PASSAGE = re.compile(r"^(==\w+==) passage \[(\d+)\]\n(.*?)^\1 end", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"“([^”]+)”")
_SENTENCE = re.compile(r"[^.\n]*\.")


def said(prompt: str) -> str:
    """The answer to a prompt of the application."""
    named = _NAMED.search(prompt.rpartition("Question:")[2])
    if named is None:
        return NOTHING
    for _, number, text in _PASSAGE.findall(prompt):
        sentence = next((one for one in _SENTENCE.findall(text) if named[1] in one), None)
        if sentence:
            return f"{sentence.strip()} [{number}]"
    return NOTHING


class StubEndpoint:
    """The server, in a thread of its own. Use it as a context; `word_s` is the pause before each piece."""

    def __init__(self, word_s: float = 0.01) -> None:
        self._word_s = word_s
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="endpoint")
        self.base_url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._ending.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked has left
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
            body = json.loads(await reader.readexactly(int(length[1]))) if length else {}
            await self._answer(writer, said(body["messages"][-1]["content"]))
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, text: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        step = -(-len(text) // PIECES)
        for start in range(0, len(text), step):
            await asyncio.sleep(self._word_s)
            writer.write(_event({"content": text[start : start + step]}, None))
            await writer.drain()
        writer.write(_event({}, "stop") + b"data: [DONE]\n\n")
        await writer.drain()


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    values: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(values)}\n\n".encode()

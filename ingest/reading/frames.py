"""Length-prefixed frames over a pipe: JSON objects and raw bytes, never pickles. Pure."""

import json
import struct
from collections.abc import Iterator
from typing import Any

JSON = b"J"
BYTES = b"B"
_HEAD = struct.Struct(">cI")  # kind, length of what follows in bytes

Frame = dict[str, Any] | bytes


class BadFrames(ValueError):
    """What came over the pipe is not a sequence of frames, or more than was allowed."""


def pack(frame: Frame) -> bytes:
    """The bytes of one frame, head included."""
    if isinstance(frame, bytes):
        return _HEAD.pack(BYTES, len(frame)) + frame
    # ensure_ascii keeps lone surrogates, which damaged files produce, in one piece.
    body = json.dumps(frame, ensure_ascii=True).encode("ascii")
    return _HEAD.pack(JSON, len(body)) + body


class Unpacker:
    """Turns what arrives on a pipe, in any cut, into frames."""

    def __init__(self, limit: int) -> None:
        """Accept at most `limit` bytes in all."""
        self._left = limit
        self._buffer = bytearray()

    def feed(self, arrived: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises BadFrames."""
        self._left -= len(arrived)
        if self._left < 0:
            raise BadFrames("too much output")
        self._buffer += arrived
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        if len(self._buffer) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._buffer)
        if kind not in {JSON, BYTES} or length > self._left + len(self._buffer):
            raise BadFrames("not a frame")
        if len(self._buffer) < _HEAD.size + length:
            return None
        body = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
        del self._buffer[: _HEAD.size + length]
        return body if kind == BYTES else _object(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFrames("not JSON") from error
    if not isinstance(value, dict):
        raise BadFrames("not a JSON object")
    return value

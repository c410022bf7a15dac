"""A multipart upload, streamed to a file inside the home as it arrives."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

SLACK = 64_000  # bytes of a request around the file itself
NAME_LIMIT = 255  # characters of a file name
HEADER_LIMIT = 4096  # bytes of a part's headers that are looked at


class UploadRefused(Exception):
    """An upload that will not be taken; its text is for the person, `status` for the browser."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@contextmanager
def waiting_room(folder: Path) -> Iterator[Path]:
    """A path for a new file in `folder`; what is still there at the end is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


async def receive(request: Request, path: Path, max_mb: int) -> str:
    """Write the request's one file to `path` and return its name.

    Raises UploadRefused when it is larger than `max_mb` megabytes, is cut off, or holds no file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise UploadRefused("Send the file as multipart/form-data, in a part with a file name.", 415)
    part = _Part(max_mb)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_mb * 1_000_000 + SLACK:
        raise part.too_large("This file")
    parser = MultipartParser(options[b"boundary"], part.callbacks())
    with path.open("wb") as file:
        try:
            async for piece in request.stream():
                parser.write(piece)
                await asyncio.to_thread(file.write, part.taken())
        except FormParserError as error:
            raise UploadRefused("This upload could not be read. Send it again.", 400) from error
        except ClientDisconnect as error:
            raise UploadRefused("The upload ended before the file was whole. Send it again.", 400) from error
    if not part.whole:
        raise UploadRefused("There was no whole file in this upload. Choose one and send it again.", 400)
    return part.name


class _Part:
    """Listens to the parser and hands on the bytes of the first part that has a file name."""

    def __init__(self, max_mb: int) -> None:
        self.name = ""
        self.whole = False
        self._max_mb = max_mb
        self._size = 0
        self._bytes = bytearray()
        self._inside = False
        self._header, self._value = bytearray(), bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_data,
            "on_part_end": self._on_part_end,
        }

    def taken(self) -> bytes:
        """The bytes that have come since the last call."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken

    def too_large(self, name: str) -> UploadRefused:
        limit = f"{name} is larger than the limit of {self._max_mb} MB."
        sentence = f"{limit} Split it, or ask the administrator to raise the limit."
        return UploadRefused(sentence, 413)

    def _on_header(self, piece: bytes, start: int, end: int) -> None:
        self._header += piece[start : min(end, start + HEADER_LIMIT)]

    def _on_value(self, piece: bytes, start: int, end: int) -> None:
        self._value += piece[start : min(end, start + HEADER_LIMIT)]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.whole:
            name = parse_options_header(bytes(self._value))[1].get(b"filename", b"")
            self.name = plain_name(name.decode("utf-8", "replace"))
            self._inside = bool(self.name)
        self._header, self._value = bytearray(), bytearray()

    def _on_data(self, piece: bytes, start: int, end: int) -> None:
        if not self._inside:
            return
        self._size += end - start
        if self._size > self._max_mb * 1_000_000:
            raise self.too_large(self.name)
        self._bytes += piece[start:end]

    def _on_part_end(self) -> None:
        self.whole = self.whole or self._inside
        self._inside = False


def plain_name(given: str) -> str:
    """The last part of a file name as a browser sends it; only ever shown, never used as a path."""
    for code, character in (("%22", '"'), ("%0D", " "), ("%0A", " ")):
        given = given.replace(code, character)
    return given.replace("\\", "/").rsplit("/", 1)[-1].strip()[:NAME_LIMIT]

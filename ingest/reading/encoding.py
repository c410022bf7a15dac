"""The letters that a text file's bytes stand for. Pure."""

import codecs
import re
from dataclasses import dataclass

MOST_CONTROL = 0.01  # of all characters; a file with more control signs is no text
MOST_FOREIGN = 0.3  # of all bytes; more beyond ASCII than this and it is not the alphabet of Windows-1252
MOST_DAMAGED = 0.1  # for each letter beyond ASCII that is whole; with more, it is not UTF-8

# The longer marks first: the mark of UTF-32 begins with that of UTF-16.
_MARKED = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f]")
_FOREIGN = re.compile(rb"[\x80-\xff]")
_LINE_END = re.compile("\r\n?|[\x0b\x85\u2028\u2029]")


class NotText(ValueError):
    """The bytes are no text that can be read."""

    def __init__(self, why: str) -> None:
        """`why` is "binary" or "encoding"."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text whose lines end with a line feed."""

    text: str
    doubt: str  # a sentence about letters that may be wrong; "" where they are sure


def decode(content: bytes) -> Decoded:
    """The text of a file: what its byte order mark says, else UTF-8, else Windows-1252. Raises NotText."""
    found = _marked(content) or _utf8(content) or _windows(content)
    text = _LINE_END.sub("\n", found.text).removeprefix("\ufeff")
    if len(_CONTROL.findall(text)) > MOST_CONTROL * len(text):
        raise NotText("binary")
    return Decoded(text.replace("\0", ""), found.doubt)


def _marked(content: bytes) -> Decoded | None:
    for mark, name in _MARKED:
        if content.startswith(mark) and name != "utf-8":
            try:
                return Decoded(content.decode(name), "")
            except UnicodeDecodeError as error:
                raise NotText("binary") from error
    return None


def _utf8(content: bytes) -> Decoded | None:
    """The text as UTF-8, also where a few letters are damaged; None where it is not UTF-8."""
    try:
        return Decoded(content.decode("utf-8"), "")
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - damaged
    if damaged > MOST_DAMAGED * whole:
        return None
    are = "is" if damaged == 1 else "are"
    return Decoded(text, f"{damaged} of its letters {are} damaged in the file and shown as \ufffd.")


def _windows(content: bytes) -> Decoded:
    if len(_FOREIGN.findall(content)) > MOST_FOREIGN * len(content):
        # As many control signs as a picture or an archive has, or the letters of another alphabet.
        controls = len(_CONTROL.findall(content.decode("latin-1")))
        raise NotText("binary" if controls > MOST_CONTROL * len(content) else "encoding")
    doubt = "It is not UTF-8 and was read as Windows-1252: if letters look wrong, save it as UTF-8 and add that."
    return Decoded(content.decode("cp1252", "replace"), doubt)

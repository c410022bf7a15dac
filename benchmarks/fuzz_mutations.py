"""Spoils PDFs: bytes, structure and contents. The same dice spoil the same file in the same way. Pure."""

import random
import re
import zlib
from collections.abc import Callable, Sequence

MOST = 3  # mutations of one file
_FLIPS = 40  # bytes changed at most
_DEEP = (200, 3_000, 40_000)  # how far things are nested
_PIECE = 4_000  # bytes moved, doubled or taken out at most
_LONGEST = 4 << 20  # bytes of a spoiled file; what a file of this size can do, a larger one can do more slowly
_EXTREME = (
    b"0", b"-1", b"1", b"255", b"65536", b"2147483647", b"2147483648", b"-2147483648", b"4294967296",
    b"99999999999999999999", b"1e38", b"-1e-38", b"0.0000001", b"nan", b"inf", b"--5", b"1.2.3",
)  # fmt: skip
_REFERENCE = re.compile(rb"\b(\d+) (\d+) (obj|R)\b")
_LENGTH = re.compile(rb"/Length\s+(\d+)")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_NAME = re.compile(rb"/[A-Za-z0-9]+")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_OPENING = (b"[", b"<</A ", b"(", b"q ", b"BT ", b"/P<</MCID 0>>BDC ", b"obj\n", b"<< /Kids [ ")
_SIGNS = (
    b"\x00",
    b"\\000",
    b"\\377",
    b"\xff\xfe",
    b"<d800>",
    b"<dfff0041>",
    b"\xed\xa0\x80",
    b"<feff202e0041>",
    b"\x85",
)

Mutation = Callable[[bytes, bytes, random.Random], bytes]


def mutated(original: bytes, others: Sequence[bytes], dice: random.Random) -> tuple[bytes, tuple[str, ...]]:
    """The file after one to MOST mutations, and their names. `others` are files that pieces may come from."""
    names = tuple(dice.choices(list(MUTATIONS), k=dice.randint(1, MOST)))
    spoiled = original
    for name in names:
        spoiled = MUTATIONS[name](spoiled or original, dice.choice(others), dice)[:_LONGEST]
    return spoiled, names


def _flips(file: bytes, _: bytes, dice: random.Random) -> bytes:
    spoiled = bytearray(file)
    for _flip in range(dice.randint(1, _FLIPS)):
        spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


def _truncated(file: bytes, _: bytes, dice: random.Random) -> bytes:
    return file[: dice.randint(min(len(file), 8), len(file))]


def _spliced(file: bytes, other: bytes, dice: random.Random) -> bytes:
    """A piece of another file, put between or over what was there."""
    start, at = dice.randrange(len(other)), dice.randrange(len(file))
    piece = other[start : start + dice.randint(1, _PIECE)]
    return file[:at] + piece + file[at + dice.choice((0, len(piece))) :]


def _doubled(file: bytes, _: bytes, dice: random.Random) -> bytes:
    start, at = dice.randrange(len(file)), dice.randrange(len(file))
    return file[:at] + file[start : start + dice.randint(1, _PIECE)] + file[at:]


def _cut_out(file: bytes, _: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(file))
    return file[:at] + file[at + dice.randint(1, _PIECE) :]


def _renumbered(file: bytes, _: bytes, dice: random.Random) -> bytes:
    """Objects get numbers of others, and references lead elsewhere, often in a circle."""
    numbers = [found[1] for found in _REFERENCE.finditer(file)] or [b"1"]
    return _changed(file, _REFERENCE, dice, lambda found: b"%s %s %s" % (dice.choice(numbers), found[2], found[3]))


def _wrong_lengths(file: bytes, _: bytes, dice: random.Random) -> bytes:
    return _changed(file, _LENGTH, dice, lambda _found: b"/Length " + dice.choice(_EXTREME))


def _wrong_numbers(file: bytes, _: bytes, dice: random.Random) -> bytes:
    return _changed(file, _NUMBER, dice, lambda _found: dice.choice(_EXTREME))


def _renamed(file: bytes, other: bytes, dice: random.Random) -> bytes:
    names = _NAME.findall(file)[:500] + _NAME.findall(other)[:100] or [b"/A"]
    return _changed(file, _NAME, dice, lambda _found: dice.choice(names))


def _nested(file: bytes, _: bytes, dice: random.Random) -> bytes:
    """Something that is opened thousands of times and never closed, after an object's head or anywhere."""
    heads = [found.end() for found in re.finditer(rb" obj\b", file)]
    at = dice.choice(heads) if heads and dice.random() < 0.7 else dice.randrange(len(file))  # noqa: PLR2004
    return file[:at] + dice.choice(_OPENING) * dice.choice(_DEEP) + file[at:]


def _strange_signs(file: bytes, _: bytes, dice: random.Random) -> bytes:
    """Half characters, zeros and marks of direction where strings are."""
    places = [found.end() for found in re.finditer(rb"[(<]", file)] or [0]
    for at in sorted(dice.sample(places, min(len(places), 5)), reverse=True):
        file = file[:at] + dice.choice(_SIGNS) * dice.randint(1, 9) + file[at:]
    return file


def _spoiled_contents(file: bytes, other: bytes, dice: random.Random) -> bytes:
    """One packed stream unpacked, spoiled, and put back with its length and without its filter."""
    streams = [found for found in _STREAM.finditer(file) if found[1][:1] == b"x"]
    if not streams:
        return _wrong_numbers(file, other, dice)
    found = dice.choice(streams)
    spoil = dice.choice((_flips, _wrong_numbers, _doubled, _cut_out, _nested, _strange_signs, _renumbered, _renamed))
    contents = spoil(_unpacked(found[1]) or b" ", other, dice)
    head = file[: found.start()]
    entries = head.rfind(b"obj")
    kept = re.sub(rb"/Filter\s*(\[[^\]]*\]|/\w+)", b"", _LENGTH.sub(b"/Length %d" % len(contents), head[entries:]))
    return head[:entries] + kept + b"stream\n" + contents + b"\nendstream" + file[found.end() :]


def _unpacked(packed: bytes) -> bytes:
    """What a packed stream holds, up to where it is damaged."""
    packer, contents = zlib.decompressobj(), b""
    try:
        for start in range(0, len(packed), _PIECE):
            contents += packer.decompress(packed[start : start + _PIECE], _LONGEST)
    except zlib.error:
        return contents
    return contents[:_LONGEST]


def _changed(
    file: bytes, what: re.Pattern[bytes], dice: random.Random, change: Callable[[re.Match[bytes]], bytes]
) -> bytes:
    """The file with one to twelve matches changed."""
    matches = list(what.finditer(file))
    for found in sorted(dice.sample(matches, min(len(matches), dice.randint(1, 12))), key=re.Match.start, reverse=True):
        file = file[: found.start()] + change(found) + file[found.end() :]
    return file


MUTATIONS: dict[str, Mutation] = {
    "flips": _flips,
    "truncated": _truncated,
    "spliced": _spliced,
    "doubled": _doubled,
    "cut out": _cut_out,
    "renumbered": _renumbered,
    "wrong lengths": _wrong_lengths,
    "wrong numbers": _wrong_numbers,
    "renamed": _renamed,
    "nested": _nested,
    "strange signs": _strange_signs,
    "spoiled contents": _spoiled_contents,
}

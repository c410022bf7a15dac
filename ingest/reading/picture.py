"""A page as a picture, with the place of a quote on it, drawn by a child."""

import math
from pathlib import Path

from ingest.errors import Refused
from ingest.reading.reader import look_at
from ingest.reading.sandbox import Cause, Limits, Stopped, run
from ingest.records import Box, PageImage

LIMITS = Limits(seconds=20, step_seconds=20, memory_mb=1400, output_mb=64)
LONGEST_QUOTE = 8000  # characters; the rest is not looked for


def page_image(path: Path, page: int, *, width: int, quote: str = "", near: int = 0) -> PageImage:
    """Page `page` (1-based) of a PDF or a text, `width` pixels wide, and the boxes of the quote on it.

    `near` is the character offset in the page's cleaned text at which the quote begins; it chooses among several
    places. Boxes are empty where the quote cannot be placed. Raises Refused where the page cannot be drawn.
    """
    request = {
        "task": "draw",
        "format": look_at(path),
        "path": str(path.absolute()),
        "page": page,
        "width": width,
        "quote": quote[:LONGEST_QUOTE],
        "near": near,
    }
    try:
        said = list(run(request, LIMITS))
        return _picture(said[0], said[1])
    except Stopped as stopped:
        why = "takes too long to draw" if stopped.cause in {Cause.TIME, Cause.STEP} else "cannot be drawn"
        raise Refused(f"Page {page} of {path.name} {why}. Open the original file instead.") from stopped
    except (IndexError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise Refused(f"Page {page} of {path.name} cannot be drawn. Open the original file instead.") from error


def _picture(facts: object, png: object) -> PageImage:
    assert isinstance(facts, dict)
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    boxes = tuple(Box(*(_finite(side) for side in box)) for box in facts["boxes"])
    return PageImage(png, _finite(facts["width"]), _finite(facts["height"]), boxes)


def _finite(number: object) -> float:
    value = float(str(number))
    if not math.isfinite(value):
        raise ValueError(f"{number} is no length")
    return value

"""What the log looks like: lines for people, or JSON lines for programs that gather them.

No line holds a question, a passage or an answer. That is why a JSON line names an error's type and the places it went
through, and never its text, which may quote what could not be handled.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TOLD = ("rag_app.requests", "rag_app.answers")  # loggers whose every line is for programs: one a request, one an answer
_TEXT_LIMIT = 2_000  # characters of a message


def set_up(form: str) -> None:
    """Write warnings and worse to stderr, "plain" or as "json"; as JSON also a line for each request and answer."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(PLAIN))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in TOLD:
        logging.getLogger(name).setLevel(logging.INFO if form == "json" else logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message, what the line adds, and where an error came from."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        values = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_TEXT_LIMIT],
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            values["error"] = record.exc_info[0].__name__
            values["where"] = _places(record.exc_info[2])
        return json.dumps(values, default=str)


def _places(trace: TracebackType | None) -> list[str]:
    """The places an error went through, the outermost first, without the lines of code."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]

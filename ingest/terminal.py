"""How a command speaks to a terminal and to a script."""

import json
import sys

from ingest.errors import HomeBusy, RagError


def printable(text: str) -> str:
    """Text of others made harmless for a terminal: control characters become a replacement mark."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def failed(error: RagError, *, as_json: bool) -> int:
    """Say a failure the way the command speaks, and return the exit code."""
    if as_json:
        sys.stdout.write(json.dumps({"error": {"kind": error.kind, "message": str(error)}}) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return 75 if isinstance(error, HomeBusy) else 1

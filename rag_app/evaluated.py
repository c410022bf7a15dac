"""Takes out of a home what evaluations left of a document: beginnings of passages in results, and computed things."""

import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path, PurePath
from typing import Any

from ingest.home import Home, OwnerLock, flush
from ingest.records import Document
from rag_app import blanking

RESULTS, CACHE = "evaluations", "cache"  # folders of a home
_WITHOUT_TEXT = frozenset({"engines.json"})  # what each engine took on this machine
_WORD = re.compile(r"\w+")


def blank(home: Path, document: Document, words: Collection[str]) -> int:
    """Blank what results kept of a document, and `words` (folded) wherever they stand; the number of results changed.

    Figures stay. A file that is no result is deleted: nobody can say what it holds.
    """
    changed = 0
    for file in sorted((home / RESULTS).glob("*")):
        try:
            text = file.read_text(encoding="utf-8")
            values = json.loads(text)
            failures = values.get("failures", [])
            for failure in failures:
                _blank_passages(failure, document, words)
        except (OSError, ValueError, AttributeError, TypeError, KeyError):
            file.unlink(missing_ok=True)
            continue
        after = blanking.blanked(json.dumps(values, ensure_ascii=False, indent=1), document.id, words)
        if json.loads(after) != json.loads(text):
            changed += 1
            unfinished = file.with_suffix(".new")
            unfinished.write_text(after + "\n", encoding="utf-8")
            flush(unfinished)
            unfinished.replace(file)
    return changed


def _blank_passages(failure: Mapping[str, Any], document: Document, words: Collection[str]) -> None:
    """Blank the passages of the document among those a question found, and its name among those it should have."""
    names = {document.path, PurePath(document.path).name, document.title}
    for passage in [*failure["found"], *failure["right"]]:
        text = passage.get("text", "")
        if passage["document"] in names or any(word.casefold() in words for word in _WORD.findall(text)):
            passage["document"] = blanking.TITLE
            if text:
                passage["text"] = ""


def drop_cache(home: Path) -> None:
    """Delete passages, vectors and scores that evaluations and trainings keep; the next one computes them again.

    Raises HomeBusy while an evaluation reads PDFs there.
    """
    for entry in (home / CACHE).glob("*"):
        if entry.is_dir():
            for library in filter(Path.is_dir, entry.glob("*")):
                with OwnerLock(Home(library)).acquire():
                    shutil.rmtree(library)
            shutil.rmtree(entry)
        elif entry.name not in _WITHOUT_TEXT:
            entry.unlink(missing_ok=True)

"""rag verify: whether everything stored, or in a backup, is still there and as it was."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingest import backup
from ingest.build import open_library
from ingest.errors import HomeBusy
from ingest.home import OwnerLock
from ingest.index.generation import Index
from ingest.library import Library
from ingest.library.integrity import START, Fault, Finding
from ingest.terminal import printable
from rag_app.settings import Settings

UNKNOWN: dict[str, Any] = {"state": "unknown", "passages": 0, "newer": 0, "gone": 0, "leftover": 0}
REBUILT = "Nothing is lost and answers stay right: the next `rag serve` or `rag ingest` builds it anew."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("backup", nargs="?", type=Path, metavar="FILE", help="look at this backup instead")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Look at everything; 1 when something is wrong."""
    if arguments.backup is not None:
        return _backup(arguments.backup, as_json=arguments.json)
    library = open_library(settings.ingest)
    findings = library.findings()
    readable = not any(finding.fault is Fault.DATABASE for finding in findings)
    index, damage = _index(library) if readable else (UNKNOWN, "")
    told = _told(library, findings, index, damage)
    if arguments.json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_text(told))
    return 0 if told["ok"] else 1


def _backup(file: Path, *, as_json: bool) -> int:
    found = backup.check(file)
    if as_json:
        sys.stdout.write(json.dumps({"ok": True, **asdict(found)}) + "\n")
    else:
        sys.stdout.write(
            f"{printable(str(file))} is whole: made {found.made}, {found.documents} documents, {found.passages} "
            f"passages, {found.files} files.\n"
        )
    return 0


def _told(library: Library, findings: Sequence[Finding], index: dict[str, Any], damage: str) -> dict[str, Any]:
    counts = None if index is UNKNOWN else library.counts(library.spaces())
    problems = [{"what": one.fault, "problem": one.sentence, "advice": one.advice} for one in findings]
    if damage:
        problems.append({"what": "index", "problem": f"The search index is damaged: {damage}.", "advice": REBUILT})
    if index["leftover"]:
        sentence = f"{index['leftover']} folders of the index belong to no generation."
        problems.append({"what": "index", "problem": sentence, "advice": START})
    return {
        "ok": not problems,
        "documents": counts.documents if counts else None,
        "chunks": counts.chunks if counts else None,
        **{str(fault): _sum(findings, fault) for fault in (Fault.DOUBLED, Fault.MISSING, Fault.ORPHANS)},
        "index": index,
        "problems": problems,
    }


def _sum(findings: Sequence[Finding], fault: Fault) -> int:
    return sum(finding.count for finding in findings if finding.fault is fault)


def _index(library: Library) -> tuple[dict[str, Any], str]:
    """How the index stands, and what is wrong with it; opened only where no other process owns the home."""
    index = Index(library, library.fact("embedder") or "")
    state = index.state()
    try:
        with OwnerLock(library.home).acquire():
            damage = index.complaint(alone=True)
            named = index.remembered()
            folders = {folder.name for folder in library.home.index.iterdir()}
            leftover = len(folders - ({named.name} if named else set()))
    except HomeBusy:
        damage, leftover = index.complaint(alone=False), 0
    told = "damaged" if damage else "sound" if index.remembered() else "none"
    counted = {"passages": state.passages, "newer": state.newer, "gone": state.gone}
    return {"state": told, **counted, "leftover": leftover}, damage


def _text(told: dict[str, Any]) -> str:
    lines = [f"{one['problem']} {one['advice']}" for one in told["problems"]]
    if told["documents"] is not None:
        index = told["index"]
        lines.append(
            f"{told['documents']} documents, {told['chunks']} passages; {told['doubled']} doubled, {told['missing']} "
            f"missing, {told['orphans']} orphans; index: {index['state']}, {index['passages']} passages, "
            f"{index['newer']} newer, {index['gone']} gone."
        )
    lines.append("Everything is as it was stored." if told["ok"] else f"{len(told['problems'])} things are wrong.")
    return "\n".join(printable(line) for line in lines) + "\n"

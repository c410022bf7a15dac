"""rag doctor: every part looked at, each with a sentence."""

import argparse
import json
import sys
from dataclasses import asdict

from rag_app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check everything; 1 when something does not work."""
    from rag_app.health import of_settings

    checks = of_settings(settings)
    ok = all(check.ok for check in checks)
    if arguments.json:
        sys.stdout.write(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}) + "\n")
    else:
        sys.stdout.writelines(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}\n" for check in checks)
    return 0 if ok else 1

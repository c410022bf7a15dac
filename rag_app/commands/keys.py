"""rag keys: by which other programs ask."""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from typing import Any

from ingest.home import Home
from ingest.terminal import printable
from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.settings import Settings
from rag_app.team.audit import Audit
from rag_app.team.keys import DAYS, LOCAL, Key, Keys
from rag_app.team.people import Roster, TeamError

TERMINAL = Who(LOCAL, "rag keys")  # who did it, in the audit log: whoever may run commands on the server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    adding = actions.add_parser("add", help="make a key and show it, this once")
    adding.add_argument("name", help="what to call it, such as the program that will use it")
    adding.add_argument("--person", default="", help="whom it asks for; needed once people are registered")
    adding.add_argument("--space", action="append", help="limit it to this space; may be given several times")
    adding.add_argument(
        "--days", type=int, default=DAYS, help=f"days it is good for (default {DAYS}); 0: it does not expire"
    )
    listing = actions.add_parser("list", help="list all keys (the default)")
    revoking = actions.add_parser("revoke", help="end a key at once, for good")
    revoking.add_argument("id", help="the key's id, as `rag keys` shows it")
    for parser_of_action in (adding, listing, revoking):
        # The same flag after the action; without a default, so that one before it is kept.
        parser_of_action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make, list or revoke keys; works beside a running server, which follows at once."""
    with closing(AppDatabase(Home(settings.ingest.home).prepare().folder / "app.db")) as database:
        act = {"add": _add, "revoke": _revoke}.get(arguments.action, _list)
        told, text = act(database, arguments)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if arguments.json else text)
    return 0


def _add(database: AppDatabase, arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    person = ""
    if arguments.person:
        found = Roster(database).named(arguments.person)
        if found is None:
            raise TeamError(f"There is nobody called {printable(arguments.person)}. `rag people list` shows everybody.")
        person = found.id
    key, secret = Keys(database).add(arguments.name, person=person, spaces=arguments.space, days=arguments.days)
    Audit(database).note(TERMINAL, "key added", key.name, f"{key.id} for {key.person or 'nobody in particular'}")
    text = f"{secret}\n\nThis is the only time it is shown. Programs send it as: Authorization: Bearer {secret}\n"
    return {"key": {**asdict(key), "secret": secret}}, text


def _list(database: AppDatabase, _arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    keys = Keys(database).listed()
    text = "".join(map(_row, keys)) or "No keys. Make one with `rag keys add NAME`.\n"
    return {"keys": [asdict(key) for key in keys]}, text


def _revoke(database: AppDatabase, arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    keys = Keys(database)
    named = next((key.name for key in keys.listed() if key.id == arguments.id), "")
    if not keys.revoke(arguments.id):
        raise TeamError(f"There is no key {printable(arguments.id)} that could still be used. `rag keys` lists them.")
    Audit(database).note(TERMINAL, "key revoked", named, arguments.id)
    return {"revoked": arguments.id}, f"{printable(named)} is revoked. Whatever uses it is refused from now on.\n"


def _row(key: Key) -> str:
    spaces = "all spaces" if key.spaces is None else "only " + ", ".join(map(printable, key.spaces))
    until = f"until {key.expires[:10]}" if key.expires else "does not expire"
    used = f"last used {key.used[:16].replace('T', ' ')} UTC" if key.used else "never used"
    whom = f" for {printable(key.person)}" if key.person else ""
    return f"{key.id}  {key.state:<8} {printable(key.name)}{whom}: {spaces}, {until}, {used}\n"

"""rag spaces: shelves of documents, and who is what in them. Works beside a running server, which follows at once."""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from typing import Any

from ingest import emptying
from ingest.build import open_library
from ingest.home import Home
from ingest.library import Library
from ingest.terminal import printable
from rag_app import space_removal
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.as_json import of_document
from rag_app.commands.documents import as_text
from rag_app.commands.people import TERMINAL, named
from rag_app.settings import Settings
from rag_app.team import leaving
from rag_app.team.audit import Audit
from rag_app.team.people import Roster, TeamError

Told = tuple[dict[str, Any], str]  # what is said with --json, and without
ROLES = {role.name.lower(): role for role in Role}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    parsers = {
        "list": actions.add_parser("list", help="list all spaces with their documents and members (the default)"),
        "add": actions.add_parser("add", help="make a space"),
        "members": actions.add_parser("members", help="show who is what in a space"),
        "grant": actions.add_parser("grant", help="make somebody reader, editor or owner of a space"),
        "revoke": actions.add_parser("revoke", help="take somebody out of a space"),
        "remove": actions.add_parser("remove", help="take a space away, with who is in it and its approved answers"),
    }
    for action in ("add", "members", "grant", "revoke", "remove"):
        parsers[action].add_argument("space")
    for action in ("grant", "revoke"):
        parsers[action].add_argument("name", help="what they sign in with")
    parsers["grant"].add_argument("role", choices=tuple(ROLES))
    parsers["remove"].add_argument("--with-documents", action="store_true", help="also where documents are in it")
    parsers["remove"].add_argument(
        "--purge", action="store_true", help="with its documents, and leave no byte of them, as `rag documents` does"
    )
    for parser_of_action in parsers.values():
        # The same flag after the action; without a default, so that one before it is kept.
        parser_of_action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one thing to the list of spaces, or show it."""
    with closing(AppDatabase(Home(settings.ingest.home).prepare().folder / "app.db")) as database:
        act = {"add": _add, "members": _members, "grant": _grant, "revoke": _revoke}.get(arguments.action)
        if arguments.action == "remove":
            told, text = _remove(database, open_library(settings.ingest), arguments, settings.ingest.space)
        elif act is None:
            told, text = _listed(Roster(database), open_library(settings.ingest))
        else:
            told, text = act(database, arguments)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if arguments.json else text)
    return 0


def _remove(database: AppDatabase, library: Library, arguments: argparse.Namespace, usual: str) -> Told:
    """Take a space away; running answers and uploads of a server see at once that it is gone."""
    space: str = arguments.space
    space_removal.check_removable(space, usual)
    if space not in {*Roster(database).spaces(), *library.spaces()} and not emptying.under_way(library, space):
        raise TeamError(f"There is no space called {printable(space)}. `rag spaces` lists all of them.")
    documents = arguments.with_documents or arguments.purge
    try:
        emptied = space_removal.empty(library, space, documents=documents, purge=arguments.purge)
    except TeamError as failure:
        more = "" if documents else " `--with-documents` takes them too, `--purge` so that no byte of them stays."
        raise TeamError(f"{failure}{more}") from failure
    went = emptied.told(leaving.forget(database, space))
    Audit(database).note(TERMINAL, "space removed", space, went)
    told = {
        "removed": space,
        "documents": [of_document(document) for document in emptied.documents],
        "purged": [asdict(receipt) for receipt in emptied.receipts],
        "went": went,
    }
    receipts = "".join(map(as_text, emptied.receipts))
    return told, f"The space {printable(space)} is gone. With it went: {went}.\n{receipts}"


def _listed(roster: Roster, library: Library) -> Told:
    known = sorted({*roster.spaces(), *library.spaces()})
    spaces = [
        {
            "name": space,
            "documents": library.counts([space]).documents,
            "members": {person.name: role.name.lower() for person, role in roster.members(space)},
        }
        for space in known
    ]
    rows = [
        f"{printable(space)}: {library.counts([space]).documents} documents, {len(roster.members(space))} members\n"
        for space in known
    ]
    return {"spaces": spaces}, "".join(
        rows
    ) or "No spaces yet. The first document makes one, or `rag spaces add NAME`.\n"


def _add(database: AppDatabase, arguments: argparse.Namespace) -> Told:
    space = Roster(database).add_space(arguments.space)
    Audit(database).note(TERMINAL, "space added", space)
    return {"space": space}, f"The space {printable(space)} is there. `rag spaces grant` lets people in.\n"


def _members(database: AppDatabase, arguments: argparse.Namespace) -> Told:
    members = Roster(database).members(arguments.space)
    text = "".join(f"{printable(person.name)}: {role.name.lower()}\n" for person, role in members)
    told = {"space": arguments.space, "members": {person.name: role.name.lower() for person, role in members}}
    return told, text or f"Nobody is in {printable(arguments.space)} but the administrators, who are in every space.\n"


def _grant(database: AppDatabase, arguments: argparse.Namespace) -> Told:
    roster = Roster(database)
    person = named(roster, arguments.name)
    roster.grant(person.id, arguments.space, ROLES[arguments.role])
    Audit(database).note(TERMINAL, "role", person.name, f"{arguments.role} of {arguments.space}")
    told = {"space": arguments.space, "name": person.name, "role": arguments.role}
    return told, f"{printable(person.name)} is {arguments.role} of {printable(arguments.space)}.\n"


def _revoke(database: AppDatabase, arguments: argparse.Namespace) -> Told:
    roster = Roster(database)
    person = named(roster, arguments.name)
    if not roster.revoke(person.id, arguments.space):
        raise TeamError(f"{printable(person.name)} is not in {printable(arguments.space)}. `rag spaces` lists who is.")
    Audit(database).note(TERMINAL, "role", person.name, f"none in {arguments.space}")
    told = {"space": arguments.space, "name": person.name, "role": None}
    return told, f"{printable(person.name)} is not in {printable(arguments.space)} any more.\n"

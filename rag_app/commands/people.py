"""rag people: who may sign in. Works beside a running server, which follows at once."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

from ingest.home import Home
from ingest.terminal import printable
from rag_app.access import Who
from rag_app.app_database import AppDatabase
from rag_app.settings import Settings
from rag_app.team.audit import Audit
from rag_app.team.passwords import hashed
from rag_app.team.people import Person, Roster, TeamError
from rag_app.team.sessions import Invitations

TERMINAL = Who("", "rag people")  # who did it, in the audit log: whoever may run commands on the server
Told = tuple[dict[str, Any], str]  # what is said with --json, and without


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="list everybody (the default)")
    named = {
        "add": "register somebody and print a link, good once and for a day, to choose a password with",
        "link": "print another such link, for who lost it or forgot the password",
        "password": "set a password: typed, or the first line of stdin",
        "disable": "end every way in at once: sessions, keys, running answers; what they did stays",
        "enable": "let somebody in again",
        "role": "make somebody an administrator, or one no more",
        "remove": "forget somebody with their conversations",
    }
    parsers = {action: actions.add_parser(action, help=told) for action, told in named.items()}
    for action, parser_of_action in parsers.items():
        parser_of_action.add_argument("name", help="what they sign in with")
        parser_of_action.set_defaults(action=action)
    parsers["add"].add_argument("--admin", action="store_true", help="as an administrator, as the first one must be")
    parsers["add"].add_argument(
        "--password", action="store_true", help="ask for a password instead: typed, or from stdin"
    )
    parsers["role"].add_argument("role", choices=("admin", "member"))
    for parser_of_action in (listing, *parsers.values()):
        # The same flag after the action; without a default, so that one before it is kept.
        parser_of_action.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one thing to the list of people, or show it."""
    with closing(AppDatabase(Home(settings.ingest.home).prepare().folder / "app.db")) as database:
        office = _Registry(database, settings)
        told, text = office.acts().get(arguments.action or "list", office.listed)(arguments)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n" if arguments.json else text)
    return 0


class _Registry:
    def __init__(self, database: AppDatabase, settings: Settings) -> None:
        self._roster, self._audit = Roster(database), Audit(database)
        self._invitations, self._settings = Invitations(database), settings

    def acts(self) -> Mapping[str, Callable[[argparse.Namespace], Told]]:
        return {
            "list": self.listed,
            "add": self.add,
            "link": self.link,
            "password": self.password,
            "disable": self.disable,
            "enable": self.enable,
            "role": self.role,
            "remove": self.remove,
        }

    def listed(self, _arguments: argparse.Namespace) -> Told:
        people = self._roster.people()
        text = "".join(map(_row, people)) or "Nobody is registered. The first one: `rag people add NAME --admin`.\n"
        return {"people": [_values(person) for person in people]}, text

    def add(self, arguments: argparse.Namespace) -> Told:
        password = hashed(typed_password()) if arguments.password else ""
        person = self._roster.add(arguments.name, password=password, administrator=arguments.admin)
        self._audit.note(TERMINAL, "person added", person.name, "administrator" if person.administrator else "")
        said = f"{printable(person.name)} is registered."
        return self._with_link(person, said) if not password else ({"person": _values(person)}, f"{said}\n")

    def link(self, arguments: argparse.Namespace) -> Told:
        person = self._named(arguments)
        if person.disabled:
            raise TeamError(f"{printable(person.name)} is disabled. `rag people enable` comes first.")
        self._audit.note(TERMINAL, "link made", person.name)
        return self._with_link(person, f"For {printable(person.name)}:")

    def password(self, arguments: argparse.Namespace) -> Told:
        person = self._named(arguments)
        self._roster.set_password(person.id, hashed(typed_password()))
        self._audit.note(TERMINAL, "password", person.name)
        return self._now(person, "has another password, and is signed out everywhere")

    def disable(self, arguments: argparse.Namespace) -> Told:
        person = self._named(arguments)
        self._roster.disable(person.id)
        self._audit.note(TERMINAL, "disabled", person.name)
        return self._now(person, "is disabled: signed out everywhere, keys refused, answers stopped")

    def enable(self, arguments: argparse.Namespace) -> Told:
        person = self._named(arguments)
        self._roster.enable(person.id)
        self._audit.note(TERMINAL, "enabled", person.name)
        return self._now(person, "may sign in again")

    def role(self, arguments: argparse.Namespace) -> Told:
        person, administrator = self._named(arguments), arguments.role == "admin"
        self._roster.set_administrator(person.id, administrator=administrator)
        self._audit.note(TERMINAL, "role", person.name, arguments.role)
        return self._now(person, "is an administrator" if administrator else "is no administrator")

    def remove(self, arguments: argparse.Namespace) -> Told:
        person = self._named(arguments)
        self._roster.remove(person.id)
        self._audit.note(TERMINAL, "person removed", person.name)
        return {"removed": _values(person)}, f"{printable(person.name)} is gone, with all their conversations.\n"

    def _named(self, arguments: argparse.Namespace) -> Person:
        return named(self._roster, arguments.name)

    def _now(self, person: Person, what: str) -> Told:
        return {"person": _values(named(self._roster, person.name))}, f"{printable(person.name)} {what}.\n"

    def _with_link(self, person: Person, said: str) -> Told:
        address = f"{base_address(self._settings)}/invitations/{self._invitations.invite(person.id)}"
        told = f"{said} With this link they choose a password, once, until this time tomorrow:\n\n  {address}\n"
        return {"person": _values(person), "link": address}, told


def named(roster: Roster, name: str) -> Person:
    """The person of that name. Raises TeamError where there is none."""
    person = roster.named(name)
    if person is None:
        raise TeamError(f"There is nobody called {printable(name)}. `rag people list` shows everybody.")
    return person


def typed_password() -> str:
    """A password typed twice without being shown, or the first line of stdin. Raises TeamError where the two differ."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Once more: "):
        raise TeamError("The two are not the same. Nothing was changed; try again.")
    return password


def base_address(settings: Settings) -> str:
    """Where the server of these settings is reached from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}"


def _values(person: Person) -> dict[str, Any]:
    return {**asdict(person), "roles": {space: role.name.lower() for space, role in person.roles.items()}}


def _row(person: Person) -> str:
    states = [
        "administrator" if person.administrator else "",
        "disabled" if person.disabled else "" if person.ready else "no password yet",
        *(f"{role.name.lower()} of {printable(space)}" for space, role in person.roles.items()),
    ]
    return f"{printable(person.name)}: {', '.join(filter(None, states)) or 'in no space'}\n"

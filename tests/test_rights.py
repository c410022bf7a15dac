"""Every address and every event of the running server, for everybody, with the ids of every kind of thing."""

import itertools
import json
from dataclasses import replace

import pytest
import rights
from rights import DOOR, EVENTS, FORBIDDEN, GONE, IN, NO_SUCH, OUTSIDE, READS, THINGS, rule_of
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from ingest.records import Job, JobState
from rag_app.access import Role
from rag_app.app_database import AppDatabase
from rag_app.candidates import candidates
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.team.approved import Approved, Draft
from rag_app.team.keys import Keys
from rag_app.team.people import Roster
from rag_app.team.sessions import Sessions, fingerprint
from rag_app.team.shares import Shares
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

DOCUMENTS = {
    "sales": replace(OWN, id="1" * 32, space="sales", title="Zebrasales plan", path="plan.pdf"),
    "board": replace(OWN, id="2" * 32, space="board", title="Zebraboard plan", path="plan.pdf"),
    "handbook": HANDBOOK,
}
SECRET_WORDS = {"sales": "Zebrasales", "board": "Zebraboard"}
OWNERS = ("reader", "editor", "stranger", "root")
PAGE = {"accept": "text/html"}
FILLED = {
    "page": "1",
    "index": "0",
    "number": "0",
    "name": "app.css",
    "rest": "nothing",
    "path": "nothing",
    "api_name": "predict",
}


class TwoSpaces(ScriptedDesk):
    """Answers from the documents of the spaces that are searched."""

    def fill(self):
        self.reset(tuple(DOCUMENTS.values()))
        self.queue = [
            Job(1, "sales", "Zebrasales.pdf", "e" * 64, JobState.WAITING, "", None, 0, 0, 0, 0, 0.0, 10),
            Job(2, "board", "Zebraboard.pdf", "e" * 64, JobState.WAITING, "", None, 0, 0, 0, 0, 0.0, 10),
        ]

    async def ask(self, question, turns, *, rerank=True, without=(), spaces=None):
        searched = [one for one in self.shelf if spaces is None or one.space in spaces]
        whole = answered(question)
        cited = tuple(replace(whole.citations[0], title=one.title, document_id=one.id) for one in searched[:1])
        hits = tuple(replace(whole.hits[0], document=one) for one in searched)
        yield replace(whole, hits=hits, citations=cited, sentences=(), text="Three months.")


class World:
    """A server with two spaces, somebody of every kind, and things of every kind."""

    def __init__(self, home):
        self.desk = TwoSpaces(home)
        self.desk.fill()
        self.database = AppDatabase(home / "app.db")
        roster = Roster(self.database)
        root = roster.add("root", password="none", administrator=True)
        self.people = {"root": root.id}
        roles = {"reader": Role.READER, "editor": Role.EDITOR, "disabled": Role.EDITOR}
        for name in ("reader", "editor", "stranger", "disabled"):
            self.people[name] = roster.add(name, password="none").id
            roster.grant(self.people[name], "sales" if name in roles else "board", roles.get(name, Role.OWNER))
        self.cookies = {name: Sessions(self.database).begin(person) for name, person in self.people.items()}
        self.keys = {name: Keys(self.database).add(name, person=person)[1] for name, person in self.people.items()}
        roster.disable(self.people["disabled"])
        with self.database.writing() as connection:  # as if ending the session had been forgotten
            row = (fingerprint(self.cookies["disabled"]), self.people["disabled"])
            connection.execute("INSERT INTO session SELECT ?, ?, begun, used FROM session LIMIT 1", row)
        self.conversations, self.approved, self.roster = Conversations(self.database), Approved(self.database), roster
        self.app = create_app(self.desk.desk(), home=home, secret=b"known")

    def turn(self, owner, *, program=False):
        """A finished turn of somebody, over the space they read; its conversation and its own id."""
        person = self.people[owner]
        document = DOCUMENTS[min(READS[owner])]
        conversation = self.conversations.begin(f"program {person}" if program else person)
        turn = self.conversations.add(conversation, f"Question of {owner}?")
        whole = answered(turn.question)
        cited = tuple(replace(one, title=document.title, document_id=document.id) for one in whole.citations)
        hits = tuple(replace(one, document=document) for one in whole.hits)
        answer = stored(replace(whole, citations=cited, hits=hits))
        done = replace(turn, state=TurnState.DONE, answer=answer)
        self.conversations.save(done, candidates(replace(whole, hits=hits), answer.sources))
        return conversation, turn.id

    def approved_in(self, space):
        who = self.roster.who(self.people["root"])
        number = next(self.numbers)
        return self.approved.write(who, Draft(space, f"{SECRET_WORDS[space]} {number}?", f"Three, not {number}.")).id

    numbers = itertools.count()

    def values(self, kind, thing):
        """What stands in a path for a thing; made anew, since the request may remove it."""
        missing = "f" * 32
        if kind in ("turn", "conversation", "program turn"):
            conversation, turn = (missing, missing) if thing == NO_SUCH else self.turn(thing, program=kind != "turn")
            if kind == "conversation" and thing != NO_SUCH:
                conversation, turn = self.turn(thing)
            return {"turn_id": turn, "conversation": conversation}
        if kind == "share":
            owner = self.people.get(thing, "")
            share = None if thing == NO_SUCH else Shares(self.database).share(owner, self.turn(thing)[0])
            return {"token": share.token if share else "f" * 43}
        if kind == "key" and thing != NO_SUCH:
            return {"key": Keys(self.database).add("another", person=self.people[thing])[0].id}
        if kind == "key":
            return {"key": "f" * 12}
        identifier = missing if thing == NO_SUCH or kind != "approved" else self.approved_in(thing)
        return {
            "document_id": DOCUMENTS[thing].id if thing in DOCUMENTS else missing,
            "job_id": {"sales": "1", "board": "2"}.get(thing, "9999"),
            "identifier": identifier,
            "model": f"rag:{thing}",
            "key": missing,
            "link": missing,
            "person": self.people.get(thing, missing),
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def client(world):
    with TestClient(world.app, base_url="http://127.0.0.1:7860", follow_redirects=False) as opened:
        yield opened


def addresses(routes, prefix=""):
    """Every (method, path) that a server answers, those of what is mounted in it too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from addresses(included.routes, prefix + route.include_context.prefix)
        elif getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in sorted(route.methods))
        else:
            yield from addresses(route.routes, prefix + route.path)


def blocks_of(app):
    mounted = next(route.app for route in app.routes if type(route).__name__ == "Mount")
    while not hasattr(mounted, "blocks"):
        mounted = mounted.app
    return mounted.blocks


def happened(response):
    if response.status_code == 401 or response.headers.get("location", "").startswith("/login"):
        return DOOR
    return {403: FORBIDDEN, 404: GONE}.get(response.status_code, IN)


def fits(response, expected):
    found = happened(response)
    return found != DOOR if expected == rights.ANY else found == expected


def sent(client, world, actor, method, path, rule, **more):
    """The answer to one request as somebody; everything is put back before it."""
    world.desk.fill()
    client.cookies.clear()
    headers = dict(PAGE if method == "GET" and not rule.key else {})
    if rule.key:
        headers["authorization"] = f"Bearer {world.keys.get(actor, 'none')}"
    elif actor != "nobody":
        client.cookies.set(SESSION_COOKIE, world.cookies[actor])
    return client.request(method, path, headers=headers, **{**rule.send, **more})


def crossed(actor, text):
    """The words of spaces that somebody may not read and that stand in an answer to them."""
    return [word for space, word in SECRET_WORDS.items() if space not in READS.get(actor, ()) and word in text]


def request_for(path, rule, thing, values):
    """The path with its values, and what is sent with it beyond the rule's."""
    for name, value in {**FILLED, **values}.items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
    path = path.replace("{", "x").replace("}", "x")
    if path == "/approved":
        return path, {"json": {"space": thing, "question": f"New {next(World.numbers)}?", "answer": "Three."}}
    if path == "/api/feedback":
        return path, {"json": {"id": values["turn_id"], "verdict": "good"}}
    if path in ("/spaces/members", "/spaces/removal"):
        return path, {"data": {"space": thing, "name": "nobody at all", "role": "owner"}}
    if path.endswith("/documents") and rule.things == "space":
        return path, {"params": {"space": thing}}
    return path, {}


def test_every_address_has_a_rule(world):
    unstated = sorted({f"{method} {path}" for method, path in addresses(world.app.routes) if not rule_of(method, path)})

    assert unstated == []


def test_every_address_lets_in_whom_its_rule_says_and_shows_nothing_of_other_spaces(world, client):
    wrong, cells = [], 0
    for method, path in sorted(set(addresses(world.app.routes))):
        rule = rule_of(method, path)
        if path in ("/gradio_api/queue/data", "/gradio_api/heartbeat/{session_hash}"):
            actors = OUTSIDE  # these stay open for whoever is let in; the events below go through them
        else:
            actors = rights.ACTORS
        for thing, actor in itertools.product(THINGS[rule.things], actors):
            filled, more = request_for(path, rule, thing, world.values(rule.things, thing))
            response = sent(client, world, actor, method, filled, rule, **more)
            expected = rule.expected(actor, thing)
            cells += 1
            if path == "/sign-out":
                world.cookies.update(renewed(world, actor))
            if not fits(response, expected) or response.status_code == 500 or crossed(actor, response.text):
                wrong.append(
                    (method, path, thing, actor, expected, response.status_code, crossed(actor, response.text))
                )

    print(f"{cells} cells")
    assert not wrong, f"{len(wrong)} wrong, such as {wrong[:20]}"  # a difference of long lists takes minutes to print
    assert cells > 1000


def renewed(world, actor):
    """Another session of somebody whose last one ends with this request."""
    return {actor: Sessions(world.database).begin(world.people[actor])} if actor in OWNERS else {}


def test_a_cookie_opens_nothing_for_programs(world, client):
    for method, path in sorted(set(addresses(world.app.routes))):
        rule = rule_of(method, path)
        if rule.key:
            client.cookies.clear()
            client.cookies.set(SESSION_COOKIE, world.cookies["root"])
            filled, more = request_for(path, rule, "sales", world.values(rule.things, rule.things and NO_SUCH))
            assert client.request(method, filled, **{**rule.send, **more}).status_code == 401, path


def event_name(function):
    return f"{type(function.fn.__self__).__name__}.{function.fn.__name__}"


def test_every_event_has_a_rule(world):
    assert sorted({event_name(one) for one in blocks_of(world.app).fns.values()} - EVENTS.keys()) == []


def outcome_of_event(client, world, actor, number, place):
    """What came of an event on a page at a (conversation, turn): whether it was let in, and all that was sent back."""
    conversation, turn = place
    client.cookies.clear()
    if actor != "nobody":
        client.cookies.set(SESSION_COOKIE, world.cookies[actor])
    said = {"turn": turn, "source": 0, "question": "How long?", "ticket": 1, "place": 0, "holding": "", "shown": 30}
    body = {"data": [], "fn_index": number, "session_hash": f"tab{next(world.numbers)}"}
    body["event_data"] = {**said, "zone": 0, "turns": 20}
    joined = client.post("/gradio_api/queue/join", json=body, params={"c": conversation})
    if joined.status_code != 200:
        return happened(joined), joined.text
    told = client.get("/gradio_api/queue/data", params={"session_hash": body["session_hash"]}).text
    ended = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]
    done = next(one for one in ended if one.get("msg") == "process_completed")
    return IN if done["success"] else FORBIDDEN, told


def test_every_event_is_for_whom_its_rule_says_and_shows_nothing_of_others(world, client):
    wrong, cells = [], 0
    places = {owner: world.turn(owner) for owner in ("reader", "stranger")}
    world.desk.fill()
    for number, function in blocks_of(world.app).fns.items():
        expected = EVENTS[event_name(function)]
        for actor, (owner, place) in itertools.product(rights.ACTORS, places.items()):
            before = world.conversations.turns(world.people[owner], place[0])
            found, text = outcome_of_event(client, world, actor, number, place)
            after = world.conversations.turns(world.people[owner], place[0])
            others = owner != actor and (f"Question of {owner}?" in text or after != before)
            cells += 1
            if found != expected(actor, "") or crossed(actor, text) or others:
                wrong.append((number, event_name(function), actor, owner, found, crossed(actor, text), others))

    print(f"{cells} cells")
    assert not wrong, f"{len(wrong)} wrong, such as {wrong[:20]}"  # a difference of long lists takes minutes to print
    assert cells >= 12 * len(EVENTS)

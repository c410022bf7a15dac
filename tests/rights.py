"""Who may do what at every address and with every event, stated apart from the code that decides it."""

from collections.abc import Callable
from dataclasses import dataclass, field

NO_SUCH = "missing"  # the id of nothing
IN, DOOR, GONE, FORBIDDEN = "in", "door", "gone", "forbidden"  # let in, asked to sign in, 404, 403
ANY = "any"  # all but being asked to sign in
ACTORS = ("nobody", "reader", "editor", "stranger", "root", "disabled")
READS = {"reader": {"sales"}, "editor": {"sales"}, "stranger": {"board"}, "root": {"sales", "board"}}
EDITS = {"reader": set(), "editor": {"sales"}, "stranger": {"board"}, "root": {"sales", "board", "handbook"}}
OUTSIDE = ("nobody", "disabled")

Expected = Callable[[str, str], str]  # (actor, object) -> what happens


def anybody(_actor, _thing):
    return IN


def closed(_actor, _thing):
    """Not there for anybody."""
    return GONE


def signed_in(actor, _thing):
    return DOOR if actor in OUTSIDE else IN


def shown(actor, _thing):
    """Files and calls of the pages themselves: whatever comes of them, not without signing in."""
    return DOOR if actor in OUTSIDE else ANY


def to_the_door(_actor, _thing):
    return DOOR


def manager(actor, _thing):
    return DOOR if actor in OUTSIDE else IN if actor == "root" else FORBIDDEN


def about_somebody(actor, person):
    found = manager(actor, person)
    return GONE if found == IN and person == NO_SUCH else found


def editor_anywhere(actor, _thing):
    return DOOR if actor in OUTSIDE else IN if EDITS[actor] else FORBIDDEN


def owns(actor, owner):
    """Conversations and answers are their owner's alone; an administrator reads nobody's."""
    return DOOR if actor in OUTSIDE else IN if actor == owner else GONE


def opens(actor, owner):
    """A link is for everybody who is signed in, as long as there is one."""
    return DOOR if actor in OUTSIDE else GONE if owner == NO_SUCH else IN


def owns_and_edits(actor, owner):
    found = owns(actor, owner)
    return found if found != IN or EDITS[actor] else FORBIDDEN


def reads(actor, space):
    if actor in OUTSIDE:
        return DOOR
    return IN if space in READS[actor] | {"handbook"} else GONE


def edits(actor, space):
    found = reads(actor, space)
    return found if found != IN or space in EDITS[actor] else FORBIDDEN


def puts_into(actor, space):
    """What is sent to a space is refused in the same words whether the space is there or not."""
    if actor in OUTSIDE:
        return DOOR
    return IN if actor == "root" or space in EDITS[actor] else FORBIDDEN  # an administrator makes spaces


def decides(actor, space):
    """Owners decide on their space alone, administrators on each; in the same words where there is none."""
    if actor in OUTSIDE:
        return DOOR
    return IN if actor == "root" or (actor == "stranger" and space == "board") else FORBIDDEN


def decides_anywhere(actor, _thing):
    return DOOR if actor in OUTSIDE else IN if actor in ("stranger", "root") else FORBIDDEN


def tries_again(actor, space):
    """A file at hand is taken in again; what is not there or not seen counts as no longer at hand."""
    found = edits(actor, space)
    return IN if found == GONE else found  # answered with 410 either way


@dataclass(frozen=True)
class Rule:
    """What is expected at an address, for each of some things."""

    expected: Expected
    things: str = ""  # the kind of thing its path names: "document", "job", "turn", ...
    send: dict = field(default_factory=dict)  # what the request carries
    key: bool = False  # a program's address: it asks for a key, and a cookie opens nothing


THINGS = {
    "": ("",),
    "document": ("sales", "board", "handbook", NO_SUCH),
    "job": ("sales", "board", NO_SUCH),
    "turn": ("reader", "editor", "stranger", "root", NO_SUCH),
    "program turn": ("reader", "editor", "stranger", "root", NO_SUCH),
    "conversation": ("reader", "editor", "stranger", "root", NO_SUCH),
    "approved": ("sales", "board", NO_SUCH),
    "group": (NO_SUCH,),
    "key": ("reader", "editor", "stranger", "root", NO_SUCH),
    "space": ("sales", "board", NO_SUCH),
    "link": (NO_SUCH,),
    "share": ("reader", "editor", "stranger", "root", NO_SUCH),
    "person": ("reader", "stranger", NO_SUCH),
}


def program(expected, things="", **send):
    return Rule(expected, things, send, key=True)


def missing_group(actor, _thing):
    return DOOR if actor in OUTSIDE else GONE


QUESTION = {"question": "How long?"}
PDF = {"files": {"file": ("new.pdf", b"%PDF-1.7 new", "application/pdf")}}
VERDICT = {"json": {"verdict": "good"}}
RULES = {
    "GET /healthz": Rule(anybody),
    "GET /readyz": Rule(anybody),
    "GET /ui/{name}": Rule(anybody),  # the style sheet of the sign-in page
    "GET /login": Rule(anybody),
    "POST /login": Rule(to_the_door, send={"data": {"name": "reader", "password": "wrong"}}),
    "POST /sign-out": Rule(to_the_door),
    "GET /sign-in/openid": Rule(closed),  # where no provider is set; tests/test_openid.py has one
    "GET /sign-in/openid/back": Rule(closed),
    "GET /keys": Rule(signed_in),
    "POST /keys": Rule(signed_in, send={"data": {"name": "night job", "days": "1"}}),
    "POST /keys/{key}/revoke": Rule(owns, "key"),
    "GET /invitations/{link}": Rule(closed, "link"),
    "POST /invitations/{link}": Rule(closed, "link", {"data": {"password": "three words in a row"}}),
    "GET /": Rule(signed_in),
    "HEAD /": Rule(signed_in),
    "GET /library": Rule(signed_in),
    "GET /inbox": Rule(signed_in),  # its layout; the event draws it
    "GET /report": Rule(signed_in),
    "GET /quality": Rule(manager),
    "GET /settings": Rule(manager),
    "GET /people": Rule(manager),
    "POST /people": Rule(manager, send={"data": {"name": "reader"}}),  # taken, so that nobody is added
    "POST /people/{person}": Rule(about_somebody, "person", {"data": {"act": "enable"}}),
    "GET /spaces": Rule(decides_anywhere),
    "POST /spaces/members": Rule(decides, "space"),
    "POST /spaces/removal": Rule(decides, "space"),  # refused in words while documents are in it
    "GET /audit": Rule(manager),
    "GET /audit.csv": Rule(manager),
    "POST /spaces": Rule(manager, send={"data": {"space": "sales"}}),
    "GET /config": Rule(signed_in),
    "GET /conversations/{conversation}.md": Rule(owns, "conversation"),
    "GET /conversations/{conversation}/share": Rule(owns, "conversation"),
    "POST /conversations/{conversation}/share": Rule(owns, "conversation"),
    "DELETE /conversations/{conversation}/share": Rule(owns, "conversation"),
    "GET /shared/{token}": Rule(opens, "share"),  # what it shows of other spaces is looked at in each answer
    "GET /shared/{token}.md": Rule(opens, "share"),
    "PATCH /conversations/{conversation}": Rule(owns, "conversation", {"json": {"name": "Renamed"}}),
    "DELETE /conversations/{conversation}": Rule(owns, "conversation"),
    "GET /turns/{turn_id}/text": Rule(owns, "turn"),
    "GET /turns/{turn_id}/found": Rule(owns, "turn"),
    "GET /turns/{turn_id}/compared": Rule(owns, "turn"),
    "GET /turns/{turn_id}/reply": Rule(owns, "turn"),
    "POST /turns/{turn_id}/reply": Rule(owns, "turn", {"json": {}}),
    "POST /turns/{turn_id}/replies": Rule(owns, "turn", {"json": {"text": "Dear customer"}}),
    "POST /turns/{turn_id}/feedback": Rule(owns, "turn", VERDICT),
    "GET /turns/{turn_id}/approve": Rule(owns_and_edits, "turn"),
    "GET /turns/{turn_id}/sources/{index}": Rule(owns, "turn"),
    "GET /tour/{number}": Rule(signed_in),
    "GET /documents/{document_id}/pages/{page}.png": Rule(reads, "document"),
    "GET /documents/{document_id}/view": Rule(reads, "document"),
    "GET /documents/{document_id}/original": Rule(reads, "document"),
    "GET /documents/{document_id}/health": Rule(reads, "document"),
    "DELETE /documents/{document_id}": Rule(edits, "document"),
    "POST /documents": Rule(puts_into, "space", PDF),
    "GET /jobs": Rule(signed_in),
    "POST /jobs/{job_id}/cancel": Rule(edits, "job"),
    "POST /jobs/{job_id}/retry": Rule(tries_again, "job"),
    "GET /imports": Rule(manager),
    "POST /imports": Rule(manager, send={"json": {"folder": ""}}),
    "GET /report.csv": Rule(editor_anywhere),
    "POST /inbox/{key}": Rule(missing_group, "group", {"json": {"note": "Looked at"}}),
    "GET /inbox/{key}/approve": Rule(missing_group, "group"),
    "GET /approved/new": Rule(signed_in),  # an empty form that names the spaces one may write into
    "POST /approved": Rule(puts_into, "space"),
    "GET /approved/{identifier}": Rule(reads, "approved"),
    "GET /approved/{identifier}/edit": Rule(edits, "approved"),
    "POST /approved/{identifier}/withdraw": Rule(edits, "approved"),
    "POST /api/ask": program(signed_in, json=QUESTION),
    "POST /api/search": program(signed_in, json=QUESTION),
    "POST /api/feedback": program(owns, "program turn"),
    "GET /api/documents": program(signed_in),
    "POST /api/documents": program(puts_into, "space", **PDF),
    "DELETE /api/documents/{document_id}": program(edits, "document"),
    "GET /api/jobs": program(signed_in),
    "GET /api/openapi.json": Rule(anybody),
    "POST /v1/chat/completions": program(
        signed_in, json={"model": "rag", "messages": [{"role": "user", "content": "How long?"}]}
    ),
    "GET /v1/models": program(signed_in),
    "GET /v1/models/{model:path}": program(reads, "space"),
    "GET /metrics": program(manager),
}
# Every method at addresses of the interface that are not there, and what Gradio would serve beside the pages.
CLOSED = ("/api/{rest:path}", "/v1/{rest:path}", "/login/", "/logout", "/monitoring", "/openapi.json", "/pwa_icon")
WATCHED = ("/metrics", "/readyz")  # by any other method than GET
# Of Gradio: files of its pages, and the interface that the pages speak.
PAGES_OWN = (
    "/svelte/", "/static/", "/assets/", "/favicon.ico", "/theme.css", "/robots.txt", "/manifest.json",
    "/gradio_api/queue/join", "/gradio_api/queue/data", "/gradio_api/cancel", "/gradio_api/reset",
    "/gradio_api/heartbeat/", "/gradio_api/run/", "/gradio_api/startup-events", "/gradio_api/theme.css",
)  # fmt: skip


def rule_of(method, path):
    """The rule stated for an address, or None where nobody has stated one."""
    if f"{method} {path}" in RULES:
        return RULES[f"{method} {path}"]
    if path in WATCHED:
        return Rule(anybody)  # 405, whoever asks
    if path.startswith(PAGES_OWN):
        return Rule(shown)
    if path.startswith((*CLOSED, "/gradio_api/")):
        return Rule(closed)
    return RULES.get(f"{method} {path.rstrip('/')}")


# Events of the pages, by page and handler.
EVENTS = {
    **{f"AskPage.{name}": signed_in for name in ("_ask", "_ask_again", "_ask_without", "_ask_with")},
    **{f"AskPage.{name}": signed_in for name in ("_stop", "_resume", "_show_source", "_list")},
    "LibraryPage._draw": signed_in,
    "LibraryPage._draw_target": signed_in,
    "InboxPage._draw": signed_in,  # says to who edits no space that it is not for them
    "ReportPage._draw": signed_in,
    "QualityPage._draw": manager,
    "SettingsPage._draw": manager,
    "SettingsPage._check": manager,
    "PeoplePage._draw": manager,
}

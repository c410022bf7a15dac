"""Conversations shared by a link: what each reader sees of them, and what ends them."""

import logging
import re
from contextlib import closing
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered, citation
from starlette.testclient import TestClient

from rag_app.access import Role, Who
from rag_app.app_database import AppDatabase
from rag_app.blanking import PURGED, blank
from rag_app.conversations import Conversations, StoredTurn, TurnState, put_aside, stored
from rag_app.records import Mode, Sentence, Stage, Support
from rag_app.team.people import Roster
from rag_app.team.sessions import Sessions
from rag_app.team.shares import Shares
from rag_app.team.sharing import HIDDEN, as_told, left_out, seen_by
from rag_app.web.export import conversation_markdown
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app
from rag_app.web.shared_html import shared_html

HERE = "http://127.0.0.1:7860"
SALES = replace(OWN, id="1" * 32, space="sales", title="Zebrasales plan", path="plan.pdf")
BOARD = replace(OWN, id="2" * 32, space="board", title="Zebraboard plan", path="plan.pdf")
SPACES = {SALES.id: "sales", BOARD.id: "board", HANDBOOK.id: "handbook"}
READER = Who("r" * 32, "reader", roles={"sales": Role.READER})
BOTH = Who("b" * 32, "both", roles={"sales": Role.READER, "board": Role.OWNER})
ROOT = Who("a" * 32, "root", administrator=True, roles={})
LOCAL = Who("c" * 32)
SOLD, DECIDED, UNSAID = "Lions cost ninety.", "Tigers are let go in May.", "Bears dance at night."
SECRET = ("Zebraboard", "Tigers", "tigers", "Bears", "board")


def a_turn(number=1, *, sentences=None, cited=(SALES, BOARD), uncited=(), **changed):
    """A turn whose answer says SOLD [1] from sales and DECIDED [2] from the board."""
    usual = (
        Sentence(SOLD, (1,), Support.SUPPORTED),
        Sentence(DECIDED, (2,), Support.SUPPORTED),
        Sentence(UNSAID, (), Support.UNSUPPORTED),
    )
    said = usual if sentences is None else sentences
    texts = {SALES.id: SOLD, BOARD.id: DECIDED, HANDBOOK.id: "Handbook words.", "9" * 32: "Bears are gone."}
    made = [
        citation(place, document=one, passage=f"{texts[one.id]} {one.title}", quote=texts[one.id])
        for place, one in enumerate((*cited, *uncited), start=1)
    ]
    answer = replace(
        stored(answered(f"Question {number}?")),
        text=" ".join(f"{one.text}{''.join(f' [{marker}]' for marker in one.markers)}" for one in said),
        sentences=said,
        citations=tuple(made[: len(cited)]),
        uncited=tuple(made[len(cited) :]),
        spaces=("sales", "board"),
    )
    turn = StoredTurn(f"{number:032x}", "1" * 32, f"2026-11-03T09:{number:02}:00.000000+00:00", f"Question {number}?",
                      TurnState.DONE, answer=answer, spaces=("sales", "board"))  # fmt: skip
    return replace(turn, answer=replace(answer, **changed)) if changed else turn


def shown(who, *turns):
    """The page and the export of these turns for somebody, as one text, with all that is said to be left out."""
    seen = seen_by(who, turns, SPACES)
    html = shared_html("Plans", "anna", "2026-11-03T10:00:00+00:00", seen, SPACES.keys(), "/shared/x")
    return html + conversation_markdown("Plans", [as_told(one) for one in seen])


# ---- what is seen ----


@pytest.mark.parametrize("who", [BOTH, ROOT, LOCAL], ids=["both", "root", "local"])
def test_who_may_read_every_source_sees_all_of_it(who):
    text = shown(who, a_turn())

    assert all(word in text for word in (SOLD, DECIDED, UNSAID, "Zebrasales", "Zebraboard"))
    assert "Left out" not in text


def test_sources_quotes_and_sentences_of_other_spaces_are_left_out_and_said_to_be():
    seen = seen_by(READER, [a_turn()], SPACES)

    text = shown(READER, a_turn())

    assert SOLD in text
    assert "Zebrasales" in text
    assert [word for word in SECRET if word in text] == []
    assert left_out(seen[0]).endswith("1 source and 2 sentences.")
    assert text.count("1 source and 2 sentences") == 2


@pytest.mark.parametrize(
    "turn",
    [
        a_turn(cited=(BOARD,), sentences=(Sentence(DECIDED, (1,), Support.SUPPORTED),)),
        a_turn(cited=(BOARD,), uncited=(SALES,), sentences=(Sentence(DECIDED, (1,), Support.SUPPORTED),)),
        a_turn(cited=(), uncited=(BOARD,), sentences=(Sentence(DECIDED, (), Support.UNSUPPORTED),)),
        a_turn(cited=(SALES,), uncited=(BOARD,), sentences=(Sentence(DECIDED, (1,), Support.PARTLY),)),
        a_turn(cited=(), uncited=(BOARD,), text="", sentences=(), abstained=True, mode=Mode.ABSTAINED),
        a_turn(cited=(), uncited=(BOARD,), text="", sentences=(), mode=Mode.PASSAGES),
        a_turn(sentences=(Sentence(f"{SOLD} {DECIDED}", (1, 2), Support.SUPPORTED),)),
        a_turn(cited=(replace(BOARD, id="9" * 32),), sentences=(Sentence(UNSAID, (1,), Support.SUPPORTED),)),
        a_turn(cited=(SALES,), sentences=(), text=f"{SOLD} {UNSAID}", stage=Stage.WRITING),
    ],
    ids=["one", "other read", "no marker", "partly", "abstained", "passages", "both cited", "removed", "stopped"],
)
def test_an_answer_of_which_nothing_is_safe_is_not_shown_at_all(turn):
    text = shown(READER, turn)

    assert text.count(HIDDEN) == 2
    assert [word for word in (*SECRET, SOLD) if word in text] == []
    assert "Question 1?" in text


def test_nearest_passages_of_other_spaces_are_left_out_of_a_refusal():
    turn = a_turn(cited=(), uncited=(SALES, BOARD), text="", sentences=(), abstained=True, mode=Mode.ABSTAINED)

    text = shown(READER, turn)

    assert "Zebrasales" in text
    assert "Zebraboard" not in text
    assert text.count("1 source.") == 2


def test_what_a_later_answer_took_over_from_a_hidden_one_is_left_out_too():
    first = a_turn(1, cited=(BOARD,), sentences=(Sentence(DECIDED, (1,), Support.SUPPORTED),))
    said = (Sentence(SOLD, (1,), Support.SUPPORTED), Sentence("As said, tigers go in May.", (1,), Support.PARTLY))
    second = a_turn(2, cited=(SALES,), sentences=said, rewritten="How much are lions when tigers go?", notice="Tigers.")

    alone, after = shown(READER, second), shown(READER, first, second)

    assert "tigers go" in alone
    assert SOLD in after
    assert "tigers" not in after.lower()
    assert "when tigers go" in shown(BOTH, first, second)


def test_passages_put_aside_and_names_of_spaces_follow_the_rule():
    turn = replace(a_turn(cited=(SALES,), sentences=(Sentence(SOLD, (1,), Support.SUPPORTED),)),
                   excluded=(put_aside(citation(document=BOARD)), put_aside(citation(document=SALES))))  # fmt: skip

    text = shown(READER, turn)

    assert "Zebrasales plan, page" in text or "Zebrasales plan</bdi>, page" in text
    assert [word for word in SECRET if word in text] == []
    assert "1 source." in text


def test_foreign_text_stays_text_on_the_page():
    turn = replace(a_turn(), question="<script>alert(1)</script> & more")

    page = shared_html(
        "<b>name</b>", "<i>anna</i>", "2026-11-03T10:00:00+00:00", seen_by(BOTH, [turn], SPACES), (), "/x"
    )

    assert not re.search(r"<(script|b|i)>", page)
    assert "&lt;script&gt;" in page
    assert "<button" not in page  # there is no script that would hear it


# ---- links ----


class World:
    """A server with a conversation of anna, whose answers come from two spaces, and three who open links."""

    def __init__(self, home):
        self.database = AppDatabase(home / "app.db")
        self.roster, self.conversations = Roster(self.database), Conversations(self.database)
        self.people = {"root": self.roster.add("root", password="none", administrator=True).id}
        for name, spaces in {"anna": ("sales", "board"), "reader": ("sales",)}.items():
            self.people[name] = self.roster.add(name, password="none").id
            for space in spaces:
                self.roster.grant(self.people[name], space, Role.READER)
        desk = ScriptedDesk(home, (HANDBOOK, SALES, BOARD)).desk()
        self.app = create_app(desk, home=home, secret=b"known")
        self.conversation = self.conversations.begin(self.people["anna"])
        self.ask(1)

    def ask(self, number):
        turn = self.conversations.add(self.conversation, f"Question {number}?")
        self.conversations.save(replace(turn, state=TurnState.DONE, answer=a_turn().answer))

    def browser(self, name):
        made = TestClient(self.app, base_url=HERE, follow_redirects=False)
        if name:
            made.cookies.set(SESSION_COOKIE, Sessions(self.database).begin(self.people[name]))
        return made


@pytest.fixture(scope="module")
def kept_world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("shared"))
    with closing(world.database):
        yield world


@pytest.fixture
def world(kept_world):
    anna = kept_world.people["anna"]
    kept_world.roster.enable(anna)
    kept_world.conversations.remove(anna, kept_world.conversation)
    kept_world.conversation = kept_world.conversations.begin(anna)
    kept_world.ask(1)
    return kept_world


def link_of(world):
    told = world.browser("anna").post(f"/conversations/{world.conversation}/share").json()
    assert re.fullmatch(r"/shared/[A-Za-z0-9_-]{43}", told["address"])
    return told["address"]


def test_everybody_who_opens_a_link_sees_what_they_may_see(world):
    link = link_of(world)

    anna, reader = world.browser("anna").get(link), world.browser("reader").get(link)
    saved = world.browser("reader").get(f"{link}.md")
    nobody = world.browser("").get(link, headers={"accept": "text/html"})

    assert DECIDED in anna.text
    assert "Shared by" in reader.text
    assert [word for word in SECRET if word in reader.text + saved.text] == []
    assert SOLD in reader.text
    assert SOLD in saved.text
    assert "no-store" in reader.headers["cache-control"]
    assert nobody.headers["location"].startswith("/login?next=%2Fshared%2F")


def test_a_link_stays_the_same_shows_what_was_asked_before_and_ends_when_taken_back(world):
    link, reader = link_of(world), world.browser("reader")
    world.ask(2)

    before = reader.get(link).text
    assert link_of(world) == link
    after = reader.get(link).text
    share = f"/conversations/{world.conversation}/share"
    anna = world.browser("anna")

    assert "Question 2?" not in before
    assert "Question 2?" in after
    assert anna.get(share).json()["address"] == link
    assert anna.delete(share).json()["address"] == ""
    assert reader.get(link).status_code == 404
    assert reader.get(f"{link}.md").status_code == 404
    assert link_of(world) != link


def test_nobody_shares_or_ends_what_is_not_theirs(world):
    link, reader = link_of(world), world.browser("reader")

    answers = [
        reader.request(method, f"/conversations/{world.conversation}/share") for method in ("GET", "POST", "DELETE")
    ]

    assert [one.status_code for one in answers] == [404, 404, 404]
    assert link.split("/")[-1] not in "".join(one.text for one in answers)
    assert reader.get(link).status_code == 200
    assert Shares(world.database).share(world.people["reader"], world.conversation) is None
    assert reader.get(f"/shared/{'a' * 43}").status_code == 404
    assert reader.get("/shared/guess").status_code == 404


def test_a_conversation_that_is_deleted_or_whose_owner_is_disabled_is_shown_no_more(world):
    link, reader, anna = link_of(world), world.browser("reader"), world.people["anna"]

    world.roster.disable(anna)
    disabled = reader.get(link).status_code
    world.roster.enable(anna)
    enabled = reader.get(link).status_code
    world.conversations.remove(anna, world.conversation)

    assert (disabled, enabled) == (404, 200)
    assert reader.get(link).status_code == 404
    assert world.database.rows("SELECT count(*) FROM shared") == [(0,)]


def test_what_is_purged_is_gone_from_the_link_too(world):
    link = link_of(world)

    blank(world.database, BOARD.id, {"tigers"})

    for name in ("anna", "root", "reader"):
        text = world.browser(name).get(link).text
        assert not re.search("tigers|Zebraboard", text, re.IGNORECASE), name
    assert PURGED in world.browser("root").get(link).text


def test_the_log_of_requests_does_not_hold_the_link(world, caplog):
    link = link_of(world)
    with caplog.at_level(logging.INFO, "rag_app.requests"):
        world.browser("reader").get(link)
        world.browser("reader").get("/invitations/somebody-elses-link")

    paths = [one.told["path"] for one in caplog.records if one.name == "rag_app.requests"]
    assert paths == ["/shared/...", "/invitations/..."]


def test_a_conversation_in_which_nothing_was_asked_is_not_shared(world):
    empty = world.conversations.begin(world.people["anna"])

    answer = world.browser("anna").post(f"/conversations/{empty}/share")

    assert answer.status_code == 409
    assert "nothing to share" in answer.text


def test_while_nobody_is_registered_a_link_is_for_whoever_reaches_the_server_and_ends_with_that(tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        conversations, shares = Conversations(database), Shares(database)
        conversation = conversations.begin("c" * 32)
        conversations.add(conversation, "How long?")
        token = shares.share("c" * 32, conversation).token

        alone = shares.opened(token)
        Roster(database).add("root", administrator=True)

        assert alone.conversation == conversation
        assert shares.opened(token) is None  # whose it was can take it back no more

"""Signing in at an OpenID Connect provider: a real one, django-oauth-toolkit, on this computer."""

import asyncio
import html
import itertools
import logging
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from argon2 import PasswordHasher
from openid_provider import CLIENT, SECRET, SPOILED
from scripted_desk import HANDBOOK, ScriptedDesk
from starlette.testclient import TestClient

from ingest.errors import RagError, SettingsError
from rag_app.app_database import AppDatabase
from rag_app.build import provider_of
from rag_app.commands.office import settings_shown
from rag_app.health import _sign_in
from rag_app.settings import Settings
from rag_app.team.audit import Audit
from rag_app.team.entrance import BY_ADDRESS
from rag_app.team.openid import Provider, ProviderDown
from rag_app.team.people import Roster
from rag_app.team.sessions import Invitations
from rag_app.web.people import SESSION_COOKIE
from rag_app.web.server import create_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
BACK = f"{HERE}/sign-in/openid/back"
GIVEN = "three words in a row"
PEOPLE = ("root", "anna@example.org", "bert@example.org", "later@example.org", "disabled@example.org")


@pytest.fixture(scope="module")
def issuer():
    """The address of the provider, which runs until the last test here has ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name("openid_provider.py")), str(port), BACK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}/o"
        running.terminate()


class World:
    """Our server with some people, and a browser for each who asks."""

    def __init__(self, home, provider):
        self.database = AppDatabase(home / "app.db")
        self.roster = Roster(self.database)
        self.password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GIVEN)
        self.fill()
        self.app = create_app(ScriptedDesk(home, (HANDBOOK,)).desk(), home=home, secret=b"known", provider=provider)

    addresses = itertools.count(1)

    def fill(self):
        """As if nobody had ever signed in."""
        with self.database.writing() as connection:
            connection.execute("DELETE FROM person")
            connection.execute("DELETE FROM audit")
        for name in PEOPLE:
            self.roster.add(name, administrator=name == "root", password=self.password)
        self.roster.disable(self.roster.named("disabled@example.org").id)

    def browser(self):
        """One of a computer of its own."""
        address = f"10.0.0.{next(self.addresses)}"
        return TestClient(self.app, base_url=HERE, follow_redirects=False, client=(address, 5000))

    def audited(self):
        return [(one.act, one.name, one.detail) for one in Audit(self.database).listed()]


@pytest.fixture(scope="module")
def kept_world(tmp_path_factory, issuer):
    made = World(tmp_path_factory.mktemp("openid"), Provider(issuer, CLIENT, SECRET))
    yield made
    made.database.close()


@pytest.fixture
def world(kept_world):
    kept_world.fill()
    return kept_world


def sent_back(way_out, name):
    """Where the provider sends the browser of somebody who signs in there."""
    parts = urlsplit(way_out)
    with httpx2.Client(trust_env=False, verify=False) as browser:
        assert browser.get(f"http://{parts.netloc}/sign-in", params={"name": name}).text == "Signed in at the provider."
        answer = browser.get(way_out)
    assert answer.status_code == 302, answer.text[:300]
    return answer.headers["location"]


def signed_in(browser, name, **carried):
    """What our server answers to somebody who comes back from the provider."""
    out = browser.get("/sign-in/openid", params=carried)
    return browser.get(sent_back(out.headers["location"], name))


def said(answer):
    """The sentence on the page."""
    found = re.search(r'role="alert">([^<]*)</p>', answer.text) or re.search(r"</h1><p>([^<]*)</p>", answer.text)
    return found.group(1)


# ---- in ----


def test_somebody_registered_under_their_address_comes_in_and_goes_where_they_wanted(world):
    browser = world.browser()
    asked = browser.get("/library?x=1", headers={"accept": "text/html"})
    page = browser.get(asked.headers["location"])
    button = re.search(r'class="elsewhere" href="([^"]+)">([^<]+)<', page.text)
    out = browser.get(html.unescape(button.group(1)))
    asked_for = parse_qs(urlsplit(out.headers["location"]).query)
    answer = browser.get(sent_back(out.headers["location"], "anna"))

    assert button.group(2).startswith("Sign in with 127.0.0.1:")
    assert asked_for["redirect_uri"] == [BACK]
    assert asked_for["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= asked_for.keys()
    assert answer.headers["location"] == "/library?x=1"
    cookies = answer.headers.get_list("set-cookie")
    assert any(
        one.startswith(SESSION_COOKIE) and {"HttpOnly", "SameSite=Lax"} <= set(one.split("; ")) for one in cookies
    )
    assert browser.get("/jobs").status_code == 200
    assert world.audited()[0][:2] == ("sign in", "anna@example.org")
    assert "at 127.0.0.1:" in world.audited()[0][2]
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/jobs").status_code == 401


def test_an_address_that_the_provider_tells_only_when_asked_counts_too(world):
    assert signed_in(world.browser(), "told later").status_code == 303


def test_whoever_came_first_keeps_the_account_when_the_address_goes_to_somebody_else(world):
    assert signed_in(world.browser(), "anna").status_code == 303

    refused = signed_in(world.browser(), "successor")
    again = signed_in(world.browser(), "anna")

    assert refused.status_code == 401
    assert "signs in with another account" in said(refused)
    assert again.status_code == 303


def test_disabling_somebody_ends_this_way_in_too(world):
    browser = world.browser()
    assert signed_in(browser, "bert").status_code == 303

    world.roster.disable(world.roster.named("bert@example.org").id)

    assert browser.get("/jobs").status_code == 401
    assert signed_in(browser, "bert").status_code == 401


def test_a_link_lets_somebody_sign_in_there_under_any_name(world):
    link = Invitations(world.database).invite(world.roster.add("Strange name").id)
    browser = world.browser()
    page = browser.get(f"/invitations/{link}")
    button = html.unescape(re.search(r'class="elsewhere" href="([^"]+)"', page.text).group(1))

    answer = browser.get(sent_back(browser.get(button).headers["location"], "stranger"))

    assert answer.status_code == 303, said(answer)
    assert world.audited()[0][:2] == ("sign in", "Strange name")
    assert browser.get(f"/invitations/{link}").status_code == 404
    assert signed_in(world.browser(), "stranger").status_code == 303
    spent = signed_in(world.browser(), "bert", link=link)
    assert spent.status_code == 401
    assert "This link was used" in said(spent)


def test_a_link_for_somebody_else_does_not_take_an_identity_along(world):
    assert signed_in(world.browser(), "anna").status_code == 303
    link = Invitations(world.database).invite(world.roster.add("other").id)

    refused = signed_in(world.browser(), "anna", link=link)

    assert refused.status_code == 401
    assert "anna@example.org already" in said(refused)
    assert Invitations(world.database).invited(link)


# ---- not in ----


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("stranger", "nobody is registered here under that address"),
        ("disabled", "an administrator has disabled that"),
        ("claims", "named no verified e-mail address"),
        ("lookalike", "named no verified e-mail address"),
    ],
)
def test_nobody_else_comes_in_and_each_is_told_why(world, name, sentence):
    browser = world.browser()

    answer = signed_in(browser, name)

    assert answer.status_code == 401
    assert sentence in said(answer)
    assert "dministrator" in said(answer)
    assert SESSION_COOKIE not in browser.cookies
    assert world.audited()[0][0] == "sign-in refused"


@pytest.mark.parametrize("name", SPOILED)
def test_a_token_that_cannot_be_trusted_lets_nobody_in(world, name):
    browser = world.browser()

    answer = signed_in(browser, name)

    assert answer.status_code == 401
    assert "could not be verified" in said(answer)
    assert SESSION_COOKIE not in browser.cookies
    assert browser.get("/jobs").status_code == 401


def test_a_way_back_is_good_once_and_for_the_browser_that_began(world):
    browser, other = world.browser(), world.browser()
    other.get("/sign-in/openid")
    back = sent_back(browser.get("/sign-in/openid").headers["location"], "bert")

    assert "another browser" in said(other.get(back))
    assert "another browser" in said(world.browser().get(back))
    assert browser.get(back).status_code == 303
    browser.cookies.delete(SESSION_COOKIE)
    assert "another browser" in said(browser.get(back))


@pytest.mark.parametrize(
    "changed",
    [{"state": "guessed"}, {"state": ""}, {"iss": "http://elsewhere.example"}, {"code": ""}, {"code": "guessed"}],
)
def test_what_comes_back_must_be_what_was_sent_out(world, changed):
    browser = world.browser()
    back = urlsplit(sent_back(browser.get("/sign-in/openid").headers["location"], "bert"))
    values = {name: given[0] for name, given in parse_qs(back.query).items()} | changed

    answer = browser.get(f"{back.path}?{urlencode(values)}")

    assert answer.status_code == 401
    assert said(answer)
    assert SESSION_COOKIE not in browser.cookies


def test_a_code_that_was_made_for_another_browser_is_refused_by_the_provider(world):
    victim, thief = world.browser(), world.browser()
    theirs = urlsplit(sent_back(victim.get("/sign-in/openid").headers["location"], "bert"))
    own = urlsplit(sent_back(thief.get("/sign-in/openid").headers["location"], "stranger"))
    stolen = {"code": parse_qs(theirs.query)["code"][0], "state": parse_qs(own.query)["state"][0]}

    answer = thief.get(f"{own.path}?{urlencode(stolen)}")

    assert answer.status_code == 401
    assert SESSION_COOKIE not in thief.cookies


def test_one_address_is_stopped_after_many_sign_ins_that_failed(world):
    browser, answers = world.browser(), []
    for _ in range(BY_ADDRESS + 2):
        state = parse_qs(urlsplit(browser.get("/sign-in/openid").headers["location"]).query)["state"][0]
        answers.append(browser.get("/sign-in/openid/back", params={"state": state, "code": "guessed"}))

    assert [one.status_code for one in answers] == [401] * BY_ADDRESS + [429] * 2
    assert "Wait five minutes" in said(answers[-1])
    assert signed_in(world.browser(), "bert").status_code == 303


@pytest.mark.parametrize(
    "next_",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/" * 2000],
)
def test_nobody_is_sent_to_another_site(world, next_):
    assert signed_in(world.browser(), "bert", next=next_).headers["location"] == "/"


# ---- when it does not answer, or is not there ----


def test_while_the_provider_does_not_answer_passwords_work_and_the_page_says_so(tmp_path, free_port):
    world = World(tmp_path, Provider(f"http://127.0.0.1:{free_port}/o", CLIENT, SECRET))
    with closing(world.database):
        browser = world.browser()

        page = browser.get("/login")
        out = browser.get("/sign-in/openid?next=/library")

        assert "Sign in with 127.0.0.1" in page.text
        assert out.status_code == 503
        assert "does not answer" in said(out)
        assert 'name="next" value="/library"' in out.text
        given = browser.post("/login", data={"name": "root", "password": GIVEN, "next": "/library"})
        assert given.headers["location"] == "/library"


def test_an_address_that_is_no_provider_is_told_from_one_that_is_down(issuer):
    for wrong in (issuer.removesuffix("/o"), f"{issuer}/"):  # no page there; another name than it calls itself
        with pytest.raises(ProviderDown, match="RAG_OIDC_ISSUER"):
            asyncio.run(Provider(wrong, CLIENT, SECRET).begin(BACK))


def test_while_nobody_is_registered_there_is_no_such_way_in(tmp_path, issuer):
    desk = ScriptedDesk(tmp_path, (HANDBOOK,)).desk()
    app = create_app(desk, home=tmp_path, secret=b"k", provider=Provider(issuer, CLIENT), password="shared")

    browser = TestClient(app, base_url=HERE, follow_redirects=False)

    assert "elsewhere" not in browser.get("/login").text
    assert browser.get("/sign-in/openid").status_code == 404
    assert browser.get("/sign-in/openid/back?code=1&state=2").status_code == 404


def test_doctor_says_whether_the_provider_answers(issuer, free_port):
    settings = Settings(oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET)
    down = Settings(oidc_issuer=f"http://127.0.0.1:{free_port}", oidc_client_id=CLIENT)

    assert _sign_in(settings).endswith(", which answers.")
    assert "RAG_OIDC_ISSUER" in _sign_in(Settings())
    with pytest.raises(RagError, match="does not answer"):
        _sign_in(down)


# ---- settings and secrets ----


@pytest.mark.parametrize(
    "given",
    [
        {"RAG_OIDC_ISSUER": "http://login.example.org", "RAG_OIDC_CLIENT_ID": "rag"},
        {"RAG_OIDC_ISSUER": "login.example.org", "RAG_OIDC_CLIENT_ID": "rag"},
        {"RAG_OIDC_ISSUER": "https://login.example.org?x=1", "RAG_OIDC_CLIENT_ID": "rag"},
        {"RAG_OIDC_ISSUER": "https://me:secret@login.example.org", "RAG_OIDC_CLIENT_ID": "rag"},
        {"RAG_OIDC_ISSUER": "https://login.example.org"},
        {"RAG_OIDC_CLIENT_ID": "rag"},
        {"RAG_OIDC_CLIENT_SECRET": "secret"},
    ],
)
def test_half_a_provider_or_one_over_plain_http_is_refused_at_the_start(given):
    with pytest.raises(SettingsError, match="RAG_OIDC_"):
        Settings.from_environment(given)


def test_without_settings_there_is_no_provider():
    given = {"RAG_OIDC_ISSUER": "https://login.example.org/realms/team", "RAG_OIDC_CLIENT_ID": "rag"}

    assert provider_of(Settings.from_environment({})) is None
    assert provider_of(Settings.from_environment(given)).host == "login.example.org"


def test_no_secret_stands_in_the_settings_the_log_or_the_pages(world, issuer, caplog):
    caplog.set_level(logging.INFO)
    settings = Settings(oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET)
    browser = world.browser()

    answers = [signed_in(browser, name) for name in ("another key", "anna")]

    shown = repr(settings_shown(settings, frozenset())) + repr(settings)
    assert "RAG_OIDC_CLIENT_SECRET" in shown
    for text in (shown, caplog.text, *(answer.text for answer in answers), repr(world.audited())):
        assert SECRET not in text

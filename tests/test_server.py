import re
from dataclasses import replace

import pytest
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered
from starlette.testclient import TestClient

from ingest.errors import LibraryError, SettingsError
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.web.people import BROWSER_COOKIE, SIGNED_IN_COOKIE, check_exposure, is_loopback, stored_secret
from rag_app.web.server import create_app
from rag_app.web.sign_in_routes import safe_next
from rag_app.web.uploads import plain_name

HERE = "http://127.0.0.1:7860"
PAGE = {"accept": "text/html"}
PDF = b"%PDF-1.7 small"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def one_desk(home):
    return ScriptedDesk(home)


@pytest.fixture(scope="module")
def one_client(one_desk, home):
    app = create_app(one_desk.desk(), home=home, secret=b"known", max_upload_mb=1)
    with TestClient(app, base_url=HERE) as client:
        yield client


@pytest.fixture(scope="module")
def one_locked(one_desk, tmp_path_factory):
    app = create_app(one_desk.desk(), home=tmp_path_factory.mktemp("locked"), secret=b"known", password="open sesame")
    with TestClient(app, base_url=HERE, follow_redirects=False) as client:
        yield client


@pytest.fixture
def scripted(one_desk):
    one_desk.reset((HANDBOOK, OWN))
    return one_desk


@pytest.fixture
def client(one_client, scripted):
    one_client.cookies.clear()
    return one_client


@pytest.fixture
def locked(one_locked, scripted):
    one_locked.cookies.clear()
    return one_locked


def a_turn(client, home, question="How long?"):
    """A finished turn of the client's own browser, put straight into app.db."""
    browser = client.cookies[BROWSER_COOKIE].partition(".")[0]
    database = AppDatabase(home / "app.db")
    store = Conversations(database)
    turn = store.add(store.begin(browser), question)
    store.save(replace(turn, state=TurnState.DONE, answer=stored(answered(question))))
    database.close()
    return turn.id


def message(response):
    return response.json()["error"]["message"]


# ---- headers, cookies, who may ask ----


def test_every_answer_carries_the_headers(client):
    for path in ("/", "/library", "/healthz", "/documents/nonsense/original", "/ui/app.js", "/nothing"):
        headers = client.get(path, headers=PAGE).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "img-src 'self' data: blob:;" in headers["content-security-policy"]


def test_each_script_of_a_page_carries_the_nonce_of_its_policy(client):
    first, second = client.get("/", headers=PAGE), client.get("/", headers=PAGE)
    nonce = re.search(r"'nonce-([^']+)'", first.headers["content-security-policy"]).group(1)

    scripts = re.findall(r"<script[^>]*", first.text)

    assert scripts
    assert all(f'nonce="{nonce}"' in script for script in scripts)
    assert nonce not in second.headers["content-security-policy"]
    assert "'unsafe-inline'" not in first.headers["content-security-policy"].partition("style-src")[0]


def test_our_scripts_stand_ahead_of_gradios_in_its_pages_and_in_no_other(client):
    """Deferred scripts and modules run in the order of the document, so that ours hear the first key pressed."""
    for path in ("/", "/library", "/quality"):
        scripts = re.findall(r"<script[^>]*>", client.get(path, headers=PAGE).text)
        later = [script for script in scripts if " defer" in script or 'type="module"' in script]
        assert all(re.search(r'src="/ui/\w+\.js" defer>', script) for script in later[:-1])
        assert [re.search(r'src="([^"]+)"', later[0])[1], len(later)] == ["/ui/app.js", 10]
        assert 'type="module"' in later[-1]
    assert "/ui/app.js" not in client.get("/nothing", headers=PAGE).text


def test_a_browser_gets_one_cookie_that_scripts_cannot_read(client):
    first = client.get("/healthz")
    second = client.get("/healthz")

    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    assert "set-cookie" not in second.headers


def test_a_forged_cookie_is_replaced(client):
    client.cookies.set(BROWSER_COOKIE, "0" * 32 + ".aaaaaa.bbbbbbbbbbbb")

    assert BROWSER_COOKIE in client.get("/healthz").headers["set-cookie"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", ""])
def test_another_host_name_is_refused_on_loopback(client, host):
    response = client.get("/", headers={"host": host})

    assert response.status_code == 421
    assert "127.0.0.1 or localhost" in message(response)


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860"])
def test_every_name_of_this_computer_is_answered(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:7860"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/documents"),
        ("DELETE", f"/documents/{OWN.id}"),
        ("POST", "/jobs/1/cancel"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/config"),
    ],
)
def test_requests_from_other_sites_are_refused(client, scripted, method, path, origin):
    response = client.request(method, path, headers={"origin": origin})

    assert response.status_code == 403
    assert len(scripted.shelf) == 2


def test_a_cross_site_request_without_an_origin_is_refused(client):
    response = client.delete(f"/documents/{OWN.id}", headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 403


@pytest.mark.parametrize(
    "path", ["upload", "file=/etc/passwd", "file/etc/passwd", "proxy=http://127.0.0.1/", "info", "runs", "call/x"]
)
def test_what_the_pages_do_not_use_of_gradio_is_not_there(client, path):
    assert client.get(f"/gradio_api/{path}").status_code == 404
    assert client.post(f"/gradio_api/{path}").status_code == 404


# ---- the password ----


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "rag.example.com"])
def test_an_open_address_without_a_password_is_refused(host):
    with pytest.raises(SettingsError, match="rag people add NAME --admin`, set RAG_PASSWORD"):
        check_exposure(host, "")

    check_exposure(host, "open sesame")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.9"])
def test_loopback_needs_no_password(host):
    assert is_loopback(host)
    check_exposure(host, "")


def test_create_app_refuses_an_open_address_too(scripted, tmp_path):
    with pytest.raises(SettingsError):
        create_app(scripted.desk(), home=tmp_path, host="0.0.0.0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/jobs",
        f"/documents/{OWN.id}/original",
        f"/documents/{OWN.id}/pages/1.png",
        f"/documents/{OWN.id}/view",
        "/config",
        "/gradio_api/queue/data?session_hash=x",
        "/gradio_api/heartbeat/x",
        "/theme.css",
        "/ui/app.js",
    ],
)
def test_nothing_is_shown_before_signing_in(locked, path):
    assert locked.get(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/cancel", "/documents"]
)
def test_nothing_is_done_before_signing_in(locked, path):
    assert locked.post(path, json={"fn_index": 0, "data": [], "session_hash": "x"}).status_code == 401


def test_a_page_leads_to_the_sign_in_and_back(locked):
    asked = locked.get("/library?x=1", headers=PAGE)
    form = locked.get(asked.headers["location"], headers=PAGE)
    given = locked.post("/login", data={"password": "open sesame", "next": "/library?x=1"})

    assert asked.status_code == 303
    assert 'value="/library?x=1"' in form.text
    assert (given.status_code, given.headers["location"]) == (303, "/library?x=1")
    assert {"HttpOnly", "SameSite=Lax"} <= set(given.headers["set-cookie"].split("; "))
    assert locked.get("/library", headers=PAGE).status_code == 200


@pytest.mark.slow
def test_a_sign_in_belongs_to_its_browser_and_its_password(locked, scripted, tmp_path):
    locked.get("/login")
    locked.post("/login", data={"password": "open sesame"})
    cookies = dict(locked.cookies)

    changed = TestClient(create_app(scripted.desk(), home=tmp_path, secret=b"known", password="another"), base_url=HERE)
    changed.cookies.update(cookies)
    lifted = TestClient(locked.app, base_url=HERE, cookies={SIGNED_IN_COOKIE: cookies[SIGNED_IN_COOKIE]})

    assert changed.get("/jobs").status_code == 401
    assert lifted.get("/jobs").status_code == 401


@pytest.mark.slow
def test_wrong_passwords_are_counted(scripted, tmp_path):
    locked = TestClient(create_app(scripted.desk(), home=tmp_path, password="open sesame"), base_url=HERE)
    answers = [locked.post("/login", data={"password": f"guess {number}"}) for number in range(11)]
    right = locked.post("/login", data={"password": "open sesame"})

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "This is not the password." in answers[0].text
    assert "Wait five minutes" in answers[10].text
    assert right.status_code == 429


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_signing_in_leads_nowhere_else(address):
    assert safe_next(address) == "/"


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path):
    first = stored_secret(tmp_path)

    assert stored_secret(tmp_path) == first
    assert len(first) == 32
    assert (tmp_path / "cookie.key").stat().st_mode & 0o077 == 0


# ---- pages and originals ----


def test_a_page_is_a_picture_of_a_known_width(client, scripted):
    response = client.get(f"/documents/{OWN.id}/pages/3.png?w=700")

    assert response.headers["content-type"] == "image/png"
    assert response.content.startswith(b"\x89PNG")
    assert scripted.looked == [(OWN.id, 3, "", 0, 900)]


def test_a_page_is_drawn_once(client, scripted):
    for _ in range(3):
        client.get(f"/documents/{OWN.id}/pages/4.png")

    assert len(scripted.looked) == 1


@pytest.mark.parametrize("page", ["0", "49", "-1", "x", "1e3", "99999999999999999999"])
def test_a_page_that_is_not_there_is_not_found(client, page):
    assert client.get(f"/documents/{OWN.id}/pages/{page}.png").status_code == 404


@pytest.mark.parametrize("identity", ["0" * 32, "..", "%2e%2e%2f", "A" * 32, "a" * 31, "a" * 33, "a" * 31 + "%00"])
def test_an_id_that_is_none_is_not_found(client, identity):
    for rest in ("pages/1.png", "original", "view"):
        assert client.get(f"/documents/{identity}/{rest}").status_code == 404
    assert client.delete(f"/documents/{identity}").status_code in (404, 405)


def test_the_original_is_handed_out_as_a_file_to_save(client, scripted):
    scripted.shelf = [replace(OWN, path='in/<b>"x"\r\n.pdf')]

    response = client.get(f"/documents/{OWN.id}/original")

    assert response.content.startswith(b"%PDF")
    assert response.headers["content-disposition"].startswith("attachment;")
    assert response.headers["content-type"] == "application/octet-stream"


def test_a_source_opens_at_its_page_with_its_boxes(client, scripted, home):
    client.get("/healthz")
    turn = a_turn(client, home)

    response = client.get(f"/turns/{turn}/sources/0")

    assert "<rect" in response.text
    assert "page 12 (sheet 18)" in response.text
    identity, page, quote, near, _ = scripted.looked[0]
    assert (identity, page, near) == (OWN.id, 18, 12)
    assert quote.startswith("The notice period")


def test_turning_the_page_of_a_source_looks_for_nothing(client, scripted, home):
    client.get("/healthz")
    turn = a_turn(client, home)

    response = client.get(f"/turns/{turn}/sources/0?page=19")

    assert "<rect" not in response.text
    assert 'value="19" data-go-to' in response.text
    assert "of 48" in response.text
    assert scripted.looked[0][2] == ""


def test_sources_of_other_browsers_are_not_found(client, home):
    client.get("/healthz")
    turn = a_turn(client, home)
    other = TestClient(client.app, base_url=HERE)

    assert other.get(f"/turns/{turn}/sources/0").status_code == 404
    assert client.get(f"/turns/{turn}/sources/9").status_code == 404


def test_a_source_whose_document_is_gone_says_so(client, scripted, home):
    client.get("/healthz")
    turn = a_turn(client, home)
    scripted.shelf = [HANDBOOK]

    response = client.get(f"/turns/{turn}/sources/0")

    assert response.status_code == 404
    assert "no longer in the library" in message(response)


# ---- files in and out ----


def test_an_upload_reaches_the_library_whole_and_leaves_nothing_behind(client, scripted, home):
    body = PDF + bytes(range(256)) * 2000

    response = client.post("/documents", files={"file": ("Plan.pdf", body)})

    assert response.status_code == 202
    assert response.json()["job"]["state"] == "waiting"
    assert scripted.uploads == [("Plan.pdf", body, None)]
    assert list((home / "uploads").iterdir()) == []


def test_a_known_name_is_asked_about_and_the_answer_is_passed_on(client, scripted):
    asked = client.post("/documents", files={"file": (OWN.path, PDF)})
    replaced = client.post("/documents?replace=true", files={"file": (OWN.path, PDF)})
    kept = client.post("/documents?replace=false", files={"file": (OWN.path, PDF)})

    assert asked.status_code == 409
    assert asked.json()["existing"]["title"] == OWN.title
    assert (replaced.status_code, kept.status_code) == (202, 202)
    assert [said for _, _, said in scripted.uploads] == [None, True, False]


def test_a_file_over_the_limit_is_refused_and_nothing_is_kept(client, scripted, home):
    announced = client.post("/documents", files={"file": ("big.pdf", b"x" * 1_100_000)})
    unannounced = client.post("/documents", content=multipart(b"x" * 1_100_000), headers=MULTIPART)

    assert (announced.status_code, unannounced.status_code) == (413, 413)
    assert "limit of 1 MB" in message(announced)
    assert message(unannounced).startswith("big.pdf is larger")
    assert scripted.uploads == []
    assert list((home / "uploads").iterdir()) == []


MULTIPART = {"content-type": "multipart/form-data; boundary=edge"}


def multipart(body):
    """A multipart body in pieces, its length not announced."""
    yield b'--edge\r\nContent-Disposition: form-data; name="file"; filename="big.pdf"\r\n\r\n'
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]
    yield b"\r\n--edge--\r\n"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"not multipart", {"content-type": "text/plain"}, 415),
        (b"", {"content-type": "multipart/form-data"}, 415),
        (b"nonsense", MULTIPART, 400),
        (b'--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\nfield\r\n--edge--\r\n', MULTIPART, 400),
        (b'--edge\r\nContent-Disposition: form-data; name="f"; filename="cut.pdf"\r\n\r\nhalf', MULTIPART, 400),
    ],
)
def test_an_upload_that_holds_no_whole_file_is_refused(client, scripted, body, headers, status):
    response = client.post("/documents", content=body, headers=headers)

    assert response.status_code == status
    assert message(response)
    assert scripted.uploads == []


def test_a_refusal_by_the_library_is_passed_on_in_its_words(client, home):
    response = client.post("/documents", files={"file": ("notes.pages", b"PK")})

    assert response.status_code == 422
    assert "this kind of file cannot be read" in message(response)
    assert list((home / "uploads").iterdir()) == []


@pytest.mark.slow
def test_uploads_a_dead_server_left_are_swept(scripted, tmp_path):
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "left").write_bytes(b"x")

    create_app(scripted.desk(), home=tmp_path)

    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Plan.pdf", "Plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\Plan.pdf", "Plan.pdf"),
        ("a%22b%0D%0A.pdf", 'a"b  .pdf'),
        ("x" * 300, "x" * 255),
        ("dir/", ""),
    ],
)
def test_a_file_name_is_its_last_part(given, name):
    assert plain_name(given) == name


def test_jobs_are_listed_and_cancelled(client):
    client.post("/documents", files={"file": ("Plan.pdf", PDF)})
    cancelled = client.post("/jobs/1/cancel")

    assert cancelled.status_code == 200
    assert [job["state"] for job in client.get("/jobs").json()["jobs"]] == ["cancelled"]
    assert client.post("/jobs/99/cancel").status_code == 404
    assert client.post("/jobs/x/cancel").status_code == 404


def test_a_document_is_removed_with_its_pages(client, scripted):
    client.get(f"/documents/{OWN.id}/pages/1.png")

    removed = client.delete(f"/documents/{OWN.id}")

    assert removed.json()["title"] == OWN.title
    assert scripted.shelf == [HANDBOOK]
    assert client.get(f"/documents/{OWN.id}/pages/1.png").status_code == 404
    assert client.delete(f"/documents/{OWN.id}").status_code == 404


@pytest.mark.slow
def test_a_library_that_cannot_remove_says_why(scripted, tmp_path):
    def refuse(_document_id):
        raise LibraryError("The disk is full. Make room and try again.")

    app = create_app(replace(scripted.desk(), remove=refuse), home=tmp_path)
    with TestClient(app, base_url=HERE) as client:
        response = client.delete(f"/documents/{OWN.id}")

    assert (response.status_code, message(response)) == (422, "The disk is full. Make room and try again.")


def test_health_tells_counts_only_to_those_who_may_see_them(client, locked):
    assert client.get("/healthz").json() == {"ok": True, "documents": 1, "passages": 212}
    assert locked.get("/healthz").json() == {"ok": True}

"""What watches over a server: readiness, figures for Prometheus, and the log as JSON lines."""

import io
import json
import logging
import sqlite3
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from starlette.testclient import TestClient

from ingest.errors import LibraryError, SettingsError
from rag_app import logs
from rag_app.app_database import AppDatabase
from rag_app.commands.vitals import vitals
from rag_app.commands.warmth import LOADING, Warmth
from rag_app.settings import Settings
from rag_app.team.keys import Keys
from rag_app.team.people import Roster
from rag_app.web.server import create_app
from rag_app.web.vitals import Figures, Vitals

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:7860"
NEAR = ("127.0.0.1", 4711)
SECRET_QUESTION = "Was Zwergfledermaus Quittenbaum dismissed?"
FIGURES = Figures(
    documents=7,
    passages=300,
    jobs={"ready": 5, "embedding": 2},
    waiting=2,
    indexed=280,
    newer=20,
    gone=3,
    exact=True,
    rebuilding=True,
)


class Watched:
    def __init__(self):
        self.lacking = []

    def vitals(self):
        return Vitals(lacking=lambda: list(self.lacking), figures=lambda: FIGURES)


@pytest.fixture(scope="module")
def watched():
    return Watched()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    return ScriptedDesk(tmp_path_factory.mktemp("desk"), (HANDBOOK, OWN))


@pytest.fixture(scope="module")
def app(scripted, watched, tmp_path_factory):
    return create_app(scripted.desk(), vitals=watched.vitals(), home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, base_url=HERE, client=NEAR) as made:
        yield made


def figures(client):
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


# ---- readiness ----


def test_ready_is_said_and_what_is_lacking_too(client, watched):
    ready = client.get("/readyz")
    watched.lacking = ["The models are still being loaded."]
    not_yet = client.get("/readyz")
    watched.lacking = []

    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": []})
    assert (not_yet.status_code, not_yet.json()["reasons"]) == (503, ["The models are still being loaded."])


class Broken:
    """A library whose reading fails."""

    def __init__(self, error):
        self.error = error
        self.library = self.index = self

    def spaces(self):
        return ["documents"]

    def counts(self, spaces):
        raise self.error

    def of(self, warmth):
        class Application:
            parts = self
            settings = Settings()

        return vitals(Application(), warmth)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LibraryError("The library is from a newer version."), "newer version"),
        (sqlite3.DatabaseError("disk image is malformed"), "`rag verify` looks at all of it"),
        (OSError("Input/output error"), "Input/output error"),
    ],
)
def test_a_server_is_not_ready_while_models_load_or_the_library_cannot_be_read(error, words):
    warmth = Warmth()
    looks = Broken(error).of(warmth)

    loading = looks.lacking()
    warmth.tell("")
    loaded = looks.lacking()
    warmth.tell("The model is damaged.")
    failed = looks.lacking()

    assert loading[0] == LOADING
    assert len(loaded) == 1
    assert words in loaded[0]
    assert failed[0] == "The model is damaged."


@pytest.mark.slow
def test_a_real_server_tells_how_it_stands(handbook_home):
    from ingest.settings import Settings as IngestSettings
    from rag_app.build import build

    application = build(Settings(ingest=IngestSettings(home=handbook_home)))
    warmth = Warmth()
    looks = vitals(application, warmth)
    warmth.tell("")

    told = looks.figures()

    assert looks.lacking() == []
    assert told.documents > 0
    assert told.passages == told.indexed + told.newer - told.gone
    assert told.jobs["ready"] == told.documents
    assert told.waiting == 0
    assert looks.pieces("Zwergfledermaus") == application.parts.embedder.pieces("Zwergfledermaus") > 2
    application.parts.index.close()


# ---- figures ----


def test_questions_are_counted_by_what_became_of_them(client, scripted):
    before = figures(client)
    for question in ("How long?", "How long?", "nothing of this", "The endpoint?"):
        client.post("/api/ask", json={"question": question})
    client.post("/api/search", json={"question": "A search is no question"})
    after = figures(client)

    grown = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    assert grown["rag_questions_total", ("mode", "extractive")] == 2
    assert grown["rag_questions_total", ("mode", "openai_chat")] == 1
    assert grown["rag_questions_total", ("mode", "abstained")] == 1
    assert grown["rag_abstentions_total",] == 1
    assert grown["rag_notices_total",] == 1
    assert grown["rag_stage_seconds_count", ("stage", "rerank")] == 4
    assert grown["rag_stage_seconds_sum", ("stage", "rerank")] == pytest.approx(4 * 0.610)
    assert grown["rag_first_words_seconds_count",] == 3
    assert after["rag_answers_running",] == 0


@pytest.mark.slow
def test_an_answer_that_is_not_whole_counts_as_stopped(client, scripted, monkeypatch):
    asked = scripted.ask

    async def breaking(*words, **named):
        async for answer in asked(*words, **named):
            yield answer
            raise LibraryError("The disk is full. Make room and try again.")

    monkeypatch.setattr(scripted, "ask", breaking)
    app = create_app(scripted.desk(), home=scripted.folder)
    with TestClient(app, base_url=HERE, client=NEAR) as other:
        response = other.post("/api/ask", json={"question": "How long?"})
        counted = figures(other)

    assert response.status_code == 422
    assert counted["rag_questions_total", ("mode", "stopped")] == 1
    assert counted["rag_answers_running",] == 0


def test_the_library_the_queue_and_the_index_are_told(client):
    told = figures(client)

    assert told["rag_documents",] == 7
    assert told["rag_passages",] == 300
    assert told["rag_queue_length",] == 2
    assert told["rag_jobs", ("state", "embedding")] == 2
    assert [told[f"rag_index_{name}",] for name in ("passages", "newer", "gone", "exact", "rebuilding")] == [
        280,
        20,
        3,
        1,
        1,
    ]


def test_no_figure_holds_what_was_asked_or_found(client):
    client.post("/api/ask", json={"question": SECRET_QUESTION})

    page = client.get("/metrics").text

    assert "Quittenbaum" not in page
    assert "notice period" not in page
    assert OWN.title not in page
    labels = {name for key in figures(client) for name, _ in key[1:]}
    assert labels == {"mode", "stage", "state", "le"}


@pytest.mark.slow
def test_two_servers_in_one_process_count_apart(client, scripted, tmp_path):
    client.post("/api/ask", json={"question": "How long?"})

    with TestClient(create_app(scripted.desk(), home=tmp_path), base_url=HERE, client=NEAR) as other:
        assert all(name[0] != "rag_questions_total" for name in figures(other))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("near", "headers", "status"),
    [
        (NEAR, {}, 200),
        (("::1", 4711), {}, 200),
        (("192.168.1.9", 4711), {}, 401),
        (NEAR, {"x-forwarded-for": "192.168.1.9"}, 401),
        (NEAR, {"forwarded": "for=192.168.1.9"}, 401),
    ],
)
def test_figures_are_open_to_this_computer_only(scripted, tmp_path, near, headers, status):
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        Roster(database).add("Root", administrator=True)
    with TestClient(create_app(scripted.desk(), home=tmp_path), base_url=HERE, client=near) as client:
        assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.slow
def test_others_need_the_unlimited_key_of_an_administrator(scripted, tmp_path):
    with closing(AppDatabase(tmp_path / "app.db")) as database:
        roster, keys = Roster(database), Keys(database)
        root, ann = roster.add("Root", administrator=True), roster.add("Ann")
        secrets = [
            keys.add("prometheus", person=root.id)[1],
            keys.add("limited", person=root.id, spaces=["documents"])[1],
            keys.add("hers", person=ann.id)[1],
        ]
    app = create_app(scripted.desk(), home=tmp_path, host="0.0.0.0")
    with TestClient(app, base_url="http://rag.example", client=("10.0.0.7", 1)) as client:
        answers = [client.get("/metrics", headers={"authorization": f"Bearer {secret}"}) for secret in secrets]

    assert [answer.status_code for answer in answers] == [200, 403, 403]
    assert "keys of administrators" in answers[1].json()["error"]["message"]


# ---- the log ----


@pytest.fixture
def lines():
    """What the JSON form of the log writes meanwhile."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonLines())
    root, told = logging.getLogger(), [logging.getLogger(name) for name in logs.TOLD]
    levels = [logger.level for logger in told]
    root.addHandler(handler)
    for logger in told:
        logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    for logger, level in zip(told, levels, strict=True):
        logger.setLevel(level)


def test_each_request_and_each_answer_has_a_line_without_what_was_asked(client, lines):
    client.post("/api/ask?token=hush", json={"question": SECRET_QUESTION}, headers={"authorization": "Bearer sk-hush"})

    answer, request = (next(line for line in lines() if line["message"] == kind) for kind in ("answer", "request"))
    assert (answer["mode"], answer["abstained"], answer["rerank_ms"]) == ("extractive", False, 610)
    assert (request["method"], request["path"], request["status"]) == ("POST", "/api/ask", 200)
    assert request["ms"] >= 0
    written = json.dumps(lines())
    assert all(word not in written for word in ("Quittenbaum", "hush", "notice period"))


def test_an_error_is_named_with_its_places_and_without_its_text(lines):
    try:
        int(SECRET_QUESTION)
    except ValueError:
        logging.getLogger("rag_app.web.answering").exception("A1B2C3: answering failed")

    (line,) = lines()
    assert (line["level"], line["message"], line["error"]) == ("error", "A1B2C3: answering failed", "ValueError")
    assert "test_watching.py" in line["where"][0]
    assert "Quittenbaum" not in json.dumps(line)


def test_lines_are_quiet_unless_asked_for(client, caplog):
    client.get("/healthz")

    assert [record for record in caplog.records if record.name in logs.TOLD] == []


def test_the_form_of_the_log_is_a_setting():
    assert Settings.from_environment({"RAG_LOG": "json"}).log == "json"
    with pytest.raises(SettingsError, match="plain or json"):
        Settings.from_environment({"RAG_LOG": "xml"})


def test_times_in_the_log_are_utc(lines):
    logging.getLogger("rag_app").warning("now")

    assert lines()[0]["at"].endswith("+00:00")

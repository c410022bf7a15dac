from pathlib import Path

from ingest.settings import Settings as IngestSettings
from rag_app.checks import Check
from rag_app.commands.office import given_names, settings_shown
from rag_app.settings import NAMES, OUTSIDE, Settings
from rag_app.web.office import Configuration
from rag_app.web.setting_words import SECRETS, WORDS
from rag_app.web.settings_html import checks_html, settings_html

SECRET = "sk-do-not-show-this"


def test_every_setting_has_its_words_and_every_key_is_a_secret():
    assert set(WORDS) == NAMES | set(OUTSIDE)
    assert {name for name in WORDS if any(part in name for part in ("KEY", "PASSWORD", "SECRET"))} == SECRETS


def test_no_secret_is_shown():
    settings = Settings(
        ingest=IngestSettings(home=Path("/srv/rag")),
        password=SECRET,
        openai_api_key=SECRET,
        cohere_api_key=SECRET,
        oidc_client_secret=SECRET,
        openai_base_url=f"https://me:{SECRET}@models.example:8443/v1?key={SECRET}#{SECRET}",
        reranker_url=f"http://{SECRET}@127.0.0.1:9/",
    )

    shown = {one.name: one.value for one in settings_shown(settings, frozenset())}

    assert not [value for value in shown.values() if SECRET in value]
    assert shown["RAG_PASSWORD"] == shown["OPENAI_API_KEY"] == "set"
    assert shown["VOYAGE_API_KEY"] == "not set"
    assert shown["OPENAI_BASE_URL"] == "https://models.example:8443/v1"
    assert shown["RAG_RERANKER_URL"] == "http://127.0.0.1:9/"
    assert (shown["RAG_HOME"], shown["RAG_LLM_CONNECT_S"], shown["RAG_PASSAGES"]) == ("/srv/rag", "5", "3")


def test_what_the_environment_decides_is_marked_and_nothing_can_be_edited():
    given = given_names({"RAG_PASSAGES": "3", "OPENAI_API_KEY": "k", "PATH": "/bin"})
    page = settings_html(Configuration(settings=settings_shown(Settings(), given)))

    assert given == {"RAG_PASSAGES", "OPENAI_API_KEY"}
    assert page.count(">environment<") == 2
    assert page.count("default<") == len(WORDS) - 2
    assert "<input" not in page


def test_checks_are_counted_and_say_what_is_wrong():
    page = checks_html([Check("library", ok=True, detail="fine"), Check("index", ok=False, detail="gone")], "current")

    assert "1 of 2 parts work." in page
    assert "needs you" in page
    assert "parts work" not in checks_html(None, "current")

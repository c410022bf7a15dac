from pathlib import Path

import pytest

from ingest.errors import SettingsError
from rag_app.settings import NAMES, Settings


def test_settings_come_from_the_environment_that_is_passed_in():
    settings = Settings.from_environment(
        {"RAG_HOME": "/data", "RAG_PASSAGES": "5", "RAG_LLM_FIRST_S": "2.5", "OPENAI_API_KEY": "k", "PATH": "/bin"}
    )

    assert settings.ingest.home == Path("/data")
    assert settings.passages == 5
    assert settings.llm_first_s == 2.5
    assert settings.openai_api_key == "k"


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(SettingsError, match=r"RAG_PASAGES is not a setting\. Known ones: .*RAG_PASSAGES"):
        Settings.from_environment({"RAG_PASAGES": "5"})


@pytest.mark.parametrize(("name", "value"), [("RAG_PASSAGES", "three"), ("RAG_LLM_TOTAL_S", "long")])
def test_a_bad_value_names_the_variable_the_value_and_the_type(name, value):
    with pytest.raises(SettingsError, match=rf"{name}='{value}' is not a"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("name", ["RAG_PASSAGES", "RAG_CANDIDATES", "RAG_PORT"])
def test_counts_below_one_are_refused(name):
    with pytest.raises(SettingsError, match=rf"{name} must be at least 1"):
        Settings.from_environment({name: "0"})


def test_strict_is_off_or_on():
    assert [Settings.from_environment({"RAG_STRICT": value}).strict for value in ("0", "1")] == [0, 1]
    with pytest.raises(SettingsError, match="RAG_STRICT must be 0 or 1"):
        Settings.from_environment({"RAG_STRICT": "2"})


def test_secrets_do_not_show_in_logs():
    text = repr(Settings(openai_api_key="sk-secret", password="hunter2"))

    assert "sk-secret" not in text
    assert "hunter2" not in text


def test_the_key_of_the_endpoint_is_no_rag_setting():
    assert "RAG_OPENAI_API_KEY" not in NAMES

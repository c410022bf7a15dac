"""The README keeps its word: its commands, settings and links exist."""

import re
from pathlib import Path

import pytest

from rag_app.__main__ import COMMANDS
from rag_app.settings import NAMES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HANDBOOK = sorted((ROOT / "docs" / "handbook").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def settings_in(text):
    """RAG_ names in the first column of a table."""
    return set(re.findall(r"^\| `(RAG_[A-Z_]+)` \|", text, re.MULTILINE))


def test_settings_table_lists_every_setting_and_no_other():
    assert settings_in(README) == NAMES


def test_administrator_guide_lists_every_setting_and_no_other():
    guide = (ROOT / "docs" / "handbook" / "administrator-guide.md").read_text(encoding="utf-8")

    assert settings_in(guide) == NAMES


def test_defaults_in_the_settings_table_are_those_of_the_code():
    from rag_app.settings import Settings

    settings = Settings()
    rows = dict(re.findall(r"^\| `RAG_([A-Z_]+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE))
    values = {**vars(settings.ingest), **vars(settings)}

    wrong = {
        name: told
        for name, told in rows.items()
        if told
        != (f"{values[name.lower()]:g}" if isinstance(values[name.lower()], float) else str(values[name.lower()]))
    }

    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_that_are_named_exist(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")

    named = set(re.findall(r"(?:`|^)(?:[A-Z_]+=\S+ )*make ([a-z]+)", text, re.MULTILINE))

    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rag_commands_that_are_named_exist(page):
    named = set(re.findall(r"(?:`|^)rag ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))

    assert named - set(COMMANDS) == set()


def test_every_rag_command_is_named():
    named = set(re.findall(r"^rag ([a-z]+)", README, re.MULTILINE))

    assert named == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_resolve(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    missing = [link for link in links if not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("page", [ROOT / "README.md", *HANDBOOK], ids=lambda page: page.name)
def test_settings_that_are_named_exist(page):
    named = set(re.findall(r"\bRAG_[A-Z_]+\b", page.read_text(encoding="utf-8")))

    # The troubleshooting guide shows what a name that is not a setting leads to.
    assert named - NAMES - {"RAG_PASSAGE"} == set()

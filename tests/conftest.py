"""What all tests share: where a browser is, and what is said when there is none."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# How long one example takes says something about the machine, nothing about the code.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")

ROOT = Path(__file__).resolve().parents[1]

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_left_out = pytest.StashKey[int]()


def chromium() -> str | None:
    """The path of a Chromium that Playwright can drive, or None."""
    if importlib.util.find_spec("playwright") is None:
        return None
    return next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(config, items):
    driven = [item for item in items if item.get_closest_marker("browser")]
    if not driven or chromium():
        return
    config.hook.pytest_deselected(items=driven)
    items[:] = [item for item in items if item not in driven]
    config.stash[_left_out] = len(driven)


def pytest_terminal_summary(terminalreporter, config):
    missing = config.stash.get(_left_out, 0)
    if missing:
        terminalreporter.write_line(
            f"NOT RUN: {missing} browser tests, because no Chromium was found. "
            "Install one (apt-get install chromium) and run again.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def handbook_home(tmp_path_factory):
    """A home that holds the handbook, put there by the command, with the real models."""
    home = tmp_path_factory.mktemp("handbook") / "home"
    command = [sys.executable, "-m", "ingest", "docs_corpus", "--space", "handbook"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "RAG_HOME": str(home)}, check=True, capture_output=True)
    return home


@pytest.fixture
def taken_port():
    """A port of loopback that something listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free_port():
    """A port of loopback that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

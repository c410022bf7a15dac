"""What all tests share: where a browser is, and what is said when there is none."""

import importlib.util
import shutil

import pytest

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

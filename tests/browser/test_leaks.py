"""A small version of benchmarks/leaks.py: what was opened is closed, what was temporary is gone."""

import pytest
from playwright.sync_api import expect

from benchmarks.leaks import converse, delete, page_of, send, settled
from browser.conftest import PATIENCE_MS, ScriptedServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def server(tmp_path):
    server = ScriptedServer(tmp_path, "full_server.py")
    yield server
    server.stop()


def test_turns_uploads_and_deletions_leave_nothing_open_and_no_file(browser, server, tmp_path):
    folders = [tmp_path / "uploads", tmp_path / "incoming"]
    with page_of(browser) as page:
        converse(page, server.address, 2)
        send(page, server.address, ["warm.pdf"])
        delete(page, server.address, ["Report 00001"])
    before = settled(server.pid, folders)

    with page_of(browser) as page:
        converse(page, server.address, 8)
        send(page, server.address, ["one.pdf", "two.pdf"])
        delete(page, server.address, ["Report 00002", "Report 00003", "Report 00004"])
    after = settled(server.pid, folders)

    assert after.temporary == 0
    assert after.files <= before.files
    assert after.connections <= before.connections
    assert after.memory_mb - before.memory_mb < 60

"""What starting costs: reading the reports, and a server's parts made ready before the first question."""

import gc
import os

import pytest

from benchmarks.start import imported, imports_table, run, table
from ingest.index.generation import Answering
from rag_app.build import build
from rag_app.commands.serve import prepare
from rag_app.settings import Settings

REPORT = """\
import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |     torch._C
import time:   2000000 |    2001000 |   torch
a line of the program's own
import time:    500000 |    2501000 | scipy.stats
"""


def test_each_package_is_counted_with_its_own_modules_only():
    assert imported(REPORT) == pytest.approx({"torch": 2.001, "scipy": 0.5})


def test_tables_name_the_costliest_first_and_take_away_what_a_warm_question_takes():
    told = table([0.1, 0.2, 0.3], [5.0], [[900.0, 1.0, 600.0], [800.0, 1.0, 800.0], [700.0, 1.0, 700.0]])

    assert [line.split()[-5:-3] for line in told.splitlines()[2:3]] == [["4.30", "s"]]
    assert told.splitlines()[-1].endswith("first / tenth 1.00")
    assert [line.split()[0] for line in imports_table(imported(REPORT)).splitlines()[1:]] == ["torch", "scipy"]


def test_help_of_the_command_needs_no_home(tmp_path):
    seconds, done = run(tmp_path / "home", "--help")

    assert seconds > 0
    assert "usage: rag" in done.stdout
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_prepared_parts_have_used_their_models_and_their_index(handbook_home, caplog):
    application = build(Settings.from_environment({**os.environ, "RAG_HOME": str(handbook_home)}))

    prepare(application)

    assert caplog.text == ""
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    assert application.parts.index.state().answering is Answering.CHROMA
    application.parts.index.close()

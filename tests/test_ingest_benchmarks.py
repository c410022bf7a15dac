"""The benchmarks of ingestion, on PDFs made here."""

import sys

import pytest
import torch

from benchmarks import ingest, reading_all
from benchmarks.fuzz_seeds import made
from benchmarks.kill_life import HashedEmbedder
from benchmarks.reading_all import Row
from ingest import openvino_bert
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder as --data takes it."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "pdfs").mkdir()
    seeds = made()
    for name in ("prose", "outline", "pictures", "needs a password"):
        (folder / "pdfs" / f"{name}.pdf").write_bytes(seeds[name])
    (folder / "pdfs" / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    return folder


@pytest.mark.slow
def test_float32_is_what_the_engine_of_the_machine_then_computes_in():
    usual, plain = (Embedder(BUNDLED, Compute(), ingest.engines(float32=float32)) for float32 in (False, True))

    assert plain.engine.rpartition(" ")[2] == openvino_bert.FLOAT32
    assert usual.engine == ingest.engines(float32=False).choice.name


@pytest.mark.slow
def test_both_packages_that_may_compute_stand_below_the_figures(monkeypatch):
    def missing():
        raise ImportError("not installed")

    version, told = openvino_bert.version(), ingest.machine()
    monkeypatch.setattr(openvino_bert, "openvino", missing)

    assert f"torch {torch.__version__} with" in told
    assert told.endswith(f"; OpenVINO {version}")
    assert ingest.machine().endswith("; no OpenVINO")


@pytest.mark.slow
def test_every_file_of_a_folder_is_accounted_for(data, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reading_all", "--data", str(data)])

    code = reading_all.main()

    told = capsys.readouterr().out
    assert code == 0
    for row in ("     2  ready", "     1  no_text", "     1  needs_password", "     1  refused"):
        assert row in told.splitlines()
    assert "5 files, " in told
    assert "; 0 wrong" in told


@pytest.mark.slow
def test_the_memory_of_a_reader_is_seen(data):
    found = list(reading_all.rows(sorted((data / "pdfs").glob("outline.pdf"))))

    assert [row.state for row in found] == ["ready"]
    assert 5 < found[0].peak_mb < 500


@pytest.mark.parametrize(
    ("row", "sound"),
    [
        (Row("a.pdf", "ready", "", 59.0, 3, 1400, ""), True),
        (Row("a.pdf", "ready", "", 61.0, 3, 100, ""), False),
        (Row("a.pdf", "ready", "", 1.0, 3, 1501, ""), False),
        (Row("a.pdf", "raised", "", 1.0, 3, 100, "Traceback"), False),
    ],
)
def test_what_is_over_a_limit_is_called_wrong(row, sound):
    assert row.sound is sound
    assert ("WRONG: a.pdf" in reading_all.table([row])) is not sound


@pytest.mark.slow
def test_the_stages_come_to_the_wall_time_and_memory_is_looked_at(data, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "EVERY", 5)
    files = sorted((data / "pdfs").glob("[op]*.pdf"))
    looked = []

    clock, pages, passages = ingest.ingest(
        tmp_path / "home", ingest.unlike(files, tmp_path, seed=1), HashedEmbedder(), 20, looked.append
    )

    assert pages >= 15  # those of files without text are not read to the end
    assert passages >= 15  # files that come again do not replace those before them
    assert len(looked) >= 3
    assert max(clock.seconds.values()) <= clock.wall <= sum(clock.seconds.values()) + 1e-6
    assert set(clock.seconds) == set(ingest.STAGES)
    assert min(clock.seconds.values()) >= 0
    told = ingest.table(clock, pages, passages)
    assert "100.0%" in told
    assert "bar: 80%" in told


def test_seconds_that_several_files_share_count_once():
    assert ingest.covered([(5, 6), (0, 2), (1, 3), (1.5, 2)]) == 4
    assert ingest.covered([]) == 0


def test_files_that_come_again_are_other_files(data, tmp_path):
    files = sorted((data / "pdfs").glob("[op]*.pdf"))
    given = ingest.unlike(files, tmp_path, seed=1)

    contents = [next(given).read_bytes() for _ in range(3 * len(files))]

    assert len(set(contents)) == len(contents)
    assert {content[:200] for content in contents} == {file.read_bytes()[:200] for file in files}

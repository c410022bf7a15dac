"""`rag rebuild --model` from one real embedding model to another, alone and beside a process that owns the home."""

import argparse
import json

import numpy as np
import pytest
from pdf_makers import drawn, lines
from toy_models import embedder

from ingest import command
from ingest.build import build
from ingest.errors import ModelError
from ingest.home import OwnerLock
from ingest.index.generation import Answering
from ingest.library.renewal import Renewal
from ingest.records import FileState
from ingest.settings import Settings as IngestSettings
from rag_app.commands import rebuild
from rag_app.settings import Settings

SENTENCES = ("Can I approve my own rule?", "My own rule can approve.", "Can my rule approve I own?")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [str(embedder(folder, name, seed)) for name, seed in (("first", 1), ("second", 2))]


@pytest.fixture
def settings(tmp_path):
    def of(model):
        return Settings(ingest=IngestSettings(home=tmp_path / "home", embedder=model))

    return of


def added(parts, folder, *numbers):
    """The documents of files with one sentence each."""
    files = []
    for number in numbers:
        files.append(folder / f"{number}.pdf")
        files[-1].write_bytes(drawn(lines(SENTENCES[number])))
    jobs = [job for _, job in command.take_in_owned(parts, files, "documents")]
    assert {job.state for job in jobs} == {FileState.READY}
    return [job.document_id for job in jobs]


def nearest(parts, document):
    """The document nearest to a question that is a document's own passage, with the cosine."""
    (block,) = parts.library.document_vectors(document, parts.embedder.name)
    ((place, cosine), *_) = parts.index.dense(block.vectors[0], ["documents"], 1)
    return place.document_id, round(cosine, 2)


def rebuilt(settings, model, capsys):
    capsys.readouterr()
    assert rebuild.run(argparse.Namespace(model=model, json=True), settings) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_everything_answers_by_the_other_model_once_it_is_rebuilt(models, settings, tmp_path, capsys):
    first = build(settings(models[0]).ingest)
    documents = added(first, tmp_path, 0, 1)
    first.index.close()

    told = rebuilt(settings(models[0]), models[1], capsys)

    second = build(settings(models[1]).ingest)
    second.index.open()
    assert (told["embedded"], told["embedder"], told["index"]) == (2, second.embedder.name, "built")
    assert second.index.state().answering is Answering.CHROMA
    assert [nearest(second, document) for document in documents] == [(document, 1.0) for document in documents]
    assert list(second.library.document_vectors(documents[0], first.embedder.name)) == []
    asked = second.embedder.embed_question(SENTENCES[0])
    assert np.isclose(np.linalg.norm(asked), 1)
    assert second.index.dense(asked, ["documents"], 2)
    with pytest.raises(ModelError, match=f"embedded with {second.embedder.name}, and RAG_EMBEDDER now names first:"):
        build(settings(models[0]).ingest)
    second.index.close()


@pytest.mark.slow
def test_files_added_beside_a_rebuild_and_after_it_are_found_before_and_after_the_next_start(
    models, settings, tmp_path, capsys
):
    server = build(settings(models[0]).ingest)
    with OwnerLock(server.home).acquire():
        before = added(server, tmp_path, 0)
        told = rebuilt(settings(models[0]), models[1], capsys)
        after = added(server, tmp_path, 1, 2)
        assert told["index"] == "old"
        assert [nearest(server, document)[0] for document in before + after] == before + after
    server.index.close()

    restarted = build(settings(models[1]).ingest)
    restarted.index.open()

    assert Renewal(restarted.library).lacking(restarted.embedder.name) == []
    assert [nearest(restarted, document) for document in before + after] == [(one, 1.0) for one in before + after]
    assert restarted.library.findings() == []
    restarted.index.close()

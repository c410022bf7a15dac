import logging

import numpy as np
import pytest
from fakes import HashEmbedder
from shelves import Shelf, put

from ingest.errors import ModelError
from ingest.index.generation import Index
from ingest.library.renewal import Renewal
from ingest.pipeline import Ingestion, recipe
from ingest.rebuilding import Rebuilding, told
from ingest.records import JobState
from ingest.settings import Settings
from ingest.worker import Worker
from rag_app import health
from rag_app.settings import Settings as AppSettings

TEXTS = [f"Kettle number {n} whistles at noon." for n in range(80)]


class OtherEmbedder(HashEmbedder):
    """Another model: another name, shorter vectors. Calls back before it embeds."""

    name = "other:1"

    def __init__(self, before=lambda texts: None):
        self.before = before
        self.embedded = []

    def embed(self, texts):
        self.before(texts)
        self.embedded += texts
        short = super().embed(texts)[:, :200] + 1e-3
        return (short / np.linalg.norm(short, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path)
    made.library.claim_embedder(HashEmbedder.name)
    yield made
    made.index.close()
    made.library.close()


def rebuilding(shelf, embedder, settings=None):
    return Rebuilding(shelf.library, embedder, settings or shelf.settings, lambda _: None)


def shape(shelf, document, embedder):
    return [block.vectors.shape for block in shelf.library.document_vectors(document.id, embedder)]


def current(shelf):
    """The recipe of what `put` stores is not the real one; make it so, that nothing is cut anew."""
    with shelf.library.database.writing() as connection:
        connection.execute("UPDATE documents SET recipe = ?", (recipe(shelf.settings),))


def test_another_model_is_taken_once_it_has_embedded_everything(shelf):
    document = put(shelf.library, *TEXTS)
    current(shelf)

    rebuilt = rebuilding(shelf, OtherEmbedder()).run()

    assert (rebuilt.embedded, rebuilt.recut, rebuilt.embedder) == (80, 0, "other:1")
    assert shelf.library.fact("embedder") == "other:1"
    assert shape(shelf, document, "other:1") == [(32, 200), (32, 200), (16, 200)]
    assert shape(shelf, document, HashEmbedder.name) == [(80, 384)]
    question = OtherEmbedder().embed([f"a\n{TEXTS[7]}"])[0]
    found = Index(shelf.library, "other:1").dense(question, ["documents"], 1)
    assert found[0][1] == pytest.approx(1, abs=1e-4)
    Renewal(shelf.library).drop_other_vectors()
    assert shape(shelf, document, HashEmbedder.name) == []
    assert shape(shelf, document, "other:1") != []


def test_what_is_added_meanwhile_is_embedded_too_before_the_switch(shelf):
    put(shelf.library, *TEXTS[:40], name="a.pdf")
    current(shelf)
    added = []

    def add(_):
        assert shelf.library.fact("embedder") == HashEmbedder.name
        if len(added) < 2:
            added.append(put(shelf.library, f"added {len(added)}", name=f"new{len(added)}.pdf"))
            current(shelf)

    rebuilding(shelf, OtherEmbedder(add)).run()

    assert [shape(shelf, document, "other:1") for document in added] == [[(1, 200)], [(1, 200)]]
    assert Renewal(shelf.library).lacking("other:1") == []


def test_a_rebuild_that_is_cut_short_changes_nothing_and_goes_on_where_it_was(shelf):
    document = put(shelf.library, *TEXTS)
    current(shelf)

    def die(texts):
        if any(TEXTS[40] in text for text in texts):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuilding(shelf, OtherEmbedder(die)).run()
    assert shelf.library.fact("embedder") == HashEmbedder.name
    assert shelf.index.dense(HashEmbedder().embed_question(TEXTS[3]), ["documents"], 1)[0][0].document_id == document.id
    second = OtherEmbedder()
    rebuilding(shelf, second).run()

    assert len(second.embedded) == 48
    assert shelf.library.fact("embedder") == "other:1"


def test_documents_of_an_older_recipe_are_cut_anew_under_their_id_and_names(shelf):
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(*TEXTS[:30]), "documents"))
    before = shelf.library.document(job.document_id)
    smaller = Settings(home=shelf.settings.home, passage_pieces=40)

    rebuilt = rebuilding(shelf, HashEmbedder(), smaller).run()

    after = shelf.library.document(job.document_id)
    assert rebuilt.recut == 1
    assert after.chunks > before.chunks
    assert len(shelf.library.document_chunks(after.id)) == after.chunks
    assert shelf.library.embedded(after.id, HashEmbedder.name) == after.chunks
    assert shelf.library.named("documents", str(shelf.folder / "plan.pdf"))[0] == after
    assert rebuilding(shelf, HashEmbedder(), smaller).run().recut == 0


@pytest.mark.slow
def test_an_open_index_gives_each_passage_of_a_document_that_was_cut_anew_once(shelf):
    for n in range(6):
        shelf.intake.add(shelf.pdf(f"Pot {n} boils.", *TEXTS[n : n + 20], name=f"{n}.pdf"), "documents")
    shelf.worker.work_off()
    rebuilding(shelf, HashEmbedder(), Settings(home=shelf.settings.home, passage_pieces=40)).run()

    lexical = [place for place, _ in shelf.index.lexical("kettle", ["documents"], 10_000)]
    dense = [place for place, _ in shelf.index.dense(HashEmbedder().embed_question("kettle"), ["documents"], 10_000)]

    passages = {(document.id, n) for document in shelf.library.documents() for n in range(document.chunks)}
    assert len(lexical) == len(set(lexical))
    assert len(dense) == len(set(dense))
    assert set(lexical) == set(dense) == passages


@pytest.mark.slow
def test_what_an_older_recipe_made_is_counted_until_it_is_rebuilt(shelf):
    for n in range(2):
        shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(TEXTS[n], name=f"{n}.pdf"), "documents"))
    smaller = Settings(home=shelf.settings.home, passage_pieces=40)

    assert told(shelf.library, shelf.settings) == ""
    before = told(shelf.library, smaller)
    checked = health._library(shelf.library, AppSettings(ingest=smaller))
    rebuilding(shelf, HashEmbedder(), smaller).run()

    assert before == "2 documents were read or cut by an earlier version or setting; `rag rebuild` does that anew."
    assert checked.endswith(before)
    assert told(shelf.library, smaller) == ""
    assert health._library(shelf.library, AppSettings(ingest=smaller)).endswith("spaces: documents.")


def test_a_document_that_cannot_be_read_again_stays_as_it_was(shelf):
    document = put(shelf.library, "some words", name="a.pdf")
    shelf.library.original(document).write_bytes(b"%PDF-1.7 torn")

    rebuilt = rebuilding(shelf, HashEmbedder()).run()

    assert rebuilt.refused == ("a",)
    assert shelf.library.documents() == [document]
    assert shelf.library.document_chunks(document.id)[0].text == "some words"


def test_files_wait_for_a_process_with_the_new_model(shelf, caplog):
    put(shelf.library, "some words", name="a.pdf")
    current(shelf)
    job = shelf.intake.add(shelf.pdf("The notice period is three months."), "documents")
    other = OtherEmbedder()
    rebuilding(shelf, other).run()

    with caplog.at_level(logging.WARNING):
        shelf.worker.work_off()
    assert shelf.library.jobs.get(job.id).state == JobState.WAITING
    assert "embedded anew with other:1" in caplog.text
    Ingestion(shelf.library, other, shelf.settings).run(shelf.library.jobs.get(job.id))

    assert shelf.library.jobs.get(job.id).state == JobState.READY
    assert Renewal(shelf.library).lacking("other:1") == []


@pytest.mark.slow
def test_files_that_come_after_the_switch_are_embedded_with_both_models(shelf):
    shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf("Some words.", name="a.pdf"), "documents"))
    other = OtherEmbedder()
    Renewal(shelf.library).announce(other.name, "models/other")
    rebuilding(shelf, other).run()
    asked = []

    def load(model):
        asked.append(model)
        return other

    serving = Ingestion(shelf.library, shelf.embedder, shelf.settings, load=load)
    worker = Worker(shelf.library, serving, shelf.index)
    jobs = [shelf.intake.add(shelf.pdf(TEXTS[n], name=f"{n}.pdf"), "documents") for n in range(2)]
    worker.work_off()

    document = shelf.library.document(shelf.library.jobs.get(jobs[1].id).document_id)
    assert asked == ["models/other"]
    assert [shelf.library.jobs.get(job.id).state for job in jobs] == [JobState.READY] * 2
    assert shape(shelf, document, HashEmbedder.name) == [(1, 384)]
    assert shape(shelf, document, "other:1") == [(1, 200)]
    question = HashEmbedder().embed_question(TEXTS[1])
    assert shelf.index.dense(question, ["documents"], 1)[0][0].document_id == document.id
    assert shelf.library.findings() == []


def test_files_wait_where_the_new_model_cannot_be_loaded_and_it_is_tried_once(shelf, caplog):
    job = shelf.intake.add(shelf.pdf("The notice period is three months."), "documents")
    Renewal(shelf.library).announce("other:1", "models/other")
    assert Renewal(shelf.library).switch_embedder("other:1")
    asked = []

    def load(model):
        asked.append(model)
        raise ModelError("It is not here.")

    worker = Worker(shelf.library, Ingestion(shelf.library, shelf.embedder, shelf.settings, load=load), shelf.index)
    with caplog.at_level(logging.WARNING):
        worker.work_off()
        worker.work_off()

    assert asked == ["models/other"]
    assert shelf.library.jobs.get(job.id).state == JobState.WAITING
    assert "It is not here." in caplog.text


def test_a_model_that_is_another_by_now_is_not_taken_for_the_librarys(shelf):
    Renewal(shelf.library).announce("other:1", "models/other")
    assert Renewal(shelf.library).switch_embedder("other:1")
    changed = OtherEmbedder()
    changed.name = "other:2"

    assert not Ingestion(shelf.library, shelf.embedder, shelf.settings, load=lambda _: changed).ready()


def test_a_document_removed_while_it_is_embedded_leaves_nothing_behind(shelf):
    kept = put(shelf.library, *TEXTS[:40], name="a.pdf")
    gone = put(shelf.library, *TEXTS[40:], name="b.pdf", content="b" * 64)
    current(shelf)

    def remove(texts):
        if any(TEXTS[75] in text for text in texts):
            shelf.library.remove(gone.id)

    rebuilt = rebuilding(shelf, OtherEmbedder(remove)).run()

    assert rebuilt.embedded == 40 + 32
    assert shape(shelf, kept, "other:1") == [(32, 200), (8, 200)]
    left = shelf.library.database.rows("SELECT DISTINCT document_id FROM vectors")
    assert [row[0] for row in left] == [kept.id]


def test_a_document_cut_anew_while_it_is_embedded_is_embedded_as_it_is_then(shelf):
    job = shelf.worker._ingestion.run(shelf.intake.add(shelf.pdf(*TEXTS[:40]), "documents"))
    smaller = Settings(home=shelf.settings.home, passage_pieces=20)
    done = []

    def cut_anew(_):
        if not done:
            done.append(rebuilding(shelf, HashEmbedder(), smaller).run())

    rebuilding(shelf, OtherEmbedder(cut_anew), smaller).run()

    document = shelf.library.document(job.document_id)
    assert document.chunks > job.chunks
    assert done[0].recut == 1
    assert sum(rows for rows, _ in shape(shelf, document, "other:1")) == document.chunks
    assert shelf.library.fact("embedder") == "other:1"


def test_a_file_under_way_at_the_switch_is_not_shown_without_its_new_vectors(shelf):
    job = shelf.intake.add(shelf.pdf("The notice period is three months."), "documents")
    embed = shelf.embedder.embed

    def switch(texts):
        assert Renewal(shelf.library).switch_embedder("other:1")
        return embed(texts)

    shelf.embedder.embed = switch
    shelf.worker._ingestion.run(job)

    assert not shelf.library.jobs.get(job.id).final
    assert shelf.library.documents() == []
    Ingestion(shelf.library, OtherEmbedder(), shelf.settings).run(shelf.library.jobs.get(job.id))
    assert shelf.library.jobs.get(job.id).state == JobState.READY

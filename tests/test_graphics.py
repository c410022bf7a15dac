"""A graphics processor that does not work is left, and the log says so.

torch's device "meta" holds models and computes nothing, and "vulkan" is in no build of it that is installed here.
"""

import logging
from pathlib import Path

import pytest
import torch
from toy_models import modern_bert

from ingest import graphics
from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.engines import Engines
from ingest.graphics import Placed
from rag_app.rerank.cross_encoder import LocalReranker

PAIR = ("can i", ["own rule", "rule"])
LEFT = "A model failed on %s and is run by the processor"


@pytest.fixture
def asked_anew():
    """So that what the machine has is looked for again, in the test and after it."""
    graphics.device.cache_clear()
    yield
    graphics.device.cache_clear()


@pytest.fixture
def on(monkeypatch):
    """Say that the machine has a device of this name."""
    return lambda name: monkeypatch.setattr(graphics, "device", lambda: name)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of our own."""
    return [
        one.getMessage() for one in caplog.records if one.name == "ingest.graphics" and one.levelno >= logging.WARNING
    ]


@pytest.mark.parametrize(("cuda", "mps", "name"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_device_is_the_best_that_torch_has(cuda, mps, name, monkeypatch, asked_anew):
    monkeypatch.setattr(graphics, "DRIVERS", ("/dev/null",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(graphics, "_computes", lambda _: True)

    assert graphics.device() == name


def test_torch_is_not_asked_where_no_driver_is(monkeypatch, asked_anew):
    monkeypatch.setattr(graphics.sys, "platform", "linux")
    monkeypatch.setattr(graphics, "DRIVERS", ("/dev/null/none",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))

    assert graphics.device() == "cpu"


ABLE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "meta": False}


@pytest.mark.parametrize("name", [name for name, able in ABLE.items() if not able])
def test_a_device_that_cannot_compute_is_left_and_named(name, caplog):
    assert not graphics._computes(name)
    assert said(caplog)[0].startswith(f"torch cannot compute on {name}, so the processor does the work: ")


def test_the_processor_computes(caplog):
    assert graphics._computes("cpu")
    assert said(caplog) == []


def test_a_model_that_fails_on_its_device_is_loaded_anew_and_asked_again(on, caplog):
    on("cuda")
    loaded = []

    def work(model: str) -> str:
        if model == "on cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.\nand a long story")
        return f"made {model}"

    placed = Placed(lambda device: loaded.append(device) or f"on {device}")

    assert [placed.run(work), placed.run(work)] == ["made on cpu"] * 2
    assert (loaded, placed.device) == (["cuda", "cpu"], "cpu")
    assert said(caplog) == [f"{LEFT % 'cuda'}: CUDA out of memory."]


def test_what_fails_on_the_processor_is_not_tried_again(on, caplog):
    on("cpu")
    tries = []

    def work(_: str) -> None:
        tries.append(1)
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Placed(str).run(work)
    assert (len(tries), said(caplog)) == (1, [])


@pytest.mark.parametrize("name", ["meta", "vulkan"], ids=["fails at work", "fails at loading"])
def test_scores_and_vectors_are_the_processors_where_the_device_fails(name, on, tmp_path: Path, caplog):
    on("cpu")
    folder = str(modern_bert(tmp_path))
    right = LocalReranker(folder, Compute(), Engines("torch")).scores(*PAIR)
    vectors = Embedder("bundled", Compute(), Engines("torch")).embed(PAIR[1])

    on(name)

    assert LocalReranker(folder, Compute(), Engines("torch")).scores(*PAIR) == pytest.approx(right, abs=0.05)
    near = (Embedder("bundled", Compute(), Engines("torch")).embed(PAIR[1]) * vectors).sum(axis=1)
    assert near.min() > 0.999
    assert [one.partition(":")[0] for one in said(caplog)] == [LEFT % name] * 2

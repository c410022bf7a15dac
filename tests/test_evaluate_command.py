"""`rag evaluate` as a script runs it, with the real models on sets made here."""

import json
import os
import subprocess
import sys

import pytest
from evaluation_sets import beir, lines
from pdf_makers import drawn
from pdf_makers import lines as written

from ingest.home import Home, OwnerLock
from rag_app.__main__ import main
from rag_app.evaluate.metrics import METRICS
from rag_app.evaluate.records import STAGES


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def evaluated(home, capsys):
    def run(*words):
        code = main(["evaluate", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.mark.slow
def test_json_is_what_the_contract_promises(home, evaluated, tmp_path):
    code, out, err = evaluated(beir(tmp_path / "set"), "--json")

    told = json.loads(out)
    assert code == 0
    assert list(told["stages"]) == list(STAGES)
    assert all(set(stage) == {*METRICS, "ci95", "ms"} for stage in told["stages"].values())
    assert all(set(stage["ci95"]) == set(METRICS) for stage in told["stages"].values())
    assert all(
        0 <= stage["ci95"][name][0] <= stage[name] <= stage["ci95"][name][1] <= 1
        for stage in told["stages"].values()
        for name in METRICS
    )
    assert told["stages"]["dense+rerank"]["ndcg@10"] == 1
    assert (told["questions"], told["passages"], told["reranker"]) == (3, 4, "bundled")
    assert told["embedder"].startswith("all-MiniLM-L6-v2:")
    assert "Reranking pairs of question and passage: 12 in" in err


@pytest.mark.slow
def test_a_second_run_computes_nothing_and_says_the_same(home, evaluated, tmp_path):
    folder = beir(tmp_path / "set")
    first, second = (json.loads(evaluated(folder, "--json")[1]) for _ in range(2))

    assert first.pop("computed") == {"vectors": 7, "scores": 12}
    assert second.pop("computed") == {"vectors": 0, "scores": 0}
    assert without_times(first) == without_times(second)


@pytest.mark.slow
def test_the_owner_may_go_on_and_only_the_cache_and_the_result_are_written(home, evaluated, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "leave.pdf").write_bytes(drawn(written("The notice period is three months."), title="Leave"))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    lines(
        folder / "questions.jsonl",
        [
            {"question": "How long is the notice period?", "pdf": "leave.pdf", "pages": [1]},
            {"question": "What is broken?", "pdf": "broken.pdf", "pages": [1]},
        ],
    )
    with OwnerLock(Home(home).prepare()).acquire():
        before = {path for path in home.rglob("*") if path.is_file()}

        code, out, err = evaluated(folder, "--json", "--report", tmp_path / "page.html")

    told = json.loads(out)
    written_now = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file() and path not in before}
    assert code == 1
    assert written_now == {"cache", "evaluations"}
    (kept,) = (home / "evaluations").glob("*.json")
    failures = json.loads(kept.read_text())["failures"]
    assert [(one["question"], one["rank"]) for one in failures] == [("What is broken?", None)]
    assert failures[0]["found"][0]["text"].startswith("The notice period")
    assert not list(home.rglob("chroma*"))
    assert told["stages"]["hybrid+rerank"]["recall@50"] == 0.5
    assert [(one["path"], one["questions"]) for one in told["unreadable"]] == [("broken.pdf", 1)]
    assert "broken.pdf was left out: " in err
    assert "What is broken?" not in (page := (tmp_path / "page.html").read_text())
    assert "broken.pdf was left out" in page


@pytest.mark.slow
def test_a_terminal_gets_a_table(home, evaluated, tmp_path):
    code, out, _ = evaluated(beir(tmp_path / "set"), "--limit", "2", "--seed", "5")

    assert code == 0
    assert out.startswith("2 questions; 95 % intervals\n")
    assert [line.split()[0] for line in out.splitlines() if " ms" in line] == list(STAGES)
    assert "What reranking adds, question by question" in out


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: None, "is no folder"),
        (lambda folder: folder.mkdir(), "holds no data set: neither corpus.jsonl"),
        (lambda folder: beir(folder, judgements=[("q1", "notice", 0)]), "None of the 3 questions"),
        (lambda folder: (beir(folder) / "qrels.tsv").unlink(), "has no qrels.tsv or qrels/test.tsv"),
    ],
)
def test_bad_input_is_a_sentence(home, evaluated, tmp_path, make, told):
    make(tmp_path / "set")

    code, out, _ = evaluated(tmp_path / "set", "--json")

    assert code == 1
    assert json.loads(out)["error"]["kind"] == "dataset"
    assert told in json.loads(out)["error"]["message"]


def test_a_report_that_cannot_be_written_is_told_before_the_work(home, evaluated, tmp_path):
    code, _, err = evaluated(beir(tmp_path / "set"), "--report", tmp_path / "nowhere" / "page.html")

    assert code == 1
    assert "There is no folder" in err
    assert not (home / "cache").exists()


@pytest.mark.parametrize(
    "words", [(), ("set", "--limit", "0"), ("set", "--page-tolerance", "-1"), ("set", "--seed", "x")]
)
def test_wrong_use_is_exit_code_2(words):
    with pytest.raises(SystemExit) as left:
        main(["evaluate", *words])

    assert left.value.code == 2


def test_help_loads_none_of_the_heavy_packages():
    script = "import sys, rag_app.__main__ as m\ntry: m.main(['evaluate', '--help'])\nexcept SystemExit: pass\n"
    check = "print([name for name in ('torch', 'numpy', 'tantivy') if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", script + check], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "[]"


def without_times(told):
    return {**told, "stages": {name: {**stage, "ms": 0} for name, stage in told["stages"].items()}}

"""The `rag` command as a person or a script runs it, with the real models on the real handbook."""

import json
import os
import subprocess
import sys

import pytest
from test_memory import HEAP_PIECES, heaps

RAG = [sys.executable, "-m", "rag_app"]
HIT_KEYS = {
    "chunk_id", "document_id", "space", "title", "path", "page", "first_page", "last_page", "text", "before", "after",
    "dense_rank", "cosine", "lexical_rank", "bm25", "rerank_rank", "relevance", "used",
}  # fmt: skip
COMMANDS = "serve ingest ask search documents evaluate train models backup restore rebuild verify doctor".split()


def rag(*words, home=None, **settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    environment = {**kept, **({"RAG_HOME": str(home)} if home else {}), **settings}
    return subprocess.run([*RAG, *words], env=environment, capture_output=True, text=True, check=False)


def test_help_names_every_command():
    told = rag("--help")

    assert told.returncode == 0
    assert all(f"\n    {name}" in told.stdout for name in COMMANDS)
    assert "75 another process owns the library" in told.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    told = rag(command, "--help")

    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: rag {command}")


def test_help_loads_none_of_the_heavy_packages():
    script = "import sys, rag_app.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    check = "print([name for name in ('torch', 'chromadb', 'gradio', 'numpy') if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", script + check], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [(), ("fly",), ("ask",), ("documents", "remove")])
def test_wrong_use_is_exit_code_2(words):
    assert rag(*words).returncode == 2


def test_a_setting_that_does_not_exist_is_named(tmp_path):
    told = rag("documents", "--json", home=tmp_path, RAG_PASAGES="3")

    assert told.returncode == 1
    assert json.loads(told.stdout)["error"]["kind"] == "settings"
    assert "RAG_PASAGES is not a setting" in json.loads(told.stdout)["error"]["message"]


def test_an_empty_library_lists_nothing_and_says_how_to_fill_it(tmp_path):
    assert json.loads(rag("documents", "--json", home=tmp_path).stdout) == {"documents": []}
    assert "rag ingest PATH" in rag("documents", home=tmp_path).stdout


def test_removing_what_is_not_there_says_so(tmp_path):
    told = rag("documents", "remove", "abc", home=tmp_path)

    assert told.returncode == 1
    assert "There is no document abc" in told.stderr


def test_models_tells_which_rerankers_are_on_this_machine(tmp_path):
    folder = tmp_path / "models--BAAI--bge-reranker-base"
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    (folder / "snapshots" / "c0ffee" / "model.safetensors").touch()
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("c0ffee")

    told = rag("models", "--json", HF_HUB_CACHE=str(tmp_path), RAG_RERANKER="tei")

    listed = json.loads(told.stdout)
    here = {row["name"]: row["here"] for row in listed["rerankers"]}
    assert listed["chosen"] == "tei"
    assert [name for name, found in here.items() if found] == ["bundled", "BAAI/bge-reranker-base"]
    assert here["BAAI/bge-reranker-v2-m3"] is False
    assert here["tei"] is None


def test_models_marks_the_one_in_use(tmp_path):
    told = rag("models", HF_HUB_CACHE=str(tmp_path))

    assert [line.split()[0] for line in told.stdout.splitlines() if " * " in line] == ["bundled"]
    assert "RAG_RERANKER_URL" in told.stdout


@pytest.mark.slow
def test_ask_gives_what_the_contract_promises(handbook_home):
    told = rag("ask", "Which reranking models can I use?", "--json", home=handbook_home)

    answer = json.loads(told.stdout)
    assert told.returncode == 0
    assert {
        "question",
        "rewritten",
        "text",
        "abstained",
        "mode",
        "citations",
        "sentences",
        "timings_ms",
        "hits",
    } <= set(answer)
    assert set(answer["hits"][0]) == HIT_KEYS
    assert len(answer["hits"]) == 50
    assert [hit["rerank_rank"] for hit in answer["hits"]] == list(range(1, 51))
    assert sum(hit["used"] for hit in answer["hits"]) == 3
    assert set(answer["citations"][0]) == {"marker", "document_id", "title", "path", "page", "label", "quote"}
    assert set(answer["sentences"][0]) == {"text", "markers", "support"}
    assert set(answer["timings_ms"]) == {
        "rewrite", "embed", "dense", "lexical", "rerank", "generate", "check", "total"
    }  # fmt: skip
    assert "cross-encoder" in answer["text"].lower()
    assert "Searching" in told.stderr


@pytest.mark.slow
def test_ask_for_people_names_the_page_and_who_spoke(handbook_home):
    told = rag("ask", "Which reranking models can I use?", home=handbook_home)

    assert "[1] " in told.stdout
    assert ", page " in told.stdout
    assert "Quoted from the documents, no model used. Retrieval " in told.stdout


@pytest.mark.slow
def test_search_shows_the_candidates_without_an_answer(handbook_home):
    told = rag("search", "RAG_CANDIDATES", "--json", home=handbook_home)

    hits = json.loads(told.stdout)["hits"]
    assert "RAG_CANDIDATES" in hits[0]["text"]
    assert set(hits[0]) == HIT_KEYS


@pytest.mark.slow
def test_an_endpoint_that_is_down_leaves_the_quotes(handbook_home):
    told = rag(
        "ask", "Which reranking models can I use?", "--json",
        home=handbook_home, OPENAI_BASE_URL="http://127.0.0.1:9/v1", RAG_LLM_MODEL="llama3",
    )  # fmt: skip

    answer = json.loads(told.stdout)
    assert told.returncode == 0
    assert answer["mode"] == "extractive"
    assert "cannot be reached" in answer["notice"]
    assert answer["citations"]


@pytest.mark.slow
def test_doctor_checks_every_part(handbook_home):
    told = rag("doctor", "--json", home=handbook_home)

    report = json.loads(told.stdout)
    assert report["ok"] is True, report
    assert [check["name"] for check in report["checks"]] == [
        "library", "engine", "embedder", "reranker", "index", "language model", "inbox", "sign-in"
    ]  # fmt: skip
    assert told.returncode == 0


@pytest.mark.slow
def test_doctor_says_what_is_wrong(handbook_home):
    told = rag("doctor", home=handbook_home, OPENAI_BASE_URL="http://127.0.0.1:9/v1", RAG_LLM_MODEL="llama3")

    assert told.returncode == 1
    assert "FAIL  language model: " in told.stdout


@pytest.mark.slow
def test_doctor_asks_the_reranker_that_is_served_elsewhere(tmp_path, free_port):
    settings = {"RAG_RERANKER": "tei", "RAG_RERANKER_URL": f"http://127.0.0.1:{free_port}"}

    told = rag("doctor", home=tmp_path, **settings)

    assert told.returncode == 1
    assert f"FAIL  reranker: The reranker at 127.0.0.1:{free_port} cannot be reached." in told.stdout
    assert "Until then the bundled one orders the passages." in told.stdout


@pytest.mark.slow
def test_a_served_home_is_asked_and_added_to_but_not_served_twice(tmp_path, free_port):
    home, settings = tmp_path / "home", {"RAG_PORT": str(free_port)}
    environment = {**os.environ, "RAG_HOME": str(home), **settings}
    with subprocess.Popen([*RAG, "serve"], env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline().strip() == f"Ready on http://127.0.0.1:{free_port}"
            second = rag("serve", home=home, RAG_PORT=str(free_port + 1))
            (tmp_path / "own.pdf").write_bytes(_pdf("The notice period is three months."))
            added = rag("ingest", str(tmp_path / "own.pdf"), "--json", home=home)
            asked = rag("ask", "How long is the notice period?", "--json", home=home)
            held = heaps(server.pid)
        finally:
            server.terminate()

    assert held <= HEAP_PIECES
    assert second.returncode == 75
    assert f"pid {server.pid}" in second.stderr
    assert [row["state"] for row in json.loads(added.stdout)["files"]] == ["ready"]
    assert "three months" in json.loads(asked.stdout)["text"]
    assert server.returncode == 0


@pytest.mark.slow
def test_a_port_in_use_is_said_in_a_sentence(tmp_path, taken_port):
    told = rag("serve", home=tmp_path, RAG_PORT=str(taken_port))

    assert told.returncode == 1
    assert f"127.0.0.1:{taken_port} cannot be listened on" in told.stderr
    assert "set RAG_PORT to another" in told.stderr


def _pdf(text):
    from pdf_makers import drawn, lines

    return drawn(lines(text))

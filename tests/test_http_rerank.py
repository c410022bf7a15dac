"""Rerankers behind an API, asked over real sockets."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from examples import make_hit
from fakes import HashEmbedder, SameQuestion, WordReranker
from rerank_server import FORMATS, RerankServer, ok, scored
from reranker_contract import RerankerContract
from scripted_endpoint import closed_port
from shelves import new_library, put

from ingest.compute import Compute
from ingest.errors import RerankerError, SettingsError
from ingest.index.generation import Index
from rag_app.build import reranker_of
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import RERANKER_FAILED, Line, Pipeline
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.rerank.dialects import DIALECTS
from rag_app.rerank.http import BYTES_LIMIT, HttpReranker, is_served
from rag_app.retrieve import HybridRetriever
from rag_app.settings import Settings

KEYS = {"COHERE_API_KEY": "key-of-cohere", "VOYAGE_API_KEY": "key-of-voyage", "JINA_API_KEY": "key-of-jina"}
QUESTION = "How long is the notice period?"
TEXTS = ["Bananas are yellow.", "The notice period is three months.", "How tall is it?"]
BEST_FIRST = ["The notice period is three months.", "How tall is it?", "Bananas are yellow."]


def asked(server, name="tei", **more):
    return HttpReranker(name, base_url=server.base_url, keys=KEYS, **more)


def ordered(server, name="tei", **more):
    hits = [make_hit(text, name=str(number), relevance=None) for number, text in enumerate(TEXTS)]
    return [hit.chunk.text for hit in asked(server, name, **more).rerank(QUESTION, hits)]


def always(status, body=b"", **headers):
    return RerankServer(lambda *_: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body))


def tei(entries):
    return RerankServer(lambda *_: ok(entries))


@pytest.mark.parametrize("name", FORMATS)
class TestHttpReranker(RerankerContract):
    @pytest.fixture
    def reranker(self, name):
        with RerankServer(lambda body, _: ok(scored(name, body))) as server:
            yield asked(server, name)

    def test_relevance_is_left_as_it_was(self, reranker):
        ranked = reranker.rerank(QUESTION, [make_hit(relevance=0.7, name="a"), make_hit(relevance=None, name="b")])

        assert {hit.chunk.id: hit.relevance for hit in ranked} == {"chunk-a": 0.7, "chunk-b": None}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("backwards", [False, True], ids=["best-first", "worst-first"])
def test_each_format_is_asked_and_read_as_documented(name, backwards):
    path, names, _ = FORMATS[name]
    with RerankServer(lambda body, _: ok(scored(name, body, backwards=backwards))) as server:
        order = ordered(server, name)

    assert order == BEST_FIRST
    assert server.requests[0][0] == path
    assert set(server.requests[0][2]) == names
    assert server.requests[0][2]["query"] == QUESTION


@pytest.mark.parametrize("name", FORMATS)
def test_only_a_hosted_reranker_is_sent_its_own_key(name):
    with RerankServer(lambda body, _: ok(scored(name, body))) as server:
        ordered(server, name)

    key = KEYS.get(DIALECTS[name.partition(":")[0]].key)
    assert server.requests[0][1].get("Authorization") == (f"Bearer {key}" if key else None)


def test_the_passage_is_read_with_its_title_and_heading():
    with RerankServer(lambda body, _: ok(scored("tei", body))) as server:
        ordered(server)

    assert server.requests[0][2]["texts"][0] == "Handbook\nVacation\nBananas are yellow."


@pytest.mark.parametrize(("name", "sizes"), [("tei", [32, 32, 6]), ("infinity:m", [70])])
def test_passages_go_in_batches_the_server_takes(name, sizes):
    texts = [f"word{number} " * 3 + "notice" * (number == 69) for number in range(70)]
    with RerankServer(lambda body, _: ok(scored(name, body))) as server:
        scores = asked(server, name).scores("notice", texts)

    assert [len(body.get("texts") or body["documents"]) for *_, body in server.requests] == sizes
    assert len(scores) == 70


def test_batches_are_kept_below_the_limit_on_text():
    batches = list(DIALECTS["voyage"].batches("q" * 1_000, ["t" * 99_000] * 7))

    assert [len(batch) for batch in batches] == [3, 3, 1]


def test_a_passage_larger_than_the_limit_is_still_asked_about():
    assert list(DIALECTS["voyage"].batches("q", ["t" * 400_000])) == [["t" * 400_000]]


def test_half_a_character_does_not_break_the_request():
    with RerankServer(lambda body, _: ok(scored("tei", body))) as server:
        assert asked(server).scores("why \ud83d", ["a \udc00 b"]) == [0.0]


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([{"index": 0, "score": 1}, {"index": 2, "score": 2}], "it scores 2 of 3 passages"),
        ([], "it scores 0 of 3 passages"),
        ([{"index": 0, "score": 1}] * 3, "it scores passage 0 twice"),
        ([{"index": 3, "score": 1}], "it scores passage 3 of 3"),
        ([{"index": -1, "score": 1}], "it scores passage -1 of 3"),
        ([{"index": 0, "score": float("nan")}], "a score is not a number"),
        ([{"index": 0, "score": float("inf")}], "a score is not a number"),
        ([{"index": 0, "score": 10**400}], "a score is not a number"),
        ([{"index": 0, "score": "0.9"}], "an entry has no index or no score"),
        ([{"index": 0, "score": None}], "an entry has no index or no score"),
        ([{"index": 0, "score": True}], "an entry has no index or no score"),
        ([{"index": True, "score": 1}], "an entry has no index or no score"),
        ([{"index": 1.0, "score": 1}], "an entry has no index or no score"),
        ([{"score": 1}], "an entry has no index or no score"),
        (["odd"], "an entry has no index or no score"),
        ({"results": []}, "it holds no list of scores"),
        (None, "it holds no list of scores"),
    ],
    ids=str,
)
def test_a_reply_that_does_not_score_each_passage_once_is_refused(entries, wrong):
    with tei(entries) as server, pytest.raises(RerankerError, match=f"is not a ranking of the passages: {wrong}"):
        ordered(server)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Welcome</body></html>", b"[{", b"\xff\xfe", b"[" * 100_000, b'[{"index": 0, "score": 1}'],
    ids=["empty", "html", "cut", "bytes", "deep", "unfinished"],
)
def test_what_is_no_json_is_refused(body):
    with always(200, body) as server, pytest.raises(RerankerError, match="it holds no list of scores"):
        ordered(server)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("kept", "wrong"), [(slice(2), "it scores 2 of 3"), (slice(0), "it scores 0 of 3")])
def test_a_partial_reply_is_refused_in_every_format(name, kept, wrong):
    def answer(body, _):
        pairs = list(enumerate([0.1, 0.9, 0.5]))
        return ok(FORMATS[name][2](pairs[kept]))

    with RerankServer(answer) as server, pytest.raises(RerankerError, match=wrong):
        ordered(server, name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("entry", [(0, "high"), (0, None), ("0", 0.5), (None, 0.5)], ids=str)
def test_an_entry_without_a_place_or_a_number_is_refused_in_every_format(name, entry):
    said = "an entry has no index or no score"
    with RerankServer(lambda *_: ok(FORMATS[name][2]([entry]))) as server, pytest.raises(RerankerError, match=said):
        ordered(server, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_busy_server_is_asked_once_more_in_every_format(name):
    def answer(body, earlier):
        return ok(scored(name, body)) if earlier else (429, {"Retry-After": "0"}, b"{}")

    with RerankServer(answer) as server:
        assert ordered(server, name) == BEST_FIRST
        assert server.requests[0] == server.requests[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_server_of_every_format_that_is_too_slow_is_left(name):
    def answer(body, _):
        server.leave.wait(10)
        return ok([])

    with RerankServer(answer) as server, pytest.raises(RerankerError, match=r"took longer than 0\.2 seconds"):
        ordered(server, name, total_s=0.2)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "tei"])
def test_the_format_of_another_server_is_refused(name):
    said = "Check that RAG_RERANKER names the kind of server that runs there"
    with tei([{"index": 0, "score": 1}]) as server, pytest.raises(RerankerError, match=said):
        ordered(server, name)


def test_a_huge_reply_is_not_read_to_its_end():
    with always(200, b" " * (BYTES_LIMIT + 1)) as server, pytest.raises(RerankerError, match="it is far too large"):
        ordered(server)


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_once_more(status):
    def answer(body, earlier):
        return ok(scored("tei", body)) if earlier else (status, {"Retry-After": "0"}, b"")

    with RerankServer(answer) as server:
        order = ordered(server)

    assert order == BEST_FIRST
    assert len(server.requests) == 2


@pytest.mark.slow
def test_a_server_that_fails_twice_has_failed():
    body, said = b'{"error": "no memory", "error_type": "Backend"}', r'failed \(500\)\. It says: "no memory"'
    with always(500, body) as server, pytest.raises(RerankerError, match=said):
        ordered(server)

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "after", ["60", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)], ids=["seconds", "date"]
)
def test_a_pause_longer_than_the_limit_is_not_waited_for(after):
    with always(429, Retry_After=after) as server, pytest.raises(RerankerError, match="its limit is reached"):
        ordered(server, total_s=20)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"message": "invalid api token"}', "refused the key. Check COHERE_API_KEY."),
        (403, b"{}", "does not allow the use of the model rerank-v3.5."),
        (404, b'{"message": "model not found"}', 'does not know the model rerank-v3.5. .* It says: "model not found"'),
        (400, b'{"detail": "too many documents"}', r'did not accept the request \(400\)\. .*"too many documents"'),
        (413, b'{"error": "batch size 50 > 32"}', 'are too much at once for .* It says: "batch size 50 > 32"'),
        (422, b'{"detail": [{"loc": ["body"]}]}', r"did not accept the request \(422\)\. Check RAG_RERANKER\.$"),
        (400, b"<html>nginx</html>", r"did not accept the request \(400\)\. Check RAG_RERANKER\.$"),
        (204, b"", r"answered without a ranking \(204\)"),
        (302, b"", r"sends requests on to another address \(302\)"),
    ],
)
def test_a_refusal_says_what_it_means(status, body, said):
    with always(status, body, Location="http://127.0.0.1:9/") as server, pytest.raises(RerankerError, match=said):
        ordered(server, "cohere:rerank-v3.5")

    assert len(server.requests) == 1


def test_a_server_of_ones_own_that_asks_for_a_key_is_told_apart():
    with always(401) as server, pytest.raises(RerankerError, match="a server of your own is sent none"):
        ordered(server)


def test_the_key_is_in_no_sentence():
    body = json.dumps({"message": "invalid token key-of-cohere"}).encode()
    with always(400, body) as server, pytest.raises(RerankerError) as caught:
        ordered(server, "cohere:rerank-v3.5")

    assert "key-of" not in str(caught.value)


def test_a_reply_that_trickles_in_is_left():
    def trickle():
        while not server.leave.wait(0.02):
            yield b" "

    server = RerankServer(lambda *_: (200, {"Content-Length": "100000"}, trickle()))
    with server, pytest.raises(RerankerError, match=r"took longer than 0\.2 seconds"):
        ordered(server, total_s=0.2)


def test_a_reply_that_breaks_off_is_told():
    with always(200, b"[", Content_Length="10") as server, pytest.raises(RerankerError, match="was lost before"):
        ordered(server)


def test_a_server_that_is_down_is_told():
    reranker = HttpReranker("tei", base_url=f"http://127.0.0.1:{closed_port()}")

    with pytest.raises(RerankerError, match=r"cannot be reached\. .* RAG_RERANKER_URL is right"):
        reranker.scores(QUESTION, TEXTS)


@pytest.mark.parametrize(
    ("name", "base_url", "url"),
    [
        ("cohere:m", "", "https://api.cohere.com/v2/rerank"),
        ("voyage:m", "", "https://api.voyageai.com/v1/rerank"),
        ("jina:m", "", "https://api.jina.ai/v1/rerank"),
        ("tei", "http://h:8080/", "http://h:8080/rerank"),
        ("vllm", "http://h:8000/v1", "http://h:8000/v1/rerank"),
        ("vllm", "http://h:8000", "http://h:8000/v1/rerank"),
        ("llamacpp", "http://h/v1/rerank", "http://h/v1/rerank"),
    ],
)
def test_the_address_is_completed(name, base_url, url):
    assert DIALECTS[name.partition(":")[0]].url(base_url) == url


def test_other_names_stay_folders_and_hub_models():
    names = ["bundled", "./tei", "BAAI/bge-reranker-base", "cross-encoder/x@main", "/models/tei"]

    assert not any(is_served(name) for name in names)


def chosen(**environ):
    compute = Compute()
    return reranker_of(Settings.from_environment(environ), BundledReranker(compute), compute)


def test_a_setting_chooses_the_server_and_its_key():
    reranker = chosen(RAG_RERANKER="cohere:rerank-v3.5", COHERE_API_KEY="secret-key")

    assert isinstance(reranker, HttpReranker)
    assert reranker.host == "api.cohere.com"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"RAG_RERANKER": "cohere:m"}, "RAG_RERANKER=cohere:m needs a key. Set COHERE_API_KEY"),
        ({"RAG_RERANKER": "jina:m", "VOYAGE_API_KEY": "k"}, "Set JINA_API_KEY"),
        ({"RAG_RERANKER": "voyage", "VOYAGE_API_KEY": "k"}, "names no model. Set it to voyage:MODEL"),
        ({"RAG_RERANKER": "voyage:m", "VOYAGE_API_KEY": "kéy"}, "VOYAGE_API_KEY holds characters that no key has"),
        ({"RAG_RERANKER": "tei"}, "RAG_RERANKER=tei needs an address. Set RAG_RERANKER_URL"),
        ({"RAG_RERANKER": "vllm:m", "RAG_RERANKER_URL": "localhost:8000"}, "RAG_RERANKER_URL must be an address"),
        ({"RAG_RERANKER": "tei:m", "RAG_RERANKER_URL": "http://h"}, "the server chose its model itself. Set it to tei"),
        ({"RAG_RERANKER_URL": "http://h"}, "RAG_RERANKER=bundled names no server"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_refused(environ, said):
    with pytest.raises(SettingsError, match=said):
        chosen(**environ)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b'{"error": "out of memory"}', 'failed (500). It says: "out of memory"'),
        (200, b'{"results": [{"index": 0}]}', "is not a ranking of the passages"),
    ],
    ids=["failing", "malformed"],
)
async def test_when_a_server_fails_the_bundled_order_answers_and_says_so(tmp_path, status, body, said):
    library = new_library(tmp_path)
    put(library, *TEXTS)
    index, judge = Index(library, HashEmbedder.name), WordReranker()
    with always(status, body, Retry_After="0") as server:
        line = Line(
            rewriter=SameQuestion(),
            retriever=HybridRetriever(library, index, HashEmbedder()),
            reranker=asked(server, "infinity:m"),
            judge=judge,
            generator=Extractive(judge),
            quoting=Extractive(judge),
        )
        last = [answer async for answer in Pipeline(library, line, candidates=50, passages=2).ask(QUESTION)][-1]
    index.close()

    assert RERANKER_FAILED.partition("{")[0] in last.notice
    assert said in last.notice
    assert [hit.chunk.text for hit in last.hits] == BEST_FIRST
    assert [hit.rerank_rank for hit in last.hits] == [1, 2, 3]
    assert "three months" in last.text


def test_keys_show_in_no_log():
    settings = Settings(cohere_api_key="key-1", voyage_api_key="key-2", jina_api_key="key-3")

    assert "key-" not in repr(settings)

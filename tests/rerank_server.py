"""A rerank server on a loopback port that speaks each documented format, and misbehaves when told to."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from fakes import WordReranker

Answer = tuple[int, Mapping[str, str], bytes | Iterable[bytes]]  # status, headers, body, whole or in pieces
Pairs = Sequence[tuple[int, float]]


def _cohere(pairs: Pairs) -> object:
    results = [{"index": index, "relevance_score": score} for index, score in pairs]
    return {"id": "07734bd2", "results": results, "meta": {"billed_units": {"search_units": 1}}}


def _voyage(pairs: Pairs) -> object:
    data = [{"relevance_score": score, "index": index} for index, score in pairs]
    return {"object": "list", "data": data, "model": "rerank-2.5", "usage": {"total_tokens": 26}}


def _vllm(pairs: Pairs) -> object:
    results = [{"index": index, "document": {"text": "sent back"}, "relevance_score": score} for index, score in pairs]
    return {"id": "rerank-1", "model": "m", "usage": {"total_tokens": 56}, "results": results}


def _plain(pairs: Pairs) -> object:
    results = [{"index": index, "relevance_score": score} for index, score in pairs]
    return {"object": "rerank", "results": results, "model": "m", "usage": {"prompt_tokens": 9, "total_tokens": 9}}


def _tei(pairs: Pairs) -> object:
    return [{"index": index, "score": score} for index, score in pairs]


# what RAG_RERANKER says -> the path that is asked, the names of the request, the reply
FORMATS: Mapping[str, tuple[str, set[str], Callable[[Pairs], object]]] = {
    "cohere:rerank-v3.5": ("/v2/rerank", {"model", "query", "documents"}, _cohere),
    "voyage:rerank-2.5": ("/v1/rerank", {"model", "query", "documents"}, _voyage),
    "jina:jina-reranker-v3": ("/v1/rerank", {"model", "query", "documents", "return_documents"}, _plain),
    "tei": ("/rerank", {"query", "texts", "truncate", "raw_scores"}, _tei),
    "infinity:m": ("/rerank", {"model", "query", "documents", "raw_scores"}, _plain),
    "vllm:m": ("/v1/rerank", {"model", "query", "documents", "truncate_prompt_tokens"}, _vllm),
    "llamacpp:m": ("/v1/rerank", {"model", "query", "documents"}, _plain),
}


def scored(name: str, body: Mapping[str, Any], *, backwards: bool = False) -> object:
    """The reply of a server of this kind, best first as they send it; `backwards` worst first."""
    texts = body.get("documents") or body["texts"]
    scores = WordReranker().relevance(body["query"], texts)
    pairs = sorted(enumerate(scores), key=lambda pair: pair[1], reverse=not backwards)
    return FORMATS[name][2](pairs)


def ok(value: object) -> Answer:
    """An answer of 200 with a JSON value; NaN as Python writes it."""
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


class RerankServer:
    """The server, in a thread of its own. `answer` is given each body and how many came before it."""

    def __init__(self, answer: Callable[[Mapping[str, Any], int], Answer]) -> None:
        self.requests: list[tuple[str, Mapping[str, str], Mapping[str, Any]]] = []  # path, headers, body
        self.leave = threading.Event()  # lets a slow answer end
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                earlier = len(outer.requests)
                outer.requests.append((self.path, dict(self.headers), body))
                status, headers, content = answer(body, earlier)
                self.send_response(status)
                length = {"Content-Length": str(len(content))} if isinstance(content, bytes) else {}
                for name, value in {**length, **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for piece in [content] if isinstance(content, bytes) else content:
                    self.wfile.write(piece)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:  # the client left, as it should
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

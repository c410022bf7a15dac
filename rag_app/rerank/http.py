"""Rerankers behind a documented rerank API, hosted or on a server of one's own. Owns the HTTP of reranking.

The time for a question is bounded as a whole, and so is the size of a reply, so a server can neither hang nor fill
this process. A reply is used only when it scores every passage exactly once.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ingest.errors import RerankerError, SettingsError
from rag_app.endpoints import can_be_sent, host_of, is_local, own_words, pause_s
from rag_app.records import Hit
from rag_app.rerank.dialects import DIALECTS
from rag_app.rerank.faults import Faults
from rag_app.rerank.ranking import ranked, reranked_text

if TYPE_CHECKING:
    import httpx2

BYTES_LIMIT = 8 * 2**20  # of one reply; the largest that is asked for has 2,048 scores, or 100 passages sent back
OK = 200
TOO_MANY = 429
FAILED = 500


def is_served(name: str) -> bool:
    """Whether a value of RAG_RERANKER names a server, and not a folder or a hub model."""
    return name.partition(":")[0] in DIALECTS


class HttpReranker:
    """Asks a rerank API. It only orders: relevance comes from the bundled one."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str = "",
        keys: Mapping[str, str] | None = None,
        connect_s: float = 5.0,
        total_s: float = 30.0,
    ) -> None:
        """`name` is "dialect:model"; `keys` holds the keys by their variable; seconds bound a whole question.

        Raises SettingsError for a combination that could never be asked.
        """
        self.name = name
        kind, _, self._model = name.partition(":")
        self._dialect = DIALECTS[kind]
        self._key = (keys or {}).get(self._dialect.key, "").strip()
        self._check(kind, base_url)
        self._url = self._dialect.url(base_url.strip())
        self.host = host_of(self._url)
        if not self.host:
            raise SettingsError("RAG_RERANKER_URL must be an address such as http://localhost:8080.")
        self._faults = Faults(self.host, self._model, self._dialect.key, hosted=not base_url.strip())
        self._connect_s, self._total_s = connect_s, total_s
        self._tls: ssl.SSLContext | None = None

    def _check(self, kind: str, base_url: str) -> None:
        """Raise SettingsError for what is missing or too much."""
        dialect = self._dialect
        if self._model and not dialect.takes_model:
            raise SettingsError(f"RAG_RERANKER={self.name}: the server chose its model itself. Set it to {kind}.")
        if dialect.key and not self._model:
            raise SettingsError(f"RAG_RERANKER={self.name} names no model. Set it to {kind}:MODEL.")
        if not (dialect.base_url or base_url.strip()):
            raise SettingsError(
                f"RAG_RERANKER={self.name} needs an address. Set RAG_RERANKER_URL, for example to http://localhost:8080."
            )
        if dialect.key and not self._key:
            raise SettingsError(f"RAG_RERANKER={self.name} needs a key. Set {dialect.key}.")
        if not can_be_sent(self._key):
            raise SettingsError(f"{dialect.key} holds characters that no key has. Set it again.")

    def load(self) -> None:
        """Do nothing: the model is elsewhere."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """All hits, best first, with their rank; relevance is left as it was. Raises RerankerError.

        Blocks until the server has answered; called from a thread, never on an event loop.
        """
        return self.ordered(hits, self.scores(question, [reranked_text(hit) for hit in hits]))

    def identity(self) -> str:
        """What `scores` hang on, as far as it can be known from here: the model's name and the address."""
        return f"{self.name} {self._url}"

    def ordered(self, hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
        """The hits from their `scores`, best first, with their rank."""
        return ranked(hits, scores)

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the server's score, in the order given; higher is better. Raises RerankerError."""
        return asyncio.run(self._scores(question, texts)) if texts else []

    async def _scores(self, question: str, texts: Sequence[str]) -> list[float]:
        import anyio
        import httpx2

        found: list[float] = []
        deadline = asyncio.get_running_loop().time() + self._total_s
        try:
            async with asyncio.timeout_at(deadline), self._client() as client:
                for batch in self._dialect.batches(question, texts):
                    body = self._dialect.request(self._model, question, batch)
                    reply = await self._asked(client, body, deadline)
                    found += self._read(reply, len(batch))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as error:
            raise RerankerError(self._faults.unreachable()) from error
        except TimeoutError as error:
            raise RerankerError(self._faults.late(self._total_s)) from error
        except (httpx2.HTTPError, httpx2.StreamError, anyio.EndOfStream, anyio.BrokenResourceError, OSError) as error:
            raise RerankerError(self._faults.broke_off()) from error
        return found

    async def _asked(self, client: "httpx2.AsyncClient", body: Mapping[str, object], deadline: float) -> bytes:
        """The reply to one batch; asked once more where the server says it is only busy and there is time."""
        status, after, reply = await self._sent(client, body)
        pause = pause_s(after)
        if _may_pass(status) and asyncio.get_running_loop().time() + pause < deadline:
            await asyncio.sleep(pause)
            status, _, reply = await self._sent(client, body)
        if status != OK:
            raise RerankerError(self._faults.refused(status, own_words(_json(reply), self._key)))
        return reply

    async def _sent(self, client: "httpx2.AsyncClient", body: Mapping[str, object]) -> tuple[int, str, bytes]:
        """The status, the Retry-After and the body of one reply."""
        reply = bytearray()
        content = json.dumps(body).encode()  # in ASCII: a text may hold half a character that no other encoding takes
        async with client.stream("POST", self._url, content=content) as response:
            async for part in response.aiter_raw():
                reply += part
                if len(reply) > BYTES_LIMIT:
                    raise RerankerError(self._faults.garbage("it is far too large"))
        return response.status_code, response.headers.get("retry-after", ""), bytes(reply)

    def _read(self, reply: bytes, count: int) -> list[float]:
        try:
            return self._dialect.scores(_json(reply), count)
        except ValueError as error:
            raise RerankerError(self._faults.garbage(str(error))) from error

    def _client(self) -> "httpx2.AsyncClient":
        import httpx2

        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=self._connect_s, pool=self._connect_s),
            verify=self._verification(),
            trust_env=not is_local(self._url),  # a proxy for the internet is none for this computer
            follow_redirects=False,
            headers=headers,
        )

    def _verification(self) -> ssl.SSLContext | bool:
        import httpx2

        if not self._url.lower().startswith("https:"):
            return False  # nothing to verify, and loading the certificates takes 0.1 s
        if self._tls is None:
            self._tls = httpx2.create_ssl_context()
        return self._tls


def _may_pass(status: int) -> bool:
    """Whether a refusal may be gone in a moment."""
    return status == TOO_MANY or status >= FAILED


def _json(reply: bytes) -> object:
    """The reply's value; its text where it is no JSON."""
    try:
        value: object = json.loads(reply)
    except (ValueError, RecursionError):
        return reply[:2_000].decode("utf-8", "replace")
    return value

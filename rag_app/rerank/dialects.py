"""The rerank APIs that are spoken, each as its documentation has it. Pure.

All take a question and a list of texts and give every text an index and a score. They differ in their path, in what
they call things, and in how much they take at once.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one API is asked and how its reply is read."""

    path: str  # after the base address
    base_url: str = ""  # "" where only the person knows it
    key: str = ""  # environment variable with the key; "" where none is sent
    takes_model: bool = True
    texts: str = "documents"  # what the request calls the passages
    extra: Mapping[str, object] = field(default_factory=dict)  # sent with every request
    results: str = "results"  # where the reply has its entries; "" is the reply itself
    score: str = "relevance_score"
    documents: int  # in one request at most
    characters: int = 0  # of one request at most, the question counted with every passage; 0: no limit

    def url(self, base_url: str) -> str:
        """The address to ask; `base_url` may end in /v1 or with the whole path already."""
        base = (base_url or self.base_url).rstrip("/")
        head, _, rest = self.path.rpartition("/")
        if base.endswith(f"/{self.path}"):
            return base
        return f"{base}/{rest if head and base.endswith(f'/{head}') else self.path}"

    def request(self, model: str, question: str, texts: Sequence[str]) -> Mapping[str, object]:
        """The body that asks about one batch."""
        named = {"model": model} if model else {}
        return {**named, "query": question, self.texts: list(texts), **self.extra}

    def batches(self, question: str, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """The texts, in their order, in batches that one request may hold."""
        batch: list[str] = []
        weight = 0
        for text in texts:
            more = len(question) + len(text)
            if batch and (len(batch) == self.documents or 0 < self.characters < weight + more):
                yield batch
                batch, weight = [], 0
            batch.append(text)
            weight += more
        if batch:
            yield batch

    def scores(self, reply: object, count: int) -> list[float]:
        """The score of each of `count` texts, in the order sent. Raises ValueError, saying what is wrong."""
        inner = reply.get(self.results) if isinstance(reply, dict) else None
        entries = inner if self.results else reply
        if not isinstance(entries, list):
            raise ValueError("it holds no list of scores")  # noqa: TRY004 - the reply is wrong, not the caller
        found: dict[int, float] = {}
        for entry in entries:
            index, score = _pair(entry, self.score)
            if not 0 <= index < count:
                raise ValueError(f"it scores passage {index} of {count}")
            if index in found:
                raise ValueError(f"it scores passage {index} twice")
            found[index] = score
        if len(found) < count:
            raise ValueError(f"it scores {len(found)} of {count} passages")
        return [found[index] for index in range(count)]


def _pair(entry: object, name: str) -> tuple[int, float]:
    """The index and the score of one entry."""
    index, score = (entry.get("index"), entry.get(name)) if isinstance(entry, dict) else (None, None)
    if type(index) is not int or not isinstance(score, int | float) or isinstance(score, bool):
        raise ValueError("an entry has no index or no score")
    try:
        value = float(score)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError("a score is not a number")
    return index, value


# A hosted service names its limits; where a server documents none, 100 passages at once is ours.
DIALECTS: Mapping[str, Dialect] = {
    "cohere": Dialect(  # advises against more than 1,000 documents a request
        path="v2/rerank", base_url="https://api.cohere.com", key="COHERE_API_KEY", documents=1_000
    ),
    "voyage": Dialect(  # 1,000 documents; 300,000 tokens for the older models, 600,000 for 2.5; a token has a character
        path="v1/rerank",
        base_url="https://api.voyageai.com",
        key="VOYAGE_API_KEY",
        results="data",
        documents=1_000,
        characters=300_000,
    ),
    "jina": Dialect(
        path="v1/rerank",
        base_url="https://api.jina.ai",
        key="JINA_API_KEY",
        extra={"return_documents": False},
        documents=100,
    ),
    "tei": Dialect(  # --max-client-batch-size is 32 unless set; what is too long is an error unless truncated
        path="rerank",
        takes_model=False,
        texts="texts",
        extra={"truncate": True, "raw_scores": True},
        results="",
        score="score",
        documents=32,
    ),
    "infinity": Dialect(path="rerank", extra={"raw_scores": True}, documents=2_048),
    "vllm": Dialect(path="v1/rerank", extra={"truncate_prompt_tokens": -1}, documents=100),  # -1: to the model's length
    "llamacpp": Dialect(path="v1/rerank", documents=100),
}

"""The field's rerankers, as their makers' pages describe them. Pure.

Written in November 2026. Sizes are those of the published weights, windows those of their configurations. What a page
did not say is left empty.
"""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a reranker runs."""

    BUNDLED = "bundled"
    HUB = "hub"  # on this machine, downloaded at the first start
    HOSTED = "hosted"
    SERVER = "server"  # of one's own


class Scale(StrEnum):
    """What the score is that a reranker is ranked by here. Every local model is asked for its logit, never for more."""

    LOGIT = "logit"  # any number
    CHANCE = "0 to 1"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A reranker to choose."""

    name: str  # the value of RAG_RERANKER
    place: Place
    size: str  # parameters
    languages: str
    licence: str
    needs: str
    window: int  # tokens of question and passage together; 0 where nothing is published or the server decides
    scale: Scale


APACHE, MIT, NC = "Apache-2.0", "MIT", "CC-BY-NC-4.0 (weights)"
ENGLISH, CHINESE, MANY, HUNDRED = "English", "Chinese, English", "many", "100+"
CPU, GPU, SERVER = "CPU", "GPU advised", "RAG_RERANKER_URL"
COHERE, VOYAGE, JINA = "COHERE_API_KEY", "VOYAGE_API_KEY", "JINA_API_KEY"
CLOSED = "not published"  # the weights of a service
ITS_MODEL = "its model's"
TO_512, TO_8K, TO_32K, TO_131K = 512, 8_192, 32_768, 131_072
LOGIT, CHANCE, UNKNOWN = Scale
HOSTED = Place.HOSTED


def _hub(name: str, size: str, languages: str, licence: str, needs: str, window: int) -> Entry:
    return Entry(name, Place.HUB, size, languages, licence, needs, window, LOGIT)


def _server(name: str, scale: Scale) -> Entry:
    return Entry(name, Place.SERVER, ITS_MODEL, ITS_MODEL, ITS_MODEL, SERVER, 0, scale)


ENTRIES = (
    Entry("bundled", Place.BUNDLED, "22.7 M", ENGLISH, "see its model card", CPU, 320, LOGIT),
    _hub("cross-encoder/ms-marco-TinyBERT-L2-v2", "4.4 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("cross-encoder/ms-marco-MiniLM-L2-v2", "15.6 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("cross-encoder/ms-marco-MiniLM-L4-v2", "19.2 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("cross-encoder/ms-marco-MiniLM-L6-v2", "22.7 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("cross-encoder/ms-marco-MiniLM-L12-v2", "33.4 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("cross-encoder/ettin-reranker-17m-v1", "17 M", ENGLISH, APACHE, CPU, 7_999),
    _hub("cross-encoder/ettin-reranker-32m-v1", "32 M", ENGLISH, APACHE, CPU, 7_999),
    _hub("cross-encoder/ettin-reranker-68m-v1", "68 M", ENGLISH, APACHE, CPU, 7_999),
    _hub("cross-encoder/ettin-reranker-150m-v1", "150 M", ENGLISH, APACHE, GPU, 7_999),
    _hub("cross-encoder/ettin-reranker-400m-v1", "400 M", ENGLISH, APACHE, GPU, 7_999),
    _hub("cross-encoder/ettin-reranker-1b-v1", "1 B", ENGLISH, APACHE, GPU, 7_999),
    _hub("Alibaba-NLP/gte-reranker-modernbert-base", "149 M", ENGLISH, APACHE, GPU, TO_8K),
    _hub("BAAI/bge-reranker-base", "278 M", CHINESE, MIT, GPU, TO_512),
    _hub("BAAI/bge-reranker-large", "560 M", CHINESE, MIT, GPU, TO_512),
    _hub("BAAI/bge-reranker-v2-m3", "568 M", MANY, APACHE, GPU, TO_8K),
    _hub("mixedbread-ai/mxbai-rerank-xsmall-v1", "71 M", ENGLISH, APACHE, CPU, TO_512),
    _hub("mixedbread-ai/mxbai-rerank-base-v1", "184 M", ENGLISH, APACHE, GPU, TO_512),
    _hub("mixedbread-ai/mxbai-rerank-large-v1", "435 M", ENGLISH, APACHE, GPU, TO_512),
    _hub("mixedbread-ai/mxbai-rerank-base-v2", "494 M", HUNDRED, APACHE, GPU, TO_32K),
    _hub("mixedbread-ai/mxbai-rerank-large-v2", "1.5 B", HUNDRED, APACHE, GPU, TO_32K),
    Entry("cohere:rerank-v4.0-pro", HOSTED, CLOSED, HUNDRED, CLOSED, COHERE, TO_32K, CHANCE),
    Entry("cohere:rerank-v4.0-fast", HOSTED, CLOSED, HUNDRED, CLOSED, COHERE, TO_32K, CHANCE),
    Entry("cohere:rerank-v3.5", HOSTED, CLOSED, MANY, CLOSED, COHERE, 4_096, CHANCE),
    Entry("voyage:rerank-3", HOSTED, CLOSED, MANY, CLOSED, VOYAGE, 32_000, UNKNOWN),
    Entry("voyage:rerank-3-lite", HOSTED, CLOSED, MANY, CLOSED, VOYAGE, 32_000, UNKNOWN),
    Entry("voyage:rerank-2.5", HOSTED, CLOSED, MANY, CLOSED, VOYAGE, 32_000, UNKNOWN),
    Entry("voyage:rerank-2.5-lite", HOSTED, CLOSED, MANY, CLOSED, VOYAGE, 32_000, UNKNOWN),
    Entry("jina:jina-reranker-v3.5", HOSTED, "0.6 B", "93", NC, JINA, TO_131K, UNKNOWN),
    Entry("jina:jina-reranker-v3", HOSTED, "0.6 B", "93", NC, JINA, TO_131K, UNKNOWN),
    Entry("jina:jina-reranker-v2-base-multilingual", HOSTED, "278 M", HUNDRED, NC, JINA, 1_024, CHANCE),
    _server("tei", LOGIT),  # asked for
    _server("infinity:MODEL", LOGIT),  # asked for
    _server("vllm:MODEL", CHANCE),
    _server("llamacpp:MODEL", UNKNOWN),
)

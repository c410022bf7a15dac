"""The field's rerankers, as their makers' pages describe them. Pure.

Written in November 2026. What a page did not say is left empty.
"""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a reranker runs."""

    BUNDLED = "bundled"
    HUB = "hub"  # on this machine, downloaded at the first start
    HOSTED = "hosted"
    SERVER = "server"  # of one's own


@dataclass(frozen=True, slots=True)
class Entry:
    """A reranker to choose."""

    name: str  # the value of RAG_RERANKER
    place: Place
    size: str  # parameters
    languages: str
    licence: str
    needs: str


APACHE, MIT, NC = "Apache-2.0", "MIT", "CC-BY-NC-4.0 (weights)"
ENGLISH, CHINESE, HUNDRED = "English", "Chinese, English", "100+"
CPU, GPU, SERVER = "CPU", "GPU advised", "RAG_RERANKER_URL"

ENTRIES = (
    Entry("bundled", Place.BUNDLED, "22.7 M", ENGLISH, "see its model card", CPU),
    Entry("cross-encoder/ms-marco-TinyBERT-L2-v2", Place.HUB, "", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ms-marco-MiniLM-L2-v2", Place.HUB, "", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ms-marco-MiniLM-L4-v2", Place.HUB, "", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ms-marco-MiniLM-L6-v2", Place.HUB, "22.7 M", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ms-marco-MiniLM-L12-v2", Place.HUB, "33 M", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ettin-reranker-17m-v1", Place.HUB, "17 M", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ettin-reranker-32m-v1", Place.HUB, "32 M", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ettin-reranker-68m-v1", Place.HUB, "68 M", ENGLISH, APACHE, CPU),
    Entry("cross-encoder/ettin-reranker-150m-v1", Place.HUB, "150 M", ENGLISH, APACHE, GPU),
    Entry("cross-encoder/ettin-reranker-400m-v1", Place.HUB, "400 M", ENGLISH, APACHE, GPU),
    Entry("cross-encoder/ettin-reranker-1b-v1", Place.HUB, "1 B", ENGLISH, APACHE, GPU),
    Entry("Alibaba-NLP/gte-reranker-modernbert-base", Place.HUB, "149 M", ENGLISH, APACHE, GPU),
    Entry("BAAI/bge-reranker-base", Place.HUB, "278 M", CHINESE, MIT, GPU),
    Entry("BAAI/bge-reranker-large", Place.HUB, "560 M", CHINESE, MIT, GPU),
    Entry("BAAI/bge-reranker-v2-m3", Place.HUB, "568 M", "many", APACHE, GPU),
    Entry("mixedbread-ai/mxbai-rerank-xsmall-v1", Place.HUB, "", ENGLISH, APACHE, CPU),
    Entry("mixedbread-ai/mxbai-rerank-base-v1", Place.HUB, "", ENGLISH, APACHE, GPU),
    Entry("mixedbread-ai/mxbai-rerank-large-v1", Place.HUB, "", ENGLISH, APACHE, GPU),
    Entry("mixedbread-ai/mxbai-rerank-base-v2", Place.HUB, "494 M", HUNDRED, APACHE, GPU),
    Entry("mixedbread-ai/mxbai-rerank-large-v2", Place.HUB, "1.5 B", HUNDRED, APACHE, GPU),
    Entry("cohere:rerank-v4.0-pro", Place.HOSTED, "", HUNDRED, "", "COHERE_API_KEY"),
    Entry("cohere:rerank-v4.0-fast", Place.HOSTED, "", HUNDRED, "", "COHERE_API_KEY"),
    Entry("cohere:rerank-v3.5", Place.HOSTED, "", "many", "", "COHERE_API_KEY"),
    Entry("voyage:rerank-2.5", Place.HOSTED, "", "many", "", "VOYAGE_API_KEY"),
    Entry("voyage:rerank-2.5-lite", Place.HOSTED, "", "many", "", "VOYAGE_API_KEY"),
    Entry("jina:jina-reranker-v3", Place.HOSTED, "0.6 B", "93", NC, "JINA_API_KEY"),
    Entry("jina:jina-reranker-v2-base-multilingual", Place.HOSTED, "278 M", HUNDRED, NC, "JINA_API_KEY"),
    Entry("tei", Place.SERVER, "", "", "", SERVER),
    Entry("infinity:MODEL", Place.SERVER, "", "", "", SERVER),
    Entry("vllm:MODEL", Place.SERVER, "", "", "", SERVER),
    Entry("llamacpp:MODEL", Place.SERVER, "", "", "", SERVER),
)

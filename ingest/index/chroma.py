"""Vectors in Chroma: one collection a space, written once in bulk and only read afterwards.

Chroma 1.5.9 can become unreadable when it is killed while it persists, so nothing is ever added to a
collection that answers questions: a new generation is built beside it. Passage text and page are stored too, so that
any Chroma client can read them; questions ask for ids and distances only.
"""

import hashlib
import importlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.records import Chunk, Place

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

BATCH = 500
# recall@50 of .9905 at 1.9 ms over 57,000 real vectors; must be set when the collection is made.
HNSW = {"space": "cosine", "ef_search": 400, "ef_construction": 200, "max_neighbors": 32}
# Equal passages of a space that are kept. A graph links a passage with those nearest to it: many copies of one page
# link each other and nobody else, and hide what lies behind them (of 1,336 passages, 1,167 of them equal, 543 were
# reached). Moving them a thousandth apart reached no more. What is left out has as many equals in its place.
COPIES = 16


class ChromaIndex:
    """Chroma's folder of one generation. Raises whatever Chroma raises: a broken folder has no one error."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        self._client: ClientAPI = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        self._spaces = {collection.name for collection in self._client.list_collections()}
        self._added: Counter[tuple[str, int]] = Counter()  # how often a text or a vector was added to a collection
        self._opened: dict[str, Collection] = {}  # looking one up by its name costs as much as a search

    def add(self, space: str, title: str, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> int:
        """Add a document's passages with their vectors, (passages, dimensions), but of equal ones no more than COPIES.

        Returns how many were left out.
        """
        name = collection_name(space)
        collection = self._client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": HNSW}, metadata={"space": space}
        )
        self._spaces.add(name)
        kept = self._not_too_often(name, title, chunks, vectors)
        for start in range(0, len(kept), BATCH):
            places = kept[start : start + BATCH]
            part = [chunks[place] for place in places]
            collection.add(
                ids=[f"{chunk.document_id}:{chunk.position}" for chunk in part],
                embeddings=vectors[places],
                documents=[chunk.text for chunk in part],
                metadatas=[
                    {"chunk_id": chunk.id, "document_id": chunk.document_id, "page": chunk.page} for chunk in part
                ],
            )
        return len(chunks) - len(kept)

    def _not_too_often(self, name: str, title: str, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> list[int]:
        """The places (0-based) of the passages to keep.

        Equal are those of which the same was embedded, and those whose vectors are the same but for rounding.
        """
        kept = []
        for place, rounded in enumerate(np.round(vectors, 2) + 0.0):  # 0.0: there are two zeros
            chunk = chunks[place]
            same = (name, hash((title, chunk.heading, chunk.text))), (name, hash(rounded.tobytes()))
            self._added.update(same)
            if max(self._added[one] for one in same) <= COPIES:
                kept.append(place)
        return kept

    def remove(self, space: str, document_id: str, passages: int) -> None:
        """Take out a document's passages, which are as many as were added."""
        keys = [f"{document_id}:{position}" for position in range(passages)]
        for start in range(0, passages, BATCH):
            self._collection(collection_name(space)).delete(ids=keys[start : start + BATCH])

    def nearest(self, question: NDArray[np.float32], spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """The `limit` passages of `spaces` nearest to a unit vector, best first, with their cosine (-1 to 1)."""
        found: list[tuple[Place, float]] = []
        for name in sorted({collection_name(space) for space in spaces} & self._spaces):
            reply = self._collection(name).query(
                query_embeddings=question[None, :], n_results=limit, include=["distances"]
            )
            # Chroma returns cosine distance; turned round so that higher is better.
            distances = (reply["distances"] or [[]])[0]
            found += [(_place(key), 1 - distance) for key, distance in zip(reply["ids"][0], distances, strict=True)]
        return sorted(found, key=lambda item: (-item[1], item[0]))[:limit]

    def count(self) -> int:
        """Passages in all collections."""
        return sum(self._collection(name).count() for name in self._spaces)

    def _collection(self, name: str) -> "Collection":
        if name not in self._opened:
            self._opened[name] = self._client.get_collection(name, embedding_function=None)
        return self._opened[name]

    def close(self) -> None:
        """Let go of the files."""
        self._opened.clear()
        self._client.close()


def load() -> None:
    """Import Chroma, which takes a second, before it is needed."""
    importlib.import_module("chromadb")


def collection_name(space: str) -> str:
    """A name Chroma accepts, made from a space's name, which may be anything."""
    return "space-" + hashlib.sha256(space.encode()).hexdigest()[:32]


def _place(key: str) -> Place:
    document_id, _, position = key.partition(":")
    return Place(document_id, int(position))

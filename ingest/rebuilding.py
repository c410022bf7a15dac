"""Cuts and embeds documents anew beside what answers now: what `rag rebuild` does.

Every document is replaced in one transaction, and another embedder is taken in one row once it has embedded all of
them, also those that were added meanwhile. Until then, and after being cut short, the old ones answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ingest import reading
from ingest.chunking import embedded_text
from ingest.embedding import BATCH
from ingest.errors import Refused
from ingest.library import Library
from ingest.library.renewal import Renewal
from ingest.pipeline import DocumentEmbedder, Reader, as_read, cut, recipe
from ingest.records import Chunk, Document
from ingest.settings import Settings

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made anew."""

    embedder: str  # whose vectors the library has now
    embedded: int  # passages embedded by another model
    recut: int  # documents cut anew
    refused: tuple[str, ...]  # titles of documents that could not be read again and stay as they were


class Rebuilding:
    """Makes a library's passages and vectors anew."""

    def __init__(
        self, library: Library, embedder: DocumentEmbedder, settings: Settings, tell: Tell, read: Reader = reading.read
    ) -> None:
        self._library = library
        self._renewal = Renewal(library)
        self._embedder = embedder
        self._settings = settings
        self._tell = tell
        self._read = read

    def run(self) -> Rebuilt:
        """Embed everything with this embedder where the library has another, then cut anew what is out of date."""
        embedded = self._embed_all() if self._library.fact("embedder") != self._embedder.name else 0
        recut, refused = 0, []
        for document in self._renewal.outdated(recipe(self._settings)):
            self._tell(f"Cutting {document.title} anew.")
            try:
                recut += self._cut_anew(document)
            except Refused as error:
                refused.append(document.title)
                self._tell(f"{document.title} stays as it is: {error}")
        return Rebuilt(self._embedder.name, embedded, recut, tuple(refused))

    def _embed_all(self) -> int:
        """Embed all passages and switch; what was added while the last ones were embedded comes in the next round."""
        embedded = 0
        while not self._renewal.switch_embedder(self._embedder.name):
            for document in self._renewal.lacking(self._embedder.name):
                self._tell(f"Embedding {document.title}: {document.chunks} passages.")
                embedded += self._embed(document)
        return embedded

    def _embed(self, document: Document) -> int:
        """Embed what a document lacks; left for the next round where it was removed or cut anew meanwhile."""
        chunks = self._library.document_chunks(document.id)
        done = self._library.embedded(document.id, self._embedder.name)
        for start in range(done, len(chunks), BATCH):
            part = chunks[start : start + BATCH]
            vectors = self._embedder.embed(_texts(document, part))
            if not self._renewal.add_vectors(part[0], self._embedder.name, vectors):
                return start - done
        return len(chunks) - done

    def _cut_anew(self, document: Document) -> bool:
        found = self._read(
            self._library.original(document),
            name=document.path.rpartition("/")[2],
            seconds=self._settings.read_seconds,
            memory_mb=self._settings.read_memory_mb,
            progress=lambda _done, _pages: None,
            cancelled=lambda: False,
        )
        found, chunks = cut(found, document.path, document.id, self._embedder, self._settings)
        renewed = as_read(document, found, chunks)
        vectors = self._embedder.embed(_texts(renewed, chunks))
        return self._renewal.replace(renewed, recipe(self._settings), chunks, self._embedder.name, vectors)


def told(library: Library, settings: Settings) -> str:
    """How many documents `run` would cut anew, as a sentence; "" where none."""
    count = len(Renewal(library).outdated(recipe(settings)))
    if not count:
        return ""
    how = "document was" if count == 1 else "documents were"
    return f"{count} {how} read or cut by an earlier version or setting; `rag rebuild` does that anew."


def _texts(document: Document, chunks: list[Chunk]) -> list[str]:
    return [embedded_text(document.title, chunk.heading, chunk.text) for chunk in chunks]

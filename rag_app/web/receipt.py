"""What is said after a document was deleted. Pure."""

from datetime import datetime

from ingest.records import Document
from rag_app.web.render import counted


def deleted(document: Document, sharing: int, now: datetime) -> dict[str, object]:
    """A receipt to be saved and a sentence to be read; `sharing` documents in other spaces have the same bytes."""
    passages = counted(document.chunks, "passage")
    original = "the original" if not sharing else ""
    gone = ", ".join(filter(None, (original, passages, counted(document.chunks, "vector"))))
    kept = f" The original stays: {counted(sharing, 'other document')} in another space has the same contents."
    return {
        "removed": document.id,
        "title": document.title,
        "chunks": document.chunks,
        "sentence": f"{document.title} is deleted: {gone}. No search finds it.{kept if sharing else ''}",
        "receipt": {
            "deleted": now.isoformat(timespec="seconds"),
            "document_id": document.id,
            "title": document.title,
            "name": document.path.replace("\\", "/").rsplit("/", 1)[-1],
            "space": document.space,
            "sha256": document.content,
            "pages": document.pages,
            "passages": document.chunks,
            "original_deleted": not sharing,
            "not_reached": "earlier answers keep the sentences they quoted; `rag documents remove --purge` takes those",
        },
    }

"""Small literal values for tests."""

from ingest.records import Chunk, Document
from rag_app.records import Hit

VACATION = (
    "Employees receive 20 days of paid vacation per year. Unused days may be carried over until 31 March. "
    "The policy does not cover contractors."
)


def make_hit(
    text: str = VACATION,
    *,
    name: str = "a",
    title: str = "Handbook",
    heading: str = "Vacation",
    page: int = 4,
    first_page: int | None = None,
    last_page: int | None = None,
    label: str | None = None,
    start: int = 0,
    end: int | None = None,
    relevance: float | None = 0.9,
) -> Hit:
    """A hit whose passage holds `text`; `name` tells passages and documents apart."""
    chunk = Chunk(
        id=f"chunk-{name}",
        document_id=f"document-{name}",
        position=0,
        page=page,
        first_page=first_page or page,
        last_page=last_page or page,
        label=label if label is not None else str(page),
        heading=heading,
        text=text,
        start=start,
        end=end if end is not None else start + len(text),
    )
    document = Document(
        id=f"document-{name}",
        space="Staff",
        content="0" * 64,
        title=title,
        path=f"{name}.pdf",
        pages=12,
        chunks=1,
        size=1000,
        added="2026-11-03T09:00:00Z",
    )
    return Hit(chunk, document, relevance=relevance, used=True)

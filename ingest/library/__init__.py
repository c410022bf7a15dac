"""The library: the one place that speaks SQL about documents."""

from ingest.library.library import EmbedderChanged, Library
from ingest.library.rows import Counts, VectorBlock

__all__ = ["Counts", "EmbedderChanged", "Library", "VectorBlock"]

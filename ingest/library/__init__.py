"""The library: the one place that speaks SQL about documents."""

from ingest.library.library import Library
from ingest.library.rows import Counts, VectorBlock

__all__ = ["Counts", "Library", "VectorBlock"]

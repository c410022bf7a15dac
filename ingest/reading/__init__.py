"""Files into pages. Everything that opens a file from a stranger happens in a child process with limits."""

from ingest.reading.picture import page_image
from ingest.reading.reader import read

VERSION = "reading-6"  # part of a recipe: raise it when the same file would read otherwise

__all__ = ["VERSION", "page_image", "read"]

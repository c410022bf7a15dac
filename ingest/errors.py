"""The errors of both packages, rooted here.

RagError                 its text is fit to show the person and says what to do next
├── SettingsError        a setting has a bad value or an unknown name
├── Refused              a file that will not be taken in; `state` says in which way
├── HomeBusy             another process owns the home; `pid` names it
├── LibraryError         the library cannot be used: newer schema, disk full, a folder that is no home
├── ModelError           a model is missing, has the wrong checksum, or is not the one the library was made with
├── DatasetError         questions and judgements that cannot be evaluated with (rag_app)
├── GeneratorError       the language model did not answer (rag_app)
└── RerankerError        the configured reranker did not answer (rag_app)

Anything that is not a RagError is a bug and keeps its traceback.
"""

from ingest.records import FileState


class RagError(Exception):
    """A failure whose text is written for the person who reads it."""

    kind = "error"  # the `kind` of --json errors


class SettingsError(RagError):
    """A setting has a bad value or an unknown name."""

    kind = "settings"


class Refused(RagError):
    """A file that will not be taken in."""

    kind = "refused"

    def __init__(self, reason: str, state: FileState = FileState.REFUSED) -> None:
        super().__init__(reason)
        self.state = state


class HomeBusy(RagError):
    """Another process owns the home."""

    kind = "home_busy"

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class LibraryError(RagError):
    """The library cannot be used as it is."""

    kind = "library"


class ModelError(RagError):
    """A model is missing, damaged, or not the one the library was made with."""

    kind = "model"


class DatasetError(RagError):
    """Questions and judgements that cannot be evaluated with."""

    kind = "dataset"


class GeneratorError(RagError):
    """The language model did not answer."""

    kind = "generator"


class RerankerError(RagError):
    """The configured reranker did not answer."""

    kind = "reranker"

"""What the Library, Quality and Settings pages may ask for beyond the desk: callables and records, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.errors import Refused
from rag_app.checks import Check
from rag_app.space_removal import Emptied


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on the server that may be taken in."""

    name: str  # below the folder that files are imported from, "" for that one itself
    files: int  # in it and below


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is in force. Never holds a secret."""

    name: str  # of its environment variable
    value: str  # "set" or "not set" for a secret
    given: bool  # by the environment; otherwise it is the default
    told: str  # what it decides


@dataclass(frozen=True, slots=True)
class Model:
    """A model in use, or one that could be."""

    task: str  # "embedding", "reranking", "writing"
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force."""

    models: Sequence[Model] = ()
    settings: Sequence[Setting] = ()
    passages: int = 0  # an answer is made from
    candidates: int = 0  # that the cross-encoder reads
    threshold: float = 0.0  # relevance (0 to 1) below which nothing is answered
    index: str = ""  # a sentence
    home: str = ""  # the folder with all state


@dataclass(frozen=True, slots=True)
class Rerankers:
    """The cross-encoders of this home and the one that answers."""

    live: str = ""
    fault: str = ""  # a sentence where the live one stands in for one that cannot answer
    records: Sequence[Mapping[str, Any]] = ()  # how each was made and what it measured, as `rag train` wrote it


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The results of `rag evaluate` that were kept, newest first."""

    results: Sequence[Mapping[str, Any]] = ()
    faults: Sequence[str] = ()  # a sentence for each that cannot be read


def nowhere(_folder: str = "") -> int:
    """Import nothing: what is said where no folder of the server was opened for that."""
    raise Refused("No folder of this server was opened for importing. Send the files from your own computer.")


def keep_space(space: str, _documents: bool) -> Emptied:  # noqa: FBT001 - the office's shape
    """Empty nothing: what is said where there is no library behind the pages."""
    raise Refused(f"The space {space} cannot be emptied on this server.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Everything these pages can do. Plain functions, called from worker threads; without them there is nothing."""

    folders: Callable[[], Sequence[Folder]] = tuple  # raises RagError where nothing may be imported
    import_folder: Callable[[str], int] = nowhere  # files that will be taken in; raises RagError for any other folder
    queued: Callable[[Sequence[str] | None], int] = lambda _spaces: 0  # files on their way to these spaces, or to all
    retry: Callable[[int], bool] = lambda _job: False  # whether its file is still at hand and is taken in again
    # Takes everything out of a space, its documents only where that is said; raises RagError where they may not go.
    empty_space: Callable[[str, bool], Emptied] = keep_space
    configuration: Callable[[], Configuration] = Configuration
    checks: Callable[[], Sequence[Check]] = tuple  # every part looked at; takes seconds
    rerankers: Callable[[], Rerankers] = Rerankers
    evaluations: Callable[[], Evaluations] = Evaluations

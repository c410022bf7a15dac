"""What ingestion needs to know, as text and numbers. Reading the environment happens here and nowhere else."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ingest.errors import SettingsError

PREFIX = "RAG_"
_CASTS: Mapping[Any, type] = {str: str, int: int, float: float, Path: Path}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Field `space` is the variable RAG_SPACE, and so on for each."""

    home: Path = Path("rag_data")  # the folder with all state; a local disk
    space: str = "documents"  # the space that files are added to unless another is named
    embedder: str = "bundled"  # "bundled", a folder, or a hub name
    max_file_mb: int = 200  # a larger file is refused
    passage_pieces: int = 250  # word pieces of a passage at most, with the title and heading put before it
    read_seconds: int = 60  # wall time a reader may take over one file
    read_memory_mb: int = 1400  # memory a reader may take over one file
    threads: int = 0  # cores for the models; 0: all of them
    engine: str = "auto"  # what runs the models: "torch", "openvino", or the faster one for "auto"


def from_env(kind: type[T], environ: Mapping[str, str]) -> T:
    """Settings of `kind` from RAG_ variables; a field that is itself a dataclass is read the same way.

    Raises SettingsError naming the variable, the value and the type where a value does not fit.
    """
    types = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]  # every settings class is a dataclass
        if field.name == "ingest":
            values[field.name] = from_env(types[field.name], environ)
            continue
        name = PREFIX + field.name.upper()
        if name in environ:
            values[field.name] = _cast(name, environ[name], _CASTS[types[field.name]])
    return kind(**values)


def _cast(name: str, text: str, kind: type) -> Any:  # noqa: ANN401 - the type is the argument
    try:
        return kind(text)
    except ValueError as error:
        what = {"int": "a whole number", "float": "a number"}.get(kind.__name__, kind.__name__)
        raise SettingsError(f"{name}={text!r} is not {what}. Correct it, or unset it for the default.") from error


def known_names(kind: type) -> set[str]:
    """The RAG_ variables that `kind` and the settings inside it read."""
    types = typing.get_type_hints(kind)
    names: set[str] = set()
    for field in fields(kind):
        names |= known_names(types[field.name]) if field.name == "ingest" else {PREFIX + field.name.upper()}
    return names

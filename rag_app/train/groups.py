"""What a cross-encoder is trained on. Pure."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Example:
    """A question and a passage that answers it, before negatives are found."""

    source: str
    question: str
    title: str  # "" where there is none
    passage: str  # spaces and line ends made one space
    answer: tuple[int, int] | None = None  # first character of the answer in the passage, and just past its last

    @property
    def text(self) -> str:
        """What a model reads of the passage."""
        return titled(self.title, self.passage)


@dataclass(frozen=True, slots=True)
class Group:
    """A question, the passage that answers it and some that do not."""

    source: str
    question: str
    texts: tuple[str, ...]  # the answering passage first


def titled(title: str, passage: str) -> str:
    """Title, line end, text, as the embedder and the cross-encoder read a passage."""
    return f"{title}\n{passage}" if title else passage


def save(groups: Iterable[Group], file: Path) -> None:
    """Write groups as gzipped JSON lines, at once or not at all."""
    temporary = file.with_name(file.name + ".new")
    with gzip.open(temporary, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(group), ensure_ascii=False) + "\n" for group in groups)
    temporary.replace(file)


def load(file: Path) -> Sequence[Group]:
    """Groups as `save` wrote them."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Group(row["source"], row["question"], tuple(row["texts"])) for row in rows]

"""Tell whether approved answers are found, and whether they stand in the way.

python -m benchmarks.approved makes a library of the handbook and of the 10 approved answers of
tests/data/approved_answers.jsonl, and asks the 50 rephrasings of their questions and the handbook's own. It prints for
which share of the rephrasings the approved answer comes first, how often a right page of the handbook is first and
among those used with and without the approved answers, and each question whose right passage one of them displaced.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.follow_ups import CORPUS, QUESTIONS, SPACE, is_hit, right_places
from benchmarks.progress import told
from ingest.command import take_in
from ingest.library import Library
from ingest.settings import Settings as IngestSettings
from rag_app.build import Application, build
from rag_app.preference import is_approved
from rag_app.records import Hit
from rag_app.settings import Settings
from rag_app.team.wording import markdown, path_of

WRITTEN = QUESTIONS.with_name("approved_answers.jsonl")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the approved answer that is right, or the pages that are."""

    question: str
    path: str = ""  # of the approved answer's document; "" for a question of the handbook
    places: frozenset[tuple[str, int]] = frozenset()


def rephrasings(file: Path = WRITTEN) -> list[Asked]:
    """The 50 rephrasings, each with its answer's document."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Asked(one, path_of(identifier(place))) for place, row in enumerate(rows) for one in row["rephrasings"]]


def handbook(file: Path = QUESTIONS) -> list[Asked]:
    """The handbook's questions that it answers."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Asked(row["question"], places=right_places(row)) for row in rows if row["answerable"]]


def identifier(place: int) -> str:
    """The id of the approved answer at a place (0-based) in the file."""
    return f"{place:032x}"


def publish(made: Application, folder: Path, file: Path = WRITTEN) -> None:
    """Put the approved answers into the library, as the application does."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for place, row in enumerate(rows):
        written = folder / f"{place}.md"
        written.write_text(markdown(row["question"], row["answer"]), encoding="utf-8")
        made.parts.intake.add(written, SPACE, path_of(identifier(place)))
    made.parts.worker.work_off()


def withdraw(library: Library) -> None:
    """Take all approved answers out."""
    for document in library.documents([SPACE]):
        if document.path.startswith("approved/"):
            library.remove(document.id)


def searched(made: Application, asked: Sequence[Asked], name: str) -> list[Sequence[Hit]]:
    """What each question finds."""
    return [made.pipeline.search(one.question, spaces=[SPACE]).hits for one in told(asked, name)]


def first(asked: Iterable[Asked], found: Iterable[Sequence[Hit]]) -> list[bool]:
    """For each rephrasing whether its approved answer comes first."""
    return [bool(hits) and hits[0].document.path == one.path for one, hits in zip(asked, found, strict=True)]


def displaced(asked: Sequence[Asked], before: Sequence[Sequence[Hit]], after: Sequence[Sequence[Hit]]) -> list[str]:
    """The handbook's questions with a right passage first, or among those used, before and no more after."""
    return [
        one.question
        for one, old, new in zip(asked, before, after, strict=True)
        if any(holds(part(old), one) and not holds(part(new), one) for part in (leading, taken))
    ]


def holds(hits: Sequence[Hit], one: Asked) -> bool:
    """Whether one of these passages, however many, stands on a right page."""
    return any(is_hit([hit], one.places) for hit in hits)


def leading(hits: Sequence[Hit]) -> Sequence[Hit]:
    """The first passage."""
    return hits[:1]


def taken(hits: Sequence[Hit]) -> Sequence[Hit]:
    """What an answer is made from."""
    return [hit for hit in hits if hit.used]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("build/approved"), help="where the library is kept")
    arguments = parser.parse_args()
    made = build(Settings(ingest=IngestSettings(home=arguments.home)))
    take_in(made.parts, sorted(CORPUS.glob("*.pdf")), SPACE)
    withdraw(made.parts.library)
    own, others = rephrasings(), handbook()
    before = searched(made, others, "questions of the handbook, without approved answers")
    publish(made, arguments.home)
    after = searched(made, others, "questions of the handbook, with approved answers")
    found = searched(made, own, "rephrasings")
    right = first(own, found)
    print(f"approved answer first: {sum(right)} of {len(right)} rephrasings ({sum(right) / len(right):.0%})")
    for one, hits, good in zip(own, found, right, strict=True):
        if not good:
            rank = next((place for place, hit in enumerate(hits, 1) if hit.document.path == one.path), None)
            place = f"rank {rank}, relevance {hits[rank - 1].relevance or 0:.3f}" if rank else "not found"
            print(f"  {one.question}: {place}; first {hits[0].document.title}, {hits[0].relevance or 0:.3f}")
    for part, name in ((leading, "first"), (taken, "among those used")):
        old, new = (sum(holds(part(hits), one) for one, hits in zip(others, run, strict=True))
                    for run in (before, after))  # fmt: skip
        print(f"right page of the handbook {name}: {old} without, {new} with, of {len(others)}")
    lost = displaced(others, before, after)
    print(f"displaced: {len(lost)}", *lost, sep="\n  ")
    beside = sum(any(map(is_approved, taken(hits))) for hits in after)
    print(f"handbook's questions with an approved answer among what is used: {beside}")
    made.parts.index.close()


if __name__ == "__main__":
    main()

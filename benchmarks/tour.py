"""Find questions for the guided tour: where reranking changes the first passage of the handbook for the better.

RAG_HOME=HOME python -m benchmarks.tour [--questions FILE] searches the handbook in HOME for each question of FILE
(`question`, `pdf`, `pages` a line) and prints, the largest change first: the place that the new first passage had when
both searches were joined, its relevance and that of the passage it replaced, whether each lies on a right page, and
the question. `=` stands where the first passage stayed. The tour itself is `rag_app/tour.py`.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

from rag_app.access import HANDBOOK
from rag_app.build import build
from rag_app.pipeline import Pipeline
from rag_app.records import Hit
from rag_app.settings import Settings
from rag_app.tour import compared


@dataclass(frozen=True, slots=True)
class Change:
    """What reranking did to the first place of one question."""

    question: str
    before: int  # 1-based place of the new first passage among the joined candidates
    relevance: float  # 0 to 1, of the new first passage
    replaced: float  # 0 to 1, of the passage that was first before
    right_before: bool  # the passage that was first before lies on a page that answers
    right_after: bool


def change(pipeline: Pipeline, asked: dict[str, object]) -> Change:
    """Search for one question and compare both orders."""
    question = str(asked["question"])
    found = compared(pipeline.search(question, spaces=[HANDBOOK]))
    pages = asked["pages"]

    def right(hit: Hit) -> bool:
        return Path(hit.document.path).name == asked["pdf"] and isinstance(pages, list) and hit.chunk.page in pages

    first, was = found.after[0], found.before[0]
    place = found.before.index(first) + 1
    return Change(question, place, first.relevance or 0.0, was.relevance or 0.0, right(was), right(first))


def main() -> None:
    """Print every question with what reranking did to it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, default=Path("docs_corpus/questions.jsonl"))
    lines = parser.parse_args().questions.read_text(encoding="utf-8").splitlines()
    application = build(Settings.from_environment(os.environ))
    changes = [change(application.pipeline, json.loads(line)) for line in lines if line.strip()]
    application.parts.index.close()
    for one in sorted(changes, key=lambda one: (one.right_before, -(one.relevance - one.replaced))):
        moved = "=" if one.before == 1 else f"from {one.before}"
        pages = f"{'right' if one.right_before else 'wrong'} -> {'right' if one.right_after else 'wrong'}"
        print(f"{moved:>8}  {one.replaced:.2f} -> {one.relevance:.2f}  {pages}  {one.question}")


if __name__ == "__main__":
    main()

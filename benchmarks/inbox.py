"""Tell how well questions are grouped by meaning.

python -m benchmarks.inbox groups the 300 questions of tests/data/inbox_questions.jsonl (30 meanings over the handbook
in 10 wordings each) as the inbox does, over a library of the handbook, and prints the adjusted Rand index (Hubert and
Arabie, 1985; scikit-learn's) against the meanings, the number of groups, and the same by the questions' words alone.
`--fit` prints the index for each threshold on tests/data/inbox_fitting.jsonl, 120 questions of 24 other meanings; the
threshold in `rag_app/team/grouping.py` is the best one there. `--groups` lists the groups that hold several meanings.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.follow_ups import QUESTIONS, SPACE, application
from rag_app.team.grouping import THRESHOLD, Vectors, central, grouped
from rag_app.team.neighbours import Neighbours

MEASURED, FITTED = QUESTIONS.with_name("inbox_questions.jsonl"), QUESTIONS.with_name("inbox_fitting.jsonl")
THRESHOLDS = [round(0.3 + 0.02 * step, 2) for step in range(19)]


def questions(file: Path) -> tuple[list[str], list[str]]:
    """The questions of a file, and the meaning of each."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [row["question"] for row in rows], [row["meaning"] for row in rows]


def index(meanings: Sequence[str], groups: Sequence[Sequence[int]]) -> float:
    """The adjusted Rand index of groups against meanings: 1 where they agree, about 0 by chance."""
    from sklearn.metrics import adjusted_rand_score

    label = {place: number for number, group in enumerate(groups) for place in group}
    return float(adjusted_rand_score(meanings, [label[place] for place in range(len(meanings))]))


def mixed(asked: Sequence[str], meanings: Sequence[str], vectors: Vectors) -> str:
    """The groups that hold several meanings, each with the strays in it."""
    lines = []
    for group in grouped(vectors):
        held = Counter(meanings[place] for place in group)
        most = held.most_common(1)[0][0]
        if len(held) > 1:
            lines.append(f"{asked[central(vectors, group)]} ({held[most]} of {most})")
            lines += [f"    {meanings[place]}: {asked[place]}" for place in group if meanings[place] != most]
    return "\n".join(lines)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("build/inbox"), help="where the library is kept")
    parser.add_argument("--fit", action="store_true", help="the index for each threshold, on other questions")
    parser.add_argument("--groups", action="store_true", help="list the groups that hold several meanings")
    arguments = parser.parse_args()
    made = application(arguments.home)
    neighbours = Neighbours(made.parts.library, made.parts.index, made.parts.embedder)
    asked, meanings = questions(FITTED if arguments.fit else MEASURED)
    vectors = np.vstack([neighbours.vector(question, [SPACE]) for question in asked])
    if arguments.fit:
        for threshold in THRESHOLDS:
            print(f"{threshold:.2f}  {index(meanings, grouped(vectors, threshold)):.3f}")
    else:
        alone = np.vstack([made.parts.embedder.embed_question(question) for question in asked])
        for name, own in (("as the inbox does", vectors), ("by words alone", alone)):
            groups = grouped(own)
            print(f"{name}: {len(asked)} questions of {len(set(meanings))} meanings in {len(groups)} groups, adjusted "
                  f"Rand index {index(meanings, groups):.3f} at {THRESHOLD}")  # fmt: skip
    if arguments.groups:
        print(mixed(asked, meanings, vectors))
    made.parts.index.close()


if __name__ == "__main__":
    main()

"""Tell how well questions are grouped by meaning.

python -m benchmarks.inbox groups the 300 questions of tests/data/inbox_questions.jsonl (30 meanings over the handbook
in 10 wordings each) as the inbox does, over a library of the handbook, and prints the adjusted Rand index (Hubert and
Arabie, 1985; scikit-learn's) against the meanings, the number of groups, and the same by the questions' words alone.
`--fit` prints the index for each threshold on two sets that nothing is reported of: 240 questions of 24 other meanings
over the handbook in 10 wordings each (tests/data/inbox_fitting.jsonl; the threshold in `rag_app/team/grouping.py` was
chosen on the first 5 of each), and 192 of 24 meanings over the rules of a made-up company (inbox_company.jsonl,
company_rules.md), which were written later and stand for another library. Whatever is changed in the grouping is to be
chosen there. `--groups` lists the groups that hold several meanings. `--time N` tells how long N questions take, made
by turning those measured a little.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.follow_ups import QUESTIONS, SPACE, application
from ingest.command import take_in
from ingest.settings import Settings as IngestSettings
from rag_app.build import Application, build
from rag_app.settings import Settings
from rag_app.team.grouping import THRESHOLD, Vectors, central, grouped
from rag_app.team.neighbours import Neighbours

MEASURED, FITTED = QUESTIONS.with_name("inbox_questions.jsonl"), QUESTIONS.with_name("inbox_fitting.jsonl")
COMPANY, RULES = QUESTIONS.with_name("inbox_company.jsonl"), QUESTIONS.with_name("company_rules.md")
THRESHOLDS = [round(0.2 + 0.02 * step, 2) for step in range(21)]
TURNED = 0.7  # length of what is added at random to make other questions, beside a question's own 1


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


def company(home: Path) -> Application:
    """An application whose library holds the rules of a made-up company, a document for each chapter."""
    made = build(Settings(ingest=IngestSettings(home=home)))
    folder = home / "rules"
    folder.mkdir(exist_ok=True)
    for chapter in RULES.read_text(encoding="utf-8").split("\n## ")[1:]:
        name = chapter.partition("\n")[0]
        (folder / f"{name}.md").write_text(f"# {chapter}", encoding="utf-8")
    take_in(made.parts, sorted(folder.iterdir()), SPACE)
    return made


def vectors_of(made: Application, asked: Sequence[str]) -> Vectors:
    """What the inbox groups questions by, (questions, dimensions)."""
    neighbours = Neighbours(made.parts.library, made.parts.index, made.parts.embedder)
    return np.vstack([neighbours.vector(question, [SPACE]) for question in asked])


def fit(home: Path) -> None:
    """Print the index for each threshold on the two sets to choose by, and the mean of both."""
    columns = []
    for made, file in ((application(home), FITTED), (company(home.with_name(f"{home.name}-company")), COMPANY)):
        asked, meanings = questions(file)
        vectors = vectors_of(made, asked)
        columns.append([index(meanings, grouped(vectors, threshold)) for threshold in THRESHOLDS])
        made.parts.index.close()
    print("cut   handbook  company  mean")
    for threshold, handbook, rules in zip(THRESHOLDS, *columns, strict=True):
        print(f"{threshold:.2f}  {handbook:8.3f}  {rules:7.3f}  {(handbook + rules) / 2:.3f}")


def timed(vectors: Vectors, count: int) -> str:
    """How long `count` questions take that stand about those given."""
    chance = np.random.default_rng(1)
    many = vectors[chance.integers(len(vectors), size=count)]
    many = many + chance.normal(size=many.shape) * (TURNED / np.sqrt(many.shape[1]))
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    started = time.perf_counter()
    groups = grouped(many.astype(np.float32))
    return f"{count:,} questions in {len(groups):,} groups took {time.perf_counter() - started:.2f} s"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("build/inbox"), help="where the library is kept")
    parser.add_argument("--fit", action="store_true", help="the index for each threshold, on other questions")
    parser.add_argument("--groups", action="store_true", help="list the groups that hold several meanings")
    parser.add_argument("--time", type=int, default=0, metavar="N", help="how long N questions take")
    arguments = parser.parse_args()
    if arguments.fit:
        fit(arguments.home)
        return
    made = application(arguments.home)
    asked, meanings = questions(MEASURED)
    vectors = vectors_of(made, asked)
    alone = np.vstack([made.parts.embedder.embed_question(question) for question in asked])
    for name, own in (("as the inbox does", vectors), ("by words alone", alone)):
        groups = grouped(own)
        print(f"{name}: {len(asked)} questions of {len(set(meanings))} meanings in {len(groups)} groups, adjusted "
              f"Rand index {index(meanings, groups):.3f} at {THRESHOLD}")  # fmt: skip
    if arguments.groups:
        print(mixed(asked, meanings, vectors))
    if arguments.time:
        print(timed(vectors, arguments.time))
    made.parts.index.close()


if __name__ == "__main__":
    main()

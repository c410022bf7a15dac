"""Tell how well questions are grouped by meaning.

python -m benchmarks.inbox groups the 300 questions of tests/data/inbox_questions.jsonl (30 meanings over the handbook
in 10 wordings each) as the inbox does, over a library of the handbook, and prints the adjusted Rand index (Hubert and
Arabie, 1985; scikit-learn's) against the meanings and the number of groups; and the same as it does where the model of
scripts/inbox_model.py is not installed, and by the questions' words alone.
`--fit` prints the index for each threshold on five sets to choose by, of which nothing else is reported: 240 questions
of 24 other meanings over the handbook (tests/data/inbox_fitting.jsonl), 192 of 24 over the rules of a made-up company
(inbox_company.jsonl, company_rules.md), three times 300 of 30 over the handbook, written by three who saw none of the
others (inbox_handbook.jsonl); and the mean of all where the meanings are asked one to ten times instead of always ten.
`--groups` lists the groups that hold several meanings. `--time N` tells how long N questions take, made by turning
those measured a little.
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
from rag_app.team.question_model import reader

MEASURED, FITTED = QUESTIONS.with_name("inbox_questions.jsonl"), QUESTIONS.with_name("inbox_fitting.jsonl")
HANDBOOK = QUESTIONS.with_name("inbox_handbook.jsonl")
COMPANY, RULES = QUESTIONS.with_name("inbox_company.jsonl"), QUESTIONS.with_name("company_rules.md")
THRESHOLDS = [round(0.6 + 0.02 * step, 2) for step in range(16)]
SIZES = (1, 1, 1, 2, 2, 3, 4, 6, 10)  # how often a meaning is asked, where not all are asked as often
DRAWS = 4
TURNED = 0.7  # length of what is added at random to make other questions, beside a question's own 1


def questions(file: Path, number: int | None = None) -> tuple[list[str], list[str]]:
    """The questions of a file, or of one set of it, and the meaning of each."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("set") == number]
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


def vectors_of(made: Application, asked: Sequence[str], *, finer: bool = True) -> Vectors:
    """What the inbox groups questions by, (questions, dimensions)."""
    parts = made.parts
    read = reader(parts.compute, parts.engines) if finer else None
    return Neighbours(parts.library, parts.index, parts.embedder, read).vectors([(one, [SPACE]) for one in asked])


def fit(home: Path) -> None:
    """Print the index for each threshold on the sets to choose by, the mean of all, and that of unlike sizes."""
    handbook, rules = application(home), company(home.with_name(f"{home.name}-company"))
    sets = [(handbook, *questions(FITTED)), (rules, *questions(COMPANY))]
    sets += [(handbook, *questions(HANDBOOK, number)) for number in (1, 2, 3)]
    columns, unlike = [], []
    chance = np.random.default_rng(5)
    for made, asked, meanings in sets:
        vectors = vectors_of(made, asked)
        columns.append([index(meanings, grouped(vectors, threshold)) for threshold in THRESHOLDS])
        for places in (some(meanings, chance) for _ in range(DRAWS)):
            own = [meanings[place] for place in places]
            unlike.append([index(own, grouped(vectors[places], threshold)) for threshold in THRESHOLDS])
    for made in (handbook, rules):
        made.parts.index.close()
    print("cut   handbook  company  further handbook sets   mean   of unlike sizes")
    for place, threshold in enumerate(THRESHOLDS):
        told = [column[place] for column in columns]
        print(f"{threshold:.2f}  {told[0]:8.3f}  {told[1]:7.3f}  {told[2]:.3f}  {told[3]:.3f}  {told[4]:.3f}      "
              f"{np.mean(told):.3f}  {np.mean([column[place] for column in unlike]):.3f}")  # fmt: skip


def some(meanings: Sequence[str], chance: np.random.Generator) -> list[int]:
    """Places of questions drawn so that some meanings are asked once and some ten times."""
    kept: list[int] = []
    for meaning in sorted(set(meanings)):
        places = [place for place, one in enumerate(meanings) if one == meaning]
        kept += chance.permutation(places)[: chance.choice(SIZES)].tolist()
    return sorted(kept)


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
    smaller = vectors_of(made, asked, finer=False)
    ways = (("as the inbox does", vectors), ("without the larger model", smaller), ("by words alone", alone))
    for name, own in ways:
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

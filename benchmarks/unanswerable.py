"""Tell how often a question without an answer is refused, and one with an answer too.

python -m benchmarks.unanswerable --data DIR makes one library of the handbook and of half of the articles of
squadshifts_new_wiki, and asks 200 questions that it answers (45 over the handbook, the others over those articles) and
200 that it does not: 100 over the other half of the articles, which are not in it; 50 near misses over the handbook;
50 off topic (benchmarks/unanswerable.jsonl). It prints which share is refused of each kind, and both errors at other
thresholds. The threshold is the one beside the weights, which was fitted on other documents (benchmarks/calibrate.py).
`--limit N` asks N of each kind.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.answers import asked, pool
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.settings import Settings
from rag_app.evaluate.answers import curve
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.evaluate.records import Dataset, Given, Question
from rag_app.evaluate.run import Plan, sampled
from rag_app.rerank.cross_encoder import BundledReranker

SET = "squadshifts_new_wiki"
WRITTEN = Path(__file__).with_suffix(".jsonl")
HANDBOOK = Path(__file__).parent.parent / "docs_corpus"
ANSWERABLE, REMOVED, NEAR, OFF = "answerable", "document removed", "near miss", "off topic"
KINDS = (ANSWERABLE, REMOVED, NEAR, OFF)
ASKED: Mapping[str, int] = {ANSWERABLE: 200, REMOVED: 100, NEAR: 50, OFF: 50}


def halves(dataset: Dataset) -> tuple[Dataset, list[Question]]:
    """Every other article of a pool with its questions, and the questions of the articles left out."""
    titles = sorted({passage.document.title for passage in dataset.passages})
    kept = set(titles[::2])
    title = {passage.document.path: passage.document.title for passage in dataset.passages}
    inside = [all(title[one.document] in kept for one in question.targets) for question in dataset.questions]
    outside = [not any(title[one.document] in kept for one in question.targets) for question in dataset.questions]
    held = tuple(passage for passage in dataset.passages if passage.document.title in kept)
    known = tuple(question for question, own in zip(dataset.questions, inside, strict=True) if own)
    return replace(dataset, passages=held, questions=known), [
        replace(question, targets=(), answers=())
        for question, own in zip(dataset.questions, outside, strict=True)
        if own
    ]


def written(file: Path = WRITTEN) -> dict[str, list[Question]]:
    """The written questions by kind; the file's first line is a note."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    return {
        kind: [
            Question(f"{kind} {place}", row["question"], ()) for place, row in enumerate(rows) if row["kind"] == kind
        ]
        for kind in (NEAR, OFF)
    }


def table(by_kind: Mapping[str, Sequence[Given]], threshold: float) -> str:
    """The share refused of each kind, of all unanswerable ones, and the curve over thresholds."""
    unanswerable = [one for kind in KINDS[1:] for one in by_kind[kind]]
    lines = [f"threshold {threshold:.3f}", f"{'':<20}{'asked':>6}{'refused':>9}"]
    for kind, own in [*by_kind.items(), ("unanswerable", unanswerable)]:
        lines.append(f"{kind:<20}{len(own):>6}{sum(one.abstained for one in own) / len(own):>9.1%}")
    lines += ["", f"{'threshold':>9}{'answerable':>12}{'unanswerable':>14}  refused, by relevance alone"]
    for point in curve([*by_kind[ANSWERABLE], *unanswerable]):
        lines.append(f"{point.threshold:>9.3f}{point.false_refusal:>12.1%}{point.abstention or 0:>14.1%}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/")
    parser.add_argument("--limit", type=int, help="questions of each kind at most")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where sets and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    compute = Compute()
    embedder, judge = Embedder(BUNDLED, compute), BundledReranker(compute)
    models = Models(embedder, judge, Kept(arguments.cache))
    articles, removed = halves(pool(SET, arguments.data, arguments.cache))
    handbook = read_pdf_folder(HANDBOOK, Settings(home=arguments.cache), embedder, arguments.cache)
    vectors = models.passage_vectors([passage.text for passage in articles.passages], lambda _: None)
    assert handbook.vectors is not None  # a folder of PDFs always has them
    count = {kind: min(most, arguments.limit or most) for kind, most in ASKED.items()}
    own = sampled(handbook.questions, Plan(candidates=0, shown=0, limit=count[ANSWERABLE]))
    others = sampled(articles.questions, Plan(candidates=0, shown=0, limit=max(count[ANSWERABLE] - len(own), 0)))
    questions = {
        ANSWERABLE: [*own, *others],
        REMOVED: sampled(removed, Plan(candidates=0, shown=0, limit=count[REMOVED])),
        **{kind: found[: count[kind]] for kind, found in written().items()},
    }
    library = replace(
        articles,
        questions=tuple(questions[ANSWERABLE]),
        unanswerable=tuple(question for kind in KINDS[1:] for question in questions[kind]),
        passages=(*handbook.passages, *articles.passages),
        vectors=np.concatenate([handbook.vectors, vectors]),
    )
    found = asked(library, models, judge, Plan(candidates=50, shown=3), None)
    given = iter(found.given)
    by_kind = {kind: [next(given) for _ in questions[kind]] for kind in KINDS}
    print(table(by_kind, found.threshold))


if __name__ == "__main__":
    main()

"""Tell what is said, cited and refused when the development sets are asked.

python -m benchmarks.answers --data DIR [--limit N] asks the questions of the sets of pairs that no training sees, each
over all passages of its set, and prints for every set: whether the right passage was among those the answer is made
from, whether the short answer stands in the answer's text and in its first sentence, token F1, precision and recall of
the citations, the share of sentences that are supported, and both errors of abstaining. Answers are quoted; with
RAG_LLM_MODEL set, the language model answers after that. `--lost` lists where each missing answer got lost.

The sets are written as BEIR folders under --cache, where vectors and scores are kept too.
"""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.pools import write_pool
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from rag_app.build import endpoint_of
from rag_app.evaluate.answering import Answerers, KeptJudge, answered
from rag_app.evaluate.answers import AnswerFigures, answer_figures, holds, short_answers
from rag_app.evaluate.datasets import read_beir
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.records import Answered, Dataset, Given
from rag_app.evaluate.run import Plan
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.settings import Settings
from rag_app.stages import Generator

SETS = ("squadshifts_new_wiki", "squad2_devhalf", "covid_qa", "policyqa_test", "qed_dev", "tatqa_dev_test")
COLUMNS = {
    "answer_in_text": "in text",
    "answer_in_first": "in first",
    "token_f1": "F1",
    "citation_precision": "cited",
    "citation_recall": "recall",
    "supported": "support",
    "false_refusal": "refused",
    "abstention": "found",
}
SENTENCES, WORDS = 3, 80  # an answer may have
LOST = ("refused", "not among the passages", "not in the sentences chosen", "not in the first sentence", "first")


def pool(name: str, data: Path, cache: Path) -> Dataset:
    """A set of pairs as a pool of passages with questions."""
    folder = cache / "pools" / name
    write_pool(data / "pairs" / f"{name}.jsonl.gz", folder)
    return read_beir(folder)


def asked(dataset: Dataset, models: Models, judge: BundledReranker, plan: Plan, endpoint: Generator | None) -> Answered:
    """All questions of a pool, answered; its passages are embedded once."""
    judging = KeptJudge(models, judge)
    return answered(dataset, models, Answerers(judging, judging, endpoint), plan)


def row(name: str, figures: AnswerFigures, given: Sequence[Given]) -> str:
    """One line of the table; "-" where a set cannot tell."""
    cells = [f"{figures.shares[column].value:>9.1%}" if column in figures.shares else f"{'-':>9}" for column in COLUMNS]
    return f"{name:<22}{figures.answerable:>5}{figures.unanswerable:>5}" + "".join(cells) + f"{too_long(given):>9}"


def too_long(given: Sequence[Given]) -> int:
    """How many answers have more sentences or words than an answer may have."""
    return sum(len(one.sentences) > SENTENCES or len(" ".join(one.sentences).split()) > WORDS for one in given)


def place_lost(one: Given, passages: Sequence[str]) -> str:
    """Which of LOST a question with a short answer belongs to; `passages` are those the answer was made from."""
    answers = short_answers(one)

    def among(texts: Sequence[str]) -> bool:
        return any(holds(text, answer) for text in texts for answer in answers)

    if one.abstained:
        return LOST[0]
    if not among(passages):
        return LOST[1]
    if not among([" ".join(one.sentences)]):
        return LOST[2]
    return LOST[4] if among(one.sentences[:1]) else LOST[3]


def lost(given: Sequence[Given]) -> str:
    """How many questions lost their answer at each step, and which."""
    known = [one for one in given if short_answers(one) and one.question.targets]
    places = [place_lost(one, one.passages) for one in known]
    counts = Counter(places)
    lines = ["; ".join(f"{name}: {counts[name]}" for name in LOST)]
    for one, place in zip(known, places, strict=True):
        if place != LOST[-1]:
            said = " | ".join(one.sentences)
            lines.append(f"[{place}] {one.question.text} -> {short_answers(one)[0]!r}; said: {said!r}")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/")
    parser.add_argument("--limit", type=int, help="questions of each set, drawn at random; all of them if unset")
    parser.add_argument("--set", action="append", choices=SETS, help="only this set; may be given several times")
    parser.add_argument("--lost", action="store_true", help="list the questions whose answer is not said first")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where sets and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    settings = Settings.from_environment(os.environ)
    endpoint = endpoint_of(settings)
    compute = Compute()
    judge = BundledReranker(compute)
    models = Models(Embedder(BUNDLED, compute), judge, Kept(arguments.cache))
    plan = Plan(candidates=settings.candidates, shown=settings.passages, limit=arguments.limit)
    heads = "".join(f"{head:>9}" for head in (*COLUMNS.values(), "too long"))
    print(f"{'':<22}{'known':>5}{'not':>5}{heads}")
    for name in arguments.set or SETS:
        dataset = pool(name, arguments.data, arguments.cache)
        texts = [passage.text for passage in dataset.passages]
        dataset = replace(dataset, vectors=models.passage_vectors(texts, lambda _: None))
        for speaker in [None] if endpoint is None else [None, endpoint]:
            found = asked(dataset, models, judge, plan, speaker)
            figures = answer_figures(found, plan.seed)
            print(row(name if speaker is None else f"  {figures.model}", figures, found.given), flush=True)
            if arguments.lost:
                print(lost(found.given))


if __name__ == "__main__":
    main()

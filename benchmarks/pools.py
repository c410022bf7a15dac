"""Tell how much of what the search could find reranking brings among the first three.

python -m benchmarks.pools --data DIR [--limit N] asks the questions of the sets of pairs that no training sees, each
against all passages of its set, and prints dense hit@3, hit@3 after reranking the dense top 50 with the bundled
cross-encoder, alone and joined with cosine and overlap, dense hit@50, and which share of the gap between dense hit@3
and hit@50 is closed. The sets are written as BEIR folders under --cache, which `rag evaluate` reads too.
"""

import argparse
import gzip
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rerankers import DENSE, JOINED, Candidates, candidates, quality
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from rag_app.evaluate.datasets import read_beir
from rag_app.evaluate.intervals import bootstrap_means, interval
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import HIT, METRICS, RECALL
from rag_app.evaluate.models import Models
from rag_app.rerank.cross_encoder import BundledReranker

SETS = ("squadshifts_new_wiki", "squad2_devhalf", "covid_qa", "policyqa_test", "qed_dev", "tatqa_dev_test")
WAYS = (DENSE, BUNDLED, BUNDLED + JOINED)

Numbers = NDArray[np.float64]


def write_pool(file: Path, folder: Path) -> None:
    """A file of pairs as a BEIR folder: every passage a document, every question judged by the pairs it is in.

    Rows without an answer are questions that their passage does not answer: they are marked so, and the passage stays
    in the pool.
    """
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    passages = {_passage(row): f"p{place}" for place, row in enumerate(rows)}
    answered = [row for row in rows if row.get("answer")]
    questions = {row["question"]: f"q{place}" for place, row in enumerate(answered)}
    answers: dict[str, list[str]] = {}
    for row in answered:
        answers.setdefault(row["question"], []).append(row["answer"])
    unanswered = dict.fromkeys(row["question"] for row in rows if not row.get("answer"))
    judged = dict.fromkeys((questions[row["question"]], passages[_passage(row)]) for row in answered)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "corpus.jsonl", [{"_id": name, "title": key[0], "text": key[1]} for key, name in passages.items()])
    asked = [{"_id": name, "text": text, "answer": answers[text]} for text, name in questions.items()]
    others = [text for text in unanswered if text not in questions]
    asked += [{"_id": f"u{place}", "text": text, "answerable": False} for place, text in enumerate(others)]
    _write(folder / "queries.jsonl", asked)
    rest = "".join(f"{question}\t{passage}\t1\n" for question, passage in judged)
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + rest, encoding="utf-8")


def _passage(row: Mapping[str, Any]) -> tuple[str, str]:
    return row.get("title") or "", row["passage"]


def _write(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def table(values: Mapping[str, Mapping[str, Sequence[tuple[float, ...]]]], seed: int = 0) -> str:
    """hit@3 by way of ranking and hit@50, for each set and in the mean, and the shares of the gap that are closed.

    The shares with their 95 % intervals, questions drawn within each set.
    """
    lines = [f"{'':<24}{'dense':>9}{'alone':>9}{'joined':>9}{'hit@50':>9}"]
    hits = {name: _hits(ways) for name, ways in values.items()}
    means = {name: own.mean(axis=0) for name, own in hits.items()}
    means["mean"] = np.mean(list(means.values()), axis=0)
    lines += [f"{name:<24}" + "".join(f"{value:>9.3f}" for value in row) for name, row in means.items()]
    draws = np.mean([bootstrap_means(own, seed) for own in hits.values()], axis=0)
    low, high = interval(_closed(draws))
    alone, joined = (
        f"{share:.1%} ({low[place]:.1%} to {high[place]:.1%})"
        for place, share in enumerate(_closed(means["mean"][None, :])[0])
    )
    lines.append(f"of the gap between dense hit@3 and hit@50: alone {alone}, joined {joined} closed")
    return "\n".join(lines)


def _hits(ways: Mapping[str, Sequence[tuple[float, ...]]]) -> Numbers:
    """(questions, 4): hit@3 of dense, alone and joined, and hit@50."""
    columns = [[row[METRICS.index(HIT)] for row in ways[way]] for way in WAYS]
    columns.append([float(row[METRICS.index(RECALL)] > 0) for row in ways[DENSE]])
    return np.array(columns, dtype=np.float64).T


def _closed(means: Numbers) -> Numbers:
    """The share of the gap that each way closes, 0 where there is none: (rows, 4) as `_hits` has -> (rows, 2)."""
    gap = means[:, 3:] - means[:, :1]
    return np.divide(means[:, 1:3] - means[:, :1], gap, out=np.zeros((len(means), 2)), where=gap > 0)


def sets(data: Path, cache: Path, models: Models, limit: int | None) -> dict[str, list[Candidates]]:
    """By name of a set the dense top 50 of its questions, or of `limit` of them; pools are written under `cache`."""
    found = {}
    for name in SETS:
        folder = cache / "pools" / name
        write_pool(data / "pairs" / f"{name}.jsonl.gz", folder)
        found[name] = candidates(read_beir(folder), models, limit)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/")
    parser.add_argument("--limit", type=int, help="questions of each set, drawn at random; all of them if unset")
    parser.add_argument("--cache", type=Path, default=Path("build/rerankers"), help="where sets and scores are kept")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before the library that reads it is imported
    compute = Compute()
    models = Models(Embedder(BUNDLED, compute), BundledReranker(compute), Kept(arguments.cache))
    rows = sets(arguments.data, arguments.cache, models, arguments.limit)
    print(table(quality(rows, {BUNDLED: models})))


if __name__ == "__main__":
    main()

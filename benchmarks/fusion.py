"""Compare ways of joining the dense and the lexical list.

python -m benchmarks.fusion FOLDER... prints, for data sets as `rag evaluate` takes them, ndcg@10, hit@3 and recall@50
of each list alone, of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009), which is what the application
does, and of convex combinations of scores, cosine and BM25 each stretched to 0..1 over the question's candidates
(Bruch, Gai and Ingber, TOIS 2023). The cosine of every candidate is known, BM25 only of those in the lexical list.
Nothing is reranked. Vectors are kept in HOME/cache.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.progress import told
from ingest.build import engines_of
from ingest.compute import Compute
from ingest.embedding import Embedder
from ingest.index.tantivy import WordIndex
from ingest.records import Place
from ingest.settings import Settings
from rag_app.evaluate.datasets import SPACE, is_beir, read_beir
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import DEEP, gains, hit, ndcg, recall
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.evaluate.records import Dataset, Passage
from rag_app.fusion import reciprocal_rank
from rag_app.rerank.cross_encoder import BundledReranker

WEIGHTS = (0.3, 0.5, 0.7)  # of the cosine


@dataclass(frozen=True, slots=True)
class Lists:
    """What both sides found for a question; passages by their 0-based place in the data set."""

    dense: Mapping[int, float]  # cosine, best first
    lexical: Mapping[int, float]  # BM25, best first
    cosines: Mapping[int, float]  # of all of them


Fusion = Callable[[Lists], Sequence[int]]


def by_rank(lists: Lists) -> list[int]:
    """Reciprocal rank fusion."""
    return _best(reciprocal_rank([list(lists.dense), list(lists.lexical)]))


def by_score(lists: Lists, weight: float) -> list[int]:
    """The weighted sum of both scores, each stretched to 0..1."""
    dense, lexical = _stretched(lists.cosines), _stretched(lists.lexical)
    return _best({place: weight * dense[place] + (1 - weight) * lexical.get(place, 0.0) for place in dense})


FUSIONS: dict[str, Fusion] = {
    "dense": lambda lists: list(lists.dense),
    "lexical": lambda lists: list(lists.lexical),
    "by rank": by_rank,
    **{f"by score, {weight}": partial(by_score, weight=weight) for weight in WEIGHTS},
}


def _best(scores: Mapping[int, float]) -> list[int]:
    return sorted(scores, key=lambda place: -scores[place])


def _stretched(scores: Mapping[int, float]) -> dict[int, float]:
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {place: (score - low) / (high - low) if high > low else 1.0 for place, score in scores.items()}


class Sides:
    """Both retrievers over the passages of one data set."""

    def __init__(self, dataset: Dataset, models: Models) -> None:
        texts = [passage.text for passage in dataset.passages]
        kept = dataset.vectors
        self._vectors = models.passage_vectors(texts, lambda _: None) if kept is None else kept
        self._models = models
        self._places = {
            Place(passage.chunk.document_id, passage.chunk.position): place
            for place, passage in enumerate(dataset.passages)
        }
        self._words = WordIndex(None)
        owned: dict[str, list[Passage]] = {}
        for passage in dataset.passages:
            owned.setdefault(passage.document.id, []).append(passage)
        for own in owned.values():
            self._words.add(own[0].document, [passage.chunk for passage in own])
        self._words.commit()

    def ask(self, question: str) -> Lists:
        """The first 50 of each side."""
        vector, _ = self._models.question_vector(question)
        cosines = self._vectors @ vector
        dense = {int(place): float(cosines[place]) for place in np.argsort(-cosines, kind="stable")[:DEEP]}
        found = self._words.search(question, [SPACE], DEEP)
        lexical = {self._places[place]: score for place, score in found}
        return Lists(dense, lexical, {place: float(cosines[place]) for place in [*dense, *lexical]})


def measured(dataset: Dataset, models: Models, tolerance: int) -> dict[str, list[float]]:
    """For each way of joining the means of ndcg@10, hit@3 and recall@50."""
    sides = Sides(dataset, models)
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in FUSIONS}
    for question in told(dataset.questions, f"questions of {dataset.name}"):
        lists = sides.ask(question.text)
        for name, fusion in FUSIONS.items():
            passages = [dataset.passages[place] for place in fusion(lists)[:DEEP]]
            found = [(passage.document.path, passage.chunk.page) for passage in passages]
            values = gains(found, question.targets, tolerance)
            rows[name].append((ndcg(values, question.targets), hit(values), recall(values, len(question.targets))))
    return {name: [float(mean) for mean in np.mean(own, axis=0)] for name, own in rows.items()}


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a data set")
    parser.add_argument("--home", type=Path, default=Path("build/fusion"), help="where vectors are kept")
    parser.add_argument("--page-tolerance", type=int, default=0, help="pages a passage may be off (default: 0)")
    arguments = parser.parse_args()
    settings, compute = Settings(home=arguments.home), Compute()
    embedder, cache = Embedder(settings.embedder, compute, engines_of(settings)), arguments.home / "cache"
    models = Models(embedder, BundledReranker(compute), Kept(cache))
    for folder in arguments.folders:
        dataset = read_beir(folder) if is_beir(folder) else read_pdf_folder(folder, settings, embedder, cache)
        figures = measured(dataset, models, arguments.page_tolerance)
        print(f"{dataset.name}, {len(dataset.questions)} questions\n{'':<16}  ndcg@10   hit@3  recall@50")
        for name, (gain, shown, deep) in figures.items():
            print(f"{name:<16}  {gain:7.3f}  {shown:6.3f}  {deep:9.3f}")
        print()


if __name__ == "__main__":
    main()

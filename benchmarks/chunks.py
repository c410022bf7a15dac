"""Tell what other ways of cutting passages would find.

python -m benchmarks.chunks --data DIR cuts the handbook and the PDFs of DIR/pdf_qa/northwind_policy in passages of 250
and of 128 word pieces; puts a quarter or half of the passage before in front of each (whole sentences, under the same
heading); leaves out titles or headings from what is embedded and reranked; cuts every so many words instead, wherever
that is; and searches the small passages but hands on the larger ones around them. For each it prints the share of
questions whose labelled page is among the first 3, exactly and within one, and the words handed on: joined search,
bundled reranker. With --only NAME, given once or several times, those rows alone.
"""

import argparse
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from benchmarks.progress import told
from ingest.chunking import embedded_text
from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.records import Chunk
from ingest.sentences import sentences
from ingest.settings import Settings
from rag_app.evaluate.answering import KeptReranker, SetRetriever
from rag_app.evaluate.kept import Kept
from rag_app.evaluate.metrics import SHOWN, gains, hit
from rag_app.evaluate.models import Models
from rag_app.evaluate.pdf_folder import read_pdf_folder
from rag_app.evaluate.records import Dataset, Passage
from rag_app.evaluate.run import embedded
from rag_app.naming import with_words
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.verbatim import holding_identifiers

HANDBOOK = Path(__file__).parent.parent / "docs_corpus"
LARGE, SMALL, CANDIDATES = 250, 128, 50  # word pieces, word pieces, passages reranked
TOLERANCES = (0, 1)  # pages

Passages = Sequence[Passage]
Parents = Callable[[Chunk], Chunk]


@dataclass(frozen=True, slots=True)
class Row:
    """How one way of cutting does on one set."""

    hits: tuple[float, ...]  # for each of TOLERANCES the share (0 to 1) of questions with a right page
    passages: int
    words: float  # handed on for a question, in the mean


def overlapping(passages: Passages, share: float) -> Iterator[Passage]:
    """Each passage with about that share (0 to 1) of the one before, where both stand under one heading."""
    first = passages[:1]
    yield from first
    for before, passage in pairwise(passages):
        own, near = passage.chunk, before.chunk
        same = own.document_id == near.document_id and own.heading == near.heading
        tail = _tail(near.text, share) if same else ""
        yield _with(passage, text=f"{tail}\n{own.text}" if tail else own.text)


def _tail(text: str, share: float) -> str:
    """The last sentences of a text that together come nearest to a share of its words."""
    said = [text[start:end] for start, end in sentences(text)]
    lengths = np.cumsum([0, *(len(one.split()) for one in reversed(said))])
    count = int(np.argmin(np.abs(lengths - share * lengths[-1])))
    return "\n".join(said[len(said) - count :])


def untitled(passages: Passages) -> Iterator[Passage]:
    """The passages without their document's title."""
    return (_with(passage, title="") for passage in passages)


def bare(passages: Passages) -> Iterator[Passage]:
    """The passages without title and heading."""
    return (_with(passage, title="", heading="") for passage in passages)


def anywhere(passages: Passages) -> Iterator[Passage]:
    """As many words in each as the passages have in the mean, cut wherever that is and without headings."""
    length = round(np.mean([len(passage.chunk.text.split()) for passage in passages]))
    for _, own in groupby(passages, key=lambda passage: passage.document.id):
        held = list(own)
        words = [(word, passage.chunk.page) for passage in held for word in passage.chunk.text.split()]
        for number, start in enumerate(range(0, len(words), length)):
            part = words[start : start + length]
            pages = [page for _, page in part]
            page = max(pages, key=pages.count)
            chunk = replace(held[0].chunk, id=f"{held[0].chunk.document_id}-{number}", position=number, page=page)
            yield _with(replace(held[0], chunk=chunk), text=" ".join(word for word, _ in part), heading="")


def around(passages: Passages) -> Parents:
    """Tells for a smaller passage of the same documents the one of these in which it begins."""
    by_document: dict[str, list[Chunk]] = {}
    for passage in passages:
        by_document.setdefault(passage.document.id, []).append(passage.chunk)

    def parent(chunk: Chunk) -> Chunk:
        own = by_document[chunk.document_id]
        begins = [(one.first_page, one.start) for one in own]
        return own[max(bisect_right(begins, (chunk.first_page, chunk.start)) - 1, 0)]

    return parent


def _with(
    passage: Passage, *, text: str | None = None, title: str | None = None, heading: str | None = None
) -> Passage:
    chunk, document = passage.chunk, passage.document
    chunk = replace(chunk, text=text or chunk.text, heading=chunk.heading if heading is None else heading)
    document = replace(document, title=document.title if title is None else title)
    return Passage(chunk, document, embedded_text(document.title, chunk.heading, chunk.text))


def measured(dataset: Dataset, models: Models, parents: Parents | None = None) -> Row:
    """Ask every question of a set; with `parents` what is handed on is the passage around each that was found."""
    vectors = embedded(dataset, models) if dataset.vectors is None else dataset.vectors
    retriever, reranker = SetRetriever(dataset, vectors, models), KeptReranker(models)
    right: dict[int, list[float]] = {pages: [] for pages in TOLERANCES}
    words = []
    for question in told(dataset.questions, "questions"):
        found, _ = retriever.retrieve(question.text, retriever.spaces(), CANDIDATES)
        reranked = reranker.rerank(question.text, with_words(question.text, found))
        ordered = holding_identifiers(question.text, reranked, SHOWN)
        given = dict.fromkeys((one.document.path, parents(one.chunk) if parents else one.chunk) for one in ordered)
        first = list(given)[:SHOWN]
        words.append(sum(len(chunk.text.split()) for _, chunk in first))
        for pages, rows in right.items():
            rows.append(hit(gains([(path, chunk.page) for path, chunk in first], question.targets, pages)))
    retriever.close()
    return Row(tuple(float(np.mean(rows)) for rows in right.values()), len(dataset.passages), float(np.mean(words)))


def ways(large: Dataset, small: Dataset) -> Mapping[str, tuple[Dataset, Parents | None]]:
    """The ways of cutting by name: what is searched, and what is handed on in its place."""

    def cut(dataset: Dataset, made: Iterator[Passage]) -> tuple[Dataset, None]:
        return replace(dataset, passages=tuple(made), vectors=None), None

    return {
        f"{LARGE} pieces, as it ships": (large, None),
        f"{LARGE}, overlap 25 %": cut(large, overlapping(large.passages, 0.25)),
        f"{LARGE}, overlap 50 %": cut(large, overlapping(large.passages, 0.5)),
        f"{SMALL} pieces": (small, None),
        f"{SMALL}, overlap 25 %": cut(small, overlapping(small.passages, 0.25)),
        f"{SMALL}, overlap 50 %": cut(small, overlapping(small.passages, 0.5)),
        f"{SMALL} searched, {LARGE} handed on": (small, around(large.passages)),
        f"{LARGE}, without the title": cut(large, untitled(large.passages)),
        f"{LARGE}, without title and heading": cut(large, bare(large.passages)),
        "as many words, cut anywhere": cut(large, anywhere(large.passages)),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdf_qa/northwind_policy")
    parser.add_argument("--home", type=Path, default=Path("build/chunks"), help="where libraries and scores are kept")
    parser.add_argument("--only", action="append", help="the name of a row, or its beginning")
    arguments = parser.parse_args()
    compute = Compute()
    embedder = Embedder(BUNDLED, compute)
    models = Models(embedder, BundledReranker(compute), Kept(arguments.home))
    for folder in (HANDBOOK, arguments.data / "pdf_qa" / "northwind_policy"):
        large, small = (
            read_pdf_folder(folder, Settings(home=arguments.home, passage_pieces=pieces), embedder, arguments.home)
            for pieces in (LARGE, SMALL)
        )
        print(f"\n{folder.name}, {len(large.questions)} questions\n{'':<34} exactly  within one  passages  words")
        for name, (dataset, parents) in ways(large, small).items():
            if not arguments.only or name.startswith(tuple(arguments.only)):
                row = measured(dataset, models, parents)
                exact, near = row.hits
                print(f"{name:<34}{exact:8.1%}{near:12.1%}{row.passages:10,}{row.words:7.0f}", flush=True)


if __name__ == "__main__":
    main()

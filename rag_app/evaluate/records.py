"""The values of an evaluation. Frozen; nothing here does anything."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.records import Chunk, Document
from rag_app.evaluate.metrics import Target
from rag_app.records import Support

DENSE, LEXICAL, HYBRID = "dense", "lexical", "hybrid"
BASES = (DENSE, LEXICAL, HYBRID)
RERANKED = "+rerank"
STAGES = (*BASES, *(base + RERANKED for base in BASES))

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the places that were judged right."""

    id: str
    text: str
    targets: tuple[Target, ...]  # at least one; none where the documents do not hold the answer
    answers: tuple[str, ...] = ()  # as people wrote them, each right; none where nobody did


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A PDF that could not be taken in. Its questions count as not found."""

    path: str  # in the data set's folder
    reason: str
    questions: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What is searched: a part of a PDF, or a whole document of a BEIR folder."""

    chunk: Chunk
    document: Document  # its path is the id, or the PDF's path in the folder
    text: str  # what is embedded and reranked


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions over passages."""

    name: str
    questions: tuple[Question, ...]
    passages: tuple[Passage, ...]
    notices: tuple[str, ...] = ()  # sentences about what was left out or is odd
    unreadable: tuple[Unreadable, ...] = ()
    unanswerable: tuple[Question, ...] = ()  # asked only where answers are measured
    vectors: Vectors | None = None  # (passages, dimensions) where reading the set made them; None: not embedded yet


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one stage made of one question."""

    gains: tuple[float, ...]  # of its passages, best first; 0 is wrong
    ms: float  # wall time


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """One of the passages that the application would have put first."""

    document: str  # its path in the data set
    page: int  # 1-based
    text: str  # the beginning
    relevance: float | None  # 0 to 1; None where the reranker does not tell
    right: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question after all stages."""

    question: Question
    rankings: Mapping[str, Ranking]  # by stage
    chances: tuple[tuple[float, bool], ...]  # relevance (0 to 1) of the passages shown, and whether they are right
    first: tuple[FoundPassage, ...] = ()  # of hybrid, reranked: what the application itself does; best first


@dataclass(frozen=True, slots=True)
class Computed:
    """What a run had to compute because it was not kept from an earlier one."""

    vectors: int
    scores: int


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered to one question, as its reader sees it."""

    question: Question
    abstained: bool
    relevance: float  # 0 to 1; of the best passage the answer could have been made from
    sentences: tuple[str, ...]  # plain, without markers; none where it abstained
    support: tuple[Support, ...]  # of each sentence
    passages: tuple[str, ...]  # what the answer could have been made from
    quotes: tuple[str, ...]  # what its citations show
    right: tuple[bool, ...]  # whether each citation is on a page that was judged right


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to the questions of a run, and to those nothing answers."""

    mode: str  # who spoke, as in `rag ask --json`
    model: str  # the language model's name; "" where none spoke
    threshold: float  # 0 to 1; below it the application abstains
    given: tuple[Given, ...]
    fell_back: int = 0  # questions that were answered by quoting because the language model failed


@dataclass(frozen=True, slots=True)
class Run:
    """All outcomes, and what made them."""

    dataset: Dataset
    embedder: str
    reranker: str
    outcomes: tuple[Outcome, ...]
    computed: Computed
    seed: int
    page_tolerance: int  # pages
    answered: Answered | None = None  # None where only the search was measured

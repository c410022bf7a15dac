"""The values that travel through a question. Frozen; nothing here does anything but look at itself."""

from dataclasses import dataclass, field
from enum import StrEnum

from ingest.records import Chunk, Document


class Stage(StrEnum):
    """What is happening to a question."""

    REWRITING = "rewriting"
    SEARCHING = "searching"
    RERANKING = "reranking"
    WRITING = "writing"
    CHECKING = "checking"
    DONE = "done"


class Mode(StrEnum):
    """Who spoke."""

    EXTRACTIVE = "extractive"  # sentences quoted from the documents
    MODEL = "openai_chat"  # a language model wrote it
    ABSTAINED = "abstained"  # nobody: the documents do not seem to hold it
    PASSAGES = "passages"  # nobody could: the passages stand alone


class Support(StrEnum):
    """What the cited passages say of a sentence."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation and what was answered."""

    question: str
    answer: str  # plain text, markers taken out; "" when it abstained
    rewritten: str = ""  # the stand-alone question that was searched for


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Whole sentences of a passage that complete another one, beside which they stand."""

    chunk: Chunk
    start: int  # 0-based character offset in its text
    end: int  # just past the last character

    @property
    def text(self) -> str:
        """The sentences."""
        return self.chunk.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage some stage put forward, with what each stage thought of it."""

    chunk: Chunk
    document: Document
    dense_rank: int | None = None  # 1-based; None: dense retrieval did not return it
    cosine: float | None = None  # -1 to 1
    overlap: float | None = None  # 0 to 1, share of the question's words it holds, weighed among the candidates
    named: tuple[float, float] = (0.0, 0.0)  # 0 to 1, shares of its title and of its heading that the question says
    lexical_rank: int | None = None  # 1-based
    bm25: float | None = None  # 0 and up
    rerank_rank: int | None = None  # 1-based
    relevance: float | None = None  # 0 to 1, calibrated probability that it answers the question
    used: bool = False  # handed to the generator
    before: Excerpt | None = None  # what it goes on from, where it was cut there
    after: Excerpt | None = None  # what goes on from it, where it was cut there

    @property
    def text(self) -> str:
        """The passage with what completes it, a line for each: what the generator reads and citations point into."""
        parts = (self.before.text if self.before else "", self.chunk.text, self.after.text if self.after else "")
        return "\n".join(part for part in parts if part)

    @property
    def own(self) -> int:
        """The offset in `text` at which the passage's own text begins."""
        return len(self.before.text) + 1 if self.before else 0

    @property
    def skips(self) -> bool:
        """Whether something that is left out stands between the passage and what is before it."""
        before = self.before
        return before is not None and (
            before.chunk.position + 1 < self.chunk.position or bool(before.chunk.text[before.end :].strip())
        )

    @property
    def lead(self) -> str:
        """What stands before the passage as it is shown, with a sign where something is left out; "" where nothing."""
        if self.before is None:
            return ""
        return f"{self.before.text} \N{HORIZONTAL ELLIPSIS}" if self.skips else self.before.text

    def at(self, offset: int) -> tuple[Chunk, int]:
        """The passage that holds the character at `offset` of `text`, and its offset in that passage's text."""
        end = self.own + len(self.chunk.text)
        if self.before and offset < self.own:
            return self.before.chunk, self.before.start + offset
        if self.after and offset > end:
            return self.after.chunk, self.after.start + offset - end - 1
        return self.chunk, offset - self.own


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker of the answer and the place it stands for. Holds all that a stored answer needs."""

    marker: int  # 1-based; [1] in the text
    document_id: str
    title: str
    path: str
    page: int  # 1-based physical page of the quote
    label: str  # printed label of that page
    quote: str  # the sentence or sentences of the passage that support the answer
    passage: str  # the passage's whole text, by which it is known
    relevance: float  # 0 to 1
    first_page: int  # 1-based physical page on which the passage begins
    start: int  # character offset of the passage in the cleaned text of first_page
    approved: str = ""  # who approved it and when, where it is an approved answer: "Anna, 2026-11-21"
    before: str = ""  # what completes the passage from the one before it, as it is shown
    after: str = ""  # what completes it from the one after it
    near: int | None = None  # 0-based offset of the quote in the cleaned text of `page`, 0 where it begins before it

    @property
    def text(self) -> str:
        """The passage with what completes it, as it was read."""
        return "\n".join(part for part in (self.before, self.passage, self.after) if part)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer, without its markers."""

    text: str
    markers: tuple[int, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds spent in each stage; 0 where a stage did not run."""

    rewrite: float = 0.0
    embed: float = 0.0
    dense: float = 0.0
    lexical: float = 0.0
    rerank: float = 0.0
    generate: float = 0.0
    check: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and all its evidence, growing while `ask` runs; the last one has stage DONE."""

    question: str
    rewritten: str  # the stand-alone question searched for; equal to `question` when nothing was changed
    stage: Stage
    text: str = ""  # with markers [1]..[n]; while WRITING, only what is safe to show
    hits: tuple[Hit, ...] = ()  # all candidates, best first
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    abstained: bool = False
    mode: Mode = Mode.EXTRACTIVE
    model: str = ""  # the language model's name, where one spoke
    notice: str = ""  # a sentence for the reader when something went another way than asked
    passages_searched: int = 0  # passages in the spaces that were searched
    spaces: tuple[str, ...] = ()  # that were searched
    timings: Timings = field(default_factory=Timings)

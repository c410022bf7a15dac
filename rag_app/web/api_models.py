"""The JSON that other programs send and get, as OpenAPI describes it. What goes out is what `rag ... --json` prints."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

QUESTION_LIMIT = 20_000  # characters of a question; longer ones are refused
TURN_LIMIT = 100_000  # characters of an earlier answer
TURNS = 100  # earlier questions a request may carry; the last ten are read
SPACES = 100  # spaces a request may name
NOTE_LIMIT = 2_000  # characters

SpaceName = Annotated[str, Field(min_length=1, max_length=80)]
DocumentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Body(BaseModel):
    """What is sent: nothing is converted, so `"1"` is no number; fields that are not known are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class EarlierTurn(Body):
    """An earlier question of the same conversation and what was answered."""

    question: str = Field(max_length=QUESTION_LIMIT)
    answer: str = Field("", max_length=TURN_LIMIT, description="empty where nothing was answered")


class Search(Body):
    """What is searched for, and where."""

    question: str = Field(min_length=1, max_length=QUESTION_LIMIT, examples=["How long is the notice period?"])
    spaces: list[SpaceName] | None = Field(
        None, min_length=1, max_length=SPACES, description="search only these; left out: all that may be read"
    )
    rerank: bool = Field(default=True, description="false keeps the order that retrieval gave")


class Question(Search):
    """A question, and what it may lean on."""

    turns: list[EarlierTurn] = Field(default_factory=list, max_length=TURNS, description="oldest first")
    store: bool = Field(
        default=True, description="false keeps nothing of it: no report, no inbox, and no feedback can refer to it"
    )


class Judgement(Body):
    """What somebody thinks of an answer."""

    id: str = Field(description="the `id` of an answer", pattern=r"^(chatcmpl-)?[0-9a-f]{32}$")
    verdict: Literal["good", "poor", ""] = Field(description="an empty one takes an earlier one back")
    reason: Literal["", "wrong_page", "document_missing", "not_what_i_asked", "out_of_date", "other"] = ""
    note: str = Field("", max_length=NOTE_LIMIT)


class Hit(BaseModel):
    """A passage that some stage put forward; null where a stage did not see it."""

    chunk_id: str
    document_id: str
    space: str
    title: str
    path: str
    page: int = Field(description="1-based physical page that holds most of it")
    first_page: int
    last_page: int
    text: str
    before: str | None = Field(description="what completes it from the passage before it, where it was cut there")
    after: str | None = Field(description="what completes it from the passage after it, where it was cut there")
    dense_rank: int | None = Field(description="1-based")
    cosine: float | None = Field(description="-1 to 1")
    lexical_rank: int | None = Field(description="1-based")
    bm25: float | None
    rerank_rank: int | None = Field(description="1-based")
    relevance: float | None = Field(description="0 to 1, the probability that it answers the question")
    used: bool = Field(description="the answer was made from it")


class Citation(BaseModel):
    """What a marker in the text stands for."""

    marker: int = Field(description="[1] in the text is 1")
    document_id: str
    title: str
    path: str
    page: int = Field(description="1-based physical page")
    label: str = Field(description="the number printed on that page")
    quote: str = Field(description="the sentences of the page that say so")


class Sentence(BaseModel):
    """A sentence of the answer, without its markers."""

    text: str
    markers: list[int]
    support: Literal["supported", "partly", "unsupported"] = Field(description="what its sources say of it")


class Timings(BaseModel):
    """Milliseconds spent in each stage; 0 where one did not run."""

    rewrite: float
    embed: float
    dense: float
    lexical: float
    rerank: float
    generate: float
    check: float
    total: float


class Found(BaseModel):
    """The candidates for a question, best first."""

    hits: list[Hit]


class Answered(BaseModel):
    """An answer with all its evidence."""

    id: str | None = Field(description="what feedback refers to; null where nothing was kept")
    question: str
    rewritten: str = Field(description="the question that was searched for")
    text: str = Field(description="with markers [1] to [n]; empty where the documents hold no answer")
    abstained: bool = Field(description="the documents do not seem to answer this")
    mode: Literal["extractive", "openai_chat", "abstained", "passages"]
    notice: str | None = Field(description="a sentence where something went another way than asked")
    citations: list[Citation]
    sentences: list[Sentence]
    timings_ms: Timings
    hits: list[Hit] = Field(description="all candidates, best first")


class Document(BaseModel):
    """A document of the library."""

    document_id: str
    space: str
    title: str
    path: str
    pages: int
    chunks: int
    size: int = Field(description="bytes")
    added: str
    failed_pages: list[int]
    empty_pages: list[int]
    hidden_words: int


class Documents(BaseModel):
    """What the caller may read."""

    documents: list[Document]


class Removed(BaseModel):
    """The document that was taken out."""

    removed: Document


class Job(BaseModel):
    """A file on its way in, or lately ended."""

    id: int
    path: str
    state: Literal[
        "waiting",
        "reading",
        "chunking",
        "embedding",
        "indexing",
        "ready",
        "unchanged",
        "needs_password",
        "no_text",
        "refused",
        "cancelled",
    ]
    reason: str = Field(description="a sentence where it was not taken in")
    document_id: str | None
    pages_done: int
    pages: int
    chunks_done: int
    chunks: int
    seconds: float


class Accepted(BaseModel):
    """The job of a file that was handed in."""

    job: Job


class Jobs(BaseModel):
    """Files under way and lately ended, newest first."""

    jobs: list[Job]


class Existing(BaseModel):
    """The document that has this name already."""

    document_id: str
    title: str
    added: str


class Taken(BaseModel):
    """The name is taken: send the file again with `replace=true`, or with `replace=false` to keep both."""

    existing: Existing


class Judged(BaseModel):
    """The verdict as it stands now."""

    verdict: Literal["good", "poor", ""]


class Fault(BaseModel):
    """What went wrong."""

    kind: str
    message: str = Field(description="a sentence that says what to do next")


class Failed(BaseModel):
    """An answer to a request that was not carried out."""

    error: Fault


class Health(BaseModel):
    """The server answers. The counts are there only where everybody may see them."""

    ok: bool
    documents: int | None = None
    passages: int | None = None


class Readiness(BaseModel):
    """Whether questions can be answered now."""

    ready: bool
    reasons: list[str] = Field(description="a sentence for each thing that is lacking")

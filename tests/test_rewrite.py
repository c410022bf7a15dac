import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import GeneratorError
from rag_app.leaning import leans, may_stand_alone, topic
from rag_app.records import Turn
from rag_app.rewrite import LONGEST, ModelRewriter, RuleRewriter, instructions, stand_alone

MODELS = "Which reranking models can I use?"
PASSWORD = "How do I reset my password?"
LEAVE = "How many days of parental leave do I get?"
RATE = "What is the daily rate for Berlin?"
POLICY = "What does the travel policy say about hotels?"
ERROR = "What does error KB-ERR-2847 mean?"
BACKUP = "How do I back up the library?"

FOLLOW_UPS = [
    (MODELS, "and which of them needs a GPU?", "Which of the reranking models needs a GPU?"),
    (MODELS, "which one is the fastest?", "Which of the reranking models is the fastest?"),
    (MODELS, "How do I install them?", "How do I install the reranking models?"),
    (MODELS, "Are there others?", "Which reranking models can I use? Are there others?"),
    (RATE, "and for Paris?", "What is the daily rate for Paris?"),
    (RATE, "What about Paris?", "What is the daily rate for Paris?"),
    (RATE, "And the monthly rate?", "What is the monthly rate for Berlin?"),
    (POLICY, "How about flights?", "What does the travel policy say about flights?"),
    (POLICY, "and meals?", "What does the travel policy say about meals?"),
    (PASSWORD, "How long does it take?", "How do I reset my password? How long does it take?"),
    (PASSWORD, "why?", "How do I reset my password? Why?"),
    (PASSWORD, "OK, and what if that fails?", "How do I reset my password? What if that fails?"),
    (LEAVE, "Is it paid?", "How many days of parental leave do I get? Is it paid?"),
    (LEAVE, "Who approves that?", "How many days of parental leave do I get? Who approves that?"),
    (LEAVE, "how much?", "How many days of parental leave do I get? How much?"),
    (ERROR, "How do I fix it?", "How do I fix the error KB-ERR-2847?"),
    (ERROR, "And KB-ERR-2848?", "What does error KB-ERR-2848 mean?"),
    (BACKUP, "tell me more", "How do I back up the library? Tell me more?"),
    (BACKUP, "And how often?", "How do I back up the library? How often?"),
    (BACKUP, "Thanks. Where is it stored?", "How do I back up the library? Where is it stored?"),
    ("What is a reranker?", "and a retriever?", "What is a retriever?"),
    ("What is a reranker?", "Does it need a GPU?", "Does the reranker need a GPU?"),
    ("What is RAG_HOME?", "Can I change it?", "Can I change RAG_HOME?"),
    ("What is RAG_HOME?", "and RAG_SPACE?", "What is RAG_SPACE?"),
    ("How do I connect Ollama?", "and vLLM?", "How do I connect vLLM?"),
    ("What is a bi-encoder bad at?", "And the cross-encoder?", "What is the cross-encoder bad at?"),
    ("How many passages does it read?", "How long is one?", "How many passages does it read? How long is one?"),
    (
        "Does the answer carry page numbers?",
        "Can I trust them?",
        "Does the answer carry page numbers? Can I trust them?",
    ),
    (PASSWORD, "Who has to approve the request?", "How do I reset my password? Who has to approve the request?"),
    (PASSWORD, "What if the old one is forgotten?", "How do I reset my password? What if the old one is forgotten?"),
    (PASSWORD, "And who can see it there?", "How do I reset my password? Who can see it there?"),
    (
        BACKUP,
        "Can people ask questions meanwhile?",
        "How do I back up the library? Can people ask questions meanwhile?",
    ),
    (
        "Does Northwind Standard cover vision exams?",
        "what about Health Plus?",
        "Does Health Plus cover vision exams?",
    ),
    ("Does Northwind Standard cover vision exams?", "And dental care?", "Does Northwind Standard cover dental care?"),
]

STAND_ALONE = [
    "How do I set up a proxy?",
    "And how do I set up a proxy?",
    "So how do I restart the indexing after a crash at night?",
    "What happens if the index is broken after a crash and how do I repair it?",
    "Is there a limit?",
    "What is RAG_PORT?",
    "Does Ollama run?",
    "Which models that need a GPU are there?",
    "What changed this year in the travel policy?",
    "Who has to approve the travel request of an apprentice?",
    "Can the server run on this computer without a graphics card?",
    "How do managers approve their own expenses when they travel?",
    "Wie oft wird die Bibliothek gesichert?",
    "図書館はどこですか",
]


@pytest.mark.parametrize(("earlier", "question", "rewritten"), FOLLOW_UPS, ids=[row[1] for row in FOLLOW_UPS])
def test_a_follow_up_names_what_it_leans_on(earlier: str, question: str, rewritten: str) -> None:
    assert stand_alone(question, [Turn(earlier, "An answer.")]) == rewritten


@pytest.mark.parametrize("question", STAND_ALONE)
def test_a_question_that_stands_alone_stays_untouched(question: str) -> None:
    assert stand_alone(question, [Turn(PASSWORD, "An answer.")]) == question


@pytest.mark.parametrize("question", [row[1] for row in FOLLOW_UPS] + ["", "   ", "?!"])
def test_the_first_question_stays_untouched(question: str) -> None:
    assert stand_alone(question, []) == question


def test_the_topic_lasts_over_turns_without_one_of_their_own() -> None:
    turns = [Turn(BACKUP, "With rag backup."), Turn("why?", "Because disks fail.")]

    assert stand_alone("And how often?", turns) == "How do I back up the library? How often?"


def test_a_question_that_was_carried_over_goes_on_alone() -> None:
    turns = [
        Turn(PASSWORD, "By mail."),
        Turn("How long does it take?", "A day.", "How do I reset my password? How long does it take?"),
    ]

    assert stand_alone("Who can see it?", turns) == "How do I reset my password? Who can see it?"


def test_a_rewritten_question_carries_the_topic_on() -> None:
    turns = [Turn(MODELS, "Three."), Turn("and which of them is small?", "One.", "Which reranking models are small?")]

    assert "eranking models" in stand_alone("Is it fast?", turns)


def test_he_and_she_are_looked_for_in_the_answer() -> None:
    turns = [Turn("Who is the head of finance?", "The head of finance is Dana Example, since 2024.")]

    assert stand_alone("What is her email?", turns) == "Dana Example: what is her email?"


def test_a_rewritten_question_is_bounded() -> None:
    rewritten = stand_alone("why?", [Turn("library " * 5_000, "")])

    assert len(rewritten) <= LONGEST
    assert rewritten.endswith(" Why?")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Is it paid?", True),
        ("Does the warranty cover it?", True),
        ("How do I repair the index after a crash if it is broken?", False),
        ("What if the index is broken?", True),
        ("Are there any limits to the size of a file?", False),
        ("How large is it there?", True),
        ("What do these codes mean?", True),
        ("What does that mean?", True),
        ("Is that so?", True),
        ("Which of the two is cheaper?", True),
        ("What about the other one?", True),
        ("How do I put a folder into one?", True),
    ],
)
def test_leaning_is_told_by_pronouns_that_nothing_explains(question: str, expected: bool) -> None:
    assert leans(question) is expected


def test_a_topic_keeps_the_words_of_its_question() -> None:
    assert topic("How do I reset my password?") == "reset my password"
    assert topic("How much memory does the server need?") == "memory, server"
    assert topic("why?") == ""


ANYTHING = st.one_of(st.text(st.characters(), max_size=400), st.sampled_from([row[1] for row in FOLLOW_UPS]))


@given(ANYTHING, st.lists(st.tuples(ANYTHING, ANYTHING), max_size=4))
def test_any_conversation_can_be_rewritten(question: str, turns: list[tuple[str, str]]) -> None:
    rewritten = stand_alone(question, [Turn(asked, answer) for asked, answer in turns])

    assert rewritten == question or len(rewritten) <= LONGEST
    assert bool(rewritten.strip()) == bool(question.strip())


class Scripted:
    """A chat endpoint that says one thing, fails, or hangs."""

    def __init__(self, said: str = "", error: GeneratorError | None = None, *, hangs: bool = False) -> None:
        self.said, self.error, self.hangs = said, error, hangs
        self.told: list[Sequence[Mapping[str, str]]] = []
        self.closed = False

    async def stream(self, told: Sequence[Mapping[str, str]]) -> AsyncGenerator[str, None]:
        self.told.append(told)
        try:
            if self.hangs:
                await asyncio.sleep(3600)
            for word in self.said.split(" "):
                yield word + " "
            if self.error:
                raise self.error
        finally:
            self.closed = True


TURNS = [Turn(MODELS, "You can use the small and the large reranking model.")]
ASKED = "and which of them needs a GPU?"
BY_RULES = "Which of the reranking models needs a GPU?"


@pytest.mark.parametrize(
    ("said", "rewritten"),
    [
        ("Which reranking models need a GPU?", "Which reranking models need a GPU?"),
        ('"Which reranking models need a GPU?"', "Which reranking models need a GPU?"),
        ("Question: Which reranking models need a GPU?\n", "Which reranking models need a GPU?"),
        ("<think>They mean models.</think>\nWhich reranking models need a GPU?", "Which reranking models need a GPU?"),
        ("Sure! Here it is:\nWhich reranking models need a GPU?", BY_RULES),
        ("Which reranking models need a GPU? " + "very " * 100, BY_RULES),
        ("The capital of France is Paris, a lovely city.", BY_RULES),
        ("", BY_RULES),
    ],
)
async def test_what_a_model_says_is_used_only_when_it_is_a_question_about_this(said: str, rewritten: str) -> None:
    assert await ModelRewriter(Scripted(said), RuleRewriter()).rewrite(ASKED, TURNS) == rewritten


async def test_a_model_that_fails_is_replaced_by_the_rules() -> None:
    model = Scripted(error=GeneratorError("It is down."))

    assert await ModelRewriter(model, RuleRewriter()).rewrite(ASKED, TURNS) == BY_RULES


async def test_a_model_that_hangs_is_closed_and_replaced_by_the_rules() -> None:
    model = Scripted(hangs=True)

    assert await ModelRewriter(model, RuleRewriter(), seconds=0.05).rewrite(ASKED, TURNS) == BY_RULES
    assert model.closed


async def test_without_turns_no_model_is_asked() -> None:
    model = Scripted("Anything?")

    assert await ModelRewriter(model, RuleRewriter()).rewrite(ASKED, ()) == ASKED
    assert model.told == []


def test_the_conversation_a_model_sees_is_bounded() -> None:
    told = instructions("why " * 50_000, [Turn("q " * 50_000, "a " * 50_000)] * 9)

    assert sum(len(message["content"]) for message in told) < 5_000


@pytest.mark.parametrize(
    ("question", "doubtful"),
    [
        ("May I water the orchids?", True),
        ("Who has to approve the request?", True),
        ("And the monthly rate?", False),
        ("What about Paris?", False),
        ("How long does it take?", False),
        ("Why?", False),
    ],
)
def test_a_short_question_that_points_nowhere_may_stand_alone(question, doubtful):
    rewritten = stand_alone(question, [Turn(BACKUP, "")])
    assert rewritten != question
    assert may_stand_alone(question, rewritten) is doubtful


def test_a_question_that_was_left_as_it_is_raises_no_doubt():
    assert not may_stand_alone("May I water the orchids?", "May I water the orchids?")

from contextlib import aclosing
from dataclasses import replace

import pytest
from fakes import FailingReranker, HashEmbedder, SameQuestion, ScriptedGenerator, WordReranker
from shelves import new_library, put

from ingest.index.generation import Index
from rag_app.as_json import of_answer
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import EMPTY_LIBRARY, EMPTY_QUESTION, Line, Pipeline
from rag_app.records import Mode, Stage, Support, Turn
from rag_app.retrieve import HybridRetriever

NOTICE = "The notice period is three months. It begins with the next month."
LEAVE = "Every employee has thirty days of leave. Leave is asked for in writing."
FOOD = "The canteen opens at noon and serves soup."


@pytest.fixture
def library(tmp_path):
    return new_library(tmp_path)


@pytest.fixture
def line(library):
    index = Index(library, HashEmbedder.name)
    judge = WordReranker()
    made = {
        "rewriter": SameQuestion(),
        "retriever": HybridRetriever(library, index, HashEmbedder()),
        "reranker": judge,
        "judge": judge,
        "generator": Extractive(judge),
        "quoting": Extractive(judge),
    }
    yield made
    index.close()


def pipeline(library, line, **changed):
    return Pipeline(library, Line(**{**line, **changed}), candidates=50, passages=2)


async def asked(made, question, turns=(), **how):
    return [answer async for answer in made.ask(question, turns, **how)]


async def test_an_answer_grows_through_its_stages_and_ends_with_evidence(library, line):
    put(library, NOTICE, LEAVE, FOOD)

    answers = await asked(pipeline(library, line), "How long is the notice period?")

    stages = list(dict.fromkeys(answer.stage for answer in answers))
    assert stages == [Stage.SEARCHING, Stage.RERANKING, Stage.WRITING, Stage.CHECKING, Stage.DONE]
    last = answers[-1]
    assert "three months" in last.text
    assert "[1]" in last.text
    assert {answer.spaces for answer in answers} == {("documents",)}
    assert last.citations[0].page == 1
    assert "three months" in last.citations[0].quote
    assert {sentence.support for sentence in last.sentences} == {Support.SUPPORTED}
    assert last.mode == Mode.EXTRACTIVE
    assert sum(hit.used for hit in last.hits) == 2
    assert last.timings.total >= last.timings.rerank > 0


async def test_nothing_relevant_is_said_and_nothing_is_generated(library, line):
    put(library, NOTICE)
    generator = ScriptedGenerator("never")

    last = (await asked(pipeline(library, line, generator=generator), "Who painted the ceiling?"))[-1]

    assert last.abstained
    assert (last.mode, last.text, last.citations) == (Mode.ABSTAINED, "", ())
    assert last.hits
    assert generator.passages == []


@pytest.mark.parametrize("question", ["", "   \n "])
async def test_no_question_gets_a_sentence(library, line, question):
    put(library, NOTICE)

    assert (await asked(pipeline(library, line), question))[-1].notice == EMPTY_QUESTION


async def test_an_empty_library_gets_a_sentence(library, line):
    assert (await asked(pipeline(library, line), "How long?"))[-1].notice == EMPTY_LIBRARY


async def test_a_question_of_100_kilobytes_is_cut_and_answered(library, line):
    put(library, NOTICE)

    last = (await asked(pipeline(library, line), "notice period three months " * 4000))[-1]

    assert last.notice.startswith("Only the first 2,000 characters")
    assert len(last.rewritten) == 2000


async def test_a_model_that_fails_before_its_first_word_leaves_quotes_and_the_reason(library, line):
    put(library, NOTICE, LEAVE)
    generator = ScriptedGenerator(fault="No model here.")

    last = (await asked(pipeline(library, line, generator=generator), "How long is the notice period?"))[-1]

    assert last.mode == Mode.EXTRACTIVE
    assert last.notice.startswith("No model here. Here are the sentences that fit best")
    assert "three months" in last.text
    assert last.citations


async def test_a_model_that_is_cut_off_keeps_what_it_wrote(library, line):
    put(library, NOTICE)
    generator = ScriptedGenerator("The notice period is three months. [1] And it", fault="The server stopped.")

    last = (await asked(pipeline(library, line, generator=generator), "How long is the notice period?"))[-1]

    assert last.mode == Mode.MODEL
    assert last.model == "scripted"
    assert last.text.startswith("The notice period is three months. [1]")
    assert last.notice == "The server stopped."


async def test_a_marker_that_names_no_passage_never_shows(library, line):
    put(library, NOTICE, LEAVE)
    generator = ScriptedGenerator("The notice period ", "is three months. [", "9] [1]")

    answers = await asked(pipeline(library, line, generator=generator), "How long is the notice period?")

    assert all("9" not in answer.text for answer in answers)
    assert [citation.marker for citation in answers[-1].citations] == [1]


async def test_a_model_that_says_it_does_not_know_has_abstained(library, line):
    put(library, NOTICE)
    generator = ScriptedGenerator("The documents do not say anything about that.")

    last = (await asked(pipeline(library, line, generator=generator), "How long is the notice period?"))[-1]

    assert last.abstained
    assert last.citations == ()


async def test_a_reranker_that_fails_is_replaced_and_named(library, line):
    put(library, LEAVE, NOTICE)

    last = (await asked(pipeline(library, line, reranker=FailingReranker()), "How long is the notice period?"))[-1]

    assert "rerank.example did not answer." in last.notice
    assert last.hits[0].chunk.text == NOTICE
    assert last.hits[0].rerank_rank == 1


class HastyReranker(WordReranker):
    """Reads no more than the first of many, as one that needs no more to know what comes first."""

    def rerank(self, question, hits):
        ranked = super().rerank(question, hits)
        return ranked if len(hits) < 3 else [ranked[0], *(replace(hit, relevance=None) for hit in ranked[1:])]


async def test_what_is_used_is_read_also_where_the_judge_had_no_need_to(library, line):
    put(library, NOTICE, LEAVE, FOOD)
    judge = HastyReranker()

    last = (await asked(pipeline(library, line, judge=judge, reranker=judge), "How long is the notice period?"))[-1]

    assert [hit.used for hit in last.hits] == [True, True, False]
    assert [hit.relevance is not None for hit in last.hits] == [True, True, False]


async def test_without_reranking_the_order_is_retrievals_and_relevance_still_known(library, line):
    put(library, LEAVE, NOTICE, FOOD)

    last = (await asked(pipeline(library, line), "How long is the notice period?", rerank=False))[-1]

    assert [hit.rerank_rank for hit in last.hits] == [None, None, None]
    assert [hit.relevance is not None for hit in last.hits] == [True, True, False]


async def test_a_passage_that_is_there_twice_is_used_once(library, line):
    put(library, NOTICE, name="a.pdf")
    put(library, NOTICE, LEAVE, FOOD, name="b.pdf")

    last = (await asked(pipeline(library, line), "How long is the notice period of every employee?"))[-1]

    assert [hit.chunk.text for hit in last.hits if hit.used] == [NOTICE, LEAVE]
    assert [hit.chunk.text for hit in last.hits].count(NOTICE) == 2


async def test_a_follow_up_is_searched_for_as_rewritten(library, line):
    put(library, NOTICE, LEAVE)
    generator = ScriptedGenerator("Three months. [1]")
    made = pipeline(library, line, rewriter=SameQuestion("How long is the notice period?"), generator=generator)

    answers = await asked(made, "and that?", [Turn("What is notice?", "A period.")])

    assert answers[0].stage == Stage.REWRITING
    assert answers[-1].question == "and that?"
    assert answers[-1].rewritten == generator.question == "How long is the notice period?"


@pytest.mark.parametrize(
    ("question", "carried", "text"),
    [
        ("Does the canteen serve soup?", False, FOOD),
        ("Who signs writing?", True, LEAVE),
        ("Who asks in writing?", False, LEAVE),
    ],
    ids=["alone finds more", "together find more", "both find the same"],
)
async def test_a_short_question_is_searched_for_alone_and_with_the_one_before(library, line, question, carried, text):
    put(library, NOTICE, LEAVE, FOOD, "Who signs at the desk?")
    before = "Has every employee thirty days of leave?"
    made = pipeline(library, line, rewriter=SameQuestion(f"{before} {question}"))

    last = (await asked(made, question, [Turn(before, "Thirty days.")]))[-1]

    assert last.rewritten == (f"{before} {question}" if carried else question)
    assert last.hits[0].chunk.text == text
    assert not last.abstained


@pytest.mark.parametrize(("wider", "count"), [(True, 3), (False, 2)])
async def test_a_question_for_several_things_is_answered_from_more_passages(library, line, wider, count):
    put(library, NOTICE, LEAVE, FOOD)
    judge = WordReranker(threshold=0.1)
    made = Pipeline(
        library, Line(**{**line, "judge": judge, "reranker": judge}), candidates=50, passages=2, wider=wider
    )
    question = "How long is the notice period, who has thirty days of leave and when does the canteen serve?"

    last = (await asked(made, question))[-1]

    assert sum(hit.used for hit in last.hits) == count


async def test_closing_the_answer_closes_the_generator(library, line):
    put(library, NOTICE)
    generator = ScriptedGenerator("one ", "two ", "three")

    async with aclosing(pipeline(library, line, generator=generator).ask("How long is the notice period?")) as answers:
        async for answer in answers:
            if answer.text:
                break

    assert generator.closed


async def test_a_question_sees_only_the_spaces_it_may(library, line):
    put(library, NOTICE, name="a.pdf", space="board")
    put(library, LEAVE, name="b.pdf", space="documents")

    last = (await asked(pipeline(library, line), "How long is the notice period?", spaces=["documents"]))[-1]

    assert {hit.document.space for hit in last.hits} == {"documents"}


class Straying:
    """Finds passages of every space, whichever are asked for."""

    def __init__(self, retriever):
        self._retriever = retriever

    def retrieve(self, question, _spaces, limit):
        return self._retriever.retrieve(question, ["board", "documents"], limit)


async def test_what_a_search_finds_in_another_space_is_left_out_before_it_is_ranked(library, line):
    put(library, NOTICE, name="a.pdf", space="board")
    put(library, LEAVE, name="b.pdf", space="documents")
    made = pipeline(library, line, retriever=Straying(line["retriever"]))

    answers = await asked(made, "How long is the notice period of leave?", spaces=["documents"])

    assert {hit.document.space for answer in answers for hit in answer.hits} == {"documents"}
    searched = made.search("How long is the notice period of leave?", spaces=["documents"])
    assert {hit.document.space for hit in searched.hits} == {"documents"}


async def test_the_handbook_leaves_ordinary_answers_once_there_are_documents(library, line):
    put(library, NOTICE, name="guide.pdf", space="handbook")
    made = pipeline(library, line)
    before = (await asked(made, "How long is the notice period?"))[-1]

    put(library, LEAVE, name="own.pdf")
    after = (await asked(made, "How long is the notice period?"))[-1]

    assert {hit.document.space for hit in before.hits} == {"handbook"}
    assert {hit.document.space for hit in after.hits} == {"documents"}


async def test_strict_takes_out_what_the_sources_do_not_say_and_says_so(library, line):
    put(library, NOTICE, LEAVE)
    pieces = ("The notice period is three ", "months [1]. It is nine weeks", " [1]. It begins with the next month. [1]")
    made = Pipeline(
        library, Line(**{**line, "generator": ScriptedGenerator(*pieces)}), candidates=50, passages=2, strict=True
    )

    answers = await asked(made, "How long is the notice period?")

    last = answers[-1]
    assert last.text == "The notice period is three months [1]. It begins with the next month. [1]"
    assert [sentence.support for sentence in last.sentences] == [Support.SUPPORTED, Support.SUPPORTED]
    assert last.notice == "1 of 3 sentences were taken out, because the sources do not say them."
    assert not any("nine" in answer.text for answer in answers)


async def test_strict_quotes_where_nothing_is_left_and_renumbers_what_is(library, line):
    put(library, NOTICE, LEAVE)
    lies = ScriptedGenerator("The notice period is nine weeks [1].")
    shifted = ScriptedGenerator("It is nine weeks [1]. Every employee has thirty days of leave [2].")
    made = [
        Pipeline(library, Line(**{**line, "generator": one}), candidates=50, passages=2, strict=True)
        for one in (lies, shifted)
    ]

    quoted, renumbered = [(await asked(one, "How long is the notice period of leave?"))[-1] for one in made]

    assert quoted.mode == Mode.EXTRACTIVE
    assert "1 of 1 sentences were taken out" in quoted.notice
    assert quoted.sentences[0].support is Support.SUPPORTED
    assert renumbered.text.endswith("[1].")
    assert [citation.marker for citation in renumbered.citations] == [1]


async def test_without_strict_an_unsupported_sentence_stays_and_is_marked(library, line):
    put(library, NOTICE)

    last = (
        await asked(pipeline(library, line, generator=ScriptedGenerator("It is nine weeks [1].")), "notice period?")
    )[-1]

    assert [sentence.support for sentence in last.sentences] == [Support.UNSUPPORTED]
    assert of_answer(last)["sentences"] == [{"text": "It is nine weeks.", "markers": [1], "support": "unsupported"}]

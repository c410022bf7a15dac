import re
from collections.abc import Sequence
from functools import cache

import pytest
from examples import VACATION, make_hit

from ingest.compute import Compute
from rag_app.citations import number, resolve
from rag_app.generate.extractive import SENTENCES, WORDS, Extractive, alike, candidates, judged, shared, units
from rag_app.key_phrase import key_phrase
from rag_app.records import Hit, Mode, Support
from rag_app.rerank.cross_encoder import BundledReranker
from rag_app.words import facts


class Wordy:
    """Scores a text by the share of the question's words in it; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def relevance(self, question: str, texts: Sequence[str]) -> list[float]:
        self.asked += texts
        wanted = set(re.findall(r"\w+", question.casefold()))
        return [len(wanted & set(re.findall(r"\w+", text.casefold()))) / len(wanted) for text in texts]


async def answer(question: str, passages: Sequence[Hit]) -> str:
    return "".join([piece async for piece in Extractive(Wordy()).generate(question, passages, ())])


async def test_the_sentence_that_answers_is_quoted_with_its_marker() -> None:
    hits = [make_hit("Badges are blue. Ask at the reception.", name="a"), make_hit(name="b")]

    assert await answer("contractors policy cover", hits) == "The policy does not cover contractors. [2]"


async def test_sentences_that_follow_each_other_run_on_in_reading_order() -> None:
    said = await answer("vacation days carried over year", [make_hit()])

    assert said == (
        "Employees receive 20 days of paid vacation per year. [1] Unused days may be carried over until 31 March. [1]"
    )


async def test_quotes_from_different_places_stand_apart() -> None:
    hits = [make_hit("Vacation days are counted in May.", name="a"), make_hit("Vacation days lapse in June.", name="b")]

    assert (
        await answer("vacation days", hits)
        == "Vacation days are counted in May. [1]\n\nVacation days lapse in June. [2]"
    )


async def test_a_sentence_that_leans_comes_with_the_one_before_it() -> None:
    text = "A request for leave goes to the manager. It is answered within five working days. Badges are blue."

    said = await answer("answered within how many working days", [make_hit(text)])

    assert said == "A request for leave goes to the manager. [1] It is answered within **five working days**. [1]"


async def test_a_sentence_that_goes_on_after_the_one_before_comes_with_it() -> None:
    text = "During probation the notice is two weeks. Afterwards it is six weeks to a quarter. Badges are blue."

    said = await answer("notice after six weeks probation", [make_hit(text)])

    assert said.startswith("During probation the notice is two weeks. [1] Afterwards it is six weeks")


async def test_list_items_stay_a_list_with_the_line_that_leads_in() -> None:
    text = "Bring these to the first day:\n- a passport or identity card\n- the signed contract\nLunch is free."

    said = await answer("bring contract passport first day", [make_hit(text)])

    assert said == ("Bring these to the first day: [1]\n- a passport or identity card [1]\n- the signed contract [1]")


async def test_commands_that_a_line_leads_into_are_quoted_with_it() -> None:
    commands = "ollama pull llama3.2\nRAG_LLM_MODEL=llama3.2 make run"
    text = f"Set three variables. With Ollama on the same computer:\n\n{commands}\n\nWith vLLM the address is its own."

    said = await answer(
        "How do I connect Ollama on my computer?", [make_hit(f"{text}\n\nWith vLLM the address is its own.")]
    )

    assert said == (
        "With Ollama on the same computer: [1]\n- ollama pull llama3.2 [1]\n- RAG_LLM_MODEL=llama3.2 make run [1]"
    )


async def test_headings_and_fragments_are_not_quoted() -> None:
    text = "Vacation policy\nVacation policy for\nVacation is paid for by the company.\n12 | 7"

    assert await answer("vacation policy", [make_hit(text)]) == "Vacation is paid for by the company. [1]"


async def test_nearly_the_same_sentence_is_not_quoted_twice() -> None:
    hits = [
        make_hit("Employees receive 20 days of paid vacation per year.", name="a"),
        make_hit("Every year employees receive 20 days of paid vacation.", name="b"),
    ]

    assert (await answer("days of paid vacation", hits)).count("20 days") == 1


async def test_the_documents_own_brackets_never_become_our_markers() -> None:
    text = "Reranking helps, as was shown before [2]. <think>Ignore this</think> is written in (Source 2) as well."
    hits = [make_hit(text, name="a"), make_hit("Nothing.", name="b")]

    said = await answer("Reranking helps shown written Source", hits)

    assert number(said, 2).passages == (0,)
    assert "shown before (2)." in said


@pytest.mark.parametrize(
    ("sentences", "quoted"),
    [
        (["are counted in May", "lapse in June", "need a form", "may be sold to colleagues", "begin on Mondays"], 3),
        ([" ".join(f"{word}{sign}" for sign in "abcdefghijklmnopqrstuvwxyz") for word in ("an", "be", "or", "to")], 2),
    ],
    ids=["many sentences", "many words"],
)
async def test_an_answer_is_short(sentences: list[str], quoted: int) -> None:
    said = await answer("vacation days", [make_hit(" ".join(f"Vacation days {one}." for one in sentences))])

    assert said.count("[1]") == quoted <= SENTENCES
    assert len(said.split()) <= WORDS + quoted


async def test_passages_without_a_whole_sentence_give_nothing() -> None:
    assert await answer("vacation", [make_hit("Vacation"), make_hit("12 | 7")]) == ""
    assert await answer("vacation", [make_hit("")]) == ""
    assert await answer("vacation", []) == ""


async def test_without_any_full_sentence_a_long_line_is_better_than_nothing() -> None:
    said = await answer("vacation days", [make_hit("vacation days for all staff in every office 20")])

    assert said == "vacation days for all staff in every office 20 [1]"


async def test_every_quote_is_supported_and_its_citation_right() -> None:
    hits = [make_hit("Badges are blue. Ask at the reception [3].", name="a"), make_hit(name="b")]

    resolved = resolve(await answer("badges reception vacation days paid", hits), hits)

    assert {sentence.support for sentence in resolved.sentences} == {Support.SUPPORTED}
    assert all(sentence.markers for sentence in resolved.sentences)
    assert resolved.removed == 0


def test_the_scorer_sees_leaning_sentences_with_their_context() -> None:
    cut = units("The form is short. It has two pages. See all below:\n- page one here\n", 0)

    texts = [" ".join(unit.text for unit in span) for span in candidates(cut)]

    assert texts == ["The form is short.", "The form is short. It has two pages.", "See all below: page one here"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Vacation is 20 days.", "The vacation is 20 days", True),
        ("Vacation is 20 days.", "Vacation is 25 days.", False),
        ("Badges are blue.", "Lunch is free.", False),
    ],
)
def test_likeness_is_told_by_words_and_numbers(one: str, other: str, expected: bool) -> None:
    assert alike(one, other) is expected


def test_it_says_who_speaks() -> None:
    assert Extractive(Wordy()).mode is Mode.EXTRACTIVE
    assert Extractive(Wordy()).model == ""


@cache
def bundled() -> BundledReranker:
    return BundledReranker(Compute())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("How many days of vacation do employees get?", "Employees receive 20 days"),
        ("Until when can I carry over unused days?", "Unused days may be carried over until 31 March."),
        ("Are contractors covered?", "The policy does not cover contractors."),
        ("Which colour do badges have?", "Badges are blue"),
    ],
)
async def test_the_bundled_cross_encoder_finds_the_sentence(question: str, begins: str) -> None:
    other = "Badges are blue and carry a photo. They are handed out at the reception. Lost ones are replaced in a day."
    hits = [make_hit(other, name="a", heading="Badges"), make_hit(VACATION, name="b")]

    said = "".join([piece async for piece in Extractive(bundled()).generate(question, hits, ())])

    assert said.replace("**", "").startswith(begins)


def test_neither_a_heading_nor_a_question_is_quoted():
    text = "Which models can I use?\nYou can use any cross-encoder.\nHow many?\nOnly one here.\nModels that run here.\n"

    cut = units(text, 0, "Guide > Which models can I use? > Models that run here.")

    assert [unit.text for unit in cut if unit.whole] == ["You can use any cross-encoder.", "Only one here."]


async def test_a_table_row_is_quoted_as_it_stands_and_its_heading_is_not():
    text = "variable | default | meaning\nRAG_PORT | 7860 | port of the server\nRAG_HOST | 127.0.0.1 | address of it"

    said = await answer("RAG_PORT port default", [make_hit(text)])

    assert said.splitlines()[0] == "RAG_PORT | 7860 | port of the server [1]"
    assert "variable" not in said


async def test_a_table_row_of_several_sentences_is_quoted_whole():
    rows = [
        "Code | Meaning | What to do",
        "E-201 | Head too hot | Wait. Lower the darkness.",
        "E-310 | Cutter blocked | Ask",
    ]
    table = "\n".join(rows)

    assert await answer("what about E-201", [make_hit(table)]) == (
        "E-201 | Head too hot | Wait. [1] Lower the darkness. [1]"
    )
    assert await answer("cutter blocked", [make_hit(table)]) == "E-310 | Cutter blocked | Ask [1]"


async def test_of_a_row_that_is_too_long_only_what_answers_is_quoted():
    cells = " ".join(f"Sentence number {number} of this cell says nothing at all." for number in range(20))
    table = f"Code | Meaning\nE-1 | Begin\nE-2 | {cells} The lamp is blinking."

    said = await answer("lamp blinking", [make_hit(table)])

    assert "The lamp is blinking. [1]" in said
    assert len(said.split()) < 2 * WORDS


async def test_rows_that_are_quoted_together_stand_in_lines_of_their_own():
    text = "name | port\nweb server | 7860\nmail server | 25"

    assert await answer("server port", [make_hit(text)]) == "web server | 7860 [1]\nmail server | 25 [1]"


async def test_who_asks_what_to_do_gets_the_instruction_after_the_symptom():
    text = (
        "I do see with a scanned PDF that its pages hold pictures. Run text recognition over it first. "
        "Many a scanned PDF is large."
    )

    said = await answer("What should I do with a scanned PDF?", [make_hit(text)])
    other = await answer("Is a scanned PDF large?", [make_hit(text)])

    assert "pictures. [1] Run text recognition over it first. [1]" in said
    assert "Run text" not in other


def test_a_sentence_is_judged_with_the_question_it_answers_but_quoted_without():
    cut = units("Can I bring a dog?\nOnly on Fridays, please.\nBadges are blue.", 0)

    spans = candidates(cut)

    assert [judged(span) for span in spans] == ["Can I bring a dog? Only on Fridays, please.", "Badges are blue."]
    assert [unit.text for unit in spans[0]] == ["Only on Fridays, please."]


async def test_what_answers_is_set_off_once_and_the_rest_is_as_it_stands():
    said = await answer("How many vacation days do employees receive per year?", [make_hit()])

    assert said.startswith("Employees receive **20 days** of paid vacation per year. [1]")
    assert said.count("**") == 2


@pytest.mark.parametrize(
    ("question", "sentence", "phrase"),
    [
        ("When did it open?", "It opened in May 1991 in Bonn.", "May 1991"),
        ("Until when can I ask?", "Ask until 31 March, or on Monday.", "31 March"),
        ("How many employees are there?", "Since 1990 it has 1,250 employees in Bonn.", "1,250 employees"),
        ("How much is the fee?", "The fee is €5.50 for a day.", "€5.50"),
        ("How long does it take?", "It takes five working days.", "five working days"),
        ("Who signs?", "The form is signed by Dana Example.", "Dana Example"),
        ("Who signs?", "Dana Example or Robin Roe signs.", None),
        ("Where is the fee of 20 EUR paid?", "The fee is paid at the desk.", None),
        ("Is it open when it rains?", "It opened in May 1991.", None),
        ("How many days are 20 days?", "20 days are 20 days.", None),
        ("Why?", "Because of 20 days.", None),
        ("How many came late?", "Report sick before 9:00 to desk E-201.", None),
        ("How long does it take?", "From 9:00 on it takes 4-5 hours.", "4-5 hours"),
    ],
)
def test_the_key_phrase_is_told_by_the_question_or_not_at_all(question, sentence, phrase):
    found = key_phrase(question, sentence)

    assert (None if found is None else sentence[slice(*found)]) == phrase


def test_word_that_says_nothing_is_no_reason_to_quote():
    asked = facts("What do I do when GH-217 comes up?")

    assert shared(asked, "GH-217 means that the roof vent is stuck.") == 1.0
    assert shared(asked, "Visitors may come on Fridays from two to five.") == 0.0

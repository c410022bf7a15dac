from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from scripted_desk import answered, citation

from rag_app.conversations import StoredTurn, TurnState, put_aside, stored
from rag_app.records import Mode
from rag_app.web.export import conversation_markdown, file_name, turn_text

ASKED = "2026-11-03T09:12:00.000000+00:00"
HOSTILE = [
    "<script>alert(1)</script>",
    "![x](https://example.com/x.png) [y](javascript:alert(1)) <https://example.com>",
    "[1]: https://example.com",
    "[1](https://example.com) [1][2] [2]:https://example.com",
    "# no heading",
    "- no list",
    "12. no list either",
    "+ none",
    "> no quote",
    "```js\nalert(1)\n```",
    "    no code",
    "**no** _emphasis_ `none` ~~at~~ all \\ here",
    "a | b\n--- | ---\n1 | 2",
    "title\n=====",
    "&lt;b&gt; &amp; &copy;",
    "$$x$$ \u202egnp.exe\u202c a\u2028b\u0085c",
]


def a_turn(question="How long?", state=TurnState.DONE, **changed):
    return StoredTurn("0" * 32, "1" * 32, ASKED, question, state, answer=replace(stored(answered(question)), **changed))


def tokens(markdown):
    """All tokens of a text, those inside of lines too."""
    found = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [inner for token in found for inner in (token, *(token.children or ()))]


def kinds(markdown):
    return {token.type for token in tokens(markdown)}


def text_of(markdown):
    return " ".join("".join(token.content for token in tokens(markdown) if token.type == "text").split())


def test_a_conversation_holds_its_questions_answers_and_sources():
    text = conversation_markdown("Notice", [a_turn(), a_turn("And then?")])

    assert text.startswith("# Notice\n\n## How long?\n\n*Asked 3 November 2026, 09:12 UTC*\n")
    assert "The notice period is three months from the first day of the following month. [1]" in text
    assert "*Quoted from the documents, no model used*" in text
    assert "**Sources**\n\n- [1] Handbook.pdf, page 12 (sheet 18)\n  > The notice period is three months" in text
    assert "## And then?" in text


def test_passages_an_answer_was_made_without_are_named():
    aside = put_aside(citation(label="*12*"))

    text = conversation_markdown("Notice", [replace(a_turn(), excluded=(aside,))])

    assert "Made without: Handbook.pdf, page *12* (sheet 18)" in text_of(text)
    assert "Made without" not in conversation_markdown("Notice", [a_turn()])


def test_what_was_searched_for_and_how_an_answer_ended_is_said():
    follow_up = a_turn(rewritten="How long is the notice?")
    stopped = a_turn(state=TurnState.STOPPED)
    failed = StoredTurn("0" * 32, "1" * 32, ASKED, "Why?", TurnState.FAILED, failure="It is logged as A7F3.")

    text = conversation_markdown("Notice", [follow_up, stopped, failed])

    assert "*Searched for: How long is the notice?*" in text
    assert "*Stopped before the answer was finished.*" in text
    assert "It is logged as A7F3." in text


def test_an_answer_that_found_nothing_names_the_nearest_passages():
    turn = a_turn(text="", citations=(), uncited=(citation(),), abstained=True, mode=Mode.ABSTAINED)

    assert "The documents do not seem to answer this.\n\n**Nearest passages**" in conversation_markdown("N", [turn])
    assert turn_text(turn) == "The documents do not seem to answer this.\n"


def test_a_model_is_named():
    assert "Written by llama3 from" in conversation_markdown("N", [a_turn(mode=Mode.MODEL, model="llama3")])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_text_stays_text(hostile):
    plain = conversation_markdown("N", [a_turn("Q", text="T")])
    turn = a_turn(hostile, text=hostile, notice=hostile, citations=(citation(quote=hostile),), uncited=())

    text = conversation_markdown(hostile, [turn])

    allowed = kinds(plain) | {"hardbreak", "softbreak", "text_special"}
    assert kinds(text) <= allowed
    assert not kinds(text) & {"html_inline", "html_block", "image", "link_open", "fence", "code_block", "table_open"}


@pytest.mark.parametrize("hostile", [one for one in HOSTILE if "\n" not in one and one.isprintable()])
def test_foreign_text_reads_as_itself(hostile):
    heading = conversation_markdown(hostile, []).removeprefix("# ")

    shown = MarkdownIt("commonmark").parse(heading)[1].children
    assert "".join(token.content for token in shown) == " ".join(hostile.split())


def test_an_answer_is_copied_with_its_sources():
    text = turn_text(a_turn())

    said, _, sources = text.partition("\n\nSources\n")
    assert said == stored(answered("?")).text
    assert sources.splitlines()[0] == (
        "[1] Handbook.pdf, page 12 (sheet 18): \u201cThe notice period is three months from the first day of the "
        "following month.\u201d"
    )
    assert len(sources.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("How long is the notice?", "How long is the notice.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ('a"b\r\nc', "a b c.md"),
        ("???", "Conversation.md"),
        ("\u00fcber " * 40, ("\u00fcber " * 12).strip() + ".md"),
    ],
)
def test_a_file_is_called_after_its_conversation(name, file):
    assert file_name(name) == file

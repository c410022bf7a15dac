"""Names, documents and answers that would like to be more than text; tests/browser shows them to a browser."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hostile import AWAY, hostile
from scripted_desk import OWN, answered, citation

from ingest.records import Job, JobState, PageImage
from rag_app.app_database import AppDatabase
from rag_app.checks import Check
from rag_app.conversations import Conversations, StoredTurn, TurnState, stored
from rag_app.escape import escape, escape_name
from rag_app.feedback import Feedback, Reason, Verdict
from rag_app.records import Mode, Sentence, Support
from rag_app.unanswered import Missing
from rag_app.web.answer_text import answer_html
from rag_app.web.folders_html import folders_html
from rag_app.web.library_html import documents_html, health_html, jobs_html, viewer_html
from rag_app.web.listing import Wanted, listed
from rag_app.web.models_html import models_html
from rag_app.web.office import Configuration, Evaluations, Folder, Model, Rerankers, Setting
from rag_app.web.quality_html import quality_html
from rag_app.web.receipt import deleted
from rag_app.web.render import evidence_html, messages
from rag_app.web.settings_html import checks_html, in_force_html, settings_html
from rag_app.web.uploads import plain_name

NAMES, DOCUMENTS, ANSWERS = hostile(200), hostile(150), hostile(350)[200:]
ID = "0" * 32
ALLOWED = set(
    "a article bdi blockquote button code dd details div dl dt figcaption figure form h1 h2 h3 h4 i img input label li "
    "line mark nav ol option p q rect section select small span strong summary svg table tbody td text th thead time "
    "title tr ul".split()
)
ADDRESSES = re.compile(r"(?:/documents/|/imports|/turns/|/\?c=|/library|/quality|/settings|/keys$|/$)")


class Reader(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), [], ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def check(pieces):
    """No element, listener, style or address of theirs, and nothing that Markdown or a template would read."""
    for piece in pieces:
        read = Reader(piece)
        assert read.tags <= ALLOWED, read.tags - ALLOWED
        listening = [name for name, _ in read.attributes if name.startswith("on") or name in ("srcdoc", "srcset")]
        assert listening == []
        addresses = [value for name, value in read.attributes if name in ("href", "src", "action", "poster", "data")]
        assert [value for value in addresses if not ADDRESSES.match(value or "")] == []
        styles = [value for name, value in read.attributes if name == "style"]
        assert [value for value in styles if not re.fullmatch(r"width:\d+%", value)] == []
        assert not [sign for sign in ("${", "{{", "`", "$$", "\\(", "](", "\n") if sign in piece]


def test_the_rules_make_different_texts_of_every_kind():
    assert len(set(NAMES)) == 200
    assert len(set(DOCUMENTS)) == 150
    assert len(set(ANSWERS)) == 150
    assert not set(NAMES) & set(ANSWERS)
    assert any(AWAY in text for text in DOCUMENTS)
    assert any("mermaid" in text for text in ANSWERS)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_file_name_is_only_a_name(name):
    document = replace(OWN, title=name, path=name, space=name)
    job = Job(1, name, name, "", JobState.REFUSED, f"{name} is damaged.", None, 0, 0, 0, 0, 0.0)
    want = Wanted(holding=name, space=name)

    check(
        [
            jobs_html([job, replace(job, id=2, state=JobState.READING)], {2: 7.0}),
            documents_html(listed([document], Wanted()), Wanted(), "handbook"),
            documents_html(listed([document, OWN], want), want, "handbook"),
            documents_html(listed([OWN], want), want, "handbook"),
            health_html(document),
            viewer_html(document, 2, name, PageImage(b"", 595, 842, ()), address=f"/documents/{ID}/view", quote=""),
            folders_html([Folder(name, 3)]),
        ]
    )
    assert not {"/", "\\"} & set(plain_name(name))


@pytest.mark.slow
@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_a_hostile_document_is_only_quoted(text):
    source = citation(document=replace(OWN, title=text), passage=f"First. {text} Last.", quote=text, label=text)
    answer = replace(stored(answered("How long?")), citations=(source,), uncited=(source,), notice=text)
    turn = StoredTurn(ID, ID, "2026-11-03T09:00:00+00:00", "How long?", TurnState.DONE, "", answer)
    image = PageImage(b"", 595, 842, ())
    failed = {"question": text, "right": [{"document": text, "page": 3}], "found": [], "rank": None}
    found = {"document": text, "page": 2, "text": text, "relevance": 0.4, "right": False}

    check(
        [
            *(message["content"] for message in messages([turn])),
            evidence_html(turn, 0),
            viewer_html(OWN, 2, "2", image, address=f"/documents/{ID}/view", quote=text),
            quality_html(Evaluations([result(text, [{**failed, "found": [found]}])], [text]), Rerankers(), [], "", ""),
        ]
    )


@pytest.mark.parametrize("text", ANSWERS, ids=range(len(ANSWERS)))
def test_a_hostile_answer_comes_out_as_text(text):
    answer = replace(
        stored(answered(text, mode=Mode.MODEL, model=text)),
        text=text,
        rewritten=text,
        sentences=(Sentence(text, (1,), Support.UNSUPPORTED),),
    )
    turn = StoredTurn(ID, ID, "2026-11-03T09:00:00+00:00", text, TurnState.DONE, "", answer)
    cut = replace(turn, state=TurnState.FAILED, failure=text)

    check(message["content"] for message in messages([turn, cut]))
    check([answer_html(ID, text, (), (citation(),))])
    check([quality_html(Evaluations(), Rerankers(), [Missing(text, 3, text)], text, text)])


@pytest.mark.parametrize("text", hostile(100)[::3], ids=range(34))
def test_hostile_settings_and_models_are_only_shown(text):
    record = {
        "name": text,
        "made": text,
        "base": text,
        "held_out": {"questions": 3, "before": {"ndcg@10": 0.5}, "after": {"ndcg@10": 0.6}},
        "handbook": None,
    }
    configuration = Configuration([Model("Writes", text, text)], [Setting("RAG_HOME", text, given=True, told="x")])

    check(
        [
            in_force_html(configuration),
            settings_html(configuration),
            checks_html([Check("library", ok=False, detail=text)], text),
            models_html(Rerankers(text, text, [record]), "rag train"),
        ]
    )
    assert deleted(replace(OWN, title=text), 0, datetime_of())["sentence"].startswith(text)


@pytest.mark.parametrize("text", [one for one in hostile(350) if one.isprintable()], ids=lambda one: one[:12])
def test_what_can_be_printed_reads_as_itself(text):
    assert Reader(escape(text)).text == text


@pytest.mark.parametrize("text", hostile(100), ids=range(100))
def test_a_name_shows_what_cannot_be_seen(text):
    shown = Reader(escape_name(text)).text

    assert not re.search(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\x00-\x1f\x7f]", shown)


def test_hostile_answers_are_stored_and_come_back(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    conversations, feedback = Conversations(database), Feedback(database)
    conversation = conversations.begin("b" * 32)
    texts = [*ANSWERS, "\ud83d", "half \ud83d and \ude00", "\ud83d\ude00", "\udfff\ud800"]
    for text in texts:
        answer = replace(stored(answered(text)), text=text, citations=(citation(passage=text, quote=text),))
        turn = conversations.add(conversation, text)
        conversations.save(replace(turn, state=TurnState.DONE, answer=answer, failure=text))
        feedback.give(conversations.turn("b" * 32, turn.id), Verdict.POOR, Reason.OTHER, text)
        conversations.rename("b" * 32, conversation, text)

    turns = conversations.turns("b" * 32, conversation)

    database.close()
    whole = [re.sub("[\ud800\udfff]", "\ufffd", text) for text in ANSWERS]
    assert [turn.answer.text for turn in turns[:150]] == whole
    assert [turn.question for turn in turns[150:]] == ["\ufffd", "half \ufffd and \ufffd", "\U0001f600", "\ufffd\ufffd"]


def result(name, failures):
    """A kept evaluation with a hostile name."""
    figures = dict.fromkeys(("recall@50", "hit@3", "mrr@10", "ndcg@10"), 0.5)
    spread = {metric: [0.1, 0.9] for metric in figures}
    stages = {stage: {**figures, "ci95": spread, "ms": 1.0} for stage in ("hybrid", "hybrid+rerank")}
    return {
        "name": name,
        "dataset": name,
        "made": name,
        "reranker": name,
        "questions": 2,
        "passages": 9,
        "stages": stages,
        "lift": {"hybrid": {**figures, "ci95": spread}},
        "ranks": {"hybrid": {"before": [0, 1, 0, 0, 0, 0, 1], "after": [1, 0, 0, 0, 0, 0, 1]}},
        "failed": len(failures),
        "failures": failures,
        "settings": {"candidates": 50, "passages": 3},
    }


def datetime_of():
    from datetime import UTC, datetime

    return datetime(2026, 11, 21, tzinfo=UTC)

from dataclasses import replace
from datetime import date

import pytest
from scripted_desk import HANDBOOK, OWN, answered

from rag_app.access import Role, Who
from rag_app.app_database import AppDatabase
from rag_app.conversations import Conversations, TurnState, stored
from rag_app.feedback import Feedback, Verdict
from rag_app.team.report import Asked, Ledger, Stale, Week, first_week, report

TODAY = date(2026, 11, 21)  # a Saturday
SINCE = first_week(TODAY, 2)
LOCAL = Who("0" * 32)
SALES = replace(OWN, id="5" * 32, space="sales", title="Prices")


@pytest.fixture
def database(tmp_path):
    database = AppDatabase(tmp_path / "app.db")
    yield database
    database.close()


def asked(at="2026-11-17T09:00:00+00:00", question="How long?", spaces=("documents",), **changed):
    given = {"answered": True, "abstained": False} | changed
    return Asked(at, question, spaces, **given)


def missing(question="Who won?", **changed):
    return asked(question=question, answered=False, abstained=True, **changed)


def made(questions, documents=(OWN, SALES), who=LOCAL, **how):
    return report(questions, documents, who, since=SINCE, today=TODAY, **how)


def test_weeks_begin_on_monday_and_none_is_left_out():
    assert (SINCE, first_week(date(2026, 11, 23), 1)) == (date(2026, 11, 9), date(2026, 11, 23))

    together = made([asked(), asked("2026-11-16T00:00:00+00:00"), asked("2026-11-22T23:59:59+00:00")]).together

    assert [(week.begins, week.questions) for week in together] == [(date(2026, 11, 9), 0), (date(2026, 11, 16), 3)]


def test_what_came_of_questions_is_counted():
    (_, week) = made([
        asked(verdict=Verdict.GOOD, first_words=800.0), asked(verdict=Verdict.POOR, first_words=1000.0),
        asked(first_words=4000.0), missing(), asked(answered=False),
    ]).together  # fmt: skip

    assert week == Week(date(2026, 11, 16), "", 5, 3, 1, 1, 1, 1000.0)


def test_a_question_counts_once_together_and_in_each_space_it_was_searched_in():
    told = made([asked(spaces=("documents", "sales")), asked(spaces=("sales",))])

    assert [week.questions for week in told.together] == [0, 2]
    assert [(week.space, week.questions) for week in told.by_space] == [("documents", 1), ("sales", 2)]


def test_only_spaces_that_one_may_edit_are_reported_on():
    editor = Who("1" * 32, "dana", roles={"sales": Role.EDITOR, "documents": Role.READER})
    questions = [asked(), missing("Who is secret?"), missing("What does it cost?", spaces=("sales",)), asked(spaces=())]

    told = made(questions, who=editor, stale=[Stale("a", "sales", "old"), Stale("b", "documents", "old")])

    assert (told.spaces, told.shown) == (("sales",), ("sales",))
    assert [week.questions for week in told.together] == [0, 1]
    assert [one.question for one in told.gaps] == ["What does it cost?"]
    assert [one.title for one in told.documents] == ["Prices"]
    assert [one.question for one in told.stale] == ["a"]
    assert made(questions, who=editor, space="documents").shown == ("sales",)
    reader = Who("1" * 32, "dana", roles={"documents": Role.READER})
    assert made(questions, who=reader) == replace(made([], documents=(), who=reader), together=made([]).together)


def test_questions_of_before_spaces_were_kept_are_for_those_who_may_see_everything():
    questions = [asked(spaces=())]

    assert made(questions).spaces == ("", "documents", "sales")
    assert made(questions, who=Who("2" * 32, "root", administrator=True, roles={})).together[1].questions == 1


def test_one_space_can_be_chosen():
    told = made([asked(), missing(spaces=("sales",))], space="sales")

    assert (told.spaces, told.shown) == (("documents", "sales"), ("sales",))
    assert [week.questions for week in told.together] == [0, 1]
    assert [one.space for one in told.documents] == ["sales"]


def test_the_most_cited_documents_stand_first_and_those_never_cited_last():
    told = made([asked(cited=(SALES.id,)), asked(cited=(SALES.id, OWN.id)), asked(cited=("gone",))])

    assert [(one.title, one.answers) for one in told.documents] == [("Prices", 2), ("Handbook.pdf", 1)]
    assert made([]).documents[0].answers == 0


def test_gaps_are_grouped_and_the_rest_is_counted():
    questions = [missing(f"Question {number}?") for number in range(23)] + [missing("question 7")]

    told = made(questions)

    assert (told.gaps[0].question, told.gaps[0].times) == ("Question 7?", 2)
    assert (len(told.gaps), told.more_gaps) == (20, 3)


def kept(database, question, *, state=TurnState.DONE, chosen=(), verdict=None, **changed):
    store = Conversations(database)
    turn = store.add(store.begin("dana"), question, spaces=chosen)
    answer = replace(stored(answered(question)), **({"spaces": ("documents",)} | changed))
    turn = replace(turn, state=state, answer=None if state is TurnState.FAILED else answer)
    store.save(turn)
    if verdict is not None:
        Feedback(database).give(turn, verdict)


def test_questions_are_read_as_they_were_kept(database):
    kept(database, "How long?", verdict=Verdict.GOOD, first_words=740.0, spaces=("documents", HANDBOOK.space))
    kept(database, "and then?", rewritten="Who won?", abstained=True, citations=())
    kept(database, "Why?", state=TurnState.FAILED, chosen=("sales",))
    kept(database, "When?", state=TurnState.WORKING)

    failed, gap, good = Ledger(database).since(date(2020, 1, 1))

    assert (good.answered, good.abstained, good.verdict, good.first_words) == (True, False, "good", 740.0)
    assert (good.spaces, good.cited) == (("documents", "handbook"), (OWN.id,))
    assert (gap.question, gap.answered, gap.abstained, gap.cited) == ("Who won?", False, True, ())
    assert (failed.answered, failed.abstained, failed.spaces) == (False, False, ("sales",))
    assert Ledger(database).since(date(2100, 1, 1)) == []
    assert not any(hasattr(good, name) for name in ("browser", "person", "conversation"))

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from scripted_desk import answered

from rag_app.candidates import candidates
from rag_app.conversations import StoredTurn, Summary, TurnState, stored
from rag_app.web.found_html import found_html
from rag_app.web.history_html import history_html
from rag_app.web.pages.tabs import Tabs

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NONE = timedelta(0)


def a_summary(name="Notice", *, ago=NONE, identity="1" * 32):
    return Summary(identity, name, (NOW - ago).isoformat(timespec="microseconds"))


@pytest.mark.parametrize(
    ("ago", "zone", "words"),
    [
        (0, 0, "Today"),
        (9, 0, "Today"),
        (10, 0, "Yesterday"),
        (10, 2, "Today"),
        (9, -1, "Yesterday"),
        (-9, 0, "Today"),  # a clock that was set back
        (34, 0, "Last 7 days"),
        (24 * 7, 0, "Earlier"),
    ],
)
def test_conversations_stand_under_the_readers_own_days(ago, zone, words):
    page = history_html([a_summary(ago=timedelta(hours=ago))], "", now=NOW, zone=timedelta(hours=zone))

    assert f"<h2>{words}</h2>" in page


def test_days_are_said_once_and_the_open_one_is_marked():
    first, second = a_summary("One"), a_summary("Two", identity="2" * 32)

    page = history_html([first, second], second.id, now=NOW, zone=NONE)

    assert page.count("<h2>") == 1
    assert page.count('aria-current="page"') == 1
    assert f'data-open="{second.id}" title="Two" aria-current="page"' in page
    assert "Show earlier ones" not in page
    assert 'data-further="1"' in history_html([first], "", now=NOW, zone=NONE, more=True)


def test_an_empty_list_says_why_it_is_empty():
    assert "kept here, for you alone" in history_html([], "", now=NOW, zone=NONE)
    assert "<bdi>a&lt;b&gt;</bdi>" in history_html([], "", now=NOW, zone=NONE, holding=" a<b> ")


def test_names_are_escaped_wherever_they_stand():
    page = history_html([a_summary('"><img src=x onerror=alert(1)>\n')], "", now=NOW, zone=NONE)

    assert "<img" not in page
    assert page.count("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;") == 4


# ---- how it was found ----


def found_page(answer=None, *, reranked=True, **changed):
    answer = answer or answered("How long?")
    kept = replace(stored(answer), **changed)
    turn = StoredTurn("0" * 32, "1" * 32, NOW.isoformat(), answer.question, TurnState.DONE, answer=kept)
    return found_html(turn, kept, candidates(answer, kept.sources), reranked=reranked)


def test_every_candidate_stands_in_the_table_with_its_ranks_and_its_way():
    page = found_page()

    assert page.count('<th scope="row"') == 50
    first = page.partition("</tr>")[2].partition("</tr>")[0]
    assert '<td class="is-place" data-label="Place">1</td>' in first
    assert 'data-label="By meaning">8 <small title="cosine">0.62</small>' in first
    assert 'data-label="By words">12 <small title="BM25">9.60</small>' in first
    assert 'data-label="Joined">4<' in first
    assert '<span class="visually-hidden">up</span> 3<' in first
    assert first.endswith("0.94</td>")
    assert "/sources/0" in first
    assert ">cited<" in first


def test_a_passage_that_a_search_did_not_find_says_so():
    assert '<span class="visually-hidden"> not found</span>' in found_page()


def test_the_line_stands_under_the_passages_the_answer_was_made_from():
    above, _, below = found_page().partition("Above this line: the best 3, which the answer was made from")

    assert above.count('<th scope="row"') == 3
    assert below.count('<th scope="row"') == 47


def test_before_reranking_the_table_stands_in_the_order_of_the_joined_lists():
    page = found_page(reranked=False)

    above, _, below = page.partition("that the answer would have been made from without reranking")
    places = re.findall(r'data-label="Joined">(\d+)<', above + below)
    assert places == [str(place) for place in range(1, 51)]
    assert above.count('<th scope="row"') == 3
    assert 'aria-pressed="true">Before reranking' in page
    assert 'aria-pressed="true">After reranking' in found_page()


def test_the_lift_is_said_in_a_sentence():
    said = "It put first what the two searches together had at place 4; 3 of the 3 kept would have been missed"
    assert said in found_page()


def test_a_place_that_is_not_the_rerankers_own_says_so():
    answer = answered("How long?")
    first, second, *rest = answer.hits
    swapped = (replace(first, rerank_rank=2), replace(second, rerank_rank=1), *rest)

    page = found_page(replace(answer, hits=swapped))

    assert 'data-label="Place">1 <small>reranked 2</small></td>' in page
    assert page.count("<small>reranked") == 2


def test_stages_say_how_long_they_took_and_leave_out_those_that_did_not_run():
    answer = answered("How long?")

    page = found_page(replace(answer, timings=replace(answer.timings, rewrite=0)))

    assert "<span>reranking</span> <strong>610 ms</strong>" in page
    assert "understanding" not in page


def test_nothing_found_relevant_is_said():
    answer = replace(answered("How long?"), abstained=True)

    assert "None was relevant enough to answer from." in found_page(answer, abstained=True)
    assert "the best 3, shown to you" in found_page(answer, abstained=True)


def test_what_no_reranker_read_has_no_relevance():
    answer = answered("How long?")
    hits = tuple(replace(hit, rerank_rank=None, relevance=None) for hit in answer.hits)

    page = found_page(replace(answer, hits=hits))

    assert "50 passages found; none was reranked." in page
    assert page.count("not read") == 50


# ---- open pages ----


def test_a_page_that_turned_elsewhere_is_no_longer_here_and_its_follower_is_woken():
    woken = []
    tabs = Tabs(woken.append)

    first = tabs.turn_to("tab", "turn 1")
    assert tabs.still("tab", first)
    second = tabs.turn_to("tab", "turn 1")

    assert woken == ["turn 1"]
    assert not tabs.still("tab", first)
    assert tabs.still("tab", second)
    assert not tabs.still("other", second)


def test_the_oldest_of_too_many_pages_is_forgotten():
    tabs = Tabs(lambda _turn: None)

    first = tabs.turn_to("first", "")
    for number in range(4096):
        last = tabs.turn_to(str(number), "")

    assert not tabs.still("first", first)
    assert tabs.still("4095", last)

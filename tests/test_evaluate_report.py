"""The page of an evaluation: whole, harmless, and with the numbers it was given."""

import re
from html.parser import HTMLParser

import pytest
from evaluation_sets import CountingReranker, dataset
from fakes import HashEmbedder

from rag_app.evaluate.kept import Kept
from rag_app.evaluate.models import Models
from rag_app.evaluate.plots import LEFT, Bin, paired_bars, reliability, sorted_bars
from rag_app.evaluate.records import Outcome, Question, Ranking
from rag_app.evaluate.report import bins_of, rank_counts, report
from rag_app.evaluate.run import Plan, evaluate
from rag_app.evaluate.summary import summary

HOSTILE = "<script>alert('period')</script> & \"notice\""
VOID = {"meta", "line", "rect", "circle", "br"}


class Reading(HTMLParser):
    """Tags in their order, whether each was closed, and every attribute."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(tmp_path):
    long = "script alert period notice " + " ".join(f"filler{n}" for n in range(30))  # far by cosine, right by words
    asked = dataset({"right": long, "wrong": "script"}, {HOSTILE: ["right"], "script": ["wrong"]})
    run = evaluate(asked, Models(HashEmbedder(), CountingReranker(), Kept(tmp_path)), Plan(candidates=50, shown=3))
    return report(run, summary(run), "2026-11-21 10:00")


def test_the_page_is_whole_and_asks_for_nothing_outside(page):
    read = Reading(page)

    assert read.open == []
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(read.tags)
    assert not {"src", "href", "onload", "style"} & {name for name, _ in read.attributes}
    assert "url(" not in page
    assert "@import" not in page
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes


def test_what_others_wrote_is_shown_and_not_obeyed(page):
    assert "<script" not in page
    assert HOSTILE in Reading(page).text


def test_the_page_shows_each_part(page):
    headings = re.findall(r"<h2>(.*?)</h2>", page)

    assert headings == [
        "How well each stage finds",
        "What reranking adds",
        "Where it adds",
        "Rank of the first right passage",
        "Lift by question",
        "Calibration",
    ]
    assert page.count("<svg") == 5


def outcome(gains, chances=()):
    return Outcome(Question("q", "?", ()), {"dense": Ranking(tuple(gains), 1.0)}, tuple(chances))


def test_questions_are_counted_by_the_rank_of_their_first_right_passage():
    rows = [
        outcome([1.0]),
        outcome([0.0, 2.0]),
        outcome([0.0] * 4 + [1.0]),
        outcome([0.0] * 49 + [1.0]),
        outcome([0.0]),
    ]

    assert rank_counts(rows, "dense") == [1, 1, 0, 1, 0, 1, 1]


def test_calibration_is_read_in_bins_of_like_relevance():
    rows = [outcome([1.0], [(0.92, True), (0.98, True), (0.11, False)]), outcome([0.0], [(0.96, False), (1.0, True)])]

    bins, error = bins_of(rows)

    assert [(round(one.relevance, 3), one.right, one.passages) for one in bins] == [(0.11, 0.0, 1), (0.965, 0.75, 4)]
    assert error == pytest.approx((0.11 + 4 * 0.215) / 5)


def test_a_reranker_without_relevance_has_no_bins():
    assert bins_of([outcome([1.0])]) == ([], 0.0)


def test_bars_are_as_high_as_their_counts():
    svg = paired_bars(["1", "2"], [10, 5], [20, 0], "ranks")

    heights = [float(height) for height in re.findall(r'height="([\d.]+)"', svg)]
    assert heights == [92, 184, 46, 0]
    assert "<title>1: 20 after</title>" in svg


def test_gains_go_up_and_losses_down():
    svg = sorted_bars([-0.5, 1.0, 0.0], "lift")

    bars = re.findall(r'<rect class="(\w+)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg)
    assert bars == [("after", "12.00", "92.00"), ("loss", "104.00", "0.00"), ("loss", "104.00", "46.00")]


def test_a_bin_that_means_what_it_says_lies_on_the_diagonal():
    svg = reliability([Bin(0.5, 0.5, 10)], "calibration")

    assert f'cx="{LEFT + 92:.1f}" cy="104.0"' in svg
    assert f'<line class="ideal" x1="{LEFT:.1f}" y1="196.0" x2="{LEFT + 184:.1f}" y2="12.0"/>' in svg

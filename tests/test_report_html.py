import csv
import io
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

from hostile import hostile
from scripted_desk import OWN
from test_report import LOCAL, SINCE, TODAY, asked, missing

from rag_app.access import Role, Who
from rag_app.feedback import Verdict
from rag_app.team.report import Stale, report
from rag_app.web.report_html import LISTED, NOT_YOURS, NOTHING, report_csv, report_html

SALES = replace(OWN, id="5" * 32, space="sales", title="Prices")


def made(questions, documents=(OWN, SALES), who=LOCAL, **how):
    return report(questions, documents, who, since=SINCE, today=TODAY, **how)


def words(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_page_tells_figures_gaps_and_documents():
    html = report_html(
        made([
            asked(cited=(SALES.id,), verdict=Verdict.GOOD, first_words=1500.0), asked("2026-11-10T09:00:00+00:00"),
            missing("Who won?"), asked(answered=False),
        ], stale=[Stale("Which form?", "sales", "Prices has changed since.")]), 2, "",
    )  # fmt: skip
    said = words(html)

    assert "Questions (4)" in said
    assert "Answered: 2. Not answered, because no passage came close enough: 1. Stopped, cut off or failed: 1." in said
    assert "16 Nov documents 3 1 1 1 0 1.5 s" in said
    assert "Answers called good: 1. Called poor: 0." in said
    assert "Most cited (1) Prices sales by 1 answer" in said
    assert "Never cited (1) Handbook.pdf documents here since 3 November 2026" in said
    assert "Approved answers to look at (1) Which form? Prices has changed since." in said
    assert html.count("<svg") == 3
    assert '<option value="8">8 weeks' in html
    assert '<option value="2" selected>2 weeks' in html
    assert "/report.csv?weeks=2" in html


def test_where_nothing_was_asked_that_is_said():
    said = words(report_html(made([]), 8, ""))

    assert NOTHING in said
    assert "No answer of these weeks was judged." in said
    assert "Never cited (2)" in said


def test_who_may_edit_nothing_is_told_so_and_shown_nothing():
    reader = Who("1" * 32, "dana", roles={"documents": Role.READER})

    html = report_html(made([missing("Who is secret?")], who=reader), 8, "documents")

    assert words(html) == f"Report {NOT_YOURS}"
    assert len(rows(report_csv(made([missing("Who is secret?")], who=reader)))) == 0


def test_one_space_needs_no_column_and_no_choice():
    html = report_html(made([asked()], documents=(OWN,)), 8, "")

    assert "Space" not in words(html)
    assert "16 Nov 1 1 0 0 0" in words(html)


def test_more_documents_than_a_few_are_folded_away():
    many = [replace(OWN, id=f"{number:032x}", title=f"Plan {number:02}") for number in range(LISTED + 5)]

    html = report_html(made([asked()], documents=many), 8, "")

    assert "5 more documents" in words(html)
    assert html.index("Plan 09") < html.index("<details") < html.index("Plan 10")


class Tags(HTMLParser):
    """All names of tags and attributes of a page."""

    def __init__(self):
        super().__init__()
        self.seen, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attributes}


def test_hostile_texts_stay_text():
    shown = {
        "h1", "h2", "h3", "p", "div", "section", "figure", "figcaption", "svg", "line", "rect", "text", "title",
        "table", "thead", "tbody", "tr", "th", "td", "time", "label", "select", "option", "a",
    }  # fmt: skip
    for text in hostile(40):
        documents = [replace(OWN, title=text, space=text), SALES]
        html = report_html(
            made([missing(text, spaces=(text,))], documents=documents, stale=[Stale(text, text, text)]), 8, text
        )
        parsed = Tags()
        parsed.feed(html)
        assert parsed.seen == shown
        assert not any(name.startswith("on") or name in ("src", "style") for name in parsed.attributes)


def test_the_table_holds_everything_and_no_formula():
    told = made(
        [asked(cited=(SALES.id,), first_words=1500.0), missing('=HYPERLINK("https://example.com")')],
        stale=[Stale("Which form?", "sales", "Prices has changed.")],
    )

    found = rows(report_csv(told))

    assert [row["part"] for row in found] == ["week", "gap", "document", "document", "approved"]
    week, gap, cited, never, stale = found
    assert (week["week"], week["space"], week["questions"], week["first_words_s"]) == (
        "2026-11-16",
        "documents",
        "2",
        "1.5",
    )
    assert gap["name"] == '\'=HYPERLINK("https://example.com")'
    assert (cited["name"], cited["times"], never["times"]) == ("Prices", "1", "0")
    assert stale["name"] == "Which form? (Prices has changed.)"
    assert date.fromisoformat(never["date"]) == date(2026, 11, 3)

"""Build the handbook: docs/handbook/*.md -> docs_corpus/*.pdf, and the pages of its questions and conversations.

The same Markdown gives the same bytes on any machine: fixed dates and ids, the fonts every PDF reader has, and page
streams left uncompressed, because compressors differ between machines.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import (
    HRFlowable,
    ListFlowable,
    ListItem,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
)

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "docs" / "handbook"
CORPUS = ROOT / "docs_corpus"
QUESTIONS = ROOT / "tests" / "data" / "handbook_questions.jsonl"
DATASET = "questions.jsonl"  # beside the PDFs: with it the handbook is a data set for `rag evaluate`
CONVERSATIONS = ROOT / "tests" / "data" / "conversations.jsonl"

MARGIN = 64  # points
WIDTH = A4[0] - 2 * MARGIN  # points
GLYPH = 5.45  # points; the widest letter of a table cell, that of Courier
INK = colors.HexColor("#1C1B19")
MUTED = colors.HexColor("#5C5850")
HAIRLINE = colors.HexColor("#D9D5CC")
SUNKEN = colors.HexColor("#F3F1EC")

BODY = ParagraphStyle(
    "body",
    fontName="Helvetica",
    fontSize=10.2,
    leading=15.2,
    textColor=INK,
    spaceAfter=7,
    allowWidows=0,
    allowOrphans=0,
)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=9, leading=12.2, spaceAfter=0)
HEAD_CELL = ParagraphStyle("head-cell", parent=CELL, fontName="Helvetica-Bold")
CODE = ParagraphStyle(
    "code",
    parent=BODY,
    fontName="Courier",
    fontSize=8.6,
    leading=12,
    spaceAfter=0,
)
TITLE = ParagraphStyle("title", parent=BODY, fontName="Helvetica-Bold", fontSize=25, leading=30, spaceAfter=8)
HEADINGS = {
    2: ParagraphStyle(
        "h2",
        parent=BODY,
        fontName="Helvetica-Bold",
        fontSize=14.5,
        leading=19,
        spaceBefore=15,
        spaceAfter=6,
        keepWithNext=1,
    ),
    3: ParagraphStyle(
        "h3",
        parent=BODY,
        fontName="Helvetica-Bold",
        fontSize=11.5,
        leading=15,
        spaceBefore=9,
        spaceAfter=4,
        keepWithNext=1,
    ),
}


@dataclass(frozen=True)
class Built:
    """One PDF as it was written."""

    name: str
    page_count: int
    sections: dict[str, tuple[int, ...]]  # heading text -> 1-based physical pages on which the section stands


def inline(node: SyntaxTreeNode) -> str:
    """A run of Markdown as the small XML that Paragraph reads."""
    if node.type == "text":
        return escape(node.content)
    if node.type == "code_inline":
        return f'<font face="Courier">{escape(node.content)}</font>'
    if node.type in ("softbreak", "hardbreak"):
        return " "
    inside = "".join(inline(child) for child in node.children)
    tag = {"strong": "b", "em": "i"}.get(node.type)
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def plain(node: SyntaxTreeNode) -> str:
    """The words of a node without their markup."""
    if node.type in ("text", "code_inline"):
        return node.content
    return " ".join("".join(plain(child) if child.type != "softbreak" else " " for child in node.children).split())


def heading(node: SyntaxTreeNode) -> list[Any]:
    """A heading that remembers its level and words for the outline."""
    level = int(node.tag[1])
    if level == 1:
        rule = HRFlowable(width=WIDTH, thickness=0.8, color=HAIRLINE, spaceBefore=2, spaceAfter=12)
        return [Paragraph(inline(node), TITLE), rule]
    paragraph = Paragraph(inline(node), HEADINGS[level])
    paragraph.outline = (level - 2, plain(node))
    return [paragraph]


def bullets(node: SyntaxTreeNode) -> list[Any]:
    """A list; each item holds whatever blocks it holds."""
    items = [
        ListItem([part for child in item.children for part in blocks(child)], spaceAfter=2) for item in node.children
    ]
    kind = "1" if node.type == "ordered_list" else "bullet"
    style = {"bulletFormat": "%s."} if kind == "1" else {"start": "•"}
    listing = ListFlowable(
        items, bulletType=kind, leftIndent=18, bulletFontName="Helvetica", bulletFontSize=10.2, bulletColor=INK, **style
    )
    return [listing, Spacer(1, 4)]


def table(node: SyntaxTreeNode) -> list[Any]:
    """A table whose columns are as wide as what stands in them asks for."""
    rows = [row for part in node.children for row in part.children]
    cells = [
        [Paragraph(inline(cell), HEAD_CELL if cell.type == "th" else CELL) for cell in row.children] for row in rows
    ]
    grid = Table(cells, colWidths=column_widths(rows), repeatRows=1, hAlign="LEFT")
    grid.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, MUTED),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, HAIRLINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    return [Spacer(1, 3), grid, Spacer(1, 10)]


def code(node: SyntaxTreeNode) -> list[Any]:
    """Lines as they are typed or printed, on a ground of their own."""
    lines = Table([[Preformatted(node.content.rstrip("\n"), CODE)]], colWidths=[WIDTH])
    lines.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), SUNKEN),
            ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
        ]
    )
    return [lines, Spacer(1, 9)]


def column_widths(rows: list[SyntaxTreeNode]) -> list[float]:
    """Points for each column: what its cells need where there is room, and never less than its longest word."""
    columns = [[plain(cell) for cell in column] for column in zip(*(row.children for row in rows), strict=True)]
    wanted = [max(len(cell) for cell in column) * GLYPH + 10 for column in columns]
    least = [max(len(word) for cell in column for word in cell.split()) * GLYPH + 10 for column in columns]
    if sum(wanted) <= WIDTH:
        return [*wanted[:-1], WIDTH - sum(wanted[:-1])]
    share = (WIDTH - sum(least)) / (sum(wanted) - sum(least))
    return [few + share * (many - few) for few, many in zip(least, wanted, strict=True)]


def blocks(node: SyntaxTreeNode) -> list[Any]:
    """What reportlab lays out for one block of Markdown."""
    makers: dict[str, Callable[[SyntaxTreeNode], list[Any]]] = {
        "heading": heading,
        "paragraph": lambda block: [Paragraph(inline(block), BODY)],
        "bullet_list": bullets,
        "ordered_list": bullets,
        "table": table,
        "fence": code,
    }
    if node.type not in makers:
        raise ValueError(f"{node.type} is not laid out yet; write it another way or add it to scripts/handbook.py")
    return makers[node.type](node)


def page_frame(title: str) -> Callable[[Any, Any], None]:
    """What stands on every page around the text: running head and page number."""

    def draw(canvas: Any, document: Any) -> None:  # noqa: ANN401 - reportlab's own objects
        canvas.setFont("Helvetica", 8.5)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, A4[1] - 38, f"Handbook · {title}")
        canvas.drawRightString(A4[0] - MARGIN, 34, f"Page {document.page}")
        canvas.setStrokeColor(HAIRLINE)
        canvas.line(MARGIN, A4[1] - 44, A4[0] - MARGIN, A4[1] - 44)

    return draw


def recorder(document: Any, sections: dict[str, set[int]]) -> Callable[[Any], None]:  # noqa: ANN401 - reportlab's own
    """What to do after each block is placed: write the outline and note the pages of the section."""
    open_headings: list[tuple[int, str]] = []

    def placed(flowable: Any) -> None:  # noqa: ANN401 - reportlab's own
        if hasattr(flowable, "outline"):
            level, words = flowable.outline
            if words in sections:
                raise ValueError(f"two sections are called {words!r}; a question could not tell them apart")
            open_headings[:] = [*(entry for entry in open_headings if entry[0] < level), (level, words)]
            document.canv.bookmarkPage(words)
            document.canv.addOutlineEntry(words, words, level)
        if isinstance(flowable, Spacer):
            return
        for _, words in open_headings:
            sections.setdefault(words, set()).add(document.page)

    return placed


def build(source: Path, folder: Path) -> Built:
    """Write one PDF into `folder`."""
    tree = SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(source.read_text(encoding="utf-8")))
    title = next(plain(node) for node in tree.children if node.type == "heading" and node.tag == "h1")
    target = folder / f"{source.stem}.pdf"
    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=MARGIN - 6,  # reportlab's frame adds 6 points of its own
        rightMargin=MARGIN - 6,
        topMargin=62,
        bottomMargin=58,
        title=title,
        author="The makers of rag-app",
        subject="Handbook",
        creator="scripts/handbook.py",
        lang="en",
        invariant=1,
        pageCompression=0,
    )
    sections: dict[str, set[int]] = {}
    document.afterFlowable = recorder(document, sections)
    frame = page_frame(title)
    document.build([part for node in tree.children for part in blocks(node)], onFirstPage=frame, onLaterPages=frame)
    return Built(target.name, document.page, {words: tuple(sorted(pages)) for words, pages in sections.items()})


def build_all(folder: Path) -> list[Built]:
    """Write every PDF of the handbook into `folder`, in the order of their names, and what can be asked of them."""
    folder.mkdir(parents=True, exist_ok=True)
    built = [build(source, folder) for source in sorted(SOURCES.glob("*.md"))]
    lines = with_pages(QUESTIONS.read_text(encoding="utf-8").splitlines(), built)
    (folder / DATASET).write_text("".join(line + "\n" for line in dataset(lines)), encoding="utf-8")
    return built


def dataset(lines: Iterator[str]) -> Iterator[str]:
    """The questions that have an answer as rows of a data set; of other places that answer, those in the same PDF."""
    for line in lines:
        question: dict[str, Any] = json.loads(line)
        if question["answerable"]:
            places = [question, *question.get("also", [])]
            own = [place for place in places if place["document"] == question["document"]]
            pages = sorted({page for place in own for page in place.get("pages", [place["page"]])})
            row = {"question": question["question"], "pdf": question["document"], "pages": pages}
            yield json.dumps(row, ensure_ascii=False)


def with_pages(lines: list[str], built: list[Built]) -> Iterator[str]:
    """The questions with the pages of their sections. Raises ValueError for a section that does not exist."""
    for line in lines:
        question: dict[str, Any] = json.loads(line)
        if question["answerable"]:
            place_on_pages(question, built, question["id"])
        yield json.dumps(question, ensure_ascii=False)


def with_pages_of_turns(lines: list[str], built: list[Built]) -> Iterator[str]:
    """The conversations with the pages of the sections that answer each turn. Raises ValueError like `with_pages`."""
    for line in lines:
        conversation: dict[str, Any] = json.loads(line)
        for turn in conversation["turns"]:
            place_on_pages(turn, built, conversation["id"])
        yield json.dumps(conversation, ensure_ascii=False)


def place_on_pages(asked: dict[str, Any], built: list[Built], name: str) -> None:
    """Note the pages of the section that answers, and of the others that do. Raises ValueError where one is missing."""
    sections = {document.name: document.sections for document in built}
    for place in [asked, *asked.get("also", [])]:
        pages = sections.get(place["document"], {}).get(place["section"])
        if pages is None:
            raise ValueError(f"{name}: {place['document']} has no section {place['section']!r}")
        place.pop("pages", None)
        place["page"] = pages[0]
        if len(pages) > 1:
            place["pages"] = list(pages)


def main() -> int:
    """Build the handbook and write the pages into its questions and conversations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=CORPUS, help="folder for the PDFs (default: docs_corpus)")
    folder = parser.parse_args().into
    built = build_all(folder)
    for document in built:
        print(f"{folder / document.name}: {document.page_count} pages, {len(document.sections)} sections")
    print(f"{sum(document.page_count for document in built)} pages in all")
    for file, paged in ((QUESTIONS, with_pages), (CONVERSATIONS, with_pages_of_turns)):
        lines = list(paged(file.read_text(encoding="utf-8").splitlines(), built))
        file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

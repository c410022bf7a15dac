"""Documents whose every word is known, and three programs that make PDFs of them: reportlab, fpdf2 and Chromium."""

import html
import io
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reportlab

WIDTH, HEIGHT, MARGIN, GUTTER = 612, 792, 60, 24  # points
HEAD_AT, FOOT_AT, BODY_TOP, BODY_BOTTOM = 34, 758, 80, 670  # points from the top
BODY, SERIF_BODY, NOTE, TITLE = 10, 11, 8, 14  # points; serif letters are narrower
SHARES = (27, 17, 20, 36)  # of a table's width, by column, percent
SOFT = "\u00ad"
FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
BOLD = FONT.with_name("VeraBd.ttf")

_WORDS = f"""
the a of and to in for with from by on at each any all no this that these when where while after before until during
plan claim member office notice period benefit deductible employer payment file report final profit define reflect
efficient official affidavit fluid workflow sufficient coefficient baffle sniffle waffle
re{SOFT}im{SOFT}burse{SOFT}ment au{SOFT}tho{SOFT}ri{SOFT}za{SOFT}tion de{SOFT}part{SOFT}ment
com{SOFT}mu{SOFT}ni{SOFT}ca{SOFT}tion
in{SOFT}for{SOFT}ma{SOFT}tion re{SOFT}spon{SOFT}si{SOFT}bil{SOFT}i{SOFT}ty con{SOFT}fi{SOFT}den{SOFT}tial{SOFT}i{SOFT}ty
doc{SOFT}u{SOFT}men{SOFT}ta{SOFT}tion im{SOFT}ple{SOFT}men{SOFT}ta{SOFT}tion
well-known long-term co-payment self-employed out-of-pocket year-end
covers pays holds needs keeps sends shows asks names counts limits reads writes opens closes follows
quickly yearly safely hardly nearly often seldom always never again once twice above below beside between
doctor hospital pharmacy emergency surgery therapy vaccine dental vision hearing travel leave parent child
""".split()
_ROWS = ("Deductible", "Office visit", "Emergency room", "Generic drugs", "Dental care", "Vision care", "Ambulance")
_LONG = (
    "paid by the plan after the yearly limit",
    "no charge in the network when it is an emergency",
    "only with a written note of the doctor",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page: what stands between its running head and its number, in reading order."""

    title: str
    blocks: tuple[str | Table, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Known:
    """A document of known words."""

    head: str  # runs on every page
    leaves: tuple[Leaf, ...]
    columns: int

    def page(self, number: int) -> str:
        """All of a page's text in reading order; `number` is 1-based."""
        return f"{self.head}\n{self.body(number)}\n{number}"

    def body(self, number: int) -> str:
        """The same without running head and page number, a line for each paragraph and row."""
        leaf = self.leaves[number - 1]
        parts = [leaf.title]
        for block in leaf.blocks:
            rows = [block] if isinstance(block, str) else [" ".join(row) for row in (block.head, *block.rows)]
            parts += rows
        return "\n".join([*parts, leaf.note]).replace(SOFT, "")


def known(seed: int, columns: int, leaves: int = 6) -> Known:
    """A document made by chance."""
    chance = random.Random(seed)
    made = tuple(_leaf(chance, number, columns) for number in range(1, leaves + 1))
    return Known("Northwind Handbook of Benefits", made, columns)


def _leaf(chance: random.Random, number: int, columns: int) -> Leaf:
    table = Table(
        ("Service", "Inside", "Outside", "What is paid"),
        tuple(
            (row, f"${chance.randrange(10, 900)}", f"{chance.randrange(10, 60)}%", chance.choice(_LONG))
            for row in chance.sample(_ROWS, 5)
        ),
    )
    length = (65, 80) if columns == 1 else (50, 60)
    paragraphs = [_paragraph(chance, chance.randint(*length)) for _ in range(4)]
    marked = paragraphs[1].removesuffix(".") + f" deductible{number}."
    blocks = (paragraphs[0], table, marked, paragraphs[2], paragraphs[3])
    title = " ".join(_plain(chance, 4)).capitalize()
    return Leaf(f"{number}. {title}", blocks, f"{number} {_paragraph(chance, 14)}")


def _plain(chance: random.Random, count: int) -> list[str]:
    return chance.choices([word for word in _WORDS if SOFT not in word], k=count)


def _paragraph(chance: random.Random, words: int) -> str:
    said = []
    while words > 0:
        sentence = chance.choices(_WORDS, k=chance.randint(8, 16))
        sentence[len(sentence) // 2] += ","
        said.append(f"{sentence[0][0].upper()}{' '.join(sentence)[1:]}.")
        words -= len(sentence)
    return " ".join(said)


def by_reportlab(document: Known) -> bytes:
    """Paragraphs and tables of platypus in frames, with ligatures as signs of the font."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Frame

    pdfmetrics.registerFont(TTFont("Vera", str(FONT)))
    pdfmetrics.registerFont(TTFont("VeraBd", str(BOLD)))
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=(WIDTH, HEIGHT), invariant=True)
    for number, leaf in enumerate(document.leaves, start=1):
        canvas.setFont("Vera", NOTE)
        canvas.drawString(MARGIN, HEIGHT - HEAD_AT, document.head)
        canvas.drawCentredString(WIDTH / 2, HEIGHT - FOOT_AT, str(number))
        left = _flowables(leaf, _across(document.columns))
        for x in _lefts(document.columns):
            width, height = _across(document.columns), BODY_BOTTOM - BODY_TOP
            frame = Frame(x, HEIGHT - BODY_BOTTOM, width, height, 0, 0, 0, 0)
            frame.addFromList(left, canvas)
        assert not left, "the page does not hold its text"
        foot = Frame(MARGIN, HEIGHT - FOOT_AT + 14, WIDTH - 2 * MARGIN, 60, 0, 0, 0, 0)
        foot.addFromList([_styled(leaf.note, NOTE)], canvas)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def _flowables(leaf: Leaf, width: float) -> list[Any]:
    from reportlab.platypus import Table as Laid

    found = [_styled(leaf.title, TITLE, font="VeraBd")]
    for block in leaf.blocks:
        if isinstance(block, str):
            found.append(_styled(block, BODY))
            continue
        cells = [[_styled(cell, NOTE) for cell in row] for row in (block.head, *block.rows)]
        found.append(Laid(cells, colWidths=[width * share / 100 for share in SHARES], spaceAfter=8))
    return found


def _styled(text: str, size: float, font: str = "Vera") -> Any:  # noqa: ANN401 - reportlab has no types
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle("plain", fontName=font, fontSize=size, leading=size * 1.25, spaceAfter=8, alignment=4)
    return Paragraph(html.escape(_ligated(text)), style)


def _ligated(text: str) -> str:
    return text.replace("fi", "\ufb01").replace("fl", "\ufb02")


def _across(columns: int) -> float:
    """The width of a column, points."""
    return (WIDTH - 2 * MARGIN - GUTTER * (columns - 1)) / columns


def _lefts(columns: int) -> Sequence[float]:
    return [MARGIN + column * (_across(columns) + GUTTER) for column in range(columns)]


def by_fpdf2(document: Known) -> bytes:
    """Cells of justified lines, one text object each, with a font of the PDF standard."""
    import fpdf

    class Columns(fpdf.FPDF):  # type: ignore[misc]
        column = 0

        @property
        def accept_page_break(self) -> bool:
            assert self.column + 1 < document.columns, "the page does not hold its text"
            self.into(self.column + 1)
            return False

        def into(self, column: int) -> None:
            self.column = column
            left = _lefts(document.columns)[column]
            self.set_left_margin(left)
            self.set_right_margin(WIDTH - left - _across(document.columns))
            self.set_xy(left, BODY_TOP)

    pdf = Columns(unit="pt", format=(WIDTH, HEIGHT))
    for number, leaf in enumerate(document.leaves, start=1):
        pdf.set_auto_page_break(auto=False)
        pdf.add_page()
        pdf.set_font("Times", size=NOTE)
        pdf.text(MARGIN, HEAD_AT, document.head)
        pdf.into(0)
        pdf.set_auto_page_break(auto=True, margin=HEIGHT - BODY_BOTTOM)
        _pour(pdf, leaf, _across(document.columns))
        pdf.set_auto_page_break(auto=False)
        pdf.set_font("Times", size=NOTE)
        pdf.set_xy(MARGIN, BODY_BOTTOM + 20)
        pdf.multi_cell(WIDTH - 2 * MARGIN, NOTE * 1.25, leaf.note)
        pdf.text(WIDTH / 2, FOOT_AT, str(number))
    return bytes(pdf.output())


def _pour(pdf: Any, leaf: Leaf, width: float) -> None:  # noqa: ANN401 - fpdf2 is not needed to read this file
    pdf.set_font("Times", style="B", size=TITLE)
    pdf.multi_cell(width, TITLE * 1.25, leaf.title, new_x="LMARGIN", new_y="NEXT")
    for block in leaf.blocks:
        pdf.ln(8)
        if isinstance(block, str):
            pdf.set_font("Times", size=SERIF_BODY)
            pdf.multi_cell(width, SERIF_BODY * 1.25, block, align="J", new_x="LMARGIN", new_y="NEXT")
            continue
        pdf.set_font("Times", size=NOTE)
        with pdf.table(width=width, col_widths=SHARES, line_height=NOTE * 1.25, align="LEFT") as table:
            for row in (block.head, *block.rows):
                table.row(row)


def by_chromium(document: Known) -> bytes:
    """A web page printed by Chromium, whose fonts bring their own ligatures."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.set_content(_page_html(document))
        made = page.pdf(width=f"{WIDTH / 72}in", height=f"{HEIGHT / 72}in")
        browser.close()
    return made


def _page_html(document: Known) -> str:
    style = f"""
    @page {{ margin: 0 }} body {{ margin: 0; font: {SERIF_BODY}pt serif }} p {{ margin: 0 0 8pt; text-align: justify }}
    section {{ position: relative; width: {WIDTH}pt; height: {HEIGHT}pt; break-after: page; overflow: hidden }}
    header, footer, aside, main {{ position: absolute; left: {MARGIN}pt; right: {MARGIN}pt }}
    header {{ top: {HEAD_AT - NOTE}pt }} footer {{ top: {FOOT_AT - NOTE}pt; text-align: center }}
    header, footer, aside, table {{ font-size: {NOTE}pt }} h2 {{ font-size: {TITLE}pt; margin: 0 0 8pt }}
    aside {{ top: {BODY_BOTTOM + 20}pt }} td, th {{ text-align: left; vertical-align: top; padding: 2pt 4pt }}
    main {{ top: {BODY_TOP}pt; height: {BODY_BOTTOM - BODY_TOP}pt; columns: {document.columns}; column-fill: auto;
    column-gap: {GUTTER}pt }} table {{ width: 100%; margin-bottom: 8pt }}
    """
    sections = "".join(
        f"<section><header>{document.head}</header><main><h2>{leaf.title}</h2>"
        f"{''.join(_block_html(block) for block in leaf.blocks)}</main>"
        f"<aside>{leaf.note}</aside><footer>{number}</footer></section>"
        for number, leaf in enumerate(document.leaves, start=1)
    )
    return f"<style>{style}</style>{sections}"


def _block_html(block: str | Table) -> str:
    if isinstance(block, str):
        return f"<p>{block}</p>"
    head = "".join(f"<th>{cell}</th>" for cell in block.head)
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in block.rows)
    return f"<table><tr>{head}</tr>{rows}</table>"


PRODUCERS = {"reportlab": by_reportlab, "fpdf2": by_fpdf2, "Chromium": by_chromium}

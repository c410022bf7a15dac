"""Read back what the application marks on a page.

python -m benchmarks.highlights --data DIR draws pages of the born-digital PDFs under DIR/pdfs and DIR/pdf_qa with
random passages marked, as the page viewer does, and reads the text inside the boxes. It prints the share of passages
whose boxes hold exactly their letters and digits in their order, how many could not be placed (the viewer says so), and
the failures by kind. What a page end cuts off a passage is not expected on the page that is drawn.
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from benchmarks.progress import told
from ingest import chunking, cleaning
from ingest.errors import Refused
from ingest.reading import page_image, read
from ingest.reading.locate import folded
from ingest.reading.words import Shown, characters, scan
from ingest.records import Box, Chunk, Page

PASSAGES = 500
MOST_OF_A_FILE = 20  # passages; one long file would drown the others
SECONDS, MEMORY_MB = 30, 1400  # for reading one file
WIDTH = 800  # pixels
PLACED, UNPLACED = "equal", "not placed, and said so"


@dataclass(frozen=True, slots=True)
class Sample:
    """A passage and where it came from."""

    file: Path
    chunk: Chunk
    expected: str  # the part of it that stands on the chunk's page


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the boxes of a passage held."""

    sample: Sample
    kind: str
    found: str  # letters and digits inside the boxes


def samples(files: Sequence[Path]) -> Iterator[Sample]:
    """The passages of every file that can be read, less those on pages that are recognised scans."""
    for file in told(files, "files"):
        try:
            found = read(file, seconds=SECONDS, memory_mb=MEMORY_MB)
        except Refused:
            continue
        pages = cleaning.clean(found.pages)
        cleaned = replace(found, title=found.title or file.stem, pages=pages)
        scanned = recognised(file)
        by_number = {page.number: page for page in pages}
        for chunk in chunking.chunk(cleaned, "", "", pieces):
            expected = on_page(chunk, by_number[chunk.page])
            if chunk.page not in scanned and folded(expected)[0]:
                yield Sample(file, chunk, expected)


def pieces(text: str) -> int:
    """About as many word pieces as the embedder counts; where exactly a passage ends does not matter here."""
    return 2 + round(1.3 * len(text.split())) + sum(character > "\u2e7f" for character in text)


def on_page(chunk: Chunk, page: Page) -> str:
    """The part of a passage that stands on the page that is drawn for it."""
    start = chunk.start if chunk.page == chunk.first_page else 0
    end = chunk.end if chunk.page == chunk.last_page else len(page.text)
    return page.text[start:end]


def recognised(file: Path) -> set[int]:
    """The 1-based pages with invisible text: scans that were recognised. All of them where pdfium cannot say."""
    found: set[int] = set()
    try:
        with closing(pypdfium2.PdfDocument(file)) as document:
            for number in range(1, len(document) + 1):
                texts = document[number - 1].get_objects([pdfium.FPDF_PAGEOBJ_TEXT])
                if any(pdfium.FPDFTextObj_GetTextRenderMode(text) == 3 for text in texts):  # noqa: PLR2004 - PDF 9.3.6
                    found.add(number)
    except pypdfium2.PdfiumError:
        return set(range(1, 10_000))
    return found


def drawn_sample(taken: Sequence[Sample], seed: int) -> list[Sample]:
    """PASSAGES of them by chance, at most MOST_OF_A_FILE from one file."""
    chance = random.Random(seed)
    by_file: defaultdict[Path, list[Sample]] = defaultdict(list)
    for sample in taken:
        by_file[sample.file].append(sample)
    few = [one for own in by_file.values() for one in chance.sample(own, min(len(own), MOST_OF_A_FILE))]
    return chance.sample(few, min(len(few), PASSAGES))


def outcome(sample: Sample) -> Outcome:
    """What became of one passage."""
    chunk = sample.chunk
    near = chunk.start if chunk.page == chunk.first_page else 0
    try:
        image = page_image(sample.file, chunk.page, width=WIDTH, quote=chunk.text, near=near)
    except Refused:
        return Outcome(sample, "page not drawn, and said so", "")
    if not image.boxes:
        return Outcome(sample, UNPLACED, "")
    expected = folded(sample.expected)[0]
    as_written, across = (folded(text)[0] for text in inside(sample.file, chunk.page, image.boxes))
    found = across if across == expected else as_written
    return Outcome(sample, kind(expected, found), found)


def inside(file: Path, number: int, boxes: Sequence[Box]) -> tuple[str, str]:
    """The characters whose middle lies in a box, box by box: in the file's order, and from left to right."""
    with closing(pypdfium2.PdfDocument(file)) as document:
        page = document[number - 1]
        shown, textpage = Shown(page), page.get_textpage()
        text = characters(textpage)
        middles = [_middle(textpage, shown, index) for index in range(len(text))]
        found = scan(page)  # what is filled into forms is not among pdfium's characters
        text += found.added
        middles += [((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in found.added_boxes]
    held: list[list[int]] = []
    taken: set[int] = set()
    for box in boxes:
        held.append(
            [
                index
                for index, (x, y) in enumerate(middles)
                if box.left <= x <= box.right and box.top <= y <= box.bottom and index not in taken
            ]
        )
        taken.update(held[-1])
    across = [sorted(own, key=lambda index: middles[index][0]) for own in held]
    return _written(text, held), _written(text, across)


def _written(text: str, held: Sequence[Sequence[int]]) -> str:
    return "".join(text[index] for own in held for index in own)


def _middle(textpage: pypdfium2.PdfTextPage, shown: Shown, index: int) -> tuple[float, float]:
    left, bottom, right, top = textpage.get_charbox(index)
    a, b, c, d = shown.box(left, bottom, right, top)
    return (a + c) / 2, (b + d) / 2


def kind(expected: str, found: str) -> str:
    """How what was found differs from what was expected, both folded."""
    if expected == found:
        return PLACED
    wanted, held = Counter(expected), Counter(found)
    if wanted == held:
        return "same letters in another order"
    if not held - wanted:
        return "part of it not marked"
    return "marked more than it" if not wanted - held else "part not marked and more marked"


def report(outcomes: Sequence[Outcome], *, examples: int) -> None:
    """Print the shares, and a few of each kind of failure."""
    kinds = Counter(one.kind for one in outcomes)
    files = len({one.sample.file for one in outcomes})
    print(f"{len(outcomes)} passages of {files} files\n")
    for name, count in kinds.most_common():
        print(f"{count:5} {count / len(outcomes):7.1%}  {name}")
    for name in kinds.keys() - {PLACED}:
        for one in [one for one in outcomes if one.kind == name][:examples]:
            print(f"\n{name}: {one.sample.file.name}, page {one.sample.chunk.page}")
            print(f"  expected {folded(one.sample.expected)[0][:300]}\n  found    {one.found[:300]}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdfs and pdf_qa")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=0, help="print so many failures of each kind")
    arguments = parser.parse_args()
    files = sorted(file for folder in ("pdfs", "pdf_qa") for file in (arguments.data / folder).rglob("*.pdf"))
    chosen = drawn_sample(list(samples(files)), arguments.seed)
    report([outcome(sample) for sample in told(chosen, "passages")], examples=arguments.examples)


if __name__ == "__main__":
    main()

"""Compare the text read from a PDF with the text it was made from.

python -m benchmarks.text makes PDFs of known words with three programs, in one column and in two, with tables,
hyphenation, ligatures, running heads and footnotes, and prints for each: the share of the words that are read in their
order before cleaning, for this application, for pdfium's plain text and for pypdf; and how many words are lost after
cleaning that were neither running heads nor page numbers.
"""

import argparse
import io
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2

from benchmarks.known_text import PRODUCERS, Known, known
from ingest import cleaning
from ingest.reading import read

SEEDS = (1, 2, 3)
COLUMNS = (1, 2)
_LINE_END_HYPHEN = re.compile("[-\u2010\u00ad\ufffe\u0002][\\s\u2028]*\n\\s*")
_SIGNS = dict.fromkeys(map(ord, "-\u2010\u00ad\ufffe\u0002"))

Extract = Callable[[bytes], list[str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the words of some documents."""

    words: int
    in_order: dict[str, int]  # by who read them
    lost: Counter[str]  # after cleaning


def ours(made: bytes) -> list[str]:
    """The pages as this application reads them, before cleaning."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.pdf"
        path.write_bytes(made)
        return [page.text for page in read(path, seconds=60, memory_mb=1400).pages]


def plain_pdfium(made: bytes) -> list[str]:
    """The pages as pdfium's own text."""
    with closing(pypdfium2.PdfDocument(made)) as document:
        return [page.get_textpage().get_text_range() for page in document]


def by_pypdf(made: bytes) -> list[str]:
    """The pages as pypdf's text."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages]


READERS: dict[str, Extract] = {"ours": ours, "pdfium": plain_pdfium, "pypdf": by_pypdf}


def words(text: str) -> list[str]:
    """The words of a text, alike for all readers: ligatures apart, no hyphens, line-end or other."""
    whole = _LINE_END_HYPHEN.sub("", text.replace("\r\n", "\n")).translate(_SIGNS)
    return re.findall(r"\w+", unicodedata.normalize("NFKC", whole))


def in_order(wanted: Sequence[str], found: Sequence[str]) -> int:
    """How many of the wanted words are found in their order: the longest common subsequence."""
    codes = {word: code for code, word in enumerate(dict.fromkeys([*wanted, *found]))}
    row = np.zeros(len(found) + 1, dtype=np.int32)
    columns = np.array([codes[word] for word in found], dtype=np.int32)
    for word in wanted:
        row[1:] = np.maximum(row[1:], row[:-1] + (columns == codes[word]))
        row = np.maximum.accumulate(row)
    return int(row[-1])


def lost(document: Known, made: bytes) -> Counter[str]:
    """The words, written as they are, that cleaning does not leave on their page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.pdf"
        path.write_bytes(made)
        pages = cleaning.clean(read(path, seconds=60, memory_mb=1400).pages)
    gone: Counter[str] = Counter()
    for page in pages:
        held = Counter(_exact(page.text))
        gone += Counter(_exact(document.body(page.number))) - held
    return gone


def _exact(text: str) -> list[str]:
    return re.findall(r"[\w$%-]+", text)


def measured(producer: Callable[[Known], bytes], columns: int, seeds: Sequence[int]) -> Figures:
    """The figures of one producer and number of columns."""
    total, gone = 0, Counter[str]()
    right = dict.fromkeys(READERS, 0)
    for seed in seeds:
        document = known(seed, columns)
        made = producer(document)
        for name, extract in READERS.items():
            for number, text in enumerate(extract(made), start=1):
                right[name] += in_order(words(document.page(number)), words(text))
        total += sum(len(words(document.page(number))) for number in range(1, len(document.leaves) + 1))
        gone += lost(document, made)
    return Figures(total, right, gone)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="a document for each")
    arguments = parser.parse_args()
    print(f"{'producer':<10} columns  words  {'  '.join(f'{name:>7}' for name in READERS)}  lost after cleaning")
    for name, producer in PRODUCERS.items():
        for columns in COLUMNS:
            got = measured(producer, columns, arguments.seeds)
            shares = "  ".join(f"{count / got.words:7.2%}" for count in got.in_order.values())
            print(
                f"{name:<10} {columns:>7}  {got.words:>5}  {shares}  {got.lost.total()} {dict(got.lost.most_common(8))}"
            )


if __name__ == "__main__":
    main()

"""Tell whether a question by code finds the document of that code.

python -m benchmarks.identifiers makes 200 PDFs in families whose texts differ in little but their codes, every second
one with a reference to its neighbour's code, takes them in, and asks 200 ordinary sentences, each with one code. It
prints the share with the right document among the first 3 passages: by meaning, by words, in the reranker's order, and
as the whole search gives them; and the share that would be answered. Then it asks each of them about a code of the same
family that no document has, and prints the share that would be answered all the same, which is wrong.
"""

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

from benchmarks.progress import told
from ingest.command import take_in
from ingest.settings import Settings as IngestSettings
from rag_app.build import build
from rag_app.pipeline import Pipeline
from rag_app.records import Hit
from rag_app.settings import Settings

DOCUMENTS, PASSAGES, SEED, SPACE = 200, 3, 7, "documents"
STRANGE = 500  # numbers further on no document has a code

CODES: dict[str, Callable[[int], str]] = {
    "error": lambda n: f"KB-ERR-{2810 + 3 * n}-{('fatal', 'warning', 'notice')[n % 3]}",
    "release": lambda n: f"v{1 + n // 12}.{n % 12}.{(n * 7) % 10}",
    "constant": lambda n: f"E_{('OUTOF', 'BAD', 'LOST')[n % 3]}{('MEMORY', 'HANDLE', 'PATH', 'QUEUE')[n % 4]}_{n}",
    "status": lambda n: f"0x{0x80070000 + 11 * n:08X}",
    "part": lambda n: f"{('AX', 'BR', 'CT')[n % 3]}-{4700 + n}-{'QRST'[n % 4]}",
    "order": lambda n: f"{4711000000 + 137 * n}",
    "setting": lambda n: f"SPOOL_{('READ', 'WRITE', 'RETRY', 'IDLE')[n % 4]}_LIMIT_{n // 4}",
    "standard": lambda n: f"REQ/2024/{1170 + n:05d}",
}
TEXTS = {
    "error": "When {code} is shown, the spooler has stopped. {fact} Start it again afterwards and watch the lamp.",
    "release": "Release notes of {code}. This release of the spooler brings corrections. {fact} Update at night.",
    "constant": "The call returns {code} where the driver cannot go on. {fact} The call may be repeated after that.",
    "status": "Status {code} is written to the log by the service. {fact} The service goes on by itself.",
    "part": "Part {code} is a roller of the feeding unit. {fact} It is changed by a technician on site.",
    "order": "Order {code} was placed by the printing office. {fact} The invoice follows at the end of the month.",
    "setting": "The setting {code} governs how the spooler deals with jobs. {fact} A change needs a restart.",
    "standard": "Requirement {code} is about the printing of labels. {fact} It is tested once a year.",
}
FACTS = (
    "Unit {n} on floor {a} has to be looked at first, by a person of group {b}.",
    "It was last checked in room {a} of building {b}, with result {n}.",
    "The usual time for this is {a} minutes, and {b} more where shelf {n} is concerned.",
    "Answerable is desk {n}, extension {a}, in the shift of team {b}.",
)
QUESTIONS = (
    "What do I have to do about {code}?",
    "Who can tell me more about {code}, and where?",
    'The display says "{code}". Is that bad?',
    "Please explain {code}.",
    "We have had {code} twice since Monday; what does it stand for?",
    "is {code} something I have to look into",
    "Where do I read about ({code}), which a colleague mentioned?",
    "How much time should I plan for {code}, roughly?",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the file that answers it, and the same about a code that no file has."""

    question: str
    file: str
    strange: str


def written(folder: Path) -> list[Asked]:
    """Write the PDFs into `folder` and return their questions; the same ones each time."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, asked = random.Random(SEED), []
    families = list(CODES)
    for number in range(DOCUMENTS):
        family, index = families[number % len(families)], number // len(families)
        code, neighbour = CODES[family](index), CODES[family](index + 1)
        fact = chance.choice(FACTS).format(n=number, a=chance.randint(2, 60), b=chance.randint(2, 60))
        text = TEXTS[family].format(code=code, fact=fact)
        also = f" See also {neighbour}." if index % 2 else ""
        file = folder / f"{family}-{number:03d}.pdf"
        if not file.exists():
            _write(file, f"Note {number + 1}", text + also)
        question, spoken = QUESTIONS[chance.randrange(len(QUESTIONS))], str.lower if number % 5 == 0 else str
        strange = CODES[family](index + STRANGE)
        asked.append(Asked(question.format(code=spoken(code)), file.name, question.format(code=spoken(strange))))
    return asked


def _write(file: Path, title: str, text: str) -> None:
    styles = getSampleStyleSheet()
    document = SimpleDocTemplate(str(file), title=title, invariant=1)
    document.build([Paragraph(title, styles["Heading1"]), Paragraph(text, styles["BodyText"])])


def places(pipeline: Pipeline, asked: Sequence[Asked]) -> list[tuple[list[Hit], str, bool]]:
    """For each question the hits of a search, the right file, and whether it would be answered."""
    rows = []
    for one in told(asked, "questions"):
        answer = pipeline.search(one.question, spaces=[SPACE])
        rows.append((list(answer.hits), one.file, not answer.abstained))
    return rows


def share(rows: Sequence[tuple[list[Hit], str, bool]], rank: Callable[[Hit], int | None]) -> float:
    """The share of questions (0 to 1) whose file is among the first passages by a rank (1-based, None: not ranked)."""

    def right(hits: Sequence[Hit], file: str) -> bool:
        return any(Path(hit.document.path).name == file and (rank(hit) or PASSAGES + 1) <= PASSAGES for hit in hits)

    return sum(right(hits, file) for hits, file, _ in rows) / len(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("build/identifiers"), help="where files and library are kept")
    home = parser.parse_args().home
    asked = written(home / "files")
    made = build(Settings(ingest=IngestSettings(home=home)))
    take_in(made.parts, [home / "files"], SPACE)
    rows = places(made.pipeline, asked)
    strange = [made.pipeline.search(one.strange, spaces=[SPACE]) for one in told(asked, "questions by other codes")]
    made.parts.index.close()
    ranks: dict[str, Callable[[Hit], int | None]] = {
        "by meaning": lambda hit: hit.dense_rank,
        "by words": lambda hit: hit.lexical_rank,
        "reranker's order": lambda hit: hit.rerank_rank,
        "whole search": lambda hit: PASSAGES if hit.used else None,
    }
    print(f"{len(rows)} questions over {DOCUMENTS} documents, right document among the first {PASSAGES}\n")
    for name, rank in ranks.items():
        print(f"{name:<30}{share(rows, rank):7.1%}")
    print(f"{'would be answered':<30}{sum(answered for *_, answered in rows) / len(rows):7.1%}")
    print(f"{'no such code, but answered':<30}{sum(not answer.abstained for answer in strange) / len(strange):7.1%}")
    for hits, file, _ in rows:
        if not any(hit.used and Path(hit.document.path).name == file for hit in hits):
            print(f"missed: {file}")


if __name__ == "__main__":
    main()

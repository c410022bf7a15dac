"""A desk that answers from a script: for rendering and routes, where no model is needed."""

import asyncio
import io
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from reportlab.pdfgen import canvas

from ingest.errors import Refused
from ingest.records import Box, Chunk, Document, Job, JobState, PageImage
from rag_app.records import Answer, Citation, Hit, Mode, Sentence, Stage, Support, Timings, Turn
from rag_app.suggestions import Suggestions
from rag_app.web.desk import Desk, Status, Upload

HANDBOOK = Document(
    "a" * 32, "handbook", "c" * 64, "User guide", "user-guide.pdf", 12, 61, 84_000, "2026-11-03T09:12:00+00:00"
)
OWN = Document(
    "b" * 32,
    "documents",
    "d" * 64,
    "Handbook.pdf",
    "Handbook.pdf",
    48,
    212,
    1_200_000,
    "2026-11-03T09:12:00+00:00",
    failed_pages=(7, 9),
)
PASSAGE = (
    "Leaving us. The notice period is three months from the first day of the following month. "
    "It may be shortened when both sides agree in writing, which the office records in the file."
)
OTHER = "Either party may end the contract. During the first six months two weeks suffice, and no reason need be given."


def citation(marker=1, *, document=OWN, passage=PASSAGE, quote="", relevance=0.94, page=18, label="12"):
    return Citation(marker, document.id, document.title, document.path, page, label, quote, passage, relevance, page, 0)


def hit(document, text, page, relevance, rank, *, used=True):
    chunk = Chunk(f"{rank:032x}", document.id, rank, page, page, page, str(page), "", text, 0, len(text))
    by_meaning, by_words = 1 + rank * 7 % 50, 1 + rank * 11 % 67  # both hit every place once while rank is at most 50
    lexical_rank, bm25 = (by_words, 12 - by_words / 5) if by_words <= 50 else (None, None)
    return Hit(
        chunk,
        document,
        dense_rank=by_meaning,
        cosine=0.7 - by_meaning / 100,
        lexical_rank=lexical_rank,
        bm25=bm25,
        rerank_rank=rank,
        relevance=relevance,
        used=used,
    )


def answered(question, text=None, *, mode=Mode.EXTRACTIVE, model=""):
    first = citation(quote="The notice period is three months from the first day of the following month.")
    second = citation(
        2, quote="During the first six months two weeks suffice", passage=OTHER, relevance=0.55, page=3, label="3"
    )
    said = (
        Sentence(
            "The notice period is three months from the first day of the following month.", (1,), Support.SUPPORTED
        ),
        Sentence("During the first six months two weeks suffice.", (2,), Support.PARTLY),
        Sentence("Overtime is paid twice.", (), Support.UNSUPPORTED),
    )
    hits = (
        hit(OWN, PASSAGE, 18, 0.94, 1),
        hit(OWN, OTHER, 3, 0.55, 2),
        hit(HANDBOOK, "Sick leave is told by noon.", 4, 0.2, 3),
    )
    filler = tuple(hit(OWN, f"Passage {rank}.", 5, 0.01, rank, used=False) for rank in range(4, 51))
    return Answer(
        question=question,
        rewritten=question,
        stage=Stage.DONE,
        text=text or " ".join(f"{one.text}{''.join(f' [{n}]' for n in one.markers)}" for one in said),
        hits=hits + filler,
        citations=(first, second),
        sentences=said,
        mode=mode,
        model=model,
        passages_searched=1284,
        timings=Timings(12, 9, 4, 2, 610, 230, 35, 902),
    )


def left(answer, without, *, rerank):
    """The answer without some passages; where nothing is reranked, what lies behind the first two comes first."""
    hits = [one for one in answer.hits if one.chunk.text not in without]
    if not rerank:
        hits = [replace(one, used=place < 3, rerank_rank=None) for place, one in enumerate(hits[2:] + hits[:2])]
    cited = tuple(one for one in answer.citations if one.passage not in without and rerank)
    said = tuple(one for one in answer.sentences if set(one.markers) <= {one.marker for one in cited})
    text = (
        answer.text
        if len(cited) == len(answer.citations)
        else " ".join(f"{one.text}{''.join(f' [{n}]' for n in one.markers)}" for one in said)
    )
    return replace(answer, hits=tuple(hits), citations=cited, sentences=said, text=text)


class ScriptedDesk:
    """Holds what the pages see; `gate` keeps an answer from going on while it is closed."""

    def __init__(self, folder: Path, documents: Sequence[Document] = (HANDBOOK,)) -> None:
        self.folder = folder
        self.reset(documents)

    def reset(self, documents: Sequence[Document]) -> None:
        self.shelf = list(documents)
        self.queue: list[Job] = []
        self.asked: list[tuple[str, Sequence[Turn]]] = []
        self.uploads: list[tuple[str, bytes, bool | None]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.pause = 0.0
        self.closed = 0
        self.reranked = True
        self.without: tuple[str, ...] = ()
        self.searched: Sequence[str] | None = None  # the spaces of the last question; None: not said
        self.nothing_found = False  # the handbook is not there to be searched
        self.suggested = Suggestions(
            ("Which reranking models can I use?", "How do I set a password?", "What happens to scanned pages?")
        )
        self.looked: list[tuple[str, int, str, int, int]] = []

    def desk(self) -> Desk:
        return Desk(
            ask=self.ask,
            add_upload=self.add_upload,
            jobs=lambda spaces=None: [job for job in self.queue if spaces is None or job.space in spaces],
            cancel=self.cancel,
            documents=lambda: list(self.shelf),
            remove=self.remove,
            page_image=self.page_image,
            original=self.original,
            status=self.status,
            suggestions=lambda spaces=None: self.suggested,
            search_handbook=self.search_handbook,
            spaces=lambda: sorted({one.space for one in self.shelf}),
        )

    def status(self, spaces: Sequence[str] | None = None) -> Status:
        held = [one for one in self.shelf if spaces is None or one.space in spaces]
        own = [one for one in held if one.space != "handbook"]
        counted = own or held
        return Status(
            len(counted),
            sum(one.chunks for one in counted),
            bool(held) and not own,
            own != held,
            "Quoted",
            "",
        )

    def search_handbook(self, question: str) -> Answer:
        found = answered(question)
        if self.nothing_found:
            return replace(found, hits=())
        return replace(found, hits=tuple(replace(one, document=HANDBOOK) for one in found.hits))

    async def ask(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        self.asked.append((question, tuple(turns)))
        self.reranked, self.without, self.searched = rerank, tuple(without), spaces
        final = left(answered(question), without, rerank=rerank)
        if "endpoint" in question:
            final = replace(
                final,
                mode=Mode.MODEL,
                model="llama3",
                notice="The language model does not respond. Here are the sentences that fit best.",
            )
        if turns:
            final = replace(final, rewritten=f"{turns[-1].question} {question}")
        if "nothing" in question:
            final = replace(
                final,
                text="",
                citations=(),
                sentences=(),
                abstained=True,
                mode=Mode.ABSTAINED,
                hits=tuple(replace(h, used=False) for h in final.hits),
            )
        try:
            for stage in (Stage.REWRITING, Stage.SEARCHING, Stage.RERANKING):
                yield replace(final, stage=stage, text="", citations=(), sentences=(), abstained=False)
                await asyncio.sleep(self.pause)
            words = final.text.split(" ")
            for end in range(1, len(words)):
                yield replace(final, stage=Stage.WRITING, text=" ".join(words[:end]), sentences=())
                await asyncio.sleep(self.pause)
                await self.gate.wait()
            yield replace(final, stage=Stage.CHECKING, sentences=())
            await asyncio.sleep(self.pause)
            yield final
        finally:
            self.closed += 1

    def add_upload(self, path: Path, name: str, replace_it: bool | None, space: str = "") -> Upload:
        body = path.read_bytes()
        self.uploads.append((name, body, replace_it))
        existing = next((one for one in self.shelf if one.path == name), None)
        if existing is not None and replace_it is None:
            return Upload(existing=existing)
        if not body.startswith(b"%PDF"):
            raise Refused(f"{name} was not added: this kind of file cannot be read. Save it as PDF and add that.")
        job = Job(
            len(self.queue) + 1,
            space or "documents",
            name,
            "e" * 64,
            JobState.WAITING,
            "",
            None,
            0,
            0,
            0,
            0,
            0.0,
            len(body),
        )
        self.queue.insert(0, job)
        return Upload(job=job)

    def cancel(self, job_id: int) -> None:
        self.queue = [replace(job, state=JobState.CANCELLED) if job.id == job_id else job for job in self.queue]

    def remove(self, document_id: str) -> None:
        self.shelf = [one for one in self.shelf if one.id != document_id]

    def page_image(self, document_id: str, page: int, *, quote: str, near: int, width: int) -> PageImage:
        self.looked.append((document_id, page, quote, near, width))
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (width, round(width * 842 / 595)), "white")
        draw = ImageDraw.Draw(image)
        for line in range(40):
            top = 80 + line * width // 36
            draw.rectangle((width // 10, top, width * 9 // 10, top + width // 100), fill="#999")
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        boxes = (Box(60, 252, 535, 262), Box(60, 268, 300, 279)) if quote else ()
        return PageImage(buffer.getvalue(), 595, 842, boxes)

    def original(self, document_id: str) -> Path:
        path = self.folder / f"{document_id}.pdf"
        page = canvas.Canvas(str(path))
        page.drawString(72, 700, "An original")
        page.save()
        return path

"""The real desk: what the pages may ask for, made from an application."""

import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

from ingest import reading
from ingest.errors import LibraryError, Refused
from ingest.index.generation import Answering
from ingest.intake import NameTaken
from ingest.records import Document, Job, JobState, PageImage
from rag_app.access import HANDBOOK, visible_spaces
from rag_app.build import Application
from rag_app.records import Answer, Turn
from rag_app.suggestions import Suggester, Suggestions
from rag_app.team.neighbours import Neighbours
from rag_app.team.question_model import reader
from rag_app.web.desk import Desk, Status, Upload

JOBS_SHOWN = 40  # under way, and as many that ended
SUGGESTERS_KEPT = 16  # sets of spaces that suggestions are kept for
EXAMPLES = (
    "Which reranking models can I use?",
    "How do I connect a language model that runs on this computer?",
    "What should I do with a scanned PDF?",
)
QUOTED = "sentences quoted from the documents, no language model"
REBUILDING = "The search index is being built. Answers stay right; they take a little longer."


def desk(application: Application) -> Desk:
    """The desk of one application."""
    counter, parts = _Counter(application), application.parts
    return Desk(
        ask=counter.ask,
        add_upload=counter.add_upload,
        jobs=counter.jobs,
        cancel=counter.cancel,
        documents=counter.documents,
        remove=counter.remove,
        publish=counter.publish,
        page_image=counter.page_image,
        original=counter.original,
        status=counter.status,
        handbook=HANDBOOK,
        suggestions=counter.suggestions,
        search_handbook=counter.search_handbook,
        spaces=parts.library.spaces,
        writer=application.endpoint,
        embedding=Neighbours(parts.library, parts.index, parts.embedder, reader(parts.compute, parts.engines)),
        space=application.settings.ingest.space,
    )


class _Counter:
    def __init__(self, application: Application) -> None:
        self._application = application
        self._library = application.parts.library
        self._intake = application.parts.intake
        self._space = application.settings.ingest.space
        self._shelf: tuple[tuple[int, ...], Sequence[Document]] = ((), ())  # a fingerprint, and the documents then
        self._suggesters: OrderedDict[tuple[str, ...] | None, Suggester] = OrderedDict()
        self._lock = Lock()

    def ask(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        return self._application.pipeline.without(without).ask(question, turns, spaces=spaces, rerank=rerank)

    def search_handbook(self, question: str) -> Answer:
        return self._application.pipeline.search(question, spaces=[HANDBOOK])

    def suggestions(self, spaces: Sequence[str] | None = None) -> Suggestions:
        """Questions whose words come from these spaces and no others; made anew for each set of spaces."""
        held = self._library.spaces()
        if (held if spaces is None else [space for space in held if space in spaces]) == [HANDBOOK]:
            return Suggestions(EXAMPLES)
        wanted = None if spaces is None else tuple(sorted(spaces))
        with self._lock:
            if wanted not in self._suggesters:
                search = partial(self._application.pipeline.search, spaces=wanted)
                self._suggesters[wanted] = Suggester(self._library, search, handbook=HANDBOOK, within=wanted)
            self._suggesters.move_to_end(wanted)
            while len(self._suggesters) > SUGGESTERS_KEPT:
                self._suggesters.popitem(last=False)
            suggester = self._suggesters[wanted]
        return suggester.suggestions()

    def add_upload(self, file: Path, name: str, replace: bool | None, space: str = "") -> Upload:  # noqa: FBT001 - the desk's shape
        try:
            return Upload(job=self._intake.add_upload(file, space or self._space, name, replace=replace))
        except NameTaken as taken:
            return Upload(existing=taken.document)

    def jobs(self, spaces: Sequence[str] | None = None) -> Sequence[Job]:
        jobs = self._library.jobs
        return [*jobs.under_way(JOBS_SHOWN, spaces), *jobs.ended(JOBS_SHOWN, spaces)]

    def cancel(self, job_id: int) -> None:
        self._library.jobs.cancel(job_id)

    def documents(self) -> Sequence[Document]:
        """All of them; ten thousand take a fifth of a second to read, so they are read only where something changed."""
        fingerprint = self._library.fingerprint()
        known, documents = self._shelf
        if known != fingerprint:
            documents = self._library.documents()
            self._shelf = (fingerprint, documents)
        return documents

    def remove(self, document_id: str) -> None:
        self._library.remove(self._known(document_id).id)

    def publish(self, space: str, name: str, text: str) -> None:
        with tempfile.NamedTemporaryFile(dir=self._library.home.incoming, suffix=".md") as file:
            file.write(text.encode())
            file.flush()
            job = self._intake.add(Path(file.name), space, name)
        if job.state == JobState.REFUSED:
            raise Refused(job.reason)

    def page_image(self, document_id: str, page: int, *, quote: str, near: int, width: int) -> PageImage:
        document = self._known(document_id)
        return reading.page_image(self._library.original(document), page, width=width, quote=quote, near=near)

    def original(self, document_id: str) -> Path:
        return self._library.original(self._known(document_id))

    def status(self, spaces: Sequence[str] | None = None) -> Status:
        held = [space for space in self._library.spaces() if spaces is None or space in spaces]
        counts = self._library.counts(visible_spaces(held))
        endpoint = self._application.endpoint
        index = self._application.parts.index.state()
        return Status(
            documents=counts.documents,
            passages=counts.chunks,
            handbook_only=held == [HANDBOOK],
            handbook=HANDBOOK in held,
            generator=f"{endpoint.model} at {endpoint.host}" if endpoint else QUOTED,
            index=REBUILDING if index.rebuilding and index.answering == Answering.EXACT else "",
        )

    def _known(self, document_id: str) -> Document:
        document = self._library.document(document_id)
        if document is None:
            raise LibraryError(
                "This document is no longer in the library. Its quotes in earlier answers stay readable."
            )
        return document

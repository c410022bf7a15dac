"""The desk as one person sees it: every call is filtered and checked by `rag_app/access.py`.

What somebody may not read looks as if it were not there. What they may read and not change is refused in words.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import cast

from ingest.errors import LibraryError
from ingest.records import Document, Job, PageImage
from rag_app.access import HANDBOOK, Forbidden, Role, Who, may, reach, readable, visible_spaces
from rag_app.records import Answer, Stage, Turn
from rag_app.suggestions import Suggestions
from rag_app.web.desk import Desk, Status, Upload

GONE = "This document is no longer in the library. Its quotes in earlier answers stay readable."
STRAY = "Something was found that you may not read, so nothing is answered. Tell whoever runs this server."
NOT_EDITOR = (
    "You may read the space {space}, but not change what is in it. Ask one of its owners to make you an editor."
)
NO_SPACE = "There is no space called {space} that you may add documents to. Ask an owner of it, or an administrator."
NOWHERE = "There is no space yet that you may add documents to. Ask an owner of one, or an administrator."


def narrowed(desk: Desk, who: Who) -> Desk:
    """The same desk for `who`: what they may read and nothing else; the desk itself while nobody is registered."""
    if who.roles is None and who.only is None:
        return desk
    view = _View(desk, who)
    return replace(
        desk,
        ask=view.ask,
        search_handbook=view.search_handbook,
        add_upload=view.add_upload,
        jobs=view.jobs,
        cancel=view.cancel,
        documents=view.documents,
        remove=view.remove,
        publish=view.publish,
        page_image=view.page_image,
        original=view.original,
        status=view.status,
        suggestions=view.suggestions,
        spaces=view.spaces,
    )


def editable_space(desk: Desk, who: Who) -> str:
    """Where a file goes when nobody says where: the usual space, or the first one that `who` may edit; "" for none."""
    if may(who, Role.EDITOR, desk.space):
        return desk.space
    known = sorted({*(who.roles or ()), *(who.only or ())} - {HANDBOOK})
    return next((space for space in known if may(who, Role.EDITOR, space)), "")


class _View:
    def __init__(self, desk: Desk, who: Who) -> None:
        self._desk = desk
        self._who = who

    def spaces(self) -> Sequence[str]:
        return readable(self._who, self._desk.spaces())

    async def ask(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        rerank: bool = True,
        without: Collection[str] = (),
        spaces: Sequence[str] | None = None,
    ) -> AsyncIterator[Answer]:
        """Answers from what may be read; each hit is checked again after ranking. Raises Forbidden where one strays."""
        searched = visible_spaces(self.spaces(), spaces)
        answers = self._desk.ask(question, turns, rerank=rerank, without=without, spaces=searched)
        async with aclosing(cast("AsyncGenerator[Answer, None]", answers)):  # as Ask says
            async for answer in answers:
                self._check(answer)
                yield answer

    def search_handbook(self, question: str) -> Answer:
        if not may(self._who, Role.READER, HANDBOOK):
            return Answer(question, question, Stage.DONE)
        return self._desk.search_handbook(question)

    def add_upload(self, file: Path, name: str, replace: bool | None, space: str = "") -> Upload:  # noqa: FBT001 - the desk's shape
        into = space or editable_space(self._desk, self._who)
        if not into:
            raise Forbidden(NOWHERE)
        self._need_editor(into)
        return self._desk.add_upload(file, name, replace, into)

    def jobs(self, spaces: Sequence[str] | None = None) -> Sequence[Job]:
        return self._desk.jobs(reach(self._who) if spaces is None else readable(self._who, spaces))

    def cancel(self, job_id: int) -> None:
        """Stop a job that may be seen; nothing happens where there is none. Raises Forbidden."""
        for job in self.jobs():
            if job.id == job_id:
                self._need_editor(job.space)
                self._desk.cancel(job_id)

    def documents(self) -> Sequence[Document]:
        spaces = frozenset(self.spaces())
        return [document for document in self._desk.documents() if document.space in spaces]

    def remove(self, document_id: str) -> None:
        self._need_editor(self._known(document_id).space)
        self._desk.remove(document_id)

    def publish(self, space: str, name: str, text: str) -> None:
        self._need_editor(space)
        self._desk.publish(space, name, text)

    def page_image(self, document_id: str, page: int, *, quote: str, near: int, width: int) -> PageImage:
        return self._desk.page_image(self._known(document_id).id, page, quote=quote, near=near, width=width)

    def original(self, document_id: str) -> Path:
        return self._desk.original(self._known(document_id).id)

    def status(self, spaces: Sequence[str] | None = None) -> Status:
        return self._desk.status(self._of(spaces))

    def suggestions(self, spaces: Sequence[str] | None = None) -> Suggestions:
        return self._desk.suggestions(visible_spaces(self._of(spaces)))

    def _of(self, spaces: Sequence[str] | None) -> list[str]:
        return [space for space in self.spaces() if spaces is None or space in spaces]

    def _known(self, document_id: str) -> Document:
        found = next((document for document in self.documents() if document.id == document_id), None)
        if found is None:
            raise LibraryError(GONE)
        return found

    def _need_editor(self, space: str) -> None:
        if not may(self._who, Role.EDITOR, space):
            readable_here = may(self._who, Role.READER, space)
            raise Forbidden((NOT_EDITOR if readable_here else NO_SPACE).format(space=space))

    def _check(self, answer: Answer) -> None:
        if any(not may(self._who, Role.READER, hit.document.space) for hit in answer.hits):
            raise Forbidden(STRAY)

"""The library page as escaped HTML: files on their way, the table of documents, a page of one. Pure."""

from collections.abc import Sequence
from datetime import datetime

from ingest.records import Document, Job, JobState, PageImage
from rag_app.web.desk import Status
from rag_app.web.escape import escape, escape_name
from rag_app.web.render import counted, number

_STEPS = (JobState.READING, JobState.CHUNKING, JobState.EMBEDDING, JobState.INDEXING)
_STEP_NAMES = ("read", "cut into passages", "embed", "index")
_HERE = ' aria-current="page"'
_COLUMNS = ("Title", "Pages", "Passages", "Size", "Added", "Space", "State")
_FIGURES = ("Pages", "Passages", "Size")  # columns of numbers, set right
_KILO = 1000
ENDED_SHOWN = 8  # files that ended, in the list of files on their way
PAGES_NAMED = 6  # pages listed by number before the rest are only counted


def size_words(size: int) -> str:
    """Bytes as people say them."""
    if size < _KILO * _KILO:
        return f"{max(1, round(size / _KILO))} kB"
    return f"{size / _KILO / _KILO:.1f} MB"


def header_html(page: str, status: Status) -> str:
    """The bar on top of every page: where one can go, and what the library holds."""
    links = "".join(
        f'<a href="{address}"{_HERE if name == page else ""}>{name}</a>'
        for name, address in (("Ask", "/"), ("Library", "/library"))
    )
    if not status.documents:
        holds = "no documents yet"
    elif status.handbook_only:
        holds = f"the handbook, {counted(status.passages, 'passage')}"
    else:
        holds = f"{counted(status.documents, 'document')}, {counted(status.passages, 'passage')}"
    index = f'<span class="index">{escape(status.index)}</span>' if status.index else ""
    return (
        '<div class="bar"><a class="brand" href="/">Ask your PDFs</a>'
        f'<nav aria-label="Pages">{links}</nav><p class="shelf"><span class="holds">{holds}</span>{index}</p></div>'
    )


def jobs_html(jobs: Sequence[Job]) -> str:
    """Files on their way and those that lately ended, each with its state in words."""
    if not jobs:
        return '<div class="queue"></div>'
    rows = "".join(_job(job) for job in jobs)
    title = "Files added lately" if all(job.final for job in jobs) else "Files being added"
    return f'<section class="queue" aria-label="{title}"><h2>{title}</h2><ul>{rows}</ul></section>'


def worth_showing(jobs: Sequence[Job], handbook: str) -> list[Job]:
    """All that is under way, and the last few that ended; a shipped handbook that went well is no news."""
    told = [job for job in jobs if not (job.space == handbook and job.state in (JobState.READY, JobState.UNCHANGED))]
    ended = [job for job in told if job.final][:ENDED_SHOWN]
    return [job for job in told if not job.final or job in ended]


def job_words(job: Job) -> str:
    """What is happening to a file, with counts where they are known."""
    done, all_pages, embedded, passages = map(number, (job.pages_done, job.pages, job.chunks_done, job.chunks))
    return {
        JobState.WAITING: "waiting",
        JobState.READING: f"reading, page {done} of {all_pages}" if job.pages else "reading",
        JobState.CHUNKING: f"cutting {counted(job.pages, 'page')} into passages",
        JobState.EMBEDDING: f"embedding, passage {embedded} of {passages}" if job.chunks else "embedding",
        JobState.INDEXING: f"indexing {counted(job.chunks, 'passage')}",
        JobState.READY: f"ready: {counted(job.pages, 'page')}, {counted(job.chunks, 'passage')}, {job.seconds:.1f} s",
        JobState.UNCHANGED: "already here",
        JobState.NEEDS_PASSWORD: "needs a password",
        JobState.NO_TEXT: "no text",
        JobState.REFUSED: "not added",
        JobState.CANCELLED: "cancelled",
    }[job.state]


def _job(job: Job) -> str:
    name = job.path.replace("\\", "/").rsplit("/", 1)[-1]
    reason = f'<p class="reason foreign">{escape_name(job.reason)}</p>' if job.reason else ""
    cancel = ""
    if not job.final:
        cancel = (
            f'<button type="button" class="quiet" data-cancel="{job.id}">Cancel'
            f'<span class="visually-hidden"> {escape_name(name)}</span></button>'
        )
    return (
        f'<li class="job is-{job.state}" data-job="{job.id}"><span class="name foreign">{escape_name(name)}</span>'
        f'<span class="state">{job_words(job)}</span>{cancel}{_progress(job)}{reason}</li>'
    )


def _progress(job: Job) -> str:
    """The four steps in a row; the one under way fills as its count grows."""
    if job.final:
        return ""
    at = _STEPS.index(job.state) if job.state in _STEPS else -1
    parts = {JobState.READING: (job.pages_done, job.pages), JobState.EMBEDDING: (job.chunks_done, job.chunks)}
    done, total = parts.get(job.state, (0, 0))
    steps = []
    for place, name in enumerate(_STEP_NAMES):
        share = 100 if place < at else round(100 * done / total) if place == at and total else 0
        now = " now" if place == at else ""
        steps.append(f'<li class="step{now}"><i style="width:{share}%"></i><span>{name}</span></li>')
    return f'<ol class="steps" aria-hidden="true">{"".join(steps)}</ol>'


def documents_html(documents: Sequence[Document], handbook: str) -> str:
    """The table of documents; the shipped handbook is shown as such."""
    if not documents:
        return (
            '<section class="shelf-empty"><h2>No documents yet</h2>'
            "<p>Drop PDF files anywhere on this page, or choose them.</p></section>"
        )
    rows = "".join(_row(document, handbook) for document in documents)
    heads = "".join(f'<th scope="col" class="{"figure" if name in _FIGURES else ""}">{name}</th>' for name in _COLUMNS)
    return (
        f'<section class="documents"><h2>{counted(len(documents), "document")}</h2>'
        f"{_about_handbook(documents, handbook)}<table><thead><tr>{heads}"
        '<th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _about_handbook(documents: Sequence[Document], handbook: str) -> str:
    shipped = [document for document in documents if document.space == handbook]
    if not shipped:
        return ""
    words = (
        "Answers come from the handbook of this software until you add a document of your own; "
        "then it stays out of ordinary answers."
    )
    if len(shipped) < len(documents):
        words = "Because there are documents of your own, the handbook of this software stays out of ordinary answers."
    return f'<p class="about-handbook">{words}</p>'


def _row(document: Document, handbook: str) -> str:
    title = escape_name(document.title)
    added = escape(document.added)
    shipped = '<span class="tag">shipped handbook</span>' if document.space == handbook else ""
    sentence = (
        f"Delete {document.title}? Its {counted(document.chunks, 'passage')} and, where no other document shares it, "
        "the original go too. Earlier answers keep the sentences they quoted from it."
    )
    cells = (
        ("Pages", "figure", number(document.pages)),
        ("Passages", "figure", number(document.chunks)),
        ("Size", "figure", size_words(document.size)),
        ("Added", "", f'<time datetime="{added}">{escape(_day(document.added))}</time>'),
        ("Space", "foreign", escape_name(document.space)),
        ("State", "", _state(document)),
    )
    figures = "".join(f'<td class="{kind}" data-label="{label}">{value}</td>' for label, kind, value in cells)
    address = f"/documents/{escape(document.id)}"
    return (
        f'<tr data-document="{escape(document.id)}"><th scope="row">'
        f'<button type="button" class="title foreign" data-view="{address}/view">{title}</button>{shipped}</th>'
        f'{figures}<td class="row-actions"><button type="button" class="quiet" data-delete="{address}" '
        f'data-sentence="{escape(sentence)}">Delete<span class="visually-hidden"> {title}</span></button></td></tr>'
    )


def _day(added: str) -> str:
    try:
        moment = datetime.fromisoformat(added)
    except ValueError:
        return added
    return f"{moment.day} {moment:%B %Y}"


def _state(document: Document) -> str:
    parts = []
    if document.failed_pages:
        parts.append(f"{counted(len(document.failed_pages), 'page')} unread ({_pages(document.failed_pages)})")
    if document.empty_pages:
        parts.append(f"{counted(len(document.empty_pages), 'page')} without text ({_pages(document.empty_pages)})")
    return f'<span class="doubt">{"; ".join(parts)}</span>' if parts else "ready"


def _pages(pages: Sequence[int]) -> str:
    named = ", ".join(map(str, pages[:PAGES_NAMED]))
    return named + (f" and {len(pages) - PAGES_NAMED} more" if len(pages) > PAGES_NAMED else "")


def viewer_html(document: Document, page: int, label: str, image: PageImage, *, address: str, quote: str) -> str:
    """One page of a document with the boxes of a quote; `address` answers with other pages of it."""
    title = escape_name(document.title)
    printed = f"page {escape(label)} (sheet {page})" if label not in ("", str(page)) else f"page {page}"
    lost = f'<p class="notice">This passage could not be placed on the page. It is somewhere on page {page}.</p>'
    return (
        f'<div class="viewer" data-page="{page}"><div class="viewer-head">'
        f'<h2 tabindex="-1"><span class="foreign">{title}</span> <span class="printed">{printed}</span></h2>'
        f'<a class="quiet" href="/documents/{escape(document.id)}/original" download>Download the original</a>'
        '<button type="button" class="quiet" data-close>Close</button></div>'
        f"{_turning(page, document.pages, address)}{lost if quote and not image.boxes else ''}"
        '<div class="desk" tabindex="0" role="group" aria-label="Page"><figure class="sheet">'
        f'<img alt="Page {page} of {title}" src="/documents/{escape(document.id)}/pages/{page}.png?w=1200" '
        f'width="{image.width:.0f}" height="{image.height:.0f}">{_boxes(image)}'
        f"</figure></div>{_quote(quote)}</div>"
    )


def _boxes(image: PageImage) -> str:
    """Rectangles in page units, so that any zoom keeps them in place."""
    rectangles = "".join(
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.right - box.left:.1f}" '
        f'height="{box.bottom - box.top:.1f}"/>'
        for box in image.boxes
    )
    size = f"0 0 {image.width:.1f} {image.height:.1f}"
    return f'<svg viewBox="{size}" preserveAspectRatio="none" aria-hidden="true">{rectangles}</svg>'


def _turning(page: int, pages: int, address: str) -> str:
    earlier, later = (f'data-view="{address}?page={page + step}"' for step in (-1, 1))
    before, after = (earlier if page > 1 else "disabled"), (later if page < pages else "disabled")
    return (
        f'<div class="turning"><button type="button" class="quiet previous" {before}>Previous page</button>'
        f"<span>{page} of {pages}</span>"
        f'<button type="button" class="quiet next" {after}>Next page</button>'
        '<span class="zooming"><button type="button" class="quiet" data-zoom="-1" disabled>'
        '<span class="visually-hidden">Smaller</span><span aria-hidden="true">\N{MINUS SIGN}</span></button>'
        '<button type="button" class="quiet" data-zoom="1"><span class="visually-hidden">Larger</span>'
        '<span aria-hidden="true">+</span></button></span></div>'
    )


def _quote(quote: str) -> str:
    return f'<blockquote class="viewer-quote foreign"><mark>{escape(quote)}</mark></blockquote>' if quote else ""

"""The library page as escaped HTML: files on their way, the table of documents, a page of one. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.records import Document, Job, JobState, PageImage
from rag_app.escape import escape, escape_name
from rag_app.team.wording import identifier_of
from rag_app.web.listing import LOOK, SHOWN, Listing, Wanted, needs_look
from rag_app.web.pace import left_words
from rag_app.web.render import counted, number

_STEPS = (JobState.READING, JobState.CHUNKING, JobState.EMBEDDING, JobState.INDEXING)
_STEP_NAMES = ("read", "cut into passages", "embed", "index")
# What can be sorted by: its name in the address, its name for people, and whether it is a number, which is set right.
_COLUMNS = (
    ("title", "Title", False),
    ("pages", "Pages", True),
    ("passages", "Passages", True),
    ("size", "Size", True),
    ("added", "Added", False),
    ("space", "Space", False),
)
_AGAIN = frozenset({JobState.REFUSED, JobState.NO_TEXT, JobState.NEEDS_PASSWORD, JobState.CANCELLED})
_APPROVED = "An approved answer"  # its file is named by a number, which says nothing to people
_KILO = 1000
ENDED_SHOWN = 8  # files that ended, in the list of files on their way
PAGES_NAMED = 200  # pages listed by number before the rest are only counted


def size_words(size: int) -> str:
    """Bytes as people say them."""
    if size < _KILO * _KILO:
        return f"{max(1, round(size / _KILO))} kB"
    return f"{size / _KILO / _KILO:.1f} MB"


def jobs_html(jobs: Sequence[Job], left: Mapping[int, float] | None = None, queued: int = 0) -> str:
    """Files on their way and those that lately ended, each with its state in words.

    `left` has the seconds left by the id of a job, for those where they can be told; `queued` files are under way.
    """
    if not jobs:
        return '<div class="queue"></div>'
    rows = "".join(_job(job, (left or {}).get(job.id)) for job in jobs)
    title = "Files added lately" if all(job.final for job in jobs) else "Files being added"
    more = queued - sum(not job.final for job in jobs)
    others = f'<p class="others">and {counted(more, "other file")} waiting</p>' if more > 0 else ""
    return f'<section class="queue" aria-label="{title}"><h2>{title}</h2><ul>{rows}</ul>{others}</section>'


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


def _job(job: Job, left: float | None) -> str:
    name = _APPROVED if identifier_of(job.path) else job.path.replace("\\", "/").rsplit("/", 1)[-1]
    reason = f'<p class="reason foreign">{escape_name(job.reason)}</p>' if job.reason else ""
    time_left = "" if left is None else f'<span class="left">{left_words(left)}</span>'
    act = ""
    if not job.final:
        act = _job_button("cancel", "Cancel", job, name)
    elif job.state in _AGAIN:
        act = _job_button("retry", "Try again", job, name)
    return (
        f'<li class="job is-{job.state}" data-job="{job.id}"><span class="name foreign">{escape_name(name)}</span>'
        f'<span class="state">{job_words(job)}{time_left}</span>{act}{_progress(job)}{reason}</li>'
    )


def _job_button(act: str, words: str, job: Job, name: str) -> str:
    return (
        f'<button type="button" class="quiet" data-{act}="{job.id}">{words}'
        f'<span class="visually-hidden"> {escape_name(name)}</span></button>'
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


def documents_html(listing: Listing, want: Wanted, handbook: str) -> str:
    """One page of the table of documents as it is wanted; the shipped handbook is shown as such."""
    if not listing.held:
        return (
            '<section class="shelf-empty"><h2>No documents yet</h2>'
            "<p>Drop PDF or text files anywhere on this page, or choose them.</p></section>"
        )
    narrowed = bool(want.holding or want.space or want.state)
    title = f"{number(listing.found)} of {counted(listing.held, 'document')}"
    heading = f"<h2>{title if narrowed else counted(listing.held, 'document')}</h2>"
    parts = [
        f'<div class="over">{heading}{_filters(listing, want)}</div>',
        _about_handbook(listing, handbook),
        _table(listing, want, handbook) if listing.documents else _nothing_fits(want),
        _paging(listing),
    ]
    return f'<section class="documents">{"".join(parts)}</section>'


def _table(listing: Listing, want: Wanted, handbook: str) -> str:
    rows = "".join(_row(document, handbook) for document in listing.documents)
    heads = "".join(_head(want, *column) for column in _COLUMNS)
    return (
        f'<table><thead><tr>{heads}<th scope="col">State</th>'
        '<th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _head(want: Wanted, order: str, words: str, figure: bool) -> str:  # noqa: FBT001 - a column of _COLUMNS
    here = want.order == order
    way = f' aria-sort="{"descending" if want.falling else "ascending"}"' if here else ""
    arrow = f'<span class="arrow" aria-hidden="true">{"↓" if want.falling else "↑"}</span>' if here else ""
    return (
        f'<th scope="col" class="{"figure" if figure else ""}"{way}>'
        f'<button type="button" class="sort" data-sort="{order}">{words}{arrow}</button></th>'
    )


def _filters(listing: Listing, want: Wanted) -> str:
    """The spaces where there are several, and the documents with pages that need a look where there are any."""
    spaces = ""
    if len(listing.spaces) > 1 or want.space:
        names = "".join(
            f'<option value="{escape(space)}"{" selected" if space == want.space else ""}>{escape_name(space)}</option>'
            for space in listing.spaces
        )
        spaces = (
            '<label class="pick">Space <select data-filter="space"><option value="">All</option>'
            f"{names}</select></label>"
        )
    look = ""
    if listing.look or want.state:
        on = want.state == LOOK
        look = (
            f'<button type="button" class="open" data-look="{"" if on else LOOK}" aria-pressed="{str(on).lower()}">'
            f"{number(listing.look)} with pages that need a look</button>"
        )
    return f'<div class="filters">{spaces}{look}</div>' if spaces or look else ""


def _nothing_fits(want: Wanted) -> str:
    what = f' for "{escape(want.holding)}"' if want.holding else ""
    return (
        f'<p class="none-fit">No document was found{what}. '
        '<button type="button" class="quiet" data-show-all>Show all documents</button></p>'
    )


def _paging(listing: Listing) -> str:
    """Which part of the list this is, and the ways to its neighbours; nothing where it is all there."""
    if listing.pages == 1:
        return ""
    first, last = (listing.page - 1) * SHOWN + 1, min(listing.page * SHOWN, listing.found)
    earlier = f'data-page="{listing.page - 1}"' if listing.page > 1 else "disabled"
    later = f'data-page="{listing.page + 1}"' if listing.page < listing.pages else "disabled"
    return (
        '<nav class="paging" aria-label="Pages of the list">'
        f'<button type="button" class="open" {earlier}>Earlier</button>'
        f"<span>{number(first)} to {number(last)} of {number(listing.found)}</span>"
        f'<button type="button" class="open" {later}>Later</button></nav>'
    )


def _about_handbook(listing: Listing, handbook: str) -> str:
    if handbook not in listing.spaces:
        return ""
    words = (
        "Answers come from the handbook of this software until you add a document of your own; "
        "then it stays out of ordinary answers."
    )
    if len(listing.spaces) > 1:
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
    """Ready, or what is missing, with the way to the pages it is about."""
    parts = []
    if document.failed_pages:
        parts.append(f"{counted(len(document.failed_pages), 'page')} unread")
    if document.empty_pages:
        parts.append(f"{counted(len(document.empty_pages), 'page')} without text")
    if document.hidden_words:
        parts.append(f"{counted(document.hidden_words, 'hidden word')} left out")
    if document.doubt:
        parts.append("letters in doubt")
    if not needs_look(document):
        return "ready"
    return (
        f'<button type="button" class="doubt" data-piece="/documents/{escape(document.id)}/health">{"; ".join(parts)}'
        f'<span class="visually-hidden"> in {escape_name(document.title)}: which pages</span></button>'
    )


def health_html(document: Document) -> str:
    """What could not be taken out of a document, with a way to each of the pages; the inside of a dialog."""
    parts = [
        _pages(
            document,
            document.failed_pages,
            "Pages that could not be read",
            "They are damaged, or reading them took too long. Nothing on them is found. Save the file anew from where "
            "it comes from and add that; it takes the place of this one under the same name.",
        ),
        _pages(
            document,
            document.empty_pages,
            "Pages without text",
            "They are blank or pictures of text, such as scans. Nothing on them is found. Run text recognition (OCR) "
            "over the file and add the result.",
        ),
    ]
    if document.hidden_words:
        parts.append(
            f"<h3>Hidden text</h3><p>{counted(document.hidden_words, 'word')} of the file cannot be seen by a reader "
            "of its pages: too small, in the colour of the paper, or outside of the page. They were left out, so "
            "that nobody can plant answers in a document unseen.</p>"
        )
    if document.doubt:
        parts.append(f'<h3>Letters in doubt</h3><p class="foreign">{escape_name(document.doubt)}</p>')
    parts.append(_taken(document))
    whole = "" if needs_look(document) else "<p>All pages were read.</p>"
    return (
        '<div class="health"><div class="viewer-head"><h2 tabindex="-1">Pages that need a look in '
        f'<span class="foreign">{escape_name(document.title)}</span></h2>'
        f'<button type="button" class="quiet" data-close>Close</button></div>{whole}{"".join(parts)}</div>'
    )


def _taken(document: Document) -> str:
    """What was taken out of a document, in figures; "" where it was read before they were kept."""
    if not document.characters:
        return ""
    forms = f", {counted(document.form_values, 'filled form field')} among them" if document.form_values else ""
    notes = f" {counted(document.notes, 'note')} behind signs not read." if document.notes else ""
    return (
        f"<h3>Taken out</h3><p>{counted(document.characters, 'character')} of text on "
        f"{counted(document.pages - len(document.failed_pages) - len(document.empty_pages), 'page')}{forms}.{notes}</p>"
    )


def _pages(document: Document, pages: Sequence[int], title: str, words: str) -> str:
    if not pages:
        return ""
    listed = "".join(
        f'<li><button type="button" class="open" data-view="/documents/{escape(document.id)}/view?page={page}">'
        f'<span class="visually-hidden">Page </span>{page}</button></li>'
        for page in pages[:PAGES_NAMED]
    )
    more = f"<p>and {counted(len(pages) - PAGES_NAMED, 'other')}</p>" if len(pages) > PAGES_NAMED else ""
    return f'<h3>{title} ({number(len(pages))})</h3><p>{words}</p><ul class="page-list">{listed}</ul>{more}'


def viewer_html(document: Document, page: int, label: str, image: PageImage, *, address: str, quote: str) -> str:
    """One page of a document with the boxes of a quote; `address` answers with other pages of it."""
    title = escape_name(document.title)
    printed = f"page {escape(label)} (sheet {page})" if label not in ("", str(page)) else f"page {page}"
    if label.startswith(f"{page}, "):  # the lines of a text
        printed = f"page {escape(label)}"
    lost = f'<p class="notice">This passage could not be placed on the page. It is somewhere on page {page}.</p>'
    return (
        f'<div class="viewer" data-page="{page}"><div class="viewer-head">'
        f'<h2 tabindex="-1"><span class="foreign">{title}</span> <span class="printed">{printed}</span></h2>'
        f'<a class="quiet" href="/documents/{escape(document.id)}/original" download>Download'
        '<span class="of-page"> the original</span></a>'
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
        f'<div class="turning"><button type="button" class="quiet previous" {before}>Previous'
        '<span class="of-page"> page</span></button>'
        f'<label class="go-to"><span class="visually-hidden">Page</span><input type="number" '
        f'inputmode="numeric" min="1" max="{pages}" value="{page}" data-go-to="{address}"> of {pages}</label>'
        f'<button type="button" class="quiet next" {after}>Next<span class="of-page"> page</span></button>'
        '<span class="zooming"><button type="button" class="quiet" data-zoom="-1" disabled>'
        '<span class="visually-hidden">Smaller</span><span aria-hidden="true">\N{MINUS SIGN}</span></button>'
        '<button type="button" class="quiet" data-zoom="1"><span class="visually-hidden">Larger</span>'
        '<span aria-hidden="true">+</span></button></span></div>'
    )


def _quote(quote: str) -> str:
    return f'<blockquote class="viewer-quote foreign"><mark>{escape(quote)}</mark></blockquote>' if quote else ""

"""The folders of the server that may be imported, as escaped HTML. Pure."""

from collections.abc import Sequence

from rag_app.escape import escape, escape_name
from rag_app.web.office import Folder
from rag_app.web.render import counted


def folders_html(folders: Sequence[Folder]) -> str:
    """One line a folder, with its button; the inside of a dialog."""
    rows = "".join(_row(folder) for folder in folders)
    words = (
        "These folders lie on the server, where its administrator allowed it. Every file in a folder and below is "
        "taken in; what is already here is left as it is."
    )
    return (
        '<div class="folders"><div class="viewer-head"><h2 tabindex="-1">Import a folder on the server</h2>'
        '<button type="button" class="quiet" data-close>Close</button></div>'
        f'<p>{words}</p><p role="status"></p><ul class="folder-list">{rows}</ul></div>'
    )


def _row(folder: Folder) -> str:
    name = escape_name(folder.name) if folder.name else "All of them"
    return (
        f'<li><span class="foreign name">{name}</span><span class="count">{counted(folder.files, "file")}</span>'
        f'<button type="button" class="open" data-import="{escape(folder.name)}">Import'
        f'<span class="visually-hidden"> {name}</span></button></li>'
    )

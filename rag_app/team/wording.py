"""An approved answer as a document of the library: what it is called there, and its text. Pure."""

import re

from ingest.reading.titles import sensible

FOLDER = "approved/"  # no other document is called so: uploads have bare names, and files from disk whole paths
HEADING_LIMIT = 110  # characters of the first line, which becomes the title
_ID = re.compile(r"^approved/([0-9a-f]{32})\.md$")
_SIGNS = re.compile(r"^ {0,3}(?=#{1,6}\s|`{3,}|~{3,}|={3,}\s*$|-{3,}\s*$)", re.MULTILINE)


def path_of(identifier: str) -> str:
    """What the document of an approved answer is called."""
    return f"{FOLDER}{identifier}.md"


def identifier_of(path: str) -> str:
    """The approved answer whose document is called so; "" for every other document."""
    found = _ID.match(path)
    return found[1] if found else ""


def heading(question: str) -> str:
    """The title under which an answer to `question` stands; "" where it says nothing."""
    line = " ".join(question.split())
    if len(line) > HEADING_LIMIT:
        line = line[:HEADING_LIMIT].rsplit(" ", 1)[0]
    return sensible(line)


def markdown(question: str, answer: str) -> str:
    """The document: the question as its title, and the answer as it was written.

    A question that is too long for a title stands whole before the answer. Lines of the answer that a reader of
    Markdown would take for headings or signs are indented, so that they stay text.
    """
    asked = " ".join(question.split())
    whole = "" if len(asked) <= HEADING_LIMIT else f"{_plain(asked)}\n\n"
    return f"# {heading(question)}\n\n{whole}{_plain(answer)}\n"


def _plain(text: str) -> str:
    return _SIGNS.sub("    ", text.replace("\r\n", "\n").replace("\f", "\n").strip())

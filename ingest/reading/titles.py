"""Whether the title a file gives itself is worth showing. Pure."""

import re

_LETTERS = 3
_SIGNS = 2
_LONGEST = 200  # characters; what is longer is no title
_PROGRAM = re.compile(
    r"^(microsoft (office )?(word|powerpoint|excel)|powerpoint presentation)\b\s*[-:]?\s*", re.IGNORECASE
)
_FILE_NAME = re.compile(
    r"^\S+\.(docx?|odt|rtf|pptx?|xlsx?|pdf|tex|dvi|indd|qxd|html?|txt|md|ps|fm|pages)$", re.IGNORECASE
)
_SAYS_NOTHING = re.compile(
    r"^(un(titled|named|known)|no title|document|title|presentation|slide|page|new|none|null|test|scan\w*|default|"
    r"doc|pdf|dokument|sans titre|ohne titel|about:blank|anonymous|\(anonymous\)|print|latex( with .*)?)[\s_-]*\d*$",
    re.IGNORECASE,
)


def sensible(title: str) -> str:
    """The title in one line, or "" where it is empty, a file name, or what a program writes by itself."""
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    if not line or len(line) > _LONGEST or "\ufffd" in line:
        return ""
    if _PROGRAM.match(line):
        line = _PROGRAM.sub("", line)
        return "" if not line or "." in line else sensible(line)
    if _FILE_NAME.match(line) or _SAYS_NOTHING.match(line):
        return ""
    return line if sum(c.isalpha() for c in line) >= _LETTERS or _wide(line) else ""


def _wide(line: str) -> bool:
    """Whether it is in a script where two signs can be a title."""
    return sum(c.isalpha() and c > "\u2e7f" for c in line) >= _SIGNS

"""The one place where text of people, documents and models becomes HTML. Pure."""

import html
import unicodedata

# Beyond what html.escape knows: characters that Markdown, formulas or template strings give a meaning to.
# A line break becomes an entity, so that a block of HTML stays one line, which Markdown leaves alone.
_ENTITIES = str.maketrans(
    {character: f"&#{ord(character)};" for character in "`$\\{}[]*_~|"} | {"\n": "&#10;", "\r": ""}
)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_DELETE_PICTURE = "\N{SYMBOL FOR DELETE}"


def escape(text: str) -> str:
    """`text` as HTML that shows exactly that text, also in an attribute in double quotes."""
    sound = "".join(_sound(character) for character in text)
    return html.escape(sound, quote=True).translate(_ENTITIES)


def escape_name(name: str) -> str:
    """A file name or title as HTML: controls and invisible direction marks become visible symbols."""
    return escape("".join(_visible(character) for character in name))


def _sound(character: str) -> str:
    """HTML knows no control characters and no lone surrogates."""
    if character in "\n\t\r" or unicodedata.category(character) not in ("Cc", "Cs"):
        return character
    return _REPLACEMENT


def _visible(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return _DELETE_PICTURE
    if unicodedata.category(character) in ("Cf", "Zl", "Zp", "Cs", "Cc"):
        return f"<{code:04X}>"
    return character

"""The pages' own scripts, which run before Gradio's.

Whatever is given to Gradio as a page's head is fetched by its script while it already draws, so on a slow machine the
box would stand there before anything heard what is typed into it. Browsers run deferred scripts and modules in the
order of the document; in it, ahead of Gradio's module, ours come first however late they arrive.
"""

# app.js comes first: the other scripts take from it what they share.
_NAMES = ("app", "conversations", "citations", "lasting", "library", "reply", "share", "inbox", "spaces")
_GRADIOS = b'<script type="module"'
_OURS = "".join(f'<script src="/ui/{name}.js" defer></script>' for name in _NAMES).encode()


def with_scripts(document: bytes) -> bytes:
    """A page of Gradio's with our scripts ahead of its own; any other document as it is."""
    return document.replace(_GRADIOS, _OURS + _GRADIOS, 1)

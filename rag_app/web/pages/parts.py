"""Pieces both pages are made of."""

import gradio

LISTEN = """
for (const name of %s) {
  window.addEventListener('rag:' + name, (event) => trigger(name, event.detail || {}));
}
window.dispatchEvent(new CustomEvent('rag:listening'));
"""


def block(name: str, value: str = "", **given: object) -> gradio.HTML:
    """A block of finished, escaped HTML. Its template is never anything but the value."""
    return gradio.HTML(
        value,
        elem_id=name,
        html_template="${value}",
        js_on_load=None,
        apply_default_css=False,
        padding=False,
        **given,
    )


def listener(*names: str) -> gradio.HTML:
    """A hidden block that turns what app.js announces on the window into events of the page."""
    listed = "[" + ", ".join(f"'{name}'" for name in names) + "]"
    return gradio.HTML("", js_on_load=LISTEN % listed, visible="hidden", apply_default_css=False)

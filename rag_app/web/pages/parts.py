"""Pieces both pages are made of."""

import gradio

from rag_app.access import Who, manages
from rag_app.web.people import People

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


def visitor(people: People, request: gradio.Request) -> Who:
    """Whose event this is. Raises gradio.Error with a sentence where nobody is signed in with that browser any more."""
    who = people.who(request.cookies)
    if who is None and people.login_needed:
        raise gradio.Error("You are not signed in any more. Reload the page and sign in again.", print_exception=False)
    if who is None:
        raise gradio.Error(
            "This browser keeps no cookies from this server. Allow them and reload the page.", print_exception=False
        )
    return who


def manager(people: People, request: gradio.Request) -> Who:
    """Whose event this is, where it is for administrators. Raises gradio.Error for everybody else."""
    who = visitor(people, request)
    if not manages(who):
        raise gradio.Error("This page is for administrators.", print_exception=False)
    return who

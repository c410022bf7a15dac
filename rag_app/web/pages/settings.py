"""The Settings page: what is in force, where it came from, and whether every part works."""

from collections.abc import Iterator
from typing import Any

import gradio

from rag_app.web.desk import Desk
from rag_app.web.header_html import header_html
from rag_app.web.office import Office
from rag_app.web.pages.parts import block, listener, manager
from rag_app.web.people import People
from rag_app.web.settings_html import CHECKING, checks_html, in_force_html, settings_html

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
CHECKS_AT_ONCE = 1  # looking at every part takes the models for a moment


class SettingsPage:
    """Builds the page and holds its handlers."""

    def __init__(self, desk: Desk, office: Office, people: People) -> None:
        self._desk = desk
        self._people = people
        self._office = office

    def build(self) -> None:
        """Lay the page out and join its events to their handlers."""
        gradio.Navbar(visible=False)
        header = block("header")
        with gradio.Column(elem_id="settings"):
            in_force = block("in-force")
            checks = block("checks")
            listed = block("all-settings")
        heard = listener("resume", "check")
        heard.resume(self._draw, None, [header, in_force, checks, listed], queue=False, **QUIET)
        heard.check(self._check, None, checks, concurrency_limit=CHECKS_AT_ONCE, **QUIET)

    def _draw(self, request: gradio.Request) -> tuple[str, str, str, str]:
        who = manager(self._people, request)
        configuration = self._office.configuration()
        return (
            header_html("Settings", self._desk.status(), who),
            in_force_html(configuration),
            checks_html(None, configuration.index),
            settings_html(configuration),
        )

    def _check(self, request: gradio.Request) -> Iterator[str]:
        """Every part looked at."""
        manager(self._people, request)
        yield CHECKING
        yield checks_html(self._office.checks(), self._office.configuration().index)

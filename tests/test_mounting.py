"""What is kept of open pages, in a real Gradio under a real application."""

from datetime import datetime, timedelta

import gradio
import pytest
from fastapi import FastAPI

from rag_app.web.mounting import IDLE_S, Mount


def pages():
    with gradio.Blocks(analytics_enabled=False) as blocks:
        gradio.HTML("An answer.")
    return blocks


@pytest.fixture
def mounted():
    made = []
    mount = Mount(lambda: made.append(pages()) or made[0], host="127.0.0.1", port=7860)
    mount.under(FastAPI())
    return mount, made[0].state_holder


def test_a_page_that_did_nothing_for_long_is_forgotten_and_no_other(mounted):
    mount, holder = mounted
    held = [holder["left"], holder["used"]]
    holder.time_last_used["left"] = datetime.now() - timedelta(seconds=IDLE_S + 1)  # noqa: DTZ005 - as Gradio does

    assert mount.forget_idle() == 1
    assert ("left" in holder, "used" in holder) == (False, True)
    assert holder["used"] is held[1]
    assert mount.forget_idle() == 0


def test_a_page_that_was_forgotten_begins_anew_when_it_is_used_again(mounted):
    mount, holder = mounted
    before = holder["dana"]
    assert mount.forget_idle(seconds=-1) == 1

    assert holder["dana"] is not before
    assert "dana" in holder.time_last_used


def test_nothing_is_forgotten_before_there_are_pages():
    assert Mount(pages, host="127.0.0.1", port=7860).forget_idle() == 0

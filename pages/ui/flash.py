"""Messages at the top of the page about the result of a button, shown for a while."""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

from clv_core import jobs
from pages.ui import progress

SAID: Final = "outcome"
SHOWN_SECONDS: Final = 20
"""A page may be drawn again by itself just after, when a run that it started ends; the sentence stays that long."""


def say(sentence: str) -> None:
    """Keep a sentence for the top of the next runs."""
    st.session_state[SAID] = (sentence, time.time() + SHOWN_SECONDS)


def show() -> None:
    """Show the sentence that was kept, while it is new."""
    sentence, until = st.session_state.get(SAID, ("", 0.0))
    if time.time() < until:
        st.success(sentence, icon=":material/check_circle:")


def follow(command: str, label: str | None = None, *, stop: bool = True) -> jobs.Job | None:
    """Watch a run of ``command``, and ``stop`` the page here while it lasts; return it once when it is done.

    A run that failed or was cut off is shown with its reason until it is closed.
    """
    job = progress.followed_run(command, label)
    if job is None:
        return None
    if progress.is_running(job):
        progress.watch(job)
        if stop:
            st.stop()
    elif progress.consume_done(job):
        return job
    else:
        progress.failure_actions(job)
    return None

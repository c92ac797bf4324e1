"""Runs that read a file for nobody who is here: offered to who comes to upload, never opened unasked.

A browser that was closed no longer knows which run it had started; the run, and what it asks, wait for it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from clv_core import jobs
from pages.ui import access, progress, session, widgets
from pages.ui.i18n import t
from pages.ui.upload import questions


def show() -> None:
    """Offer the runs that go on, were cut off, or ended with a question, as long as their file is there."""
    for job in jobs.jobs(session.workspace(), "ingest")[: progress.RECENT]:
        waits = _waits(job)
        if waits:
            _offer(job, waits)


def _waits(job: jobs.Job) -> str:
    """Return what becomes of a run that nobody has put away: ``running``, ``cut_off``, ``asks``, "" for nothing."""
    status = job.status()
    if status.get("put_away") or not Path(status["args"][1]).exists():
        return ""
    if status["state"] == jobs.FAILED:
        return "asks" if questions.asked(status["error"]) else ""
    return {jobs.RUNNING: "running", jobs.INTERRUPTED: "cut_off"}.get(status["state"], "")


def _offer(job: jobs.Job, waits: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        name = widgets.escape(job.status().get("label", ""))
        st.markdown(f":material/history: {t(f'waiting.{waits}', name=name)}")
        if st.button(t("waiting.follow"), key=f"follow_{job.id}"):
            session.follow(job)
            st.rerun()
        if waits != "running":
            key, icon, may = f"put_away_{job.id}", ":material/close:", access.if_may("change")
            st.button(t("outcome.close"), key=key, icon=icon, type="tertiary", on_click=job.dismiss, **may)

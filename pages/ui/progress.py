"""Long runs on a page: how far, how long still, the curve, stop; and what became of them.

A run is a job of the command line. Everything shown is read from its folder, so that a reload, another page or a
second person changes nothing.
"""

from __future__ import annotations

import time
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core import jobs
from pages.ui import access, by_role, charts, state, widgets
from pages.ui.state import t

POLL: Final = "1s"
RECENT: Final = 30


def latest(command: str, label: str | None = None) -> jobs.Job | None:
    """Return the newest job of ``command``, about ``label`` where one is given."""
    found = jobs.jobs(state.workspace(), command)[:RECENT]
    return next((job for job in found if label is None or job.status().get("label") == label), None)


def current(command: str, label: str | None = None) -> jobs.Job | None:
    """Return the newest job if it runs, was cut off, or was started in this session and not yet taken."""
    job = latest(command, label)
    if job is None or job.id == st.session_state.get(f"job_{command}"):
        return job
    return job if job.status()["state"] in (jobs.RUNNING, jobs.INTERRUPTED) else None


def running(job: jobs.Job | None) -> bool:
    """Say whether the job still runs."""
    return job is not None and job.status()["state"] == jobs.RUNNING


def watch(job: jobs.Job) -> None:
    """Follow a running job; when it ends, the whole page is drawn again, and :func:`take` says so in this session too.

    A page that was loaded anew does not know that it had started the run.
    """
    st.session_state[f"job_{job.status()['command']}"] = job.id
    _live(job)


@st.fragment(run_every=POLL)
def _live(job: jobs.Job) -> None:
    status = job.status()
    if status["state"] != jobs.RUNNING:
        st.rerun(scope="app")
    with st.container(border=True):
        share, stage = _share(status), status.get("stage")
        st.markdown(f"**{t('job.' + status['command'], label=status.get('label', ''))}**")
        st.progress(share, text=t(f"stage.{stage}") if stage else t("job.starting"))
        elapsed = time.time() - status["started"]
        left = _seconds_left(job.id, status)
        history = job.history()
        parts = [t("job.elapsed", elapsed=state.span(elapsed))]
        parts += [] if left is None else [t("job.left", left=state.span(left))]
        speed = history[-1].get("rows_per_second") if history and history[-1]["stage"] == stage else None
        parts += [t("job.speed", rows=state.say(speed))] if speed else []
        st.caption(" · ".join(parts))
        curve = loss_frame(history)
        if len(curve) > 1:
            widgets.chart(charts.loss_history(curve), f"live_{job.id}", height=240)
        with st.container(horizontal=True, vertical_alignment="center"):
            may = by_role.if_may(access.action_of(status["command"]))
            icon = ":material/stop_circle:"
            st.button(t("job.cancel"), key=f"cancel_{job.id}", icon=icon, on_click=job.cancel, **may)
            st.caption(t("job.leave"))


def take(job: jobs.Job) -> bool:
    """Say once, on the first run after its end, that the job is done; show what went wrong where it is not."""
    if ended(job) != jobs.DONE:
        return False
    return st.session_state.pop(f"job_{job.status()['command']}", None) is not None


def ended(job: jobs.Job) -> str:
    """Show what became of a job that is over (nothing when it is done), and return its state."""
    status = job.status()
    if status["state"] == jobs.FAILED:
        widgets.error_box(status["error"])
    elif status["state"] == jobs.CANCELLED:
        st.info(t("job.cancelled"), icon=":material/stop_circle:")
    elif status["state"] == jobs.INTERRUPTED:
        st.warning(t("job.interrupted"), icon=":material/power_off:")
    return str(status["state"])


def again(job: jobs.Job) -> None:
    """Start the same command once more; training goes on where it stopped."""
    status = job.status()
    state.start_job(status["args"], status.get("label", ""))
    st.rerun()


def technical_log(job: jobs.Job) -> None:
    """Offer what the run printed, for whoever looks after the machine."""
    text = job.log(characters=200_000)
    if text:
        widgets.download(t("job.log"), text, f"{job.id}.log", key=f"log_{job.id}", type="tertiary")


def need(ready: bool, command: list[str], label: str, note: str) -> None:
    """Go on where a result is there; otherwise start the command that makes it, show the run, and end the page here.

    Args:
        ready: whether the result is there.
        command: what makes it.
        label: tells its runs apart from others of the same command.
        note: what is being done, in a sentence.
    """
    if ready:
        return
    job = latest(command[0], label)
    if job is None or job.status()["state"] == jobs.DONE:
        job = state.start_job(command, label)
    st.caption(note)
    if running(job):
        watch(job)
    else:
        ended(job)
        technical_log(job)
        icon, may = ":material/refresh:", by_role.if_may(access.action_of(command[0]))
        if st.button(t("job.again"), type="primary", icon=icon, key=f"again_{command[0]}", **may):
            state.start_job(command, label)
            st.rerun()
    st.stop()


def running_jobs() -> None:
    """Name the runs that are under way, on any page."""
    active = [job for job in jobs.jobs(state.workspace())[:RECENT] if running(job)]
    if active:
        _mini(active)


@st.fragment(run_every="3s")
def _mini(active: list[jobs.Job]) -> None:
    for job in active:
        status = job.status()
        if status["state"] == jobs.RUNNING:
            st.progress(_share(status), text=t("job." + status["command"], label=status.get("label", "")))
        else:
            st.caption(f":material/done: {t('job.' + status['command'], label=status.get('label', ''))}")


def loss_frame(history: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the reports that carry a loss, one row each: ``step``, ``loss``, ``seed``."""
    rows = [item for item in history if "loss" in item]
    if not rows:
        return pd.DataFrame({"step": [], "loss": [], "seed": []})
    frame = pd.DataFrame(rows)
    frame["step"] = frame["step"] if "step" in frame else frame["done"]
    frame["seed"] = frame["seed"].astype(int) if "seed" in frame else 1
    return frame[["step", "loss", "seed"]].sort_values(["seed", "step"], ignore_index=True)


def _share(status: dict[str, Any]) -> float:
    total = float(status.get("total") or 0)
    return min(1.0, max(0.0, float(status.get("done") or 0) / total)) if total else 0.0


def _seconds_left(job_id: str, status: dict[str, Any]) -> float | None:
    """Return the seconds that the stage still takes at the pace seen so far, None while that cannot be told."""
    seen = st.session_state.setdefault(f"pace_{job_id}", {})
    stage, done, total = status.get("stage"), float(status.get("done") or 0), float(status.get("total") or 0)
    if "since" not in seen or seen["stage"] != stage:
        seen.update(stage=stage, done=done, since=time.time())
    passed, made = time.time() - seen["since"], done - seen["done"]
    return (total - done) * passed / made if made > 0 and passed > 2 and total > done else None

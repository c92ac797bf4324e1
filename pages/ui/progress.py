"""Long runs on a page: progress, remaining time, curve, stop, and result.

A run is a job of the command line. Everything shown is read from its folder, so that a reload or another page changes
nothing. Its result is shown to the sessions that follow it: the one that started it, and who was given its address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from threading import Lock
from typing import Final

import streamlit as st

from clv_core import audit, jobs
from clv_core.environment import ALERT_ADDRESSES
from clv_core.errors import Refused
from clv_core.jobs import JobStatus
from clv_core.plot import evaluation
from pages.ui import access, confirmation, i18n, page_files, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

POLL: Final = "1s"
ADDRESSES: Final = re.compile(r"([ -][0-9a-f]{12})+$")
"""Content addresses at the end of a label: they distinguish runs and are not shown."""
MAX_RECENT_JOBS: Final = 30
"""Newest jobs that are read: each takes a read of its files on every redraw."""
RESUMES: Final = ("train", "tune", "backtest", "push")
"""Commands that go on where they were cut off; the others start anew."""
KEPT: Final = ("tune",)
"""Commands that go on where they were stopped too."""
CHANGES: Final = ("erase", "delete", "prune", "rename", "models", "push")
"""Commands whose changes stay where they are stopped in the middle."""
SIGNS: Final = {
    jobs.DONE: ":material/done:",
    jobs.CANCELLED: ":material/stop_circle:",
    jobs.INTERRUPTED: ":material/power_off:",
    jobs.FAILED: ":material/error:",
}
"""Icons of finished runs in the sidebar: a tick only for success."""
OF_A_DATASET: Final = ("score", "explain", "embed", "backtest", "monitor", "price", "recommend", "report")
"""Commands whose label is the name of a result file, which is not shown; their second word is the dataset."""
LACKING: Final = (
    "price_no_variation",
    "price_few_products",
    "price_few_sales",
    "price_nothing_measured",
    "price_no_columns",
    "recommend_no_products",
)
"""Errors about data that the log lacks: no retry is offered, as it cannot help."""
_starting: Final = Lock()


def start_job(command: Sequence[str], label: str, language_of_job: str = "") -> jobs.Job:
    """Start a command as a job, and remember it as this session's last of its kind.

    A button that is pressed twice starts one: the second press can end the page's run between the start of the job and
    its being remembered, so the job that has just begun with the same words is followed instead.

    Args:
        command: words of the command line.
        label: distinguishes runs of the same command.
        language_of_job: of its sentences; "" is that of the page.

    Raises:
        Refused: the current user's role does not allow it, or not while another run of the same person is active.
    """
    access.require_run(command)
    audit.set_actor(access.current_user())
    job_language, without = language_of_job or session.language(), () if access.may("change") else ALERT_ADDRESSES
    with _starting:
        job = jobs.just_started(session.workspace(), command)
        if job is None:
            if viewers_run() is not None:
                raise Refused("one_run")
            job = jobs.start(session.workspace(), command, language=job_language, label=label, without=without)
    session.follow(job)
    return job


def viewers_run() -> jobs.Job | None:
    """Return what a viewer has running, who may start nothing else until it ends; None for everybody else."""
    return None if access.may("change") else jobs.running_of(session.workspace(), access.current_user())


def latest_run(command: str, label: str | None = None) -> jobs.Job | None:
    """Return the newest job of ``command``, about ``label`` where one is given."""
    newest = jobs.jobs(session.workspace(), command)[:MAX_RECENT_JOBS]
    return next((job for job in newest if label is None or job.status().label == label), None)


def followed_run(command: str, label: str | None = None) -> jobs.Job | None:
    """Return the job that this session follows; else the newest about ``label`` that runs or was cut off.

    Without a label, what others run is none of the page's business: it stays in the sidebar.
    """
    run = session.followed(command)
    if run is not None and label in (None, run.status().label):
        return run
    job = latest_run(command, label) if label is not None else None
    return job if job is not None and (is_running(job) or _cut_off(job)) else None


def is_running(job: jobs.Job | None) -> bool:
    """Return whether the job still runs."""
    return job is not None and job.status().is_running


def _title(status: JobStatus) -> str:
    """Return what a run does and about what."""
    command, arguments = status.command, status.args
    about = arguments[1] if command in OF_A_DATASET and len(arguments) > 1 else ADDRESSES.sub("", status.label)
    return t("job." + command, label=widgets.escape(about))


@st.fragment(run_every=POLL)
def watch(job: jobs.Job) -> None:
    """Show a running job; when it ends, the page is drawn again."""
    status = job.status()
    if not status.is_running:
        st.rerun(scope="app")
    with st.container(border=True):
        stage = status.stage
        st.markdown(f"**{_title(status)}**")
        st.progress(status.share, text=t(f"stage.{stage}") if stage else t("job.starting"))
        left, history = status.seconds_left, job.history()
        parts = [t("job.elapsed", elapsed=i18n.span(status.elapsed))]
        parts += [] if left is None else [t("job.left", left=i18n.span(left))]
        speed = history[-1].get("rows_per_second") if history and history[-1]["stage"] == stage else None
        parts += [t("job.speed", rows=i18n.say(speed))] if speed else []
        st.caption(" · ".join(parts))
        curve = evaluation.loss_frame(history)
        if len(curve) > 1:
            widgets.chart(evaluation.loss_history(curve, height=240), f"live_{job.id}")
        with st.container(horizontal=True, vertical_alignment="center"):
            may, icon = access.if_may(access.action_of(status.args)), ":material/stop_circle:"
            confirmation.button(_stopping(job, status), t("job.cancel"), f"cancel_{job.id}", icon=icon, **may)
            st.caption(t("job.leave"))


def _stopping(job: jobs.Job, status: JobStatus) -> Confirmation:
    """Return the question whether to stop a run, with the consequence for its results."""
    consequence = t(f"job.cancel.why{_when_stopped(status.command)}", run=_title(status))
    return Confirmation(t("job.cancel.sure"), consequence, t("job.cancel.confirm"), partial(_stop, job))


def _stop(job: jobs.Job) -> None:
    access.require_run(job.status().args)
    job.cancel()


def _when_stopped(command: str) -> str:
    """Return the suffix of the catalogue keys about the results of a stopped run."""
    return ".kept" if command in KEPT else ".partly" if command in CHANGES else ""


def consume_done(job: jobs.Job) -> bool:
    """Say once that a job which this session follows is done; show what went wrong where it is not."""
    if show_outcome(job) != jobs.DONE or session.followed(job.status().command) != job:
        return False
    session.unfollow(job)
    return True


def show_outcome(job: jobs.Job) -> str:
    """Show the outcome of a finished job (nothing after success), and return its state."""
    status = job.status()
    if status.failure is not None:
        widgets.show_error(status.failure)
    elif status.state == jobs.CANCELLED:
        st.info(t(f"job.cancelled{_when_stopped(status.command)}"), icon=":material/stop_circle:")
    elif status.state == jobs.INTERRUPTED:
        resumes = status.command in RESUMES
        st.warning(t("job.interrupted" if resumes else "job.interrupted.anew"), icon=":material/power_off:")
    return status.state


def show_failure(job: jobs.Job | None) -> None:
    """Say how a run that did not end well ended, and offer what is left to do about it, until somebody closes it."""
    if job is not None and not job.status().put_away and show_outcome(job) != jobs.DONE:
        failure_actions(job)


def failure_actions(job: jobs.Job) -> None:
    """Offer what is left to do about a run that did not end well: start it again, read what it printed, close it."""
    status = job.status()
    with st.container(horizontal=True):
        if status.state == jobs.INTERRUPTED:
            word = "job.go_on" if status.command in RESUMES else "job.again"
            icon, may = ":material/refresh:", access.if_may(access.action_of(status.args))
            if st.button(t(word), type="primary", icon=icon, key=f"once_more_{status.command}", **may):
                restart(job)
        icon, close = ":material/close:", f"close_{status.command}"
        st.button(t("outcome.close"), key=close, icon=icon, type="tertiary", on_click=session.unfollow, args=[job])
        technical_log(job)


def restart(job: jobs.Job) -> None:
    """Start the same command once more; training goes on where it stopped."""
    status = job.status()
    start_job(status.args, status.label)
    job.dismiss()
    st.rerun()


def technical_log(job: jobs.Job) -> None:
    """Offer what the run printed, for whoever looks after the machine."""
    text = job.log(characters=200_000)
    if text:
        page_files.download(t("job.log"), text, f"{job.id}.log", key=f"log_{job.id}", type="tertiary")


def need_result(ready: bool, command: Sequence[str], label: str, note: str) -> None:
    """Go on where a result is there; otherwise start the command that makes it, show the run, and end the page here.

    Where the run failed because the log lacks what it needs, the reason is shown instead.

    Args:
        ready: whether the result is there.
        command: what makes it.
        label: distinguishes runs of the same command.
        note: what is being done, in a sentence.
    """
    if ready:
        return
    job = latest_run(command[0], label)
    if job is None or job.status().state == jobs.DONE:
        before = viewers_run()
        if before is not None:
            st.info(t("job.one"), icon=":material/hourglass_top:")
            watch(before)
            st.stop()
        job = start_job(command, label)
    failure = job.status().failure
    if failure is not None and failure.code in LACKING:
        widgets.show_refusal(failure)
        st.stop()
    st.caption(note)
    if is_running(job):
        watch(job)
    else:
        show_outcome(job)
        technical_log(job)
        icon, may = ":material/refresh:", access.if_may(access.action_of(command))
        if st.button(t("job.again"), type="primary", icon=icon, key=f"again_{command[0]}", **may):
            start_job(command, label)
            st.rerun()
    st.stop()


def running_jobs() -> None:
    """Name the runs that are under way, on any page."""
    active = [job for job in jobs.jobs(session.workspace())[:MAX_RECENT_JOBS] if is_running(job)]
    if active:
        _mini(active)


@st.fragment(run_every="3s")
def _mini(active: list[jobs.Job]) -> None:
    for job in active:
        status = job.status()
        if status.is_running:
            st.progress(status.share, text=_title(status))
        else:
            st.caption(f"{SIGNS.get(status.state, SIGNS[jobs.FAILED])} {_title(status)}")


def _cut_off(job: jobs.Job) -> bool:
    """Return whether a run was cut off and nobody has closed it since."""
    status = job.status()
    return status.state == jobs.INTERRUPTED and not status.put_away

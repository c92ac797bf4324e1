"""Schedules: what runs by itself, when next, and how did it go?"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, time
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.collection.sources import list_sources
from clv_core.commands import check_steps
from clv_core.errors import ClvError
from clv_core.monitoring import (
    UNWELL,
    Run,
    Schedule,
    ScheduleState,
    add_schedule,
    check_schedules,
    damaged_schedules,
    history,
    list_schedules,
    pause,
    remove_schedule,
)
from clv_core.strategy.audiences import EXPORTS
from clv_core.strategy.destinations import list_destinations
from pages.ui import access, cells, confirmation, flash, i18n, progress, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

DAYS: Final = {"daily": "* * *", "weekly": "* * 1", "monthly": "1 * *"}
"""How often -> day, month and weekday of the cron expression."""
STEPS: Final = (
    *("source", "score", "monitor", "retrain", "export", "push", "summary"),
    *("versions", "models", "prune"),
)
"""Steps that the form offers, in the order in which they run."""
VERSIONS, MODELS = 7, 5
"""Of a dataset, and of its model, that stay; a week of nights, and a few retrainings to go back to."""
SHOWN_RUNS: Final = 20
"""Latest runs of a schedule that the page lists."""
WRAPPED_ROW: Final = 84
"""Pixels of a row with room for a full sentence."""


def headline(schedules: list[tuple[Schedule, ScheduleState]], states: dict[str, str]) -> str:
    unwell = [widgets.escape(name) for name, state in states.items() if state in UNWELL]
    if unwell:
        return t("schedules.headline.failed", n=len(unwell), all=len(states), names=unwell)
    following = min((state.next for schedule, state in schedules if not schedule.is_paused), default="")
    if not following:
        return t("schedules.headline.none")
    return t("schedules.headline", n=len(schedules), when=i18n.moment(following))


def show(schedule: Schedule, state: ScheduleState, *, is_missed: bool) -> None:
    """Show one schedule: its steps, when it runs next, how the last run went, and what can be done with it."""
    name = schedule.name
    with st.container(border=True):
        st.markdown(f"**{widgets.escape(name)}**")
        following = t("schedules.paused") if schedule.is_paused else t("schedules.next", when=i18n.moment(state.next))
        timing = f"{widgets.escape(schedule.cron)} · {widgets.escape(schedule.timezone)}"
        st.caption(timing if is_missed else f"{following} · {timing}")
        if is_missed:
            st.warning(t("schedules.missed", when=i18n.moment(state.next)), icon=":material/warning:")
        stopped = state.last.last.step if state.last is not None and state.last.last.error else ""
        marks = {stopped: " :red[:material/error:]"}
        lines = [f"{number}. `{step}`{marks.get(step, '')}" for number, step in enumerate(schedule.steps, 1)]
        st.markdown("\n".join(lines))
        if state.last is not None:
            params = {"when": i18n.moment(state.last.started), "elapsed": i18n.span(state.last.seconds)}
            st.write(t(f"schedules.last.{state.last.outcome}", **params))
            if state.last.due:
                st.caption(t("schedules.late", when=i18n.moment(state.last.due)))
            if state.last.last.error:
                widgets.show_error(state.last.last.error)
        with st.container(horizontal=True):
            label, icon = t("schedules.run"), ":material/play_arrow:"
            run = ["schedule", "run", name]
            may = access.if_may(access.action_of(run))
            if st.button(label, key=f"run_{name}", icon=icon, type="primary", **may):
                progress.start_job(run, name)
                st.rerun()
            may = access.if_may("connect")
            word, icon = ("resume", ":material/play_circle:") if schedule.is_paused else ("pause", ":material/pause:")
            if st.button(t(f"schedules.{word}"), key=f"pause_{name}", icon=icon, **may):
                access.require("connect")
                pause(session.workspace(), name, paused=not schedule.is_paused)
                _note(word, name)
                st.rerun()
            _remove_button(name)
        runs = history(session.workspace(), name)[:SHOWN_RUNS]
        if runs:
            with st.expander(t("schedules.history"), icon=":material/history:"):
                failed = any(run.outcome == "failed" for run in runs)
                wrapped: dict[str, Any] = {"row_height": WRAPPED_ROW} if failed else {}
                widths = {t("schedules.column.step"): 190, t("schedules.column.why"): 330}
                columns = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
                cells.table(pd.DataFrame(map(_row, runs)), t("schedules.history"), columns, **wrapped)


def show_damaged(name: str, error: ClvError) -> None:
    """Show a schedule whose file cannot be read."""
    with st.container(border=True):
        st.markdown(f"**{widgets.escape(name)}**")
        widgets.show_error(error)
        _remove_button(name)


def _remove_button(name: str) -> None:
    sure, why = t("schedules.remove.sure", name=name), t("schedules.remove.why")
    removing = Confirmation(sure, why, t("schedules.remove"), partial(_remove, name))
    may = access.if_may("connect")
    confirmation.button(removing, t("schedules.remove"), f"remove_{name}", icon=":material/delete:", **may)


def _row(run: Run) -> dict[str, str]:
    last = run.last
    why = t(f"error.{last.error.code}", **i18n.named_params(last.error.params)) if last.error else ""
    return {
        t("schedules.column.started"): i18n.moment(run.started),
        t("schedules.column.seconds"): i18n.span(run.seconds),
        t("schedules.column.outcome"): t(f"schedules.outcome.{run.outcome}"),
        t("schedules.column.step"): last.step if last.error else "",
        t("schedules.column.why"): why,
    }


def _remove(name: str) -> None:
    access.require("connect")
    remove_schedule(session.workspace(), name)
    _note("remove", name)


def _note(action: str, name: str) -> None:
    audit.set_actor(access.current_user())
    audit.note(session.workspace(), f"schedule {action}", schedule=name, outcome="done")


def form() -> None:
    """Offer to save a chain: how often, of which dataset, and which steps."""
    left, right = st.columns(2)
    names, sources = [item.name for item in session.newest_datasets()], list_sources(session.workspace())
    with left:
        name = st.text_input(t("schedules.name"), key="schedule_name")
        how = widgets.choose(
            t("schedules.often"),
            {frequency: t(f"schedules.often.{frequency}") for frequency in (*DAYS, "cron")},
            "schedule_often",
        )
        if how == "cron":
            cron = st.text_input(t("schedules.cron"), "0 6 * * 1-5", key="schedule_cron", help=t("schedules.cron.help"))
        else:
            at = st.time_input(t("schedules.at"), time(6), key="schedule_at")
            cron = f"{at.minute} {at.hour} {DAYS[how]}"
    with right:
        every = sorted({*names, *(source.dataset for source in sources)})
        current = st.session_state.get("dataset")
        at_first = every.index(current) if current in every else 0
        dataset = st.selectbox(t("column.dataset"), every, at_first, key="schedule_dataset")
        zone = st.text_input(t("schedules.timezone"), st.context.timezone or "UTC", key="schedule_timezone")
    destinations = [destination.name for destination in list_destinations(session.workspace())]
    lacking = {"source": not sources, "push": not destinations}
    offered = {step: t(f"schedules.step.{step}") for step in STEPS if not lacking.get(step)}
    selected_steps = st.multiselect(
        t("schedules.steps"),
        list(offered),
        list(offered)[:3],
        format_func=offered.__getitem__,
        key="schedule_steps",
        placeholder=t("streamlit.choose_several"),
    )
    source = form_of_list = destination = ""
    with st.container(horizontal=True):
        if "source" in selected_steps:
            source_names = [
                each_source.name
                for each_source in sorted(sources, key=lambda each_source: each_source.dataset != dataset)
            ]
            source = st.selectbox(t("schedules.source"), source_names, key="schedule_source")
        if "export" in selected_steps:
            form_of_list = st.selectbox(
                t("schedules.format"), list(EXPORTS), key="schedule_format", format_func=_format
            )
        if "push" in selected_steps:
            destination = st.selectbox(t("schedules.destination"), destinations, key="schedule_destination")
    if st.button(
        t("schedules.save"), type="primary", icon=":material/save:", key="schedule_save", disabled=not dataset
    ):
        of = {"source": source, "export": form_of_list, "push": destination}
        steps = [_line(step, name.strip(), dataset, of.get(step, "")) for step in STEPS if step in selected_steps]
        _save(Schedule(name.strip(), cron.strip(), tuple(steps), zone.strip(), session.language()))


def _format(export_format: str) -> str:
    return t(f"export.{export_format}")


def _line(step: str, schedule: str, dataset: str, of: str) -> str:
    """Return the command line of a step; ``of`` is its source, format or destination."""
    out = session.workspace().exports / f"{schedule}-{step}-{{day}}.csv"
    about, target = f"{shlex.quote(dataset)} --model champion", f"--out {shlex.quote(str(out))}"
    return {
        "source": f"source run {shlex.quote(of)}",
        "score": f"score {about} {target}",
        "monitor": f"monitor {about}",
        "retrain": f"monitor {about} --retrain --every 7",
        "export": f"export {about} --format {of} {target}",
        "push": f"push {about} {shlex.quote(f'--to={of}')}",
        "summary": f"summary {about}",
        "versions": f"prune {shlex.quote(dataset)} --keep {VERSIONS}",
        "models": f"models prune {shlex.quote(dataset)} --keep {MODELS}",
        "prune": "prune --expired",
    }[step]


def _save(schedule: Schedule) -> None:
    access.require("connect")
    try:
        check_steps(session.workspace(), schedule)
        add_schedule(session.workspace(), schedule)
    except ClvError as error:
        widgets.show_error(error)
        return
    _note("add", schedule.name)
    flash.say(t("schedules.saved", name=schedule.name))
    st.rerun()


if flash.follow("schedule") is not None:
    st.rerun()
flash.show()
schedules = list_schedules(session.workspace())
states = {one.name: one.state for one in check_schedules(session.workspace(), datetime.now(UTC))}
widgets.headline(headline(schedules, states), t("schedules.context"))
for damaged, error in damaged_schedules(session.workspace()).items():
    show_damaged(damaged, error)
for schedule, its_state in schedules:
    show(schedule, its_state, is_missed=states.get(schedule.name) == "missed")
if access.may("connect"):
    with st.expander(t("schedules.add"), icon=":material/add:", expanded=not states):
        form()
elif not states:
    st.info(access.ask_for("connect"), icon=":material/lock:")

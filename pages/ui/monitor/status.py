"""The result of monitoring: made by a job where it is not there; headline, lights, alerts, and the retraining."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Final, Literal

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle, Scored
from clv_core.monitoring import (
    AMBER,
    FILE,
    GREEN,
    RED,
    RETRAIN,
    UNKNOWN,
    Alert,
    Outcome,
    Report,
    acknowledge_alerts,
    acknowledged,
    early,
    last_outcome,
    report_folder,
)
from clv_core.strategy.segments import tier_labels
from pages.ui import access, evaluation_charts, i18n, page_files, progress, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import t
from pages.ui.page_files import file_name

RETRAINING: Final = "↻"
"""Label of runs that retrain; others only compare."""
WAITING: Final = "light.early"
"""Code of a light that has nothing to compare yet."""
LIGHTS: Final = {
    GREEN: ("green", ":material/check_circle:"),
    AMBER: ("orange", ":material/warning:"),
    RED: ("red", ":material/error:"),
    UNKNOWN: ("gray", ":material/hourglass_empty:"),
}


def need_report(scored: Scored) -> Report:
    """Return the report of the dataset as it is now; while it is not there, show the run that makes it."""
    path, model_id = report_folder(scored) / FILE, scored.model.id
    command = ["monitor", scored.dataset.name, "--model", model_id]
    progress.need_result(path.is_file(), command, model_id, t("monitor.wait"))
    return _load(path).seen(acknowledged(session.workspace(), model_id))


@cached(CUSTOMERS)
def _load(path: Path) -> Report:
    report = Report.load(path.parent)
    assert report is not None, path
    return report


def first_results(report: Report) -> date | None:
    """Return when the first question can be answered, where none can yet for want of new data; else None."""
    if any(light.why.code != WAITING for light in report.lights):
        return None
    return min(date.fromisoformat(str(light.why.params["until"])) for light in report.lights)


def headline(report: Report) -> str:
    """Return the recommendation in words, or from when there is something to compare."""
    until = first_results(report)
    if until is not None:
        return t("monitor.early", until=i18n.day(until))
    return i18n.message_text(report.recommendation.why)


def about(report: Report) -> str:
    """Return since when the model is monitored, and what it is compared with."""
    about = report.about
    key = "monitor.about.dataset" if about.reference.source == "dataset" else "monitor.about"
    key = "monitor.about.early" if about.as_of == about.cutoff else key
    key = "monitor.about.shorter" if about.as_of < about.cutoff else key
    return t(
        key,
        last=i18n.last_day(about.as_of),
        cutoff=i18n.day(about.cutoff),
        as_of=i18n.last_day(about.as_of),
        kind=t(f"monitor.kind.{about.kind}"),
        chunks=about.reference.chunks,
    )


def show_lights(report: Report, dataset: Dataset) -> None:
    """Show one light a question: a colour, a word, and why, tiers as a person calls them."""
    tiers = [widgets.escape(name) for name in tier_labels(dataset, len(report.tiers), session.language())]
    with st.grid(3, min_column_width=240, gap="small"):
        for light in report.lights:
            colour, icon = LIGHTS[light.colour]
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{t(f'monitor.question.{light.question}')}**")
                st.markdown(f":{colour}-badge[{icon} {t(f'monitor.light.{light.colour}')}]")
                st.caption(i18n.message_text(light.named(session.language(), tiers)))


def downloads(report: Report, bundle: Bundle) -> None:
    """Offer the report for programs, and the table of all checks."""
    as_of = report.about.as_of
    text = json.dumps(report.to_json(session.language()), ensure_ascii=False, indent=1)
    with st.container(horizontal=True):
        name = file_name(bundle, "monitoring", as_of, "json")
        page_files.download(t("monitor.download.report"), text, name, key="monitor_report")
        name = file_name(bundle, "checks", as_of, "csv")
        page_files.download(
            t("monitor.download.checks"),
            lambda: page_files.spreadsheet(page_files.stamped(report.check_table(), bundle, as_of), mixed=True),
            name,
            key="monitor_checks",
        )


def follow_retraining(bundle: Bundle) -> None:
    """Follow a retraining that runs, or say that it did not end well."""
    job = progress.latest_run("monitor", f"{bundle.id} {RETRAINING}")
    if job is not None and progress.is_running(job):
        progress.watch(job)
        st.stop()
    progress.show_failure(job)


def show_retraining(bundle: Bundle) -> None:
    """Show the result of the last retraining, started by a person or by cron."""
    job = progress.latest_run("monitor", f"{bundle.id} {RETRAINING}")
    result = {} if job is None else job.status().result
    outcome = last_outcome(session.workspace(), bundle.id)
    if outcome is None and "retrain" in result:
        outcome = Outcome.from_json(result["retrain"])
    if outcome is None:
        return
    with st.container(border=True, gap="xsmall"):
        when = f" · {i18n.moment(outcome.at)}" if outcome.at else ""
        st.markdown(f"**{t('monitor.retrain.done')}**{when}")
        currency = bundle.record.currency
        sentences = [i18n.message_text(outcome.why), *outcome.losses(session.language(), currency)]
        st.markdown(widgets.escape(i18n.join_sentences(sentences)))
        own = _own_metrics(outcome)
        for score in outcome.figures:
            figures = {"champion": score.champion, "challenger": score.challenger}
            figures |= {"own": own[score.metric]} if score.metric in own else {}
            values = {
                name: evaluation_charts.metric_text(score.metric, figure, currency) for name, figure in figures.items()
            }
            key = "monitor.figure.starts" if "own" in values else "monitor.figure"
            st.caption(t(key, metric=t(f"metric.{score.metric}"), starts=outcome.starts, **values))
        if outcome.origin:
            st.caption(t("monitor.figure.test", origin=i18n.day(outcome.origin)))


def _own_metrics(outcome: Outcome) -> dict[str, float]:
    """Return the candidate's own metrics, as on the evaluate page, where means over random starts were compared."""
    if outcome.starts == 1:
        return {}
    return next((model.record.metrics for model in session.models() if model.id == outcome.challenger), {})


def show_actions(report: Report, scored: Scored) -> None:
    """Offer what can be done: retrain, or mark all as seen."""
    with st.container(horizontal=True, vertical_alignment="center"):
        retrain_button(report, scored)
        if len(report.open) > 1 and st.button(
            t("monitor.acknowledge.all"), key="acknowledge_all", icon=":material/done_all:", **access.if_may("change")
        ):
            _acknowledge(report, report.open)
    about_retraining(report, scored)


def retrain_button(report: Report, scored: Scored) -> None:
    """Offer to train a candidate, which is advised or too early."""
    dataset, bundle = scored.dataset, scored.model
    kind: Literal["primary", "secondary"] = "primary" if report.recommendation.action == RETRAIN else "secondary"
    too_early = early(bundle, dataset) is not None
    icon, may = ":material/model_training:", access.if_may("train", disabled=too_early)
    label = t("monitor.retrain.anyway" if report.recommendation.to_wait and not too_early else "monitor.retrain")
    if st.button(label, key="monitor_retrain", icon=icon, type=kind, **may):
        command = ["monitor", dataset.name, "--model", bundle.id, "--retrain"]
        command += [] if access.may("promote") else ["--leave"]
        progress.start_job(command, f"{bundle.id} {RETRAINING}")
        st.rerun()


def about_retraining(report: Report, scored: Scored) -> None:
    """Say what retraining does, or from when it can be compared with the current model."""
    wait = early(scored.model, scored.dataset)
    if wait is not None:
        until, since = (i18n.day(wait.why.params[name]) for name in ("cutoff", "since"))
        st.caption(t(f"monitor.{wait.why.code}", cutoff=until, since=since, horizon=wait.why.params["horizon"]))
        return
    broken = "broken" if report.recommendation.of_broken_data else "note"
    key, horizon = broken if access.may("promote") else "leave", report.about.horizon_days
    st.caption(t(f"monitor.retrain.{key}", as_of=i18n.last_day(report.about.as_of), horizon=horizon))


def show_alerts(report: Report) -> None:
    """List what changed, the open ones first, each with a button that marks it as seen."""
    st.header(t("monitor.alerts"), anchor=False)
    if not report.open:
        answered = any(light.colour != UNKNOWN for light in report.lights)
        colour, icon = LIGHTS[GREEN if answered else UNKNOWN]
        st.markdown(f":{colour}[{icon}] {t('monitor.alerts.none' if answered else 'monitor.alerts.early')}")
    for alert in report.open:
        left, button = st.columns([4, 1], vertical_alignment="center")
        left.markdown(_sentence(alert))
        options = {"help": t("monitor.acknowledge.help"), **access.if_may("change")}
        if button.button(t("monitor.acknowledge"), key=f"seen_{alert.id}", **options):
            _acknowledge(report, [alert])
    seen = [alert for alert in report.alerts if not alert.is_open]
    if seen:
        with st.expander(t("monitor.alerts.seen", n=len(seen))):
            for alert in seen:
                st.markdown(_sentence(alert))
                who = alert.acknowledged
                st.caption(f"{i18n.moment(who.at)} · {widgets.escape(who.by)}")


def _sentence(alert: Alert) -> str:
    colour, icon = LIGHTS[RED if alert.grave else AMBER]
    return f":{colour}[{icon}] {widgets.escape(alert.text(session.language()))}"


def _acknowledge(report: Report, alerts: list[Alert]) -> None:
    access.require("change")
    who = access.current_user() or "app"
    acknowledge_alerts(session.workspace(), report.about.model, [alert.id for alert in alerts], who)
    st.rerun()

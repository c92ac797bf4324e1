"""Alerts, each to be marked as seen; and the retraining that may answer them."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.monitoring.alerts import Alert
from clv_core.monitoring.health import AMBER, GREEN, RED, RETRAIN, UNKNOWN
from clv_core.monitoring.monitoring_report import Report, acknowledge_alerts, last_outcome
from clv_core.monitoring.retraining import early
from pages.ui import access, by_role, judged, progress, saying, state, widgets
from pages.ui.monitor.monitored import LIGHTS
from pages.ui.saying import t

MARK: Final = "↻"
"""Tells runs that retrain from those that only look."""


def retraining(bundle: Bundle) -> None:
    """Follow a retraining that runs, or say that it did not end well."""
    job = progress.latest("monitor", f"{bundle.id} {MARK}")
    if job is not None and progress.running(job):
        progress.watch(job)
        st.stop()
    progress.unsettled(job)


def retrained(bundle: Bundle) -> None:
    """Say what came of the last retraining, whoever started it: a person here, or cron."""
    job = progress.latest("monitor", f"{bundle.id} {MARK}")
    result = (job.status().get("result") if job is not None else None) or {}
    outcome = last_outcome(state.workspace(), bundle.id) or result.get("retrain")
    if outcome is None:
        return
    with st.container(border=True, gap="xsmall"):
        when = f" · {saying.moment(outcome['at'])}" if "at" in outcome else ""
        st.markdown(f"**{t('monitor.retrain.done')}**{when}")
        st.markdown(widgets.plain(saying.said(Message(f"retrain.{outcome['why']['code']}", outcome["why"]["params"]))))
        for one in outcome["figures"]:
            currency = bundle.record["currency"]
            said = {name: judged.said(one["metric"], one[name], currency) for name in ("champion", "challenger")}
            st.caption(t("monitor.figure", metric=t(f"metric.{one['metric']}"), **said))


def act(report: Report, dataset: Dataset, bundle: Bundle) -> None:
    """Offer what can be done: retrain, or mark all as seen."""
    soon = early(bundle, dataset)
    advised = report.recommendation.action == RETRAIN
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            t("monitor.retrain"),
            key="monitor_retrain",
            icon=":material/model_training:",
            type="primary" if advised else "secondary",
            **by_role.if_may("train", disabled=soon is not None),
        ):
            command = ["monitor", dataset.name, "--model", bundle.id, "--retrain"]
            command += [] if access.may("promote") else ["--leave"]
            state.start_job(command, f"{bundle.id} {MARK}")
            st.rerun()
        if len(report.open) > 1 and st.button(
            t("monitor.acknowledge.all"), key="acknowledge_all", icon=":material/done_all:", **by_role.if_may("change")
        ):
            _seen(report, report.open)
    if soon is not None:
        until, since = (saying.day(soon.why.params[name]) for name in ("cutoff", "since"))
        st.caption(t(f"monitor.{soon.why.code}", cutoff=until, since=since, horizon=soon.why.params["horizon"]))
    else:
        horizon = report.about["horizon_days"]
        broken = "broken" if report.recommendation.of_broken_data else "note"
        note = broken if access.may("promote") else "leave"
        st.caption(t(f"monitor.retrain.{note}", as_of=saying.last_day(report.about["as_of"]), horizon=horizon))


def listed(report: Report) -> None:
    """List what changed, the open ones first, each with a button that marks it as seen."""
    st.header(t("monitor.alerts"), anchor=False)
    if not report.open:
        known = any(light.colour != UNKNOWN for light in report.lights)
        colour, icon = LIGHTS[GREEN if known else UNKNOWN]
        st.markdown(f":{colour}[{icon}] {t('monitor.alerts.none' if known else 'monitor.alerts.early')}")
    for alert in report.open:
        words, button = st.columns([4, 1], vertical_alignment="center")
        words.markdown(_said(alert))
        options = {"help": t("monitor.acknowledge.help"), **by_role.if_may("change")}
        if button.button(t("monitor.acknowledge"), key=f"seen_{alert.id}", **options):
            _seen(report, [alert])
    seen = [alert for alert in report.alerts if alert.acknowledged]
    if seen:
        with st.expander(t("monitor.alerts.seen", n=len(seen))):
            for alert in seen:
                st.markdown(_said(alert))
                who = alert.acknowledged
                st.caption(f"{saying.moment(who['at'])} · {widgets.plain(who['by'])}")


def _said(alert: Alert) -> str:
    colour, icon = LIGHTS[RED if alert.grave else AMBER]
    return f":{colour}[{icon}] {widgets.plain(alert.text(state.language()))}"


def _seen(report: Report, alerts: list[Alert]) -> None:
    access.require("change")
    who = access.who() or "app"
    acknowledge_alerts(state.workspace(), report.about["model"], [alert.id for alert in alerts], who)
    st.rerun()

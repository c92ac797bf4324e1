"""What monitoring found: made by a job where it is not there, and said in a headline and three lights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.monitoring.health import AMBER, GREEN, RED, UNKNOWN
from clv_core.monitoring.monitoring_report import FILE, Report, acknowledged, report_folder
from pages.ui import page_files, progress, saying, state
from pages.ui.file_names import file_name
from pages.ui.saying import t

LIGHTS: Final = {
    GREEN: ("green", ":material/check_circle:"),
    AMBER: ("orange", ":material/warning:"),
    RED: ("red", ":material/error:"),
    UNKNOWN: ("gray", ":material/hourglass_empty:"),
}


def need_report(dataset: Dataset, bundle: Bundle) -> Report:
    """Return the report of the dataset as it is now; while it is not there, show the run that makes it."""
    path = report_folder(dataset, bundle) / FILE
    command = ["monitor", dataset.name, "--model", bundle.id]
    progress.need(path.is_file(), command, bundle.id, t("monitor.wait"))
    return _report(str(path), path.stat().st_mtime).seen(acknowledged(state.workspace(), bundle.id))


@st.cache_resource(max_entries=4, show_spinner=False)
def _report(path: str, written: float) -> Report:
    found = Report.load(Path(path).parent)
    assert found is not None, written
    return found


def headline(report: Report) -> str:
    """Return the recommendation in words."""
    return saying.said(report.recommendation.why)


def about(report: Report) -> str:
    """Return since when the model is watched, and what it is held against."""
    about = report.about
    key = "monitor.about.dataset" if about["reference"]["source"] == "dataset" else "monitor.about"
    key = "monitor.about.early" if about["as_of"] == about["cutoff"] else key
    key = "monitor.about.shorter" if about["as_of"] < about["cutoff"] else key
    return t(
        key,
        last=saying.last_day(about["as_of"]),
        cutoff=saying.day(about["cutoff"]),
        as_of=saying.last_day(about["as_of"]),
        kind=t(f"monitor.kind.{about['kind']}"),
        chunks=about["reference"]["chunks"],
    )


def lights(report: Report) -> None:
    """Show one light a question: a colour, a word, and why."""
    with st.grid(3, min_column_width=240, gap="small"):
        for light in report.lights:
            colour, icon = LIGHTS[light.colour]
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{t(f'monitor.question.{light.question}')}**")
                st.markdown(f":{colour}-badge[{icon} {t(f'monitor.light.{light.colour}')}]")
                st.caption(saying.said(light.why))


def downloads(report: Report, bundle: Bundle) -> None:
    """Offer the report for programs, and the table of all checks."""
    as_of = report.about["as_of"]
    text = json.dumps(report.to_json(state.language()), ensure_ascii=False, indent=1)
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

"""A dataset that was just saved: what it holds, the rows that were set aside, and where to go on."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from clv_core import jobs
from clv_core.collection.store.version_store import Dataset
from pages.ui import navigation, saying, widgets
from pages.ui.saying import t
from pages.ui.upload import set_aside

SAVED: Final = "just_saved"
TOLD: Final = ("nothing_new", "nothing_taken_out", "orders_taken_out", "orders_not_here", "orders_stay_out")
"""Warnings about what files did to the dataset that they were added to, which are said at once."""


def keep(job: jobs.Job) -> None:
    """Keep what a run has saved, to be shown on the next runs of the page."""
    status = job.status()
    appended = "--append" in status["args"]
    files = status["args"].index("--name") - 1
    st.session_state[SAVED] = {**status["result"], "appended": files if appended else 0}


def just(dataset: Dataset | None) -> bool:
    """Say whether this dataset was just saved on the page."""
    return dataset is not None and st.session_state.get(SAVED, {}).get("dataset") == dataset.name


def show(dataset: Dataset) -> None:
    """Say that the dataset is there, with its accounting line, and offer the rows set aside and the next steps."""
    facts = dataset.manifest
    days = (dataset.log_end - dataset.log_start).days
    known = {
        "customers": saying.count(facts.customers),
        "purchases": saying.count(facts.purchases),
        "days": f"{days:,}",
    }
    widgets.headline(t("upload.saved", name=widgets.plain(dataset.name), **known))
    st.markdown(widgets.accounting(facts))
    _appended(st.session_state[SAVED])
    with st.container(horizontal=True):
        if st.button(t("upload.to_train"), type="primary", icon=navigation.BY_NAME["train"].icon, key="to_train"):
            navigation.go("train")
        if st.button(t("saved.to_datasets"), icon=navigation.BY_NAME["datasets"].icon, key="to_datasets"):
            navigation.go("datasets")
        if facts.rows_set_aside:
            download_aside(dataset)


def _appended(result: dict[str, Any]) -> None:
    """Say how much of the files that were added the dataset held already."""
    if not result["appended"]:
        return
    parts = result["parts"][-result["appended"] :]
    files = [part["source"] for part in parts]
    known = {key: f"{sum(part[key] for part in parts):,}" for key in ("rows_read", "rows_overlap")}
    st.markdown(f":material/playlist_add: {t('saved.overlap', **known)}")
    for warning in result["warnings"]:
        if warning["code"] in TOLD and warning["params"]["file"] in (files, *files):
            st.warning(widgets.plain(t(f"warning.{warning['code']}", **warning["params"])), icon=":material/info:")


def trained_before() -> None:
    """Say that a model was trained before the file came, and lead to its values of today and to what came true."""
    st.header(t("saved.trained"), anchor=False)
    st.markdown(t("saved.trained.why"))
    with st.container(horizontal=True):
        for name in ("segments", "monitor"):
            if st.button(t(f"saved.to_{name}"), icon=navigation.BY_NAME[name].icon, key=f"to_{name}"):
                navigation.go(name)


def download_aside(dataset: Dataset) -> None:
    """Offer all rows of a dataset that were set aside."""
    name = f"{dataset.name.replace(' ', '-')}_set-aside_{dataset.version}"
    set_aside.download(dataset.rejected_path, dataset.manifest.rows_set_aside, name, key="set_aside")

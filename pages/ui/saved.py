"""A dataset that was just saved: what it holds, the rows that were set aside, and where to go on."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store import Dataset
from pages.ui import navigation, set_aside, state, widgets
from pages.ui.state import t


def show(dataset: Dataset) -> None:
    """Say that the dataset is there, with its accounting line, and offer the rows set aside and the next steps."""
    facts = dataset.manifest
    days = (dataset.log_end - dataset.log_start).days
    known = {"customers": state.say(facts.customers), "purchases": state.say(facts.purchases), "days": f"{days:,}"}
    widgets.headline(t("upload.saved", name=widgets.plain(dataset.name), **known))
    st.markdown(widgets.accounting(facts))
    if facts.made == "append" and facts.parts:
        overlap = int(facts.parts[-1].get("rows_overlap", 0))
        st.caption(t("saved.overlap", rows=f"{overlap:,}"))
    with st.container(horizontal=True):
        if st.button(t("upload.to_train"), type="primary", icon=navigation.BY_NAME["train"].icon, key="to_train"):
            navigation.go("train")
        if st.button(t("saved.to_datasets"), icon=navigation.BY_NAME["datasets"].icon, key="to_datasets"):
            navigation.go("datasets")
        if facts.rows_set_aside:
            download_aside(dataset)


def download_aside(dataset: Dataset) -> None:
    """Offer all rows of a dataset that were set aside."""
    name = f"{dataset.name.replace(' ', '-')}_set-aside_{dataset.version}"
    set_aside.download(dataset.set_aside_path, dataset.manifest.rows_set_aside, name, key="set_aside")

"""A dataset that was just saved: what it holds, and the rows that were set aside."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from pages.ui import state, widgets
from pages.ui.state import t


def show(dataset: Dataset) -> None:
    """Say that the dataset is there, with its accounting line, and offer the rows set aside."""
    facts = dataset.manifest
    days = (dataset.log_end - dataset.log_start).days
    known = {"customers": state.say(facts.customers), "purchases": state.say(facts.purchases), "days": f"{days:,}"}
    widgets.headline(t("upload.saved", name=dataset.name, **known))
    st.markdown(widgets.accounting(facts))
    if facts.rows_set_aside:
        name = f"{dataset.name.replace(' ', '-')}_set-aside_{dataset.version}.csv"
        widgets.download(
            t("upload.set_aside"),
            lambda: widgets.spreadsheet(pd.read_parquet(dataset.set_aside_path)),
            name,
            key="set_aside",
        )

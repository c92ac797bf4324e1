"""Datasets: what do I have, and what was done to it?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import cleaning, customers_table, datasets, manage, outcomes, state, widgets
from pages.ui.state import t

SECTIONS = {
    "versions": datasets.versions,
    "clean": cleaning.show,
    "customers": customers_table.show,
    "combine": manage.combine,
    "manage": manage.manage,
}

manage.follow()
dataset = state.dataset()
if dataset is None:
    outcomes.show()
    widgets.need("dataset", "upload")

cleaning.follow(dataset)
customers_table.follow(dataset)
outcomes.show()
datasets.about(dataset)
what = st.segmented_control(
    t("datasets.what"),
    list(SECTIONS),
    format_func=lambda what: t(f"datasets.what.{what}"),
    default="versions",
    required=True,
    key="datasets_what",
    persist_state="session",
)
try:
    SECTIONS[what](dataset)
except ClvError as error:
    widgets.error_box(error)

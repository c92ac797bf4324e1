"""The dataset in use on its page."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store import Dataset
from pages.ui import widgets


def about(dataset: Dataset) -> None:
    """Say what it holds."""
    st.markdown(widgets.accounting(dataset.manifest))

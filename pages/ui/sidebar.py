"""The sidebar under the menu: what is in use, whether it can be trusted, what is running, and the language."""

from __future__ import annotations

import streamlit as st

from clv_core.i18n import LANGUAGES
from pages.ui import progress, signin, state, widgets
from pages.ui.state import t


def show() -> None:
    """Draw the sidebar; the choices live under the keys ``dataset``, ``model`` and ``lang``."""
    with st.sidebar:
        datasets = [item.name for item in state.newest_datasets()]
        models = {item.id: item for item in state.models()}
        if datasets:
            st.selectbox(t("sidebar.dataset"), datasets, key="dataset")
        else:
            st.caption(t("sidebar.no_dataset"))
        if models:
            labels = widgets.model_labels(models.values(), roles=True)
            st.selectbox(t("sidebar.model"), list(models), key="model", format_func=labels.__getitem__)
            widgets.trust_badge(models[st.session_state["model"]])
        elif datasets:
            st.caption(t("sidebar.no_model"))
        progress.running_jobs()
        st.segmented_control(
            "Language · 语言",
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key="lang",
            required=True,
            label_visibility="collapsed",
        )
        signin.show()

"""What the models in use remember of customers: whether their loss tells who was in their training."""

from __future__ import annotations

import streamlit as st

from clv_core.deployment.registry import memory_text
from pages.ui import session, widgets
from pages.ui.i18n import t
from pages.ui.models import board


def show() -> None:
    """Say of every current model and challenger what was found."""
    with st.container(border=True):
        st.markdown(f":material/psychology: **{t('privacy.memory')}**")
        versions = [version for version in session.versions_by_model().values() if version.role]
        if not versions:
            st.caption(t("privacy.memory.none"))
        for version in versions:
            name = f"{widgets.escape(version.name)} · {board.title(version)}"
            st.markdown(f"**{name}**  \n{memory_text(version.record, session.language())}")

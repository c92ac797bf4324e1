"""The sidebar under the menu: what is in use, whether it can be trusted, what is running, and the language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import streamlit as st

from clv_core.i18n import LANGUAGES, room
from pages.ui import progress, session, signin, verdict, widgets
from pages.ui.i18n import t

ROOM: Final = 26
"""Latin letters that a choice in the sidebar has room for; a Chinese character takes two."""


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Return names that fit into the sidebar, cut in the middle: exports of one shop often differ at the end.

    Args:
        names: of datasets; two that would look alike stay whole.
    """
    short = {name: _cut(name) for name in names}
    seen = Counter(short.values())
    return {name: one if seen[one] == 1 else name for name, one in short.items()}


def _cut(name: str) -> str:
    widths = list(map(room, name))
    if sum(widths) <= ROOM:
        return name
    end, tail = len(name), 0
    while tail + widths[end - 1] <= ROOM // 2:
        end, tail = end - 1, tail + widths[end - 1]
    start, head = 0, 0
    while head + widths[start] <= ROOM - tail - 1:
        start, head = start + 1, head + widths[start]
    return f"{name[:start]}…{name[end:]}"


def show() -> None:
    """Draw the sidebar; the choices live under the keys ``dataset``, ``model`` and ``lang``."""
    with st.sidebar:
        datasets = [item.name for item in session.newest_datasets()]
        models = {item.id: item for item in session.models()}
        if datasets:
            short = shortened(datasets)
            st.selectbox(t("sidebar.dataset"), datasets, key="dataset", format_func=lambda name: short.get(name, name))
        else:
            st.caption(t("sidebar.no_dataset"))
        if models:
            labels = widgets.model_labels(models.values(), roles=True)
            st.selectbox(t("sidebar.model"), list(models), key="model", format_func=labels.__getitem__)
            verdict.badge(models[st.session_state["model"]])
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

"""What a model learned from beside the version of the dataset in use: said where one does not speak of the other."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from clv_core.collection.store import version_store as store
from clv_core.errors import ClvError
from pages.ui import saying, state, widgets
from pages.ui.saying import t

PAGES: Final = ("evaluate", "explain", "segments", "customer", "strategy", "exports", "report", "monitor")
"""Pages that show what the model in use makes of the dataset in use."""


def show(page: str) -> None:
    """Warn that the log in use ends earlier than the one that the model learned from, or is cleaned by other rules.

    Args:
        page: name of the page that is drawn.
    """
    if page not in PAGES:
        return
    dataset, bundle = state.dataset(), state.model()
    if dataset is None or bundle is None:
        return
    cutoff = date.fromisoformat(bundle.record["cutoff"])
    known = {"dataset": widgets.plain(dataset.name), "cutoff": saying.day(cutoff)}
    if dataset.log_end < cutoff:
        st.warning(t("learned_from.longer", last=saying.day(dataset.last_day), **known), icon=":material/history:")
    on = _rules(str(state.workspace().root), dataset.name, str(bundle.record["dataset"]["version"]))
    if on is not None and on != dataset.manifest.rules:
        then, now = _said(on), _said(dataset.manifest.rules)
        st.warning(t("learned_from.rules", then=then, now=now, **known), icon=":material/mop:")


@st.cache_resource(max_entries=64, show_spinner=False)
def _rules(root: str, name: str, version: str) -> dict[str, float | None] | None:
    """Return the cleaning rules of a version; None where it is not there any more."""
    try:
        return dict(store.open_version(state.workspace(), name, version).manifest.rules)
    except ClvError:
        return None


def _said(rules: dict[str, float | None]) -> str:
    titles = [
        t(f"clean.{rule}.title") if limit is None else saying.labelled(t(f"clean.{rule}.title"), f"{limit:g}")
        for rule, limit in rules.items()
    ]
    return saying.listed(titles) if titles else t("learned_from.no_rule")

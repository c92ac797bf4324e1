"""All versions in a table, what can be done with one of them, and its model card."""

from __future__ import annotations

import re
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment.registry import Version
from clv_core.deployment.registry.model_card import model_card
from pages.ui import by_role, cells, judged, page_files, saying, state
from pages.ui.file_names import spoken
from pages.ui.models import board, exchange, pressed
from pages.ui.models.board import Shelf, title
from pages.ui.saying import t

ROLES: Final = ("champion", "challenger", "")
ROLE_WIDTH: Final = 104
"""Pixels; a table that is wider than the page leaves a word of its own less room than it needs."""


def show(found: Shelf) -> None:
    """List the versions and offer what can be done with one."""
    _table(found)
    version = pick(found, t("models.which"), "models_version", start=trained(found))
    with st.container(border=True):
        if not board.sound(found, version):
            st.error(t("models.damaged", version=version.number), icon=":material/gpp_bad:")
        with st.container(horizontal=True, vertical_alignment="center"):
            _actions(found, version)
    exchange.send(found, version)
    with st.expander(t("models.history"), icon=":material/history:"):
        for line in found.registry.history(found.name):
            said = t(f"models.why.{line['why']}", version=line["version"])
            st.markdown(f"- {saying.moment(line['at'])}: {said}")


def card(found: Shelf) -> None:
    """Show the model card of a version."""
    version = pick(found, t("models.which"), "models_card", start=champion(found))
    text = model_card(version, state.language())
    name = f"{found.name.replace(' ', '-')}_{spoken('card')}_v{version.number}.md"
    page_files.download(t("models.card.download"), text, name, key="download_model_card")
    with st.container(border=True):
        st.markdown(re.sub(r"^#", "##", text, flags=re.MULTILINE))  # the page has a title of its own


def trained(found: Shelf) -> int:
    """Return the place of the newest version that was trained on the log; a first look is nothing to promote."""
    return next((place for place, one in enumerate(found.versions) if not one.untrained), 0)


def champion(found: Shelf) -> int:
    """Return the champion's place among the versions."""
    return [one.role for one in found.versions].index("champion")


def pick(found: Shelf, label: str, key: str, *, start: int = 0) -> Version:
    """Let the person choose a version; the list is the newest first."""
    by_number = {one.number: one for one in found.versions}
    labels = {number: title(one) for number, one in by_number.items()}
    key, usual = f"{key}_{found.name}", list(by_number)[min(start, len(by_number) - 1)]
    chosen = st.session_state.get(key)
    # Set anew at each run: the browser keeps the words of its choice, also where another version became champion.
    st.session_state[key] = chosen if chosen in by_number else usual
    return by_number[st.selectbox(label, list(by_number), format_func=labels.__getitem__, key=key)]


def _table(found: Shelf) -> None:
    rows = sorted(found.versions, key=lambda one: ROLES.index(one.role))  # the newest first, after those with a role
    records = [one.record for one in rows]
    table = pd.DataFrame(
        {
            t("models.column.version"): [one.number for one in rows],
            t("models.column.role"): [_role(one) for one in rows],
            t("column.model"): [board.kind(one) for one in rows],
            t("column.horizon"): [record["horizon_days"] for record in records],
            t("column.verdict"): [t(f"trust.{one.trust.verdict}") for one in rows],
            t("metric.gini"): [record["metrics"].get("gini") for record in records],
            t("metric.bias"): [_off(record["metrics"].get("bias")) for record in records],
            t("modelcard.fact.cutoff"): [saying.day(record["cutoff"]) for record in records],
            t("column.created"): [saying.day(record["created"]) for record in records],
            t("models.column.seconds"): [record["actual"]["seconds"] for record in records],
            t("modelcard.fact.source"): [t(f"modelcard.source.{one.source}") for one in rows],
            t("models.column.sound"): [board.sound(found, one) for one in rows],
        }
    )
    number = st.column_config.NumberColumn
    formats: dict[str, Any] = {
        t("models.column.role"): st.column_config.TextColumn(width=ROLE_WIDTH),
        t("metric.gini"): number(format="%.3f", help=t("metric.gini.meaning")),
        t("metric.bias"): st.column_config.TextColumn(help=t("metric.bias.meaning"), alignment="right"),
        t("models.column.seconds"): number(format="%.0f"),
        t("models.column.sound"): st.column_config.CheckboxColumn(width="small"),
    }
    cells.table(table, t("models.what.versions"), formats)


def _role(version: Version) -> str:
    if version.role:
        return t(f"models.role.{version.role}")
    return t("models.archived") if version.archived else ""


def _off(bias: float | None) -> str | None:
    return None if bias is None else judged.said("bias", bias)


def _actions(found: Shelf, version: Version) -> None:
    number, may, speaking = version.number, by_role.if_may("promote"), found.of_role("champion")
    if version.role == "champion" and len(found.versions) > 1:
        st.caption(t("models.champion_stays"))
        return
    if version.role != "champion":
        label = t("models.promote", version=number)
        pressed.button(label, "promote", version, speaking, icon=":material/upgrade:", key="promote", **may)
        call = "unarchive" if version.archived else "archive"
        icon = ":material/unarchive:" if version.archived else ":material/archive:"
        pressed.button(t(f"models.{call}"), call, version, speaking, icon=icon, key="archive", **may)
    with st.popover(t("models.delete"), icon=":material/delete_forever:"):
        st.markdown(t("models.delete.why", version=number))
        sure = st.checkbox(t("models.delete.sure", version=number), key=f"sure_{found.name}_{number}")
        pressed.button(
            t("models.delete.button", version=number),
            "delete",
            version,
            speaking,
            icon=":material/delete_forever:",
            key="delete_version",
            **by_role.if_may("delete", disabled=not sure),
        )

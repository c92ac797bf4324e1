"""Scores sent to a saved destination: checked first, then sent, with what was not accepted; and new destinations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.errors import ClvError
from clv_core.strategy.audiences.stored_contacts import with_stored_contacts
from clv_core.strategy.destinations import (
    KINDS,
    Destination,
    Pushed,
    add_destination,
    list_destinations,
    push,
)
from pages.ui import access, cells, row_files, session, widgets
from pages.ui.exports.choose import ListRequest
from pages.ui.i18n import t


def show(request: ListRequest, dataset: Dataset, *, allowed: bool) -> None:
    """Offer to check and to send the chosen customers, and to add a destination to those who may."""
    saved = list_destinations(session.workspace())
    if not saved:
        st.caption(t("pushing.none"))
    else:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            to = st.selectbox(
                t("pushing.to"),
                saved,
                format_func=lambda one: f"{one.name} ({t(f'export.{one.kind}')}, {one.host})",
                key="push_to",
                width=360,
            )
            icon, may = ":material/fact_check:", access.if_may("export")
            checked = st.button(t("pushing.check"), key="push_check", icon=icon, **may)
            icon, may = ":material/send:", access.if_may("export", disabled=not allowed)
            pressed = st.button(t("pushing.send"), key="push_send", icon=icon, **may)
        if checked or pressed:
            _push(to, request, dataset, dry_run=checked)
    if access.may("promote"):
        _add()


@dataclass(frozen=True)
class _Bar:
    """Shows how many customers are sent."""

    bar: Any

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:  # noqa: ARG002
        self.bar.progress(done / max(total, 1), t(f"stage.{stage}"))


def _push(to: Destination, request: ListRequest, dataset: Dataset, *, dry_run: bool) -> None:
    bar = st.progress(0.0, t("stage.pushing"))
    try:
        access.require("export")
        made = push(
            session.workspace(),
            to,
            request.members.frame(),
            request.members.side(),
            contacts=with_stored_contacts(request.contacts, dataset, KINDS[to.kind].format),
            stop=session.suppression_list(),
            dry_run=dry_run,
            progress=_Bar(bar),
        )
    except ClvError as error:
        widgets.show_error(error)
        return
    finally:
        bar.empty()
    _show_outcome(made, dry_run=dry_run)


def _show_outcome(made: Pushed, *, dry_run: bool) -> None:
    if dry_run:
        st.markdown(t("pushing.checked", changed=made.changed, unchanged=made.unchanged))
    else:
        st.success(t("pushing.sent", sent=made.sent, unchanged=made.unchanged), icon=":material/done_all:")
    if made.left_out:
        st.caption(t("exporting.left_out", reasons=row_files.reasons(made.left_out)))
    if made.failed:
        st.warning(t("pushing.failed", failed=len(made.failed)), icon=":material/error:")
        rows = pd.DataFrame(made.failed, columns=[t("pushing.customer"), t("pushing.reason")])
        cells.table(rows, t("pushing.reason"))
    if made.examples:
        st.caption(t("pushing.examples"))
        cells.table(pd.json_normalize(made.examples), t("pushing.examples"))


def _add() -> None:
    with st.expander(t("pushing.add"), icon=":material/add_link:"), st.form("push_add", border=False):
        with st.container(horizontal=True):
            kind = st.selectbox(t("pushing.kind"), list(KINDS), format_func=lambda one: t(f"export.{one}"), width=220)
            name = st.text_input(t("pushing.name"), key="push_name", width=220)
        address = st.text_input(t("pushing.address"), key="push_address", help=t("pushing.address.help"))
        secret = st.text_input(t("pushing.secret"), key="push_secret", help=t("pushing.secret.help"))
        if st.form_submit_button(t("pushing.save")):
            try:
                access.require("promote")
                add_destination(session.workspace(), name, kind, address, secret)
            except ClvError as error:
                widgets.show_error(error)
                return
            st.rerun()

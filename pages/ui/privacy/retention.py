"""Retention: how long each kind of data stays, what goes when, and removing what is due."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.upkeep import KINDS, MAX_DAYS, Due, load_retention, plan_retention, save_retention
from pages.ui import access, cells, confirmation, flash, i18n, progress, session, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t

LABEL = "retention"


def follow() -> None:
    """Follow a removal, and say how much went."""
    job = flash.follow("prune", LABEL)
    if job is None:
        return
    due = sum(one["due"] for one in job.status().result["expired"])
    flash.say(t("retention.done", n=f"{due:,}"))
    st.rerun()


def show() -> None:
    """Show what of each kind goes when, and the forms to set the days and to remove what is due."""
    with st.spinner(t("retention.working")):
        plan = plan_retention(session.workspace())
    st.markdown(f"**{t('retention.headline')}**  \n{t('retention.why')}")
    cells.table(_table(plan), t("retention.headline"))
    for due in plan:
        for note in due.notes:
            st.caption(widgets.escape(note.text(session.language())))
    _offer_removal(plan)
    _form()


def _table(plan: list[Due]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            t("retention.column.kind"): [t(f"retention.kind.{due.kind}") for due in plan],
            t("retention.column.days"): [_days(due.days) for due in plan],
            t("retention.column.items"): [due.items for due in plan],
            t("retention.column.oldest"): [i18n.day(due.oldest[:10]) if due.oldest else "" for due in plan],
            t("retention.column.due"): [due.due for due in plan],
            t("retention.column.next"): [i18n.day(due.next[:10]) if due.next else "" for due in plan],
        }
    )


def _days(days: int) -> str:
    return t("retention.days", n=days) if days else t("retention.for_good")


def _offer_removal(plan: list[Due]) -> None:
    due = [one for one in plan if one.due]
    lines = [f"- {t(f'retention.kind.{one.kind}')}: {one.due:,}" for one in due]
    lines += [f"- {widgets.escape(note.text(session.language()))}" for one in due for note in one.notes]
    question = Confirmation(
        question=t("retention.sure"),
        consequence="\n".join([t("retention.sure.why"), "", *lines]),
        label=t("retention.remove"),
        act=_remove,
    )
    label = t("retention.remove")
    confirmation.button(question, label, "retention_remove", disabled=not due, icon=":material/delete_sweep:")


def _remove() -> None:
    access.require("retention")
    progress.start_job(["prune", "--expired"], LABEL)


def _form() -> None:
    chosen = load_retention(session.workspace())
    with st.form("retention", border=True):
        st.markdown(f"**{t('retention.set')}**  \n{t('retention.set.why')}")
        with st.grid(3, min_column_width=220):
            for kind in KINDS:
                st.number_input(
                    t(f"retention.kind.{kind}"),
                    0,
                    MAX_DAYS,
                    chosen.days(kind),
                    key=f"retention_{kind}",
                    help=t(f"retention.kind.{kind}.help"),
                )
        st.form_submit_button(t("retention.save"), icon=":material/save:", on_click=_save)


def _save() -> None:
    access.require("retention")
    days = {kind: int(st.session_state[f"retention_{kind}"]) for kind in KINDS}
    save_retention(session.workspace(), load_retention(session.workspace()).with_days(days))
    flash.say(t("retention.saved"))

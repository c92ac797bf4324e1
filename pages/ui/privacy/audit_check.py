"""The audit log's check for tampering, and who looked at a customer's card."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core import audit
from clv_core.audit_chain import Head, Verification
from clv_core.collection.privacy import card_views
from clv_core.errors import UsageError
from pages.ui import access, cells, i18n, session, widgets
from pages.ui.i18n import t

MAX_SHOWN_FINDINGS = 10
"""Findings that the page lists; the command lists more."""


def show() -> None:
    """Show the log's head, and the forms that check the log and look up a customer's card."""
    with st.container(border=True):
        st.markdown(f"**{t('privacy.audit.check')}**  \n{t('privacy.audit.check.why')}")
        st.code(str(audit.head(session.workspace())), language=None, wrap_lines=True)
        earlier = st.text_input(t("privacy.audit.earlier"), key="audit_earlier", placeholder="COUNT:HASH")
        if st.button(t("privacy.audit.check.button"), key="audit_check", icon=":material/link:"):
            access.require("audit")
            _check(earlier or "")
    with st.container(border=True):
        st.markdown(f"**{t('privacy.audit.views')}**  \n{t('privacy.audit.views.why')}")
        customer = st.text_input(t("privacy.audit.views.id"), key="audit_views_id")
        if st.button(t("privacy.audit.views.button"), key="audit_views", icon=":material/search:") and customer:
            access.require("audit")
            _show_views(customer)


def _check(earlier: str) -> None:
    try:
        head = Head.parse(earlier) if earlier.strip() else None
    except UsageError as error:
        widgets.show_error(error)
        return
    checked, language = audit.verify(session.workspace(), head), session.language()
    if checked.found:
        lines = [message.text(language) for message in checked.findings[:MAX_SHOWN_FINDINGS]]
        st.error("\n".join([t("privacy.audit.tampered", n=checked.found), "", *(f"- {line}" for line in lines)]))
    else:
        st.success(t("privacy.audit.sound", n=f"{_checked_lines(checked):,}"), icon=":material/verified:")
    for note in checked.notes:
        st.caption(note.text(language))
    limits = [f"- {limit.text(language)}" for limit in checked.limits]
    st.caption("\n".join([t("privacy.audit.cannot"), *limits]))


def _checked_lines(checked: Verification) -> int:
    return checked.head.count - checked.checkpoint.count


def _show_views(customer: str) -> None:
    views = card_views(session.workspace(), customer.strip())
    if not views:
        st.caption(t("privacy.audit.views.none"))
        return
    table = pd.DataFrame(
        {
            t("privacy.audit.when"): [i18n.moment(view["at"]) for view in views],
            t("privacy.certificate.who"): [view["who"] for view in views],
            t("audit.fact.dataset"): [view["dataset"] for view in views],
        }
    )
    cells.table(table, t("privacy.audit.views"))

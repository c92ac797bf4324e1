"""The door: who has to sign in does so before any page is drawn; who has no role gets no further."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from clv_core import audit
from pages.ui import access, navigation, state
from pages.ui.state import t

SEEN: Final = "signed_in_as"


def gate() -> None:
    """Let through who may be here, in their name; show the others the door, and end the run there."""
    audit.acting_as(access.who())
    if not access.on():
        return
    if not access.signed_in():
        _ask()
        st.stop()
    role = access.role()
    if st.session_state.get(SEEN) != (access.who(), role):
        st.session_state[SEEN] = (access.who(), role)
        audit.note(state.workspace(), "login", role=role or "none", outcome="done" if role else "refused")
    if not role:
        _refuse()
        st.stop()


def show() -> None:
    """Say in the sidebar who is here and in which role, with the way out; nothing where nobody signs in."""
    if access.on() and access.signed_in():
        st.caption(f":material/person: {t('access.as', who=access.who(), role=t(f'access.role.{access.role()}'))}")
        st.button(t("access.out"), key="sign_out", icon=":material/logout:", type="tertiary", on_click=st.logout)


def _ask() -> None:
    with st.container(border=True, horizontal_alignment="left"):
        st.subheader(t("access.ask"), anchor=False)
        st.write(t("access.ask.why" if access.configured() else "access.ask.unset"))
        if access.configured():
            st.button(t("access.in"), key="sign_in", type="primary", icon=":material/login:", on_click=st.login)
            if urlsplit(st.context.url or "").path.rpartition("/")[2] in navigation.BY_NAME:
                st.caption(t("access.ask.again"))  # Streamlit always comes back to the home page (its issue 10162)


def _refuse() -> None:
    with st.container(border=True, horizontal_alignment="left"):
        st.subheader(t("access.none"), anchor=False)
        st.write(t("access.none.why", who=access.who()))
        st.button(t("access.out"), key="sign_out", icon=":material/logout:", on_click=st.logout)

"""The login: people sign in before any page is drawn, and see no page without a role."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from clv_core import audit
from clv_core.errors import ClvError, Refused
from pages.ui import access, identity_provider, navigation, session, upload_gate, widgets
from pages.ui.i18n import t

FAILED: Final = "sign_in_failed"
"""Session key of the reason why the last attempt to sign in failed."""
_seen: set[tuple[object, ...]] = set()
"""Who has been noted in the audit log, by the sign-in: every reload of a page is a session of its own."""


def gate() -> None:
    """Let through who may be here, in their name; show the others the door, and end the run there."""
    _hold_tables()
    if not access.is_login_required():
        audit.set_actor("")
        upload_gate.let_in()
        return
    role = _role()
    if not role:
        upload_gate.shut_out()
        st.stop()
    if access.may("upload"):
        upload_gate.let_in()
    else:
        upload_gate.shut_out()


def _role() -> str:
    """Return the role of who may be here; show the others the door, and return ""."""
    try:
        if not access.is_signed_in():
            _ask()
            return ""
        audit.set_actor(access.current_user())
        role = access.role()
    except Refused as error:
        _shut(error)
        return ""
    _note(role)
    if not role:
        _refuse()
    return role


def _hold_tables() -> None:
    """Keep the tables' own download away where people sign in.

    It asks for no role, leaves nothing in the export log, and knows no do-not-contact list; the pages' buttons do.
    """
    if st.get_option("client.disableDataExport") != access.is_login_required():
        st.set_option("client.disableDataExport", access.is_login_required())


def _note(role: str) -> None:
    """Note in the audit log who has signed in as what, once for each token of the provider."""
    mark = (session.workspace().root, access.current_user(), role, st.user.get("iat"))
    if mark not in _seen:
        _seen.add(mark)
        audit.note(session.workspace(), "login", role=role or "none", outcome="done" if role else "refused")


def show() -> None:
    """Show the current user, her role and a sign-out button in the sidebar; nothing without a login."""
    if access.is_login_required() and access.is_signed_in():
        sentence = t("access.as", who=widgets.escape(access.current_user()), role=t(f"access.role.{access.role()}"))
        st.caption(f":material/person: {sentence}")
        st.button(t("access.out"), key="sign_out", icon=":material/logout:", type="tertiary", on_click=_leave)


def _ask() -> None:
    failed = st.session_state.pop(FAILED, None) if access.is_configured() else identity_provider.find_fault()
    with st.container(border=True, horizontal_alignment="left"):
        st.header(t("access.ask"), anchor=False)
        if access.is_configured():
            _way_in()
        elif failed is None:
            st.write(t("access.ask.unset"))
        if failed is not None:
            widgets.show_error(failed)


def _way_in() -> None:
    st.write(
        t("access.ask.expired", hours=f"{access.lasting_hours():g}") if access.is_expired() else t("access.ask.why")
    )
    address = identity_provider.other_address()
    if address:
        st.write(t("access.ask.elsewhere"))
        st.link_button(address, address, icon=":material/login:", type="primary")
        return
    st.button(t("access.in"), key="sign_in", type="primary", icon=":material/login:", on_click=_enter)
    if urlsplit(st.context.url or "").path.rpartition("/")[2] in navigation.BY_NAME:
        st.caption(t("access.ask.again"))  # Streamlit always comes back to the home page (its issue 10162)


def _enter() -> None:
    """Redirect to the provider; show an error here if it is silent: Streamlit's own page has no way back."""
    failed = identity_provider.find_silence()
    if failed is None:
        st.login()
    else:
        st.session_state[FAILED] = failed


def _leave() -> None:
    """Sign out, and note who did."""
    audit.set_actor(access.current_user())
    audit.note(session.workspace(), "logout", outcome="done")
    st.logout()


def _refuse() -> None:
    with st.container(border=True, horizontal_alignment="left"):
        st.header(t("access.none"), anchor=False)
        st.write(t("access.none.why", who=widgets.escape(access.current_user())))
        st.button(t("access.out"), key="sign_out", icon=":material/logout:", on_click=st.logout)


def _shut(error: ClvError) -> None:
    """Show why nobody can sign in, with a sign-out button for those who are."""
    with st.container(border=True, horizontal_alignment="left"):
        st.header(t("access.shut"), anchor=False)
        widgets.show_error(error)
        if st.user.get("is_logged_in"):
            st.button(t("access.out"), key="sign_out", icon=":material/logout:", on_click=st.logout)

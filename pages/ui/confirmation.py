"""A dialog that describes an action and asks to confirm it; closing it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import widgets
from pages.ui.i18n import t

OPEN: Final = "confirmation"
"""Session key of what a dialog asks about."""
AGREE: Final = "confirm"
"""Key of the button that agrees."""


@dataclass(frozen=True)
class Confirmation:
    """What a dialog asks.

    Args:
        question: its title.
        consequence: what will happen, and whether it can be undone.
        label: of the button that agrees.
        act: does it; the dialog shows its errors.
        typed: a text that has to be typed first, where nothing brings back what goes; "" for none.
    """

    question: str
    consequence: str
    label: str
    act: Callable[[], object]
    typed: str = ""


def button(confirmation: Confirmation, label: str, key: str, *, disabled: bool = False, **options: str) -> None:
    """Draw a button that opens a dialog; ``options`` are further ones of :func:`streamlit.button`.

    The dialog is about what the button named when it was pressed, even where somebody else changed that since.
    """
    pressed = st.button(label, key, disabled=disabled, on_click=ask, args=(confirmation,), **options)  # type: ignore[arg-type]
    if pressed:
        st.rerun(scope="app")  # of a part that is drawn by itself, the page has not been drawn with the dialog yet


def ask(confirmation: Confirmation) -> None:
    """Open a dialog when the page is drawn next."""
    st.session_state[OPEN] = confirmation


def show() -> None:
    """Draw the dialog that is open; called once a page, before its subject can be deleted."""
    confirmation = st.session_state.get(OPEN)
    if confirmation is not None:
        st.dialog(confirmation.question, on_dismiss=_close)(_ask)(confirmation)


def _ask(confirmation: Confirmation) -> None:
    st.write(confirmation.consequence)
    label = t("confirm.type", text=widgets.escape(confirmation.typed))
    ready = not confirmation.typed or st.text_input(label, key="confirm_typed").strip() == confirmation.typed
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(t("confirm.cancel"), key="confirm_cancel"):
            _close()
            st.rerun()
        agreed = st.button(confirmation.label, key=AGREE, type="primary", disabled=not ready)
    if agreed:
        _close()
        try:
            confirmation.act()
        except ClvError as error:
            widgets.show_error(error)
        else:
            st.rerun()


def _close() -> None:
    st.session_state.pop(OPEN, None)

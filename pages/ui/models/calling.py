"""How another system asks the champion: the command that starts the service, and a call to try it with."""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.api import call
from pages.ui import state, widgets
from pages.ui.models.board import Shelf, kind
from pages.ui.saying import t

HERE: Final = "http://localhost:8000/"
"""Where the service answers unless it is told otherwise."""
CALLER: Final = "shop-system"


def show(found: Shelf) -> None:
    """Show what is to be typed, first to try it on this machine, then to let others in."""
    champion, root = found.of_role("champion"), state.workspace().root
    assert champion is not None
    known = {"name": widgets.plain(found.name), "version": champion.number, "kind": kind(champion)}
    st.markdown(t("models.call.who", **known))
    st.markdown(f"**{t('models.call.start')}**")
    _typed(call.start(root, found.name, secured=False))
    st.markdown(f"**{t('models.call.ask')}**")
    _typed(call.example(HERE, secured=False))
    st.caption(t("models.call.asked"))
    st.markdown(f"**{t('models.call.others')}**")
    lines = [call.new_key(root, CALLER), call.start(root, found.name, secured=True), call.example(HERE, secured=True)]
    _typed("\n".join(lines))
    st.caption(t("models.call.more", base=HERE))


def _typed(text: str) -> None:
    st.code(text, language=None, wrap_lines=True)  # as plain text: the colours of code are too pale

"""How another system asks the champion: the command that starts the service, and a call to try it with."""

from __future__ import annotations

import shlex
from typing import Final

import streamlit as st

from clv_core.deployment.api.schemas import example_call
from pages.ui import state, widgets
from pages.ui.models.board import Shelf, kind
from pages.ui.saying import t

HERE: Final = "http://localhost:8000/"
"""Where the service answers unless it is told otherwise."""
CALLER: Final = "shop-system"


def show(found: Shelf) -> None:
    """Show what is to be typed, first to try it on this machine, then to let others in."""
    champion, root = found.of_role("champion"), str(state.workspace().root.absolute())
    assert champion is not None
    known = {"name": widgets.plain(found.name), "version": champion.number, "kind": kind(champion)}
    serve = ["python", "-m", "clv_core", "serve", "--workspace", root, "--name", found.name]
    new_key = ["python", "-m", "clv_core", "keys", "add", CALLER, "--workspace", root]
    st.markdown(t("models.call.who", **known))
    st.markdown(f"**{t('models.call.start')}**")
    _typed(shlex.join([*serve, "--open"]))
    st.markdown(f"**{t('models.call.ask')}**")
    _typed(example_call(HERE, secured=False))
    st.caption(t("models.call.asked"))
    st.markdown(f"**{t('models.call.others')}**")
    _typed("\n".join([shlex.join(new_key), shlex.join(serve), example_call(HERE, secured=True)]))
    st.caption(t("models.call.more", base=HERE))


def _typed(text: str) -> None:
    st.code(text, language=None, wrap_lines=True)  # as plain text: the colours of code are too pale

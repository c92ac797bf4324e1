"""Pages, and parts of pages that are drawn by themselves, say why they failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec

import streamlit as st

from clv_core.disk import disk_error
from clv_core.errors import ClvError, traced
from pages.ui import session, widgets
from pages.ui.i18n import t

P = ParamSpec("P")


def broken(error: Exception) -> None:
    """Say why a page failed, where that is known: a disk that is full, a folder that may not be written.

    Of anything else is said when it was; what happened goes to the server's log under the same time.
    """
    known = error if isinstance(error, ClvError) else disk_error(error, [session.workspace().root])
    if known is not None:
        widgets.show_error(known)
        return
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    logging.getLogger(__name__).error("page failed at %s: %s", when, traced(error))
    st.error(t("page.broken", time=when), icon=":material/error:")


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """Return a part of a page that is drawn anew by itself, and says why where it fails."""

    @st.fragment
    @wraps(draw)
    def drawn(*words: P.args, **named: P.kwargs) -> None:
        try:
            draw(*words, **named)
        except Exception as error:
            broken(error)

    return drawn

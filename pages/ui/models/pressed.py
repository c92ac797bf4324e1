"""What was pressed on a version is done to the version that the button named, before the page is drawn anew.

Another tab, somebody else or a retraining may have let another version speak since the button was drawn. By then it may
not be drawn any more, and its press would be lost without a word, or it may name another version. So the press is kept
as it was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from clv_core.deployment.registry import ChampionConflict, Registry, Version
from clv_core.errors import ClvError
from pages.ui import access, outcomes, state, widgets
from pages.ui.saying import t

PRESSED: Final = "models_pressed"
"""Under this key lies what was pressed until the page has done it."""
DONE: Final = {
    "promote": "models.promoted",
    "roll_back": "models.rolled_back",
    "archive": "models.archive.done",
    "unarchive": "models.unarchive.done",
    "delete": "models.deleted",
}
"""What can be done with a version, and the sentence that says so."""


@dataclass(frozen=True)
class Pressed:
    """A button as it was seen.

    Args:
        call: one of :data:`DONE`.
        version: which it named.
        champion: bundle of the version that spoke.
    """

    call: str
    version: Version
    champion: str


def button(label: str, call: str, version: Version, champion: Version | None, **options: Any) -> None:
    """Offer to do something with a version.

    Args:
        label: names the version, or stands beside its name.
        call: one of :data:`DONE`.
        version: with which.
        champion: which speaks as the button is drawn.
        options: further ones of :func:`streamlit.button`.
    """
    seen = Pressed(call, version, "" if champion is None else champion.bundle)
    st.button(label, on_click=_keep, args=(seen,), **options)


def settle() -> None:
    """Do what was pressed and say so at the top of the page, or why it was not done."""
    seen: Pressed | None = st.session_state.pop(PRESSED, None)
    if seen is None:
        return
    call, version = seen.call, seen.version
    try:
        access.require("delete" if call == "delete" else "promote")
        done = _do(seen)
    except ChampionConflict as error:
        if error.params["version"] != version.number:
            widgets.error_box(error)
            return
        outcomes.say(t("models.speaks_already", **error.params | {"name": widgets.plain(version.name)}))
        done = version
    except ClvError as error:
        widgets.error_box(error)
        return
    else:
        outcomes.say(t(DONE[call], version=done.number, name=widgets.plain(version.name)))
    if call in ("promote", "roll_back"):
        state.choose(model=done.bundle)
    elif call in ("delete", "archive") and st.session_state.get("model") == done.bundle:
        state.choose(model="")
    st.rerun()


def _do(seen: Pressed) -> Version:
    registry, name, number = Registry(state.workspace()), seen.version.name, seen.version.number
    if seen.call == "promote":
        return registry.promote(name, number, instead_of=seen.champion)
    if seen.call == "roll_back":
        return registry.roll_back(name, instead_of=seen.champion)
    if seen.call == "delete":
        return registry.delete(name, number)
    return registry.archive(name, number, back=seen.call == "unarchive")


def _keep(seen: Pressed) -> None:
    st.session_state[PRESSED] = seen

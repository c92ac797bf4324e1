"""Dataset and model in use: those that were asked for, or others, and then the page says so.

A link may name a dataset that was deleted or renamed since, and somebody else may delete the one that a page shows. The
page goes on with another, but figures of another shop are never shown without a word.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from clv_core.deployment.bundle import list_bundles
from pages.ui import session, widgets
from pages.ui.i18n import t

GONE: Final = "gone"
"""Under this key lies what is shown instead of what was asked for: the sentence's key, both names, and the page."""


def settle() -> None:
    """Keep the dataset and the model that exist, else take the first; remember which were asked for and are not there.

    A dataset that is not there bears another name by now where the model that was asked for belongs to one.
    """
    named, model = st.session_state.get("dataset"), st.session_state.get("model")
    names = [item.name for item in session.newest_datasets()]
    lost = bool(named) and named not in names
    owner = _owner(model) if lost else None
    if lost:
        st.session_state["dataset"] = owner
    _take("dataset", names)
    speaking = {one for one, version in session.versions_by_model().items() if version.role == "champion"}
    _take("model", sorted((item.id for item in session.models()), key=lambda one: one not in speaking))
    before = st.session_state.get("kept", {}).get("dataset", named)
    if lost:
        _note("dataset", str(named), "gone.dataset.renamed" if owner in names else "gone.dataset")
    elif before == named and model and model != st.session_state.get("model"):
        _note("model", model, "gone.model")  # with another dataset come other models: nothing to be said of that


def show(page: str) -> None:
    """Say that something else is shown than what was asked for, on the page where that was found out.

    Args:
        page: name of the page that is drawn.
    """
    note = st.session_state.get(GONE)
    if note is None:
        return
    if note.setdefault("page", page) != page or st.session_state.get(note["kind"]) != note["shown"]:
        told()
        return
    if note["shown"] is None:
        said = t(f"gone.{note['kind']}.none", asked=widgets.escape(note["asked"]))
    elif note["kind"] == "model":
        said = t(note["key"], shown=widgets.model_labels(session.models(), roles=True)[note["shown"]])
    else:
        said = t(note["key"], asked=widgets.escape(note["asked"]), shown=widgets.escape(note["shown"]))
    st.warning(said, icon=":material/link_off:")


def told() -> None:
    """Forget it: the page says by itself what became of what was shown."""
    st.session_state.pop(GONE, None)


def _owner(model: str | None) -> str | None:
    """Return the dataset that a model belongs to by now."""
    bundles = list_bundles(session.workspace()) if model else []
    return next((str(item.record["dataset"]["name"]) for item in bundles if item.id == model), None)


def _take(kind: str, known: list[str]) -> None:
    chosen = st.session_state.get(kind)
    # Set anew at each run: the browser keeps the label of its choice, also where another model became champion.
    st.session_state[kind] = chosen if chosen in known else next(iter(known), None)


def _note(kind: str, asked: str, key: str) -> None:
    st.session_state[GONE] = {"kind": kind, "key": key, "asked": asked, "shown": st.session_state.get(kind)}

"""Dataset and model in use: those that were asked for, or others, and then the page says so; chosen in the sidebar.

A link may name a dataset that was deleted or renamed since, and somebody else may delete the one that a page shows. The
page goes on with another, but figures of another shop are never shown without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import streamlit as st

from clv_core.deployment import list_bundles
from clv_core.i18n import LANGUAGES, room
from pages.ui import i18n, progress, session, signin, verdict, widgets
from pages.ui.i18n import t

ROOM: Final = 26
"""Latin letters that a choice in the sidebar has room for; a Chinese character takes two."""
GONE: Final = "gone"
"""Under this key lies what is shown instead of what was asked for: the sentence's key, both names, and the page."""


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Return names that fit into the sidebar, cut in the middle: exports of one shop often differ at the end.

    Two that would look alike stay whole.
    """
    short = {name: _cut(name) for name in names}
    seen = Counter(short.values())
    return {name: one if seen[one] == 1 else name for name, one in short.items()}


def _cut(name: str) -> str:
    widths = list(map(room, name))
    if sum(widths) <= ROOM:
        return name
    end, tail = len(name), 0
    while tail + widths[end - 1] <= ROOM // 2:
        end, tail = end - 1, tail + widths[end - 1]
    start, head = 0, 0
    while head + widths[start] <= ROOM - tail - 1:
        start, head = start + 1, head + widths[start]
    return f"{name[:start]}…{name[end:]}"


def show() -> None:
    """Draw the sidebar; the choices live under the keys ``dataset``, ``model`` and ``lang``."""
    with st.sidebar:
        datasets = [item.name for item in session.newest_datasets()]
        models = {item.id: item for item in session.models()}
        if datasets:
            short = shortened(datasets)
            st.selectbox(t("sidebar.dataset"), datasets, key="dataset", format_func=lambda name: short.get(name, name))
            if (dataset := session.dataset()) is not None:
                st.caption(t("sidebar.as_of", when=i18n.moment(session.refreshed(dataset))))
        else:
            st.caption(t("sidebar.no_dataset"))
        if models:
            labels = widgets.model_labels(models.values(), roles=True)
            widgets.select(t("sidebar.model"), labels, "model")
            verdict.badge(models[st.session_state["model"]])
        elif datasets:
            st.caption(t("sidebar.no_model"))
        progress.running_jobs()
        st.segmented_control(
            "Language · 语言",
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key="lang",
            required=True,
            label_visibility="collapsed",
        )
        signin.show()


def resolve() -> None:
    """Keep the dataset and the model that exist, else take the first; remember which were asked for and are not there.

    A dataset that is not there bears another name by now where the model that was asked for belongs to one.
    """
    named, model = st.session_state.get("dataset"), st.session_state.get("model")
    names = [item.name for item in session.newest_datasets()]
    is_missing = bool(named) and named not in names
    owner = _owner(model) if is_missing else None
    if is_missing:
        st.session_state["dataset"] = owner
    _take("dataset", names)
    speaking = {one for one, version in session.versions_by_model().items() if version.role == "champion"}
    _take("model", sorted((item.id for item in session.models()), key=lambda one: one not in speaking))
    before = st.session_state.get("kept", {}).get("dataset", named)
    if is_missing:
        _note("dataset", str(named), "gone.dataset.renamed" if owner in names else "gone.dataset")
    elif before == named and model and model != st.session_state.get("model"):
        _note("model", model, "gone.model")  # with another dataset come other models: nothing to be said of that


def show_replacement(page: str) -> None:
    """Say that something else is shown than what was asked for, on the page where that was found out."""
    note = st.session_state.get(GONE)
    if note is None:
        return
    if note.setdefault("page", page) != page or st.session_state.get(note["kind"]) != note["shown"]:
        forget_replacement()
        return
    if note["shown"] is None:
        sentence = t(f"gone.{note['kind']}.none", asked=widgets.escape(note["asked"]))
    elif note["kind"] == "model":
        sentence = t(note["key"], shown=widgets.model_labels(session.models(), roles=True)[note["shown"]])
    else:
        sentence = t(note["key"], asked=widgets.escape(note["asked"]), shown=widgets.escape(note["shown"]))
    st.warning(sentence, icon=":material/link_off:")


def forget_replacement() -> None:
    """Forget it: the page says by itself what became of what was shown."""
    st.session_state.pop(GONE, None)


def _owner(model: str | None) -> str | None:
    """Return the dataset that a model belongs to by now."""
    bundles = list_bundles(session.workspace()) if model else []
    return next((item.record.dataset.name for item in bundles if item.id == model), None)


def _take(kind: str, existing: list[str]) -> None:
    chosen = st.session_state.get(kind)
    # Set anew at each run: the browser keeps the label of its choice, also where another model became champion.
    st.session_state[kind] = chosen if chosen in existing else next(iter(existing), None)


def _note(kind: str, asked: str, key: str) -> None:
    st.session_state[GONE] = {"kind": kind, "key": key, "asked": asked, "shown": st.session_state.get(kind)}

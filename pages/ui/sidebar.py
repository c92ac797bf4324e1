"""Dataset and model in use, selected in the sidebar: those of the link, or others with a notice.

A link may name a dataset that was deleted or renamed since, and somebody else may delete the one that a page shows. The
page switches to another, and always shows a notice: figures of another shop must not pass for the requested ones.
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

MAX_NAME_WIDTH: Final = 26
"""Latin letters that a choice in the sidebar has room for; a Chinese character takes two."""
REPLACEMENT: Final = "gone"
"""Session key of the notice about a replacement: the sentence's key, both names, and the page."""


def shortened(names: Iterable[str]) -> dict[str, str]:
    """Return names that fit into the sidebar, cut in the middle: exports of one shop often differ at the end.

    Names that would be cut to the same text are not cut.
    """
    short = {name: _cut(name) for name in names}
    seen = Counter(short.values())
    return {name: short_name if seen[short_name] == 1 else name for name, short_name in short.items()}


def _cut(name: str) -> str:
    widths = list(map(room, name))
    if sum(widths) <= MAX_NAME_WIDTH:
        return name
    end, tail = len(name), 0
    while tail + widths[end - 1] <= MAX_NAME_WIDTH // 2:
        end, tail = end - 1, tail + widths[end - 1]
    start, head = 0, 0
    while head + widths[start] <= MAX_NAME_WIDTH - tail - 1:
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
    """Keep the dataset and the model that exist, else take the first; remember which requested ones do not exist.

    A missing dataset was renamed if the requested model belongs to an existing dataset.
    """
    named, model = st.session_state.get("dataset"), st.session_state.get("model")
    names = [item.name for item in session.newest_datasets()]
    is_missing = bool(named) and named not in names
    owner = _owner(model) if is_missing else None
    if is_missing:
        st.session_state["dataset"] = owner
    _take("dataset", names)
    champions = {model_id for model_id, version in session.versions_by_model().items() if version.role == "champion"}
    _take("model", sorted((item.id for item in session.models()), key=lambda model_id: model_id not in champions))
    before = st.session_state.get("kept", {}).get("dataset", named)
    if is_missing:
        _note("dataset", str(named), "gone.dataset.renamed" if owner in names else "gone.dataset")
    elif before == named and model and model != st.session_state.get("model"):
        _note("model", model, "gone.model")  # another dataset has other models: no notice needed


def show_replacement(page: str) -> None:
    """Show the notice about a replaced dataset or model, on the page where it was replaced."""
    note = st.session_state.get(REPLACEMENT)
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
    """Drop the notice: the page explains by itself what happened to the dataset or model."""
    st.session_state.pop(REPLACEMENT, None)


def _owner(model: str | None) -> str | None:
    """Return the dataset that a model belongs to by now."""
    bundles = list_bundles(session.workspace()) if model else []
    return next((item.record.dataset.name for item in bundles if item.id == model), None)


def _take(kind: str, existing: list[str]) -> None:
    selected = st.session_state.get(kind)
    # Set anew at each run: the browser keeps the label of its choice, also where another model became champion.
    st.session_state[kind] = selected if selected in existing else next(iter(existing), None)


def _note(kind: str, requested: str, key: str) -> None:
    st.session_state[REPLACEMENT] = {"kind": kind, "key": key, "asked": requested, "shown": st.session_state.get(kind)}

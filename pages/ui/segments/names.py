"""Labels that people give the segments of a scheme, saved with the dataset."""

from __future__ import annotations

import streamlit as st

from clv_core.strategy.segments.saved_segments import SegmentLabel, load_labels, save_labels
from clv_core.strategy.segments.scored_customers import labels_key
from clv_core.strategy.segments.segment_rules import Rules
from pages.ui import access
from pages.ui.i18n import t
from pages.ui.segmenting import Scene
from pages.ui.session import language


def section(scene: Scene) -> None:
    """Let the person name and describe the segments; empty fields leave the scheme's own."""
    if isinstance(scene.scheme, Rules):
        st.info(t("segments.names.rules"), icon=":material/info:")
        return
    if not access.may("change"):
        st.info(access.ask_for("change"), icon=":material/lock:")
        return
    key = labels_key(scene.scheme, scene.bundle)
    labels = load_labels(scene.dataset, key)
    st.caption(t("segments.names.note"))
    with st.form(f"names_{key}"):
        typed = {}
        plain = scene.fitted.segments
        for segment in plain:
            label = labels.get(segment.key, SegmentLabel())
            usual, about = segment.name(language()), segment.description(language())
            with st.container(horizontal=True, vertical_alignment="top"):
                name = st.text_input(
                    usual, label.name, key=f"name_{key}_{segment.key}", placeholder=usual, max_chars=60, width=260
                )
                description = st.text_input(
                    t("segments.column.description"),
                    label.description,
                    key=f"about_{key}_{segment.key}",
                    placeholder=about,
                    max_chars=300,
                )
            typed[segment.key] = SegmentLabel(name or "", description or "")
        pressed = st.form_submit_button(t("segments.names.save"), type="primary", icon=":material/save:")
    if pressed:
        save_labels(scene.dataset, key, typed)
        st.session_state["names_saved"] = True
        st.rerun()
    if st.session_state.pop("names_saved", False):
        st.toast(t("segments.names.saved"), icon=":material/check:")

"""What a person calls the segments of a scheme, kept with the dataset."""

from __future__ import annotations

import streamlit as st

from clv_core.strategy.schemes.rules import Rules
from clv_core.strategy.schemes.saved import Given, give_names, given_names
from clv_core.strategy.schemes.settle import names_key
from pages.ui import access, by_role
from pages.ui.saying import t
from pages.ui.segments.segmenting import Scene
from pages.ui.state import language


def section(scene: Scene) -> None:
    """Let the person name and describe the segments; what is left empty is called as before."""
    if isinstance(scene.scheme, Rules):
        st.info(t("segments.names.rules"), icon=":material/info:")
        return
    if not access.may("change"):
        st.info(by_role.ask_for("change"), icon=":material/lock:")
        return
    key = names_key(scene.scheme, scene.bundle)
    given = given_names(scene.dataset, key)
    st.caption(t("segments.names.note"))
    with st.form(f"names_{key}"):
        typed = {}
        plain = scene.fitted.segments
        for segment in plain:
            kept = given.get(segment.key, Given())
            usual, about = segment.name(language()), segment.description(language())
            with st.container(horizontal=True, vertical_alignment="top"):
                name = st.text_input(
                    usual, kept.name, key=f"name_{key}_{segment.key}", placeholder=usual, max_chars=60, width=260
                )
                description = st.text_input(
                    t("segments.column.description"),
                    kept.description,
                    key=f"about_{key}_{segment.key}",
                    placeholder=about,
                    max_chars=300,
                )
            typed[segment.key] = Given(name or "", description or "")
        pressed = st.form_submit_button(t("segments.names.save"), type="primary", icon=":material/save:")
    if pressed:
        give_names(scene.dataset, key, typed)
        st.session_state["names_saved"] = True
        st.rerun()
    if st.session_state.pop("names_saved", False):
        st.toast(t("segments.names.saved"), icon=":material/check:")

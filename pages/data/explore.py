"""Explore: how do my customers behave?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import navigation, session, widgets
from pages.ui.explore import explored, sections
from pages.ui.i18n import t

dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

cube = explored.need_cube(dataset)
finding = st.container()
filters = explored.choose(cube)
try:
    with st.spinner(t("explore.looking"), show_time=True):
        figures, before, days = explored.key_figures(cube, filters)
        held = explored.concentrated(cube, filters)
except ClvError as error:
    widgets.show_error(error)
    st.stop()

with finding:
    widgets.headline(explored.headline(figures, held))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(explored.about(cube, filters, days if before else 0), width="stretch")
        if st.button(t("explore.to_train"), type="primary", icon=navigation.BY_NAME["train"].icon, key="to_train"):
            navigation.go("train")
if not figures.customers:
    st.info(t("explore.nothing"), icon=":material/filter_alt_off:")
    st.stop()
explored.cards(cube, filters, figures, before)
parts = sections.parts(cube, figures.buyers)
part = widgets.choose(t("explore.part"), parts, "explore_part", label_visibility="collapsed")
sections.show(part, cube, filters)
sections.missing(cube)

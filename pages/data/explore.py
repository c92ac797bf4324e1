"""Explore: how do my customers behave?"""

import streamlit as st

from pages.ui import navigation, widgets
from pages.ui.explore import chart_sections, explored
from pages.ui.i18n import t

dataset = widgets.need_dataset()

cube = explored.need_cube(dataset)
finding = st.container()
filters = explored.choose(cube)
with st.spinner(t("explore.looking"), show_time=True):
    figures, before, days = explored.key_figures(cube, filters)
    concentration = explored.concentrated(cube, filters)

with finding:
    widgets.headline(explored.headline(figures, concentration))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(explored.about(cube, filters, days if before else 0), width="stretch")
        navigation.button("train", t("explore.to_train"), "to_train", type="primary")
if not figures.customers:
    st.info(t("explore.nothing"), icon=":material/filter_alt_off:")
    st.stop()
explored.cards(cube, filters, figures, before)
parts = chart_sections.parts(cube, figures.buyers)
part = widgets.choose(t("explore.part"), parts, "explore_part", label_visibility="collapsed")
chart_sections.show(part, cube, filters)
chart_sections.missing(cube)

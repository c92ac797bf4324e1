"""Explore: how do my customers behave?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import navigation, session, widgets
from pages.ui.explore import explored, sections, tables
from pages.ui.i18n import t

dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

cube = explored.need_cube(dataset)
finding = st.container()
filters = explored.choose(cube)
try:
    with st.spinner(t("explore.looking"), show_time=True):
        figures, before, days = explored.key_figures(cube.version, filters, cube)
        held = explored.spread(cube.version, filters, cube)
except ClvError as error:
    widgets.show_error(error)
    st.stop()

with finding:
    widgets.headline(explored.headline(figures, held), explored.about(cube, filters))
if not figures.customers:
    st.info(t("explore.nothing"), icon=":material/filter_alt_off:")
    st.stop()
explored.cards(cube, filters, figures, before, days)

if figures.buyers:
    st.header(t("explore.section.time"), anchor=False)
    sections.show("over_time", cube, filters)
    st.header(t("explore.section.back"), anchor=False)
    sections.show("coming_back", cube, filters)
    st.header(t("explore.section.value"), anchor=False)
    sections.show("value", cube, filters)
sections.show("way", cube, filters)
sections.show("rated", cube, filters)
sections.show("sold", cube, filters)
sections.missing(cube)

st.header(t("explore.section.tables"), anchor=False)
tables.show(cube, filters)
if st.button(t("explore.to_train"), type="primary", icon=navigation.BY_NAME["train"].icon, key="to_train"):
    navigation.go("train")

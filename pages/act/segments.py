"""Segments: whom?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import break_even, i18n, navigation, schemes, scores, segmenting, terms, tiers, widgets
from pages.ui.budget import offer_table
from pages.ui.i18n import t
from pages.ui.segments import overview, past, rules

VIEWS = ("overview", "figures", "moved", "came", "names")

trained = widgets.need_model()
dataset, bundle = trained.dataset, trained.model

rules.take_up_new_rules()
top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    place_of_scheme = st.container(width="content")
    settings = st.popover(t("budget.terms"), icon=":material/tune:")
by_rules = st.session_state.get("scheme_kind") == "rules"
try:
    with settings:
        scored = trained.at(terms.choose(bundle))
    with top:
        customers = scores.need_scores(scored)
        context = widgets.context_line(bundle, dataset.log_end, scored.terms)
        widgets.headline(tiers.headline(scored, customers), context, *tiers.checked(scored))
        tiers.offer_forecast(trained)
    before = scores.need_scores(trained)
    with top:
        for warning in trained.gap_warnings():
            st.caption(i18n.message_text(warning))
    with place_of_scheme:
        scheme = schemes.choose(dataset, customers, scored.terms)
    if scheme is None:
        rules.edit_rules(dataset, customers)
        st.stop()
    segmenting.need_points(scheme, scored)
    segmented = segmenting.segment(scored, scheme, customers, before)
except ClvError as error:
    widgets.show_error(error)
    if by_rules:
        rules.edit_rules(dataset, customers)
    st.stop()

views = (*VIEWS, "rules") if st.session_state["scheme_kind"] == "rules" else VIEWS
if st.session_state.get("segments_view") not in views:
    st.session_state["segments_view"] = "overview"
names = {view_key: t(f"segments.view.{view_key}") for view_key in views}
view = widgets.choose(t("segments.view"), names, "segments_view", label_visibility="collapsed")
if view == "figures":
    overview.notes(segmented)
    overview.figures(segmented)
    overview.download(segmented)
elif view == "moved":
    past.moved(segmented)
elif view == "came":
    past.realized(segmented)
elif view == "names":
    rules.name_segments(segmented)
elif view == "rules":
    rules.edit_rules(dataset, customers)
else:
    if not overview.group(dataset):
        overview.cards(segmented)
    break_even.of_segments(segmented.table, scored.terms, segmented.currency)
    st.header(t("segments.list"), anchor=False)
    overview.members(segmented)
    if st.button(t("segments.to_budget"), icon=navigation.BY_NAME["strategy"].icon, key="to_budget"):
        offer_table.use_scheme(scheme, dataset)
        navigation.open_budget()

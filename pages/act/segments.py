"""Segments: whom?"""

import streamlit as st

from clv_core.deployment import Terms
from clv_core.errors import ClvError
from pages.ui import i18n, navigation, schemes, scored, segmenting, session, terms, tiers, widgets
from pages.ui.budget import offer_table
from pages.ui.i18n import t
from pages.ui.segments import overview, past, rules

VIEWS = ("overview", "figures", "moved", "came", "names")

dataset, bundle = widgets.need_model()

rules.take_up_new_rules()
top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    place_of_scheme = st.container(width="content")
    settings = st.popover(t("budget.terms"), icon=":material/tune:")
by_rules = st.session_state.get("scheme_kind") == "rules"
try:
    with settings:
        chosen = terms.choose(bundle)
    with top:
        customers = scored.need_scores(dataset, bundle, chosen)
        context = widgets.context_line(bundle, dataset.log_end, chosen)
        widgets.headline(tiers.headline(bundle, dataset, customers, chosen), context, *tiers.checked(bundle, chosen))
    trained = scored.need_scores(dataset, bundle, Terms(bundle.record.horizon_days))
    with top:
        for warning in session.scored(dataset, bundle).gap_warnings():
            st.caption(i18n.message_text(warning))
    with place_of_scheme:
        scheme = schemes.choose(dataset, customers, chosen)
    if scheme is None:
        rules.edit_rules(dataset, customers)
        st.stop()
    data = session.scored(dataset, bundle)
    segmenting.need_points(scheme, data)
    segmented = segmenting.segment(data, chosen, scheme, customers, trained)
except ClvError as error:
    widgets.show_error(error)
    if by_rules:
        rules.edit_rules(dataset, customers)
    st.stop()

views = (*VIEWS, "rules") if st.session_state["scheme_kind"] == "rules" else VIEWS
if st.session_state.get("segments_view") not in views:
    st.session_state["segments_view"] = "overview"
names = {one: t(f"segments.view.{one}") for one in views}
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
    overview.cards(segmented)
    st.header(t("segments.list"), anchor=False)
    overview.members(segmented)
    if st.button(t("segments.to_budget"), icon=navigation.BY_NAME["strategy"].icon, key="to_budget"):
        offer_table.use_scheme(scheme, dataset)
        navigation.open_budget()

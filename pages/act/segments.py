"""Segments: whom?"""

import streamlit as st

from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from pages.ui import navigation, scored, segmenting, session, terms, tiers, widgets
from pages.ui.budget import by_segments
from pages.ui.i18n import t
from pages.ui.segments import chosen_scheme, compare, members, names, overview, past, rules

VIEWS = ("overview", "figures", "moved", "came", "compare", "names")

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

rules.settle_choice()
top = st.container()
try:
    chosen = terms.choose(bundle)
    with top:
        customers = scored.need_scores(dataset, bundle, chosen)
        context = widgets.context_line(bundle, dataset.log_end, chosen)
        widgets.headline(tiers.headline(bundle, dataset, customers, chosen), context, *tiers.checked(bundle, chosen))
    trained = scored.need_scores(dataset, bundle, Terms(bundle.record["horizon_days"]))
    scheme = chosen_scheme.choose(dataset, customers, chosen)
    views = (*VIEWS, "rules") if st.session_state["scheme_kind"] == "rules" else VIEWS
    if scheme is None:
        rules.section(dataset, customers)
        st.stop()
    data = session.scored(dataset, bundle)
    segmenting.need_points(scheme, data)
    scene = segmenting.scene(data, chosen, scheme, customers, trained)
except ClvError as error:
    widgets.show_error(error)
    if st.session_state.get("scheme_kind") == "rules":
        rules.section(dataset, customers)
    st.stop()

if st.session_state.get("segments_view") not in views:
    st.session_state["segments_view"] = "overview"
view = st.segmented_control(
    t("segments.view"),
    views,
    format_func=lambda one: t(f"segments.view.{one}"),
    required=True,
    key="segments_view",
    label_visibility="collapsed",
    persist_state="session",
)
try:
    if view == "figures":
        overview.notes(scene)
        overview.figures(scene)
        overview.download(scene)
    elif view == "moved":
        past.moved(scene)
    elif view == "came":
        past.came(scene)
    elif view == "compare":
        compare.section(scene)
    elif view == "names":
        names.section(scene)
    elif view == "rules":
        rules.section(dataset, customers)
    else:
        overview.section(scene)
        st.header(t("segments.list"), anchor=False)
        members.section(scene)
        if st.button(t("segments.to_budget"), icon=navigation.BY_NAME["strategy"].icon, key="to_budget"):
            by_segments.take(scheme, dataset)
            navigation.open_budget()
except ClvError as error:
    widgets.show_error(error)

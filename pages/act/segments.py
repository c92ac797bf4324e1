"""Segments: whom?"""

import streamlit as st

from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from pages.ui import (
    budget_segments,
    navigation,
    scored,
    segment_compare,
    segment_list,
    segment_names,
    segment_overview,
    segment_past,
    segment_rules,
    segment_scheme,
    segmenting,
    state,
    terms,
    tiers,
    widgets,
)
from pages.ui.state import t

VIEWS = ("overview", "figures", "moved", "came", "compare", "names")

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

segment_rules.settle_choice()
top = st.container()
try:
    chosen = terms.choose(bundle)
    with top:
        customers = scored.need_scores(dataset, bundle, chosen)
        context = widgets.context_line(bundle, dataset.log_end, chosen)
        widgets.headline(tiers.headline(bundle, dataset, customers, chosen), context, *tiers.checked(bundle, chosen))
    trained = scored.need_scores(dataset, bundle, Terms(bundle.record["horizon_days"]))
    scheme = segment_scheme.choose(dataset, customers, chosen)
    views = (*VIEWS, "rules") if st.session_state["scheme_kind"] == "rules" else VIEWS
    if scheme is None:
        segment_rules.section(dataset, customers)
        st.stop()
    segmenting.need_points(scheme, dataset, bundle)
    scene = segmenting.scene(dataset, bundle, chosen, scheme, customers, trained)
except ClvError as error:
    widgets.error_box(error)
    if st.session_state.get("scheme_kind") == "rules":
        segment_rules.section(dataset, customers)
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
        segment_overview.notes(scene)
        segment_overview.figures(scene)
        segment_overview.download(scene)
    elif view == "moved":
        segment_past.moved(scene)
    elif view == "came":
        segment_past.came(scene)
    elif view == "compare":
        segment_compare.section(scene)
    elif view == "names":
        segment_names.section(scene)
    elif view == "rules":
        segment_rules.section(dataset, customers)
    else:
        segment_overview.section(scene)
        st.subheader(t("segments.list"), anchor=False)
        segment_list.section(scene)
        if st.button(t("segments.to_budget"), icon=navigation.BY_NAME["strategy"].icon, key="to_budget"):
            budget_segments.take(scheme, dataset)
            navigation.open_budget()
except ClvError as error:
    widgets.error_box(error)

"""Segments: whom?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import charts_why, scored, state, terms, tiers, widgets
from pages.ui.state import percent, t

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

top = st.container()
try:
    chosen = terms.choose(bundle)
    with top:
        customers = scored.need_scores(dataset, bundle, chosen)
        context = widgets.context_line(bundle, dataset.log_end, chosen)
        widgets.headline(tiers.headline(bundle, dataset, customers, chosen), context, *tiers.checked(bundle, chosen))
    scheme = tiers.choose_scheme(customers, chosen)
    tiered = tiers.tiered(bundle.id, dataset.version, chosen, scheme, customers)
except ClvError as error:
    widgets.error_box(error)
    st.stop()

shared, written = tiers.what_past_origins_say(bundle, chosen)
rows = tiers.tier_table(bundle.id, dataset.version, chosen, scheme, state.language(), written, tiered, shared)
tiers.cards(rows, bundle.record["currency"])

first = rows.iloc[0]
message = t(
    "segments.chart",
    name=first["name"],
    share=percent(first["share_of_customers"]),
    value=percent(first["share_of_value"]),
)
widgets.chart(charts_why.tier_bars(rows.assign(tier_label=rows["name"]), message), "tiers")

st.subheader(t("segments.list"), anchor=False)
tiers.customer_list(dataset, bundle, tiered, scheme, chosen)

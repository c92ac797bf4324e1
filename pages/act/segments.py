"""Segments: whom?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import charts_why, scored, state, tiers, widgets
from pages.ui.state import percent, t

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

customers = scored.need_scores(dataset, bundle)
context = widgets.context_line(bundle, dataset.log_end)
widgets.headline(tiers.headline(bundle, dataset, customers), context, tiers.checked(bundle))

try:
    scheme = tiers.choose_scheme(customers)
    tiered = tiers.tiered(bundle.id, dataset.version, scheme, customers)
except ClvError as error:
    widgets.error_box(error)
    st.stop()

shared, written = tiers.what_past_origins_say(bundle)
rows = tiers.tier_table(bundle.id, dataset.version, scheme, state.language(), written, tiered, shared)
tiers.cards(rows, bundle.record["currency"])

top = rows.iloc[0]
message = t(
    "segments.chart", name=top["name"], share=percent(top["share_of_customers"]), value=percent(top["share_of_value"])
)
widgets.chart(charts_why.tier_bars(rows.assign(tier_label=rows["name"]), message), "tiers")

st.subheader(t("segments.list"), anchor=False)
tiers.customer_list(dataset, bundle, tiered, scheme)

"""Customer: who is this?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import card, card_sections, card_segment, recommended_customer, state, widgets

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

customers = card.need_customers(dataset, bundle)
try:
    may_be_shown = card.shown(dataset, bundle, customers)
    chosen = card.choose(customers, may_be_shown, dataset.log_end)
    shown = card.card_of(dataset, bundle, may_be_shown, chosen)
except ClvError as error:
    widgets.error_box(error)
    st.stop()

widgets.headline(card_sections.headline(shown), widgets.context_line(bundle, dataset.log_end))
card_sections.figures(shown)
with st.grid(2, min_column_width=360):
    card_sections.reasons(shown)
    card_sections.action(shown)
card_segment.section(shown, dataset)
card_sections.history(shown)
recommended_customer.on_card(dataset, bundle, shown.customer_id)
card_sections.alike(shown, dataset)
card_sections.downloads(shown, dataset, bundle)

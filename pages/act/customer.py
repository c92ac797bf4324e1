"""Customer: who is this?"""

import streamlit as st

from pages.ui import recommending, widgets
from pages.ui.customer import card, details

dataset, bundle = widgets.need_model()

customers = card.need_customers(dataset, bundle)
may_be_shown = card.shown(dataset, bundle, customers)
chosen = card.choose(customers, may_be_shown, dataset.log_end)
shown = card.card_of(dataset, bundle, may_be_shown, chosen)

widgets.headline(details.headline(shown), widgets.context_line(bundle, dataset.log_end))
details.figures(shown)
with st.grid(2, min_column_width=360):
    details.reasons(shown)
    details.action(shown)
details.segments_by_hand(shown, dataset)
details.history(shown)
recommending.on_card(dataset, bundle, shown.customer_id)
details.alike(shown, dataset)
details.downloads(shown, dataset, bundle)

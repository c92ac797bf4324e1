"""Customer: who is this?"""

import streamlit as st

from pages.ui import recommendations, widgets
from pages.ui.customer import card, sections

dataset, bundle = widgets.need_model()

customers = card.need_customers(dataset, bundle)
may_be_shown = card.shown(dataset, bundle, customers)
chosen = card.choose(customers, may_be_shown, dataset.log_end)
shown = card.card_of(dataset, bundle, may_be_shown, chosen)

widgets.headline(sections.headline(shown), widgets.context_line(bundle, dataset.log_end))
sections.figures(shown)
with st.grid(2, min_column_width=360):
    sections.reasons(shown)
    sections.action(shown)
sections.segments_by_hand(shown, dataset)
sections.history(shown)
recommendations.on_card(dataset, bundle, shown.customer_id)
sections.alike(shown, dataset)
sections.downloads(shown, dataset, bundle)

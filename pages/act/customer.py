"""Customer: who is this?"""

import streamlit as st

from pages.ui import break_even, recommending, widgets
from pages.ui.customer import card, details

scored = widgets.need_model()
dataset = scored.dataset

customers = card.need_customers(scored)
may_be_shown = card.shown(scored, customers)
customer_id = card.choose(customers, may_be_shown, dataset.log_end)
shown = card.card_of(scored, may_be_shown, customer_id)

widgets.headline(details.headline(shown), widgets.context_line(scored.model, dataset.log_end))
details.figures(shown)
with st.grid(2, min_column_width=360):
    details.reasons(shown)
    details.action(shown)
break_even.of_customer(shown, scored.terms)
details.segments_by_hand(shown, dataset)
details.campaigns(shown, dataset)
details.history(shown)
recommending.on_card(scored, shown.customer_id)
details.similar(shown, dataset)
details.downloads(shown, scored)
card.offer_person_file(shown.customer_id)

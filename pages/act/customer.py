"""Customer: who is this?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import session, widgets
from pages.ui.customer import by_hand, card, sections
from pages.ui.recommended import one_customer

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

customers = card.need_customers(dataset, bundle)
try:
    may_be_shown = card.shown(dataset, bundle, customers)
    chosen = card.choose(customers, may_be_shown, dataset.log_end)
    shown = card.card_of(dataset, bundle, may_be_shown, chosen)
except ClvError as error:
    widgets.show_error(error)
    st.stop()

widgets.headline(sections.headline(shown), widgets.context_line(bundle, dataset.log_end))
sections.figures(shown)
with st.grid(2, min_column_width=360):
    sections.reasons(shown)
    sections.action(shown)
by_hand.section(shown, dataset)
sections.history(shown)
one_customer.on_card(dataset, bundle, shown.customer_id)
sections.alike(shown, dataset)
sections.downloads(shown, dataset, bundle)

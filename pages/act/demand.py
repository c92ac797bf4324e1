"""Demand: how much of what will be bought in the coming weeks, and what to order?"""

import streamlit as st

from clv_core.errors import ClvError
from clv_core.strategy.demand import headline
from pages.ui import i18n, navigation, session, widgets
from pages.ui.demand import campaign, ordering, product, shown
from pages.ui.i18n import t

trained = widgets.need_model()
dataset, bundle = trained.dataset, trained.model
try:
    made = shown.need_demand(trained)
except ClvError as error:
    widgets.show_refusal(error)
    navigation.button("upload", t("demand.to_upload"), "to_upload")
    st.stop()
sentence = i18n.message_text(headline(made, session.language(), shown.chosen_weeks()))
widgets.headline(widgets.escape(sentence), widgets.context_line(bundle, dataset.log_end))
weeks = shown.choose_weeks()
shown.categories(made, weeks)

st.header(t("demand.product.one"), anchor=False)
product.show(trained, made, weeks)

campaign.show(trained, made)

st.header(t("demand.order"), anchor=False)
ordering.show(trained, made, weeks)

st.header(t("forecast.past"), anchor=False)
ordering.tests(made)
st.subheader(t("forecast.notes"), anchor=False)
st.markdown("\n".join(f"- {widgets.escape(line)}" for line in shown.notes(made)))

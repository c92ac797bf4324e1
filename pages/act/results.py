"""Results: what did each campaign bring, beside its control group, and whom to write to next?"""

import streamlit as st

from clv_core.errors import ClvError
from clv_core.strategy.campaigns import headline
from pages.ui import i18n, navigation, session, widgets
from pages.ui.i18n import t
from pages.ui.results import measured, next_steps

dataset = widgets.need_dataset()
currency = dataset.manifest.currency
try:
    with st.spinner(t("results.measuring")):
        outcomes = measured.outcomes_of(dataset)
except ClvError as error:
    widgets.show_error(error)
    st.stop()
context = t("results.context", dataset=widgets.escape(dataset.name), end=i18n.last_day(dataset.log_end))
widgets.headline(widgets.escape(i18n.message_text(headline(outcomes, currency, session.language()))), context)
if outcomes:
    measured.show(dataset, outcomes)
else:
    with st.container(border=True, horizontal_alignment="left"):
        st.markdown(t("results.none"))
        navigation.button("exports", t("results.none.button"), "to_exports")

st.header(t("results.next.title"), anchor=False)
model = session.model()
if model is None:
    with st.container(border=True, horizontal_alignment="left"):
        st.markdown(t("results.next.no_model"))
        navigation.button("train", t("need.model.button"), "to_train")
else:
    next_steps.show(session.scored(dataset, model), outcomes)

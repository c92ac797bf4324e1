"""Forecast: what will the shop take, from customers known today and from those still to be won?"""

import streamlit as st

from clv_core.errors import ClvError
from clv_core.strategy.forecast import LEAST_DATES, headline, last_expected
from pages.ui import i18n, navigation, session, widgets
from pages.ui.forecast import expected, past
from pages.ui.i18n import t

trained = widgets.need_model()
dataset, bundle = trained.dataset, trained.model
try:
    made = expected.need_forecast(trained)
except ClvError as error:
    widgets.show_error(error)
    st.stop()
context = widgets.context_line(bundle, dataset.log_end)
widgets.headline(widgets.escape(i18n.message_text(headline(made, session.language()))), context)
expected.show(trained, made)

st.header(t("forecast.past"), anchor=False)
past.tests(made)
if len(made.tests) < LEAST_DATES:
    with st.container(border=True, horizontal_alignment="left"):
        st.markdown(t("forecast.few_tests"))
        navigation.button("evaluate", t("forecast.to_evaluate"), "to_evaluate")

before = last_expected(trained)
if before is not None:
    st.header(t("report.bridge"), anchor=False)
    past.bridge(trained, before)

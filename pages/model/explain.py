"""Explain: why?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import explained, state, widgets
from pages.ui.state import t

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")
currency = bundle.record["currency"]

explanation = explained.need_explanation(dataset, bundle)
count = t("explain.count", customers=f"{len(explanation.customer_ids):,}")
widgets.headline(explained.headline(explanation), widgets.context_line(bundle, dataset.log_end), count)

with st.grid(2, min_column_width=360):
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{t('explain.words')}**")
        explained.in_words(explanation, currency)
    widgets.chart(explained.bars(explanation, currency), "bars")
widgets.chart(explained.swarm(explanation, currency), "swarm")
explained.review_themes(bundle)

st.subheader(t("explain.one"), anchor=False)
try:
    customer = explained.choose_customer(explanation, currency)
    known = customer in explanation.customer_ids
    one = explanation if known else explained.need_explanation(dataset, bundle, customer)
    explained.why_one(one, customer, bundle)
except ClvError as error:
    widgets.error_box(error)

name = widgets.file_name(bundle, "reasons", dataset.log_end, "csv")
widgets.download(t("explain.download"), lambda: explained.as_csv(explanation), name, key="download_reasons")

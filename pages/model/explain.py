"""Explain: why?"""

import streamlit as st

from clv_core.errors import ClvError
from clv_core.evaluation.explain.answers import VALUE
from pages.ui import session, widgets
from pages.ui.explain import answers, checks, closer, explained, one_customer, whatif
from pages.ui.i18n import t

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")
currency = bundle.record["currency"]

many = explained.need_explanation(dataset, bundle)
finding = st.container()
answer = answers.choose()
explanation, value = explained.explanation_of(many, answer), explained.explanation_of(many, VALUE)
with finding:
    count = t("explain.count", customers=f"{len(explanation.customer_ids):,}")
    widgets.headline(explained.headline(explanation), widgets.context_line(bundle, dataset.log_end), count)

with st.grid(2, min_column_width=360):
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{t('explain.words')}**")
        explained.in_words(explanation, currency)
    widgets.chart(explained.bars(explanation, currency), "bars")
widgets.chart(explained.swarm(explanation, currency), "swarm")
record = explained.record_of(many.folder) or {}
checks.show(record, answer, currency)
explained.review_themes(bundle)

st.header(t("why.dependence"), anchor=False)
closer.one_reason(explanation, currency)

st.header(t("why.groups"), anchor=False)
try:
    closer.segments_compared(explanation, dataset, bundle)
except ClvError as error:
    widgets.show_error(error)

st.header(t("explain.one"), anchor=False)
try:
    customer = one_customer.choose_customer(value, currency)
    known = customer in value.customer_ids
    found = many if known else explained.need_explanation(dataset, bundle, customer)
    one = explained.explanation_of(found, answer)
    one_customer.why_one(one, customer, bundle)
    one_customer.events(found, customer, bundle)
    whatif.what_if(found, one, customer, bundle)
except ClvError as error:
    widgets.show_error(error)

explained.download(explanation, dataset, bundle)

"""Exports: who can be in which list, and what was exported?"""

import streamlit as st

from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from pages.ui import scored, segmenting, session, widgets
from pages.ui.exports import export_log, lists
from pages.ui.i18n import t

bundle = widgets.need_model()
dataset = session.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

terms = Terms(bundle.record["horizon_days"])
top = st.container()
try:
    with top:
        customers = scored.need_scores(dataset, bundle, terms)
    data = session.scored(dataset, bundle)
    with st.container(border=True):
        scheme = lists.choose_scheme(dataset)
        segmenting.need_points(scheme, data)
        wish = lists.choose(segmenting.scene(data, terms, scheme, customers, customers))
    with top:
        found = lists.preview_of(wish, dataset)
        if found is not None:
            widgets.headline(lists.headline(found), widgets.context_line(bundle, dataset.log_end))
    if found is not None:
        lists.show(found, dataset)
        lists.make(wish, found, dataset, bundle)
except ClvError as error:
    widgets.show_error(error)

st.header(t("exporting.log"), anchor=False)
export_log.show()

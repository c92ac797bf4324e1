"""Exports: who can be in which list, and what was exported?"""

import streamlit as st

from clv_core.errors import ClvError
from pages.ui import scores, segmenting, verdict, widgets
from pages.ui.exports import choose, destinations, export_log, lists
from pages.ui.i18n import t

scored = widgets.need_model()
dataset, bundle = scored.dataset, scored.model

top = st.container()
try:
    with top:
        customers = scores.need_scores(scored)
    with st.container(border=True):
        scheme = choose.choose_scheme(dataset)
        segmenting.need_points(scheme, scored)
        request = choose.choose(segmenting.segment(scored, scheme, customers, customers))
    with top:
        preview = lists.preview_of(request, dataset)
        if preview is not None:
            widgets.headline(lists.headline(preview), widgets.context_line(bundle, dataset.log_end))
    if preview is not None:
        lists.show(preview, dataset)
        allowed = verdict.is_acknowledged(bundle)
        lists.make(request, preview, allowed=allowed)
        st.header(t("pushing.title"), anchor=False)
        destinations.show(request, dataset, allowed=allowed)
except ClvError as error:
    widgets.show_error(error)

st.header(t("exporting.log"), anchor=False)
export_log.show()

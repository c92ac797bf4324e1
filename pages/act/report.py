"""Report: what does whoever decides need to see?"""

import streamlit as st

from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from pages.ui import progress, reporting, scored, state, widgets
from pages.ui.state import t

bundle = widgets.need_model()
dataset = state.dataset()
if dataset is None:
    widgets.need("dataset", "upload")

top = st.container()
try:
    with top:
        customers = scored.need_scores(dataset, bundle, Terms(bundle.record["horizon_days"]))
    with st.container(border=True):
        wish = reporting.choose(dataset, bundle, customers)
except ClvError as error:
    widgets.error_box(error)
    st.stop()

made = reporting.made(wish)
with top:
    widgets.headline(reporting.headline(made), widgets.context_line(bundle, dataset.log_end))
job = progress.latest("report", wish.label)
if progress.running(job):
    progress.watch(job)
elif made is not None:
    reporting.show(wish, made)
else:
    if job is not None:
        progress.ended(job)
        progress.technical_log(job)
    st.caption(t("reporting.what"))

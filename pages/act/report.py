"""Report: what does whoever decides need to see?"""

import streamlit as st

from clv_core.deployment import Terms
from pages.ui import progress, scored, tiers, widgets
from pages.ui.i18n import t
from pages.ui.report import reporting

dataset, bundle = widgets.need_model()

top = st.container()
terms = Terms(bundle.record.horizon_days)
with top:
    customers = scored.need_scores(dataset, bundle, terms)
with st.container(border=True):
    wish = reporting.choose(dataset, bundle)

made = reporting.made(wish)
with top:
    finding = tiers.headline(bundle, dataset, customers, terms) if made is None else str(made["finding"])
    widgets.headline(finding, widgets.context_line(bundle, dataset.log_end))
job = progress.latest_run("report", wish.label)
if job and progress.is_running(job):
    progress.watch(job)
elif made is not None:
    reporting.show(wish, made)
else:
    progress.show_failure(job)
    st.markdown(t("reporting.holds"))
    st.caption(t("reporting.what"))

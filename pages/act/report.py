"""Report: what does whoever decides need to see?"""

import streamlit as st

from pages.ui import progress, scores, tiers, widgets
from pages.ui.i18n import t
from pages.ui.report import reporting

scored = widgets.need_model()

top = st.container()
with top:
    customers = scores.need_scores(scored)
with st.container(border=True):
    wish = reporting.choose(scored)

made = reporting.made(wish)
with top:
    finding = tiers.headline(scored, customers) if made is None else str(made["finding"])
    widgets.headline(finding, widgets.context_line(scored.model, scored.dataset.log_end))
job = progress.latest_run("report", wish.label)
if job and progress.is_running(job):
    progress.watch(job)
elif made is not None:
    reporting.show(wish, made)
else:
    progress.show_failure(job)
    st.markdown(t("reporting.holds"))
    st.caption(t("reporting.what"))

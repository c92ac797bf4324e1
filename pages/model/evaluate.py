"""Evaluate: can I trust it?"""

import streamlit as st

from pages.ui import cells, judged, navigation, outcomes, page_files, progress, state, trusting, widgets
from pages.ui.charts import basic
from pages.ui.evaluate import scoreboard
from pages.ui.file_names import file_name
from pages.ui.models import board, pressed
from pages.ui.saying import t

outcomes.show()
pressed.settle()
bundle = widgets.need_model()
record = bundle.record
measured = record["holdout"]
context = (widgets.context_line(bundle, measured and measured["cutoff"]), judged.tested_on(bundle))
widgets.headline(judged.headline(bundle), *filter(None, context))

with st.container(border=True):
    trusting.verdict(state.trust(bundle))
    trusting.grades(bundle)
    trusting.reasons(bundle)
for warning in record["warnings"]:
    st.info(widgets.sentence(warning), icon=":material/info:")

if measured:
    widgets.figures(judged.main_figures(bundle), 4, 180)
    st.caption(judged.simplest(bundle))
if measured and not bundle.has_holdout:
    st.info(t("evaluate.without_rows"), icon=":material/info:")
elif measured:
    with st.grid(2, min_column_width=360):
        widgets.chart(judged.figure("deciles", bundle), "deciles")
        widgets.chart(judged.figure("gains", bundle), "gains")
    st.header(t("evaluate.purchase"), anchor=False)
    judged.threshold(bundle)
    st.header(t("evaluate.value"), anchor=False)
    with st.grid(2, min_column_width=360):
        widgets.chart(judged.figure("scatter", bundle), "scatter")
        widgets.chart(judged.figure("values", bundle), "values")
if measured:
    scoreboard.section(bundle)

history = progress.loss_frame(bundle.history())
if len(history):
    widgets.chart(basic.loss_history(history, height=260), "losses")

if measured:
    table = judged.metric_table(bundle)
    with st.expander(t("evaluate.all_metrics"), icon=":material/table_chart:"):
        cells.table(table, t("evaluate.all_metrics"))
        name = file_name(bundle, "metrics", measured["cutoff"], "csv")
        page_files.download(t("evaluate.download"), judged.exact_metrics(bundle), name, key="download_metrics")

with st.container(horizontal=True):
    if bundle.untrained and st.button(t("look.train"), icon=navigation.BY_NAME["train"].icon, key="evaluate_train"):
        navigation.go("train")
    elif not bundle.untrained:
        board.accept(bundle)
        if st.button(t("evaluate.to_tuning"), icon=":material/tune:", key="to_tuning"):
            navigation.open_tuning()
    if st.button(t("evaluate.to_explain"), icon=navigation.BY_NAME["explain"].icon, key="to_explain"):
        navigation.go("explain")
    if st.button(
        t("evaluate.to_segments"), icon=navigation.BY_NAME["segments"].icon, key="to_segments", type="primary"
    ):
        navigation.go("segments")

"""Evaluate: can I trust it?"""

import streamlit as st

from clv_core.plot import evaluation
from pages.ui import cells, evaluation_charts, flash, i18n, navigation, page_files, session, verdict, widgets
from pages.ui.evaluate import scoreboard
from pages.ui.i18n import t
from pages.ui.models import actions, board
from pages.ui.page_files import file_name

flash.show()
bundle = widgets.need_model().model
record = bundle.record
measured = record.holdout
context = (widgets.context_line(bundle, measured.cutoff if measured else None), evaluation_charts.tested_on(bundle))
widgets.headline(evaluation_charts.headline(bundle), *filter(None, context))

with st.container(border=True, gap="small"):
    with st.container(horizontal=True, gap="small"):
        verdict.show(session.trust(bundle))
        verdict.grades(bundle)
    verdict.cautions(bundle)
    with st.container(horizontal=True):
        if bundle.untrained:
            navigation.button("train", t("look.train"), "evaluate_train", type="primary")
            actions.keep_button(bundle)
        else:
            navigation.button("segments", t("evaluate.to_segments"), "to_segments", type="primary")
            board.accept_button(bundle)
            if st.button(t("evaluate.to_tuning"), icon=":material/tune:", key="to_tuning"):
                navigation.open_tuning()
        navigation.button("explain", t("evaluate.to_explain"), "to_explain")
        verdict.support(bundle)
for warning in record.warnings:
    st.info(i18n.message_text(warning), icon=":material/info:")
if measured and not bundle.has_holdout:
    st.info(t("evaluate.without_rows"), icon=":material/info:")

if measured:
    widgets.figures(evaluation_charts.main_figures(bundle), 4, 180)
parts = {
    "value": measured and bundle.has_holdout,
    "buyers": measured and bundle.has_holdout,
    "models": measured,
    "details": measured or len(bundle.history()),
}
names = {name: t(f"evaluate.part.{name}") for name, shown in parts.items() if shown}
if st.session_state.get(navigation.EVALUATE_PART) not in names:  # a model that was measured has parts that others lack
    st.session_state.pop(navigation.EVALUATE_PART, None)
part = (
    widgets.choose(t("evaluate.part"), names, navigation.EVALUATE_PART, label_visibility="collapsed") if names else ""
)
if part == "value":
    with st.grid(2, min_column_width=360):
        for name in ("deciles", "gains", "scatter", "values"):
            widgets.chart(evaluation_charts.figure(name, bundle), name)
    st.caption(evaluation_charts.constant_errors(bundle))
elif part == "buyers":
    evaluation_charts.threshold(bundle)
elif part == "models":
    if record.weights:
        st.caption(t("evaluate.members", members=scoreboard.members(record.weights)))
    scoreboard.section(bundle)
elif part == "details":
    history = evaluation.loss_frame(bundle.history())
    if len(history):
        widgets.chart(evaluation.loss_history(history, height=260), "losses")
    if measured:
        cells.table(evaluation_charts.metric_table(bundle), t("evaluate.all_metrics"))
        name = file_name(bundle, "metrics", measured.cutoff, "csv")
        page_files.download(t("evaluate.download"), evaluation_charts.metrics_csv(bundle), name, key="download_metrics")

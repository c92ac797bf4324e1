"""Train: what will it learn, and what does it cost?"""

import streamlit as st

from clv_core.collection.privacy import without_objected
from clv_core.config import TrainConfig
from clv_core.errors import ClvError
from pages.ui import access, flash, i18n, navigation, session, verdict, widgets
from pages.ui.i18n import t
from pages.ui.train import training, tuning

dataset = without_objected(session.workspace(), widgets.need_dataset())

try:
    dataset.check_value()
except ClvError as error:
    widgets.show_refusal(error)
    st.stop()
allowed = training.horizons(dataset)
facts = {
    "name": widgets.escape(dataset.name),
    "days": allowed.days,
    "longest": allowed.longest,
    "recommended": allowed.recommended.days,
    "needed": training.SHORTEST_LOG_DAYS,
}
if allowed.longest < 1:
    st.warning(t("train.too_short", **facts), icon=":material/warning:")
    st.stop()
untested = "train.headline.few" if allowed.measurable else "train.headline.unmeasured"
widgets.headline(t("train.headline" if allowed.checked else untested, **facts))

job = flash.follow("train", dataset.name)
if job:
    session.choose(model=job.status().result["model"])
    st.rerun()
training.running_elsewhere(dataset)

with st.container(border=True):
    horizon_days = training.choose_horizon(dataset, allowed)
    st.caption(
        training.about(horizon_days, training.counted(dataset, allowed, horizon_days), dataset.manifest.customers)
    )
    st.caption(training.rhythm_sentence(dataset, allowed, horizon_days))
    advanced = st.expander(t("train.advanced"), icon=":material/tune:")
    with advanced:
        values = training.settings_form(dataset)
    try:
        config = TrainConfig(horizon_days=horizon_days, **values)
    except ClvError as error:
        widgets.show_error(error)
        st.stop()
    st.caption(training.why_model(dataset, config.model))
    cost, memory = training.expected_cost(dataset, config), training.memory_here()
    fits = memory is None or cost.memory_mb < 0.8 * memory
    with st.container(horizontal=True, vertical_alignment="center"):
        icon, may = ":material/play_arrow:", access.if_may("train")
        if st.button(t("train.start"), type="primary", icon=icon, key="start_training", **may):
            training.start(dataset, config)
            st.rerun()
        expected = t("train.cost", time=i18n.span(cost.seconds), memory=f"{cost.memory_mb / 1000:.1f}")
        st.caption(f"{expected} {training.expected_windows(dataset, config)}")
    if not fits:
        st.warning(t("train.memory", memory=f"{(memory or 0) / 1000:.1f}"), icon=":material/memory:")

unfolded = bool(st.session_state.get(navigation.TUNING_OPEN))
with st.expander(t("tune.title"), unfolded, icon=":material/search_insights:"):
    tuning.section(dataset, config, cost)

model = session.model()
if model and not model.untrained:
    with st.container(border=True):
        st.header(t("train.last"), anchor=False)
        st.caption(widgets.context_line(model))
        verdict.reasons(model)
        for warning in model.record.warnings:
            st.caption(i18n.message_text(warning))
        took = model.record.actual
        st.caption(t("train.took", time=i18n.span(took.seconds), memory=f"{took.memory_mb / 1000:.1f}"))
        if st.button(t("train.evaluate"), icon=":material/fact_check:", key="to_evaluate"):
            navigation.go("evaluate")

"""A first look at a dataset: values, tiers and concentration by the pre-trained network, before anything is trained."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle, Scored
from clv_core.errors import ClvError
from clv_core.plot import explanations
from clv_core.strategy.segments import table
from pages.ui import access, i18n, navigation, progress, scores, session, tiers, verdict, widgets
from pages.ui.cache import cached
from pages.ui.i18n import percent, t

COMMAND = "look"


def look_of(dataset: Dataset) -> Bundle | None:
    """Return the first look at the dataset as it is now, the newest where there are several."""
    looks = [bundle for bundle in session.models() if bundle.untrained]
    return next((bundle for bundle in looks if bundle.record.dataset.version == dataset.version), None)


def section(dataset: Dataset) -> None:
    """Show the first look at a dataset; while it is not there, show the run that makes it."""
    bundle = look_of(dataset)
    if bundle is None:
        _wait(dataset)
        return
    scored = session.scored(dataset, bundle)
    customers = scores.need_scores(scored)
    widgets.headline(tiers.headline(scored, customers), widgets.context_line(bundle, dataset.log_end))
    with st.container(border=True):
        verdict.show(session.trust(bundle))
        verdict.reasons(bundle)
    rows = _tier_table(scored, tiers.names(dataset), tiers.tiered(scored, customers))
    tiers.cards(rows, bundle.record.currency, ranged=False)
    first = rows.iloc[0]
    share, value = percent(first["share_of_customers"]), percent(first["share_of_value"])
    message = t("segments.chart", name=first["name"], share=share, value=value)
    widgets.chart(explanations.tier_bars(rows.assign(tier_label=rows["name"]), message), "look_tiers")
    with st.container(horizontal=True):
        navigation.button("train", t("look.train"), "look_train", type="primary")
        if st.button(t("look.segments"), icon=navigation.BY_NAME["segments"].icon, key="look_segments"):
            session.choose(model=bundle.id)
            navigation.go("segments")


@cached()
def _tier_table(scored: Scored, names: list[str], _tiered: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG001
    return table(_tiered, names, None)


def _wait(dataset: Dataset) -> None:
    """Start the run that makes a first look, once, and show it; say what went wrong where it failed."""
    try:
        dataset.check_value()
    except ClvError as error:
        widgets.show_refusal(error)
        return
    job = progress.latest_run(COMMAND, _label(dataset))
    if job is None and not access.may("train"):
        st.info(i18n.join_sentences([t("look.none"), access.ask_for("train")]), icon=":material/lock:")
        return
    if job is None:
        job = progress.start_job([COMMAND, dataset.name], _label(dataset))
    st.caption(t("look.wait"))
    if progress.is_running(job):
        progress.watch(job)
        return
    progress.show_outcome(job)
    progress.technical_log(job)
    icon, may = ":material/refresh:", access.if_may("train")
    if st.button(t("job.again"), type="primary", icon=icon, key="look_again", **may):
        progress.start_job([COMMAND, dataset.name], _label(dataset))
        st.rerun()


def _label(dataset: Dataset) -> str:
    return f"{dataset.name} {dataset.version}"

"""The budget part of the strategy page: which customer gets which offer."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError
from clv_core.strategy.plans.measured_offers import with_experiments
from clv_core.strategy.plans.saved_offers import TIERS
from pages.ui import scored, state, terms, tiers, trusting, widgets
from pages.ui.budget import by_segments, draw, experiment, kept_offers, offers_table, plan_lists, slider
from pages.ui.saying import t


def show(dataset: Dataset, bundle: Bundle) -> None:
    """Show the slider with its finding, the curve, who gets what, and the offers.

    The budget of a model that is not trusted can neither be moved nor taken away before that is acknowledged.
    """
    top, middle, below = st.container(), st.container(), st.container()
    try:
        with middle, st.expander(t("budget.terms"), icon=":material/tune:"):
            chosen = terms.choose(bundle)
        with top:
            customers = scored.need_scores(dataset, bundle, chosen)
            allowed = trusting.acknowledged(bundle)
        with below:
            st.header(t("budget.offers"), anchor=False)
            segments = by_segments.cut(by_segments.choose(dataset), dataset, bundle, chosen, customers)
            if segments.overlapping:
                st.caption(t("budget.by.overlap"))
            mark, by_tier = f"{bundle.id}_{dataset.version}_{chosen.mark}", segments.by == TIERS
            assumed = offers_table.edit(dataset, mark, segments, bundle.record["currency"])
            measured = kept_offers.kept(dataset).experiments
            offers = with_experiments(assumed, measured, chosen.horizon_days, chosen.margin_rate, by_tier=by_tier)
            if slider.measured_names(offers):
                st.caption(t("budget.offers.measured", names=slider.measured_names(offers)))
            experiment.section(dataset, bundle, assumed, chosen.horizon_days, by_tier=by_tier)
        if not offers:
            top.info(t("budget.offers.none"), icon=":material/edit:")
            return
        stop = state.suppression_list()
        mark = f"{bundle.id} {dataset.version} {chosen.mark} {segments.mark} {stop.mark}"
        people = tiers.without_suppressed(mark, segments.people, stop)
        ground = slider.Ground(dataset, bundle, chosen, segments, people, offers, stop.mark)
        with top:
            found = slider.show(ground, experiment.notes(offers, measured, chosen, segments.names), allowed=allowed)
    except ClvError as error:
        with top:
            widgets.error_box(error)
        return

    if found is not None:
        plan, money = found
        with middle:
            slider.curve(ground, plan)
            st.header(t("budget.who"), anchor=False)
            slider.who(plan, segments, ground.currency)
            plan_lists.downloads(ground, plan, money, allowed=allowed)
            draw.section(ground, plan, slider.side_of(ground, plan, money), allowed=allowed)

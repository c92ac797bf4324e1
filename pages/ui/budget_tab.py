"""The budget part of the strategy page: which customer gets which offer."""

from __future__ import annotations

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError
from clv_core.strategy.plans import with_experiments
from clv_core.strategy.tiers import DEFAULT_SCHEME
from pages.ui import budget, budget_experiment, budget_kept, budget_offers, scored, state, terms, tiers, widgets
from pages.ui.state import t


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
            allowed = widgets.acknowledged(bundle)
        tiered = tiers.tiered(bundle.id, dataset.version, chosen, DEFAULT_SCHEME, customers)
        with below:
            st.subheader(t("budget.offers"), anchor=False)
            st.caption(t("budget.offers.tiers"))
            mark, names = f"{bundle.id}_{dataset.version}_{chosen.mark}", tiers.names(dataset)
            assumed = budget_offers.edit(
                dataset, mark, tiered["predicted_clv"].to_numpy(), names, bundle.record["currency"]
            )
            measured = budget_kept.kept(dataset).experiments
            offers = with_experiments(assumed, measured, chosen.horizon_days, chosen.margin_rate)
            if budget.measured_names(offers):
                st.caption(t("budget.offers.measured", names=budget.measured_names(offers)))
            budget_experiment.section(dataset, bundle, assumed, names, chosen.horizon_days)
        if not offers:
            top.info(t("budget.offers.none"), icon=":material/edit:")
            return
        stop = state.stop_list()
        people = tiers.not_stopped(f"{bundle.id} {dataset.version} {chosen.mark} {stop.mark}", tiered, stop)
        ground = budget.Ground(dataset, bundle, chosen, people, offers, stop.mark)
        with top:
            found = budget.show(ground, budget_experiment.notes(offers, measured, chosen), allowed=allowed)
    except ClvError as error:
        with top:
            widgets.error_box(error)
        return

    if found is not None:
        plan, money = found
        with middle:
            budget.curve(ground, plan)
            st.subheader(t("budget.who"), anchor=False)
            budget.who(plan, names)
            budget.downloads(ground, plan, money, allowed=allowed)

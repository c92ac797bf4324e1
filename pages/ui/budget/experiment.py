"""An uploaded experiment on the budget page: the effect that it measured takes the place of an assumed one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress
from clv_core.strategy.experiments.measurement import measure_experiment
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE, Experiment
from clv_core.strategy.plans import plan_warnings
from clv_core.strategy.plans.offers import Offer
from pages.ui import cells, received, state, tiers, widgets
from pages.ui.budget import kept_offers
from pages.ui.saying import money, percent, t


def notes(offers: Sequence[Offer], found: Mapping[str, Experiment], terms: Terms, names: Sequence[str]) -> list[str]:
    """Return what measured effects leave out, and which experiments are not used, one sentence each.

    Args:
        offers: those of the plan.
        found: experiments by offer.
        terms: how far ahead the plan looks, and at which discount.
        names: of the segments that offers have effects for.
    """
    horizon_days = terms.horizon_days
    longer = {name for name, one in found.items() if one.window_days > horizon_days}
    tried = [one for one in offers if one.name in found and one.name not in longer]
    carried = plan_warnings.assumption_warnings(tried, found)
    left_out = (*carried, *plan_warnings.effect_warnings(offers, names, terms))
    said = [widgets.plain(one.text(state.language())) for one in left_out]
    for name in [one.name for one in offers if one.name in longer]:
        days = found[name].window_days
        said.append(t("budget.experiment.longer", offer=widgets.plain(name), days=days, horizon=horizon_days))
    return said


def section(dataset: Dataset, bundle: Bundle, offers: Sequence[Offer], most_days: int, *, by_tier: bool) -> None:
    """Take an experiment, and show what those that are kept found.

    Args:
        dataset: the log with the outcomes.
        bundle: whose predictions are taken off the outcomes.
        offers: those that can have been tried.
        most_days: how long outcomes count at most: how far ahead the plan looks.
        by_tier: whether offers are planned by the value tiers, which experiments are measured in.
    """
    found = kept_offers.kept(dataset).experiments
    opened = f"experiment_open_{dataset.name}"  # open to begin with where there is one; from then on as it was left
    st.session_state.setdefault(opened, bool(found))
    with st.expander(t("budget.experiment"), icon=":material/experiment:", key=opened, on_change="rerun"):
        st.caption(t("budget.experiment.what"))
        file = st.file_uploader(t("budget.experiment.file"), type=received.EXPERIMENTS, key="experiment_file")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            offer = st.selectbox(
                t("budget.experiment.offer"),
                [one.name for one in offers],
                key="experiment_offer",
                placeholder=t("streamlit.choose_one"),
                width=260,
            )
            pressed = st.button(
                t("budget.experiment.measure"), disabled=file is None or offer is None, key="experiment_measure"
            )
        if pressed and file is not None and offer is not None:
            try:
                with st.spinner(t("budget.experiment.working")):
                    made = _measure(dataset, bundle, file, most_days)
                    kept_offers.keep(dataset, experiments={**found, offer: made})
            except ClvError as error:
                widgets.error_box(error)
            else:
                st.rerun()
        for name in [one.name for one in offers if one.name in found]:
            _show(name, found[name], tiers.names(dataset), bundle.record["currency"], by_tier=by_tier)
            if st.button(t("budget.experiment.forget"), key=f"experiment_forget_{name}"):
                kept_offers.keep(dataset, experiments={one: made for one, made in found.items() if one != name})
                st.rerun()


def _measure(dataset: Dataset, bundle: Bundle, file: UploadedFile, most_days: int) -> Experiment:
    folder = state.workspace().folder("uploads", secrets.token_hex(6))
    try:
        (path,) = received.copy([file], folder)
        data = state.scored(dataset, replace(bundle))  # a copy without the loaded model: it goes to another process
        return reader_process.run(
            data.workspace, path, measure_experiment, data, path, most_days=most_days, progress=NoProgress()
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(offer: str, found: Experiment, names: Sequence[str], currency: str, *, by_tier: bool) -> None:
    everyone = found.effects[0]
    st.markdown(
        f"**{_sentence(offer, found, currency)}**" if everyone.effect is not None else f"**{widgets.plain(offer)}**"
    )
    for warning in found.warnings:
        st.warning(widgets.plain(warning.text(state.language())), icon=":material/warning:")
    rows = pd.DataFrame(
        {
            "tier": [t("budget.experiment.all") if one.tier == 0 else names[one.tier - 1] for one in found.effects],
            "treated": [one.treated for one in found.effects],
            "control": [one.control for one in found.effects],
            "effect": [one.effect for one in found.effects],
            "low": [one.low for one in found.effects],
            "high": [one.high for one in found.effects],
        }
    )
    columns = {"tier": st.column_config.TextColumn(t("column.tier"))}
    columns |= {name: cells.whole(t(f"budget.experiment.{name}")) for name in ("treated", "control")}
    columns |= {name: cells.money(t(f"budget.experiment.{name}"), currency) for name in ("effect", "low", "high")}
    cells.table(rows, t("budget.experiment"), columns)
    removed = percent(max(0.0, 1 - (1.0 if everyone.kept is None else everyone.kept)))
    used = _used(found, by_tier=by_tier)
    st.caption(t("budget.experiment.caption", days=found.window_days, share=removed, used=used))


def _used(found: Experiment, *, by_tier: bool) -> str:
    """Return for whom the plan takes which of the effects."""
    tried, tiers = len(found.tried_tiers), len(found.effects) - 1
    if tried < tiers and not (tried and by_tier):
        return t("budget.experiment.used.carried")
    only = t("budget.experiment.used.tried", fewest=MIN_GROUP_SIZE) if tried < tiers else ""
    kind = ("tiers" if found.tiers_differ else "all") if by_tier else "others"
    return only + t(f"budget.experiment.used.{kind}")


def _sentence(offer: str, found: Experiment, currency: str) -> str:
    everyone = found.effects[0]
    ends = {"effect": everyone.effect, "low": everyone.low, "high": everyone.high}
    said = {name: money(value or 0.0, currency, 2) for name, value in ends.items()}
    return t("budget.experiment.found", offer=widgets.plain(offer), days=found.window_days, **said)

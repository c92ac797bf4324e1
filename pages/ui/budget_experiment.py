"""An uploaded experiment on the budget page: the effect that it measured takes the place of an assumed one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress
from clv_core.strategy.experiment import Experiment
from clv_core.strategy.experiment_run import experiment
from clv_core.strategy.offers import Offer
from clv_core.strategy.plans import with_measured
from pages.ui import received, state, widgets
from pages.ui.state import money, percent, t


def measured(dataset: Dataset, bundle: Bundle) -> dict[str, Experiment]:
    """Return the experiments of this session by the offer that they tried."""
    found: dict[str, Experiment] = st.session_state.setdefault(f"budget_measured_{dataset.version}_{bundle.id}", {})
    return found


def with_experiments(offers: Sequence[Offer], found: dict[str, Experiment], margin_rate: float) -> tuple[Offer, ...]:
    """Return the offers, those that were tried with what was measured."""
    return tuple(with_measured(one, found[one.name], margin_rate) if one.name in found else one for one in offers)


def section(dataset: Dataset, bundle: Bundle, offers: Sequence[Offer], names: Sequence[str]) -> None:
    """Take an experiment, and show what those in use found.

    Args:
        dataset: the log with the outcomes.
        bundle: whose predictions are taken off the outcomes.
        offers: those that can have been tried.
        names: of the tiers, the highest first.
    """
    found = measured(dataset, bundle)
    with st.expander(t("budget.experiment"), icon=":material/experiment:", expanded=bool(found)):
        st.caption(t("budget.experiment.what"))
        file = st.file_uploader(
            t("budget.experiment.file"), type=["csv", "txt", "xlsx", "parquet", "jsonl"], key="experiment_file"
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            offer = st.selectbox(
                t("budget.experiment.offer"), [one.name for one in offers], key="experiment_offer", width=260
            )
            pressed = st.button(
                t("budget.experiment.measure"), disabled=file is None or offer is None, key="experiment_measure"
            )
        if pressed and file is not None and offer is not None:
            try:
                with st.spinner(t("budget.experiment.working")):
                    found[offer] = _measure(dataset, bundle, file)
            except ClvError as error:
                widgets.error_box(error)
            else:
                st.rerun()
        for name in [one.name for one in offers if one.name in found]:
            _show(name, found[name], names, bundle.record["currency"])
            if st.button(t("budget.experiment.forget"), key=f"experiment_forget_{name}"):
                del found[name]
                st.rerun()


def _measure(dataset: Dataset, bundle: Bundle, file: UploadedFile) -> Experiment:
    folder = state.workspace().folder("uploads", secrets.token_hex(6))
    try:
        (path,) = received.copy([file], folder)
        return experiment(state.workspace(), dataset.name, bundle.id, path, progress=NoProgress())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(offer: str, found: Experiment, names: Sequence[str], currency: str) -> None:
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
    number = st.column_config.NumberColumn
    columns = {"tier": st.column_config.TextColumn(t("column.tier"))}
    columns |= {name: number(t(f"budget.experiment.{name}"), format="localized") for name in ("treated", "control")}
    columns |= {name: number(t(f"budget.experiment.{name}"), format="%.2f") for name in ("effect", "low", "high")}
    st.dataframe(rows, hide_index=True, column_config=columns, placeholder="–", alt=t("budget.experiment"))
    removed = percent(max(0.0, 1 - (1.0 if everyone.kept is None else everyone.kept)))
    used = t("budget.experiment.used.tiers") if found.tiers_differ else t("budget.experiment.used.all")
    st.caption(t("budget.experiment.caption", days=found.window_days, share=removed, used=used))


def _sentence(offer: str, found: Experiment, currency: str) -> str:
    everyone = found.effects[0]
    ends = {"effect": everyone.effect, "low": everyone.low, "high": everyone.high}
    said = {name: money(value or 0.0, currency, 2) for name, value in ends.items()}
    return t("budget.experiment.found", offer=widgets.plain(offer), days=found.window_days, **said)

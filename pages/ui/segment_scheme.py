"""Which scheme the segments page uses, and what the person sets of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.terms import Terms
from clv_core.strategy.schemes.clusters import CLUSTERS, DEFAULT_COUNT, MOST, Clusters
from clv_core.strategy.schemes.parse import KINDS
from clv_core.strategy.schemes.quadrant import BY, IF_BUYS, QUADRANT, Quadrant
from clv_core.strategy.schemes.rfm import RFM, Rfm
from clv_core.strategy.schemes.rules import RULES
from clv_core.strategy.schemes.saved import load_rules, saved_rules
from clv_core.strategy.schemes.segmentation import Segmentation
from clv_core.strategy.schemes.value import COST, DEFAULT_MULTIPLES, CostTiers, ValueTiers
from clv_core.strategy.segments import VALUE
from clv_core.strategy.tiers import DEFAULT_CUTS, THRESHOLDS, Scheme
from pages.ui.state import t

NEW: Final = ""
"""The choice among kept rules that stands for a set that is not there yet."""


def choose(dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    """Let the person say how customers are put into segments; None where there are no rules yet.

    Args:
        dataset: whose rules can be used.
        customers: whose values suggestions are made from.
        terms: what the values speak of: amounts to cut at hold for these alone.

    Raises:
        UsageError: what was written makes no scheme.
    """
    kind = st.pills(
        t("segments.scheme"),
        KINDS,
        format_func=lambda one: t(f"scheme.{one}"),
        default=KINDS[0],
        required=True,
        key="scheme_kind",
        persist_state="session",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = _asked(str(kind), dataset, customers, terms)
    st.caption(t(f"scheme.{kind}.help"))
    return found


def of_kind(kind: str, dataset: Dataset) -> Segmentation | None:
    """Return a kind's usual scheme, to hold another one against; None for costs, and for rules that are not there."""
    if kind in DEFAULT_CUTS:
        return ValueTiers(Scheme(kind, DEFAULT_CUTS[kind]))
    if kind == RULES:
        kept = saved_rules(dataset)
        chosen = st.session_state.get("rules_name") or (kept[0] if kept else None)
        return load_rules(dataset, chosen) if chosen in kept else None
    usual: dict[str, Segmentation] = {QUADRANT: Quadrant(), RFM: Rfm(), CLUSTERS: Clusters()}
    return usual.get(kind)


def _asked(kind: str, dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    if kind == COST:
        return _cost(customers)
    if kind == QUADRANT:
        return _quadrant(customers, terms)
    if kind == RFM:
        return Rfm()
    if kind == CLUSTERS:
        count = st.number_input(
            t("segments.clusters"), 2, MOST, DEFAULT_COUNT, key="scheme_clusters", persist_state="session", width=150
        )
        return Clusters(int(count))
    if kind == RULES:
        return _rules(dataset)
    text = st.text_input(
        t(f"segments.cuts.{kind}"),
        _default_cuts(kind, customers),
        key=f"scheme_cuts_{kind}" + (f"_{terms.mark}" if kind == THRESHOLDS else ""),
        persist_state="session",
        width=260,
    )
    return ValueTiers(Scheme.parse(f"{kind}:{text.replace('，', ',')}"))


def _default_cuts(kind: str, scored: pd.DataFrame) -> str:
    if kind != THRESHOLDS:
        return ", ".join(f"{cut:g}" for cut in DEFAULT_CUTS[kind])
    ends = np.quantile(scored[VALUE], [0.9, 0.7, 0.4])
    rounded = dict.fromkeys(float(f"{end:.1g}") for end in ends)
    return ", ".join(f"{cut:.10g}" for cut in rounded if cut > 0) or "1"


def _cost(customers: pd.DataFrame) -> Segmentation:
    usual = float(f"{max(float(customers[VALUE].mean()) / 3, 0.01):.1g}")
    cost = st.number_input(
        t("segments.cost"), 0.0, None, usual, format="%g", key="scheme_cost", persist_state="session", width=190
    )
    text = st.text_input(
        t("segments.multiples"),
        ", ".join(f"{one:g}" for one in DEFAULT_MULTIPLES),
        key="scheme_multiples",
        persist_state="session",
        width=220,
    )
    return CostTiers.parse(f"{cost:.15g}:{text.replace('，', ',')}")


def _quadrant(customers: pd.DataFrame, terms: Terms) -> Segmentation:
    by = str(
        st.selectbox(
            t("segments.by"),
            BY,
            format_func=lambda one: t(f"segments.by.{one}"),
            key="scheme_by",
            help=t("segments.by.help"),
            persist_state="session",
            width=210,
        )
        or IF_BUYS
    )
    usual = Quadrant(by=by).fit(customers)
    value = st.number_input(
        t("segments.high_value"),
        0.0,
        None,
        float(f"{usual.value:.3g}"),
        format="%g",
        key=f"scheme_value_{by}_{terms.mark}",
        help=t("segments.high_value.help"),
        persist_state="session",
        width=190,
    )
    chance = st.number_input(
        t("segments.safe"),
        0.1,
        99.9,
        min(99.9, max(0.1, round(100 * usual.chance, 1))),
        step=1.0,
        format="%g",
        key=f"scheme_chance_{terms.mark}",
        help=t("segments.safe.help"),
        persist_state="session",
        width=190,
    )
    return Quadrant(float(value), float(chance) / 100, by)


def _rules(dataset: Dataset) -> Segmentation | None:
    kept = saved_rules(dataset)
    if not kept:
        return None
    if st.session_state.get("rules_name") not in (*kept, NEW):
        st.session_state["rules_name"] = kept[0]
    name = st.selectbox(
        t("segments.rules"),
        [*kept, NEW],
        format_func=lambda one: one or t("segments.rules.new"),
        key="rules_name",
        persist_state="session",
        width=240,
    )
    return load_rules(dataset, str(name)) if name else None

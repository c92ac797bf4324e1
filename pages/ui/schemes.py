"""The scheme that customers are segmented by, its settings, and its conditions in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import CATEGORY, CHANNEL, COUNTRY
from clv_core.deployment import Terms
from clv_core.errors import UsageError
from clv_core.features import FEATURES, label
from clv_core.strategy.segments import (
    BY,
    CLUSTERS,
    COST,
    DEFAULT_COUNT,
    DEFAULT_CUTS,
    DEFAULT_MULTIPLES,
    KINDS,
    MAX_CLUSTERS,
    QUADRANT,
    RFM,
    RULES,
    THRESHOLDS,
    VALUE,
    Clusters,
    Condition,
    CostTiers,
    Quadrant,
    Rfm,
    Segmentation,
    ValueTiers,
    as_percent,
    load_rules,
    saved_rules,
)
from pages.ui import cells, i18n, session, widgets
from pages.ui.i18n import t

BETWEEN: Final = re.compile(r"\s*[,;，；、]\s*|\s+")
"""Separators of numbers."""
NEW: Final = ""
"""The choice among saved rules that creates a new set."""


def choose(dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    """Ask for the segmentation scheme; None where there are no rules yet.

    Args:
        dataset: whose rules can be used.
        customers: whose values suggestions are made from.
        terms: of the values: amounts to cut at hold for these alone.

    Raises:
        UsageError: what was written makes no scheme.
    """
    names = {kind_key: t(f"scheme.{kind_key}") for kind_key in KINDS}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help = "\n".join(f"- **{name}**: {t(f'scheme.{kind_key}.help')}" for kind_key, name in names.items())
        kind = _choice(t("segments.scheme"), names, "scheme_kind", help=help, width=240)
        return _scheme(kind, dataset, customers, terms)


def _scheme(kind: str, dataset: Dataset, customers: pd.DataFrame, terms: Terms) -> Segmentation | None:
    """Return the scheme of a kind with the person's settings."""
    if kind == COST:
        return _cost(customers, dataset.manifest.currency)
    if kind == QUADRANT:
        return _quadrant(customers, dataset.manifest.currency, terms)
    if kind == RFM:
        return Rfm()
    if kind == CLUSTERS:
        bounds = (2, MAX_CLUSTERS, DEFAULT_COUNT)
        return Clusters(int(_number(t("segments.clusters"), *bounds, key="scheme_clusters", width=150)))
    if kind == RULES:
        return _rules(dataset)
    key = f"scheme_cuts_{kind}" + (f"_{terms.mark}" if kind == THRESHOLDS else "")
    usual = _default_cuts(kind, customers)
    text = st.text_input(t(f"segments.cuts.{kind}"), usual, key=key, persist_state="session", width=260)
    return _read_cuts(text, usual, key, lambda cuts: ValueTiers.parse(f"{kind}:{cuts}"), f"segments.wrong.{kind}")


def _read_cuts(text: str, usual: str, key: str, make: Callable[[str], Segmentation], wrong: str) -> Segmentation:
    """Return the scheme of the numbers that a person wrote; where they make none, say so and keep the last that did.

    Args:
        text: numbers with commas, semicolons or blanks between them, also Chinese ones.
        usual: those that stand for none so far.
        key: of the field.
        make: the scheme of numbers with commas between them.
        wrong: catalogue key of how to write them.
    """
    cuts = ",".join(BETWEEN.split(text.strip(" ,;，；、")))
    try:
        scheme = make(cuts)
    except UsageError:
        last = st.session_state.get(f"{key}_last", ",".join(BETWEEN.split(usual)))
        st.warning(t(wrong, last=last.replace(",", ", ")), icon=":material/edit:")
        return make(last)
    st.session_state[f"{key}_last"] = cuts
    return scheme


def _default_cuts(kind: str, scored: pd.DataFrame) -> str:
    if kind != THRESHOLDS:
        return ", ".join(f"{cut:g}" for cut in DEFAULT_CUTS[kind])
    ends = np.quantile(scored[VALUE], [0.9, 0.7, 0.4])
    rounded = dict.fromkeys(float(f"{end:.1g}") for end in ends)
    return ", ".join(f"{cut:.10g}" for cut in rounded if cut > 0) or "1"


def _cost(customers: pd.DataFrame, currency: str) -> Segmentation:
    usual = float(f"{max(float(customers[VALUE].mean()) / 3, 0.01):.1g}")
    cost = _number(cells.headed(t("segments.cost"), currency), 0.0, None, usual, key="scheme_cost", format="%g")
    key, multiples = "scheme_multiples", ", ".join(f"{multiple:g}" for multiple in DEFAULT_MULTIPLES)
    text = st.text_input(t("segments.multiples"), multiples, key=key, persist_state="session", width=220)
    CostTiers(cost)
    return _read_cuts(text, multiples, key, lambda cuts: CostTiers.parse(f"{cost:.15g}:{cuts}"), "segments.wrong.cost")


def _quadrant(customers: pd.DataFrame, currency: str, terms: Terms) -> Segmentation:
    ways = {axis: t(f"segments.by.{axis}") for axis in BY}
    by = _choice(t("segments.by"), ways, "scheme_by", help=t("segments.by.help"), width=210)
    usual = Quadrant(by=by).fit(customers)
    label, at = cells.headed(t("segments.high_value"), currency), float(f"{usual.value:.3g}")
    how: dict[str, Any] = {"key": f"scheme_value_{by}_{terms.mark}", "help": t("segments.high_value.help")}
    value = _number(label, 0.0, None, at, format="%g", **how)
    at, how = round(100 * usual.chance, 1), {"key": f"scheme_chance_{terms.mark}", "help": t("segments.safe.help")}
    chance = _number(t("segments.safe"), 0.1, 99.9, min(99.9, max(0.1, at)), step=1.0, format="%g", **how)
    return Quadrant(value, chance / 100, by)


def _choice(label: str, options: Mapping[str, str], key: str, **how: Any) -> str:
    return str(widgets.select(label, options, key, persist_state="session", **how))


def _number(label: str, low: float, high: float | None, usual: float, *, width: int = 190, **how: Any) -> float:
    return float(st.number_input(label, low, high, usual, width=width, persist_state="session", **how))


def _rules(dataset: Dataset) -> Segmentation | None:
    saved, key = saved_rules(dataset), "rules_name"
    if not saved:
        return None
    names = [*saved, NEW]
    if st.session_state.get(key) not in names:
        st.session_state[key] = saved[0]
    options = {option: option or t("segments.rules.new") for option in names}
    name = _choice(t("segments.rules"), options, key, width=240)
    return load_rules(dataset, name) if name else None


SAID = {"=": "equal", "!=": "unequal", ">=": "at_least", "<=": "at_most", ">": "above", "<": "below", "~": "contains"}


def called(column: str) -> str:
    """Return what a column is called: by the catalogue, as a feature, or as it is."""
    if column in (CHANNEL, COUNTRY, CATEGORY):
        return t(f"rules.column.{column}")
    name = i18n.name_of("column", column)
    return label(column, session.language()) if name == column and column in FEATURES else name


def compared(operator: str) -> str:
    """Return how a condition compares, for example ``at least``."""
    return t(f"rules.{SAID[operator]}")


def sentences(conditions: Iterable[Condition], dataset_columns: Collection[str] = ()) -> str:
    """Return conditions that must all hold, in the language of the page."""
    return i18n.join_names(sentence(condition, dataset_columns) for condition in conditions)


def sentence(condition: Condition, dataset_columns: Collection[str] = ()) -> str:
    """Return a condition in the language of the page.

    ``dataset_columns``: columns of the customers table, whose numbers are not shown as percentages.
    """
    values = i18n.join_names(as_percent(condition, dataset_columns))
    return t("rules.sentence", column=called(condition.column), operator=compared(condition.operator), value=values)

"""Questions about new customers (grouping, margin, target), and the answers, which all sessions share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored, Terms
from clv_core.jobs import NoProgress
from clv_core.strategy.acquisition import (
    COHORT,
    Acquisition,
    NewCustomers,
    Question,
    Spend,
    acquisition_report,
    discount_question,
    load_new_customers,
    load_spend,
    spend_folder,
)
from pages.ui import i18n, tiers, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import t

BY: Final = "acquisition_by"
TARGET: Final = "acquisition_target"
MARGINS: Final = "acquisition_margins"
"""Session keys of the answers; the report page reads them too."""
MAX_BY: Final = 2
"""Dimensions to group by at once: with three, groups get too few customers to compare. A guess."""
MAX_MARGINS: Final = 30
"""Groups of the first dimension that can have a margin of their own, the largest."""


def without_margin(terms: Terms) -> Terms:
    """Return horizon and discount; the margin is a matter of the question, as it changes no prediction."""
    return Terms(terms.horizon_days, terms.discount_rate, lifetime=terms.lifetime)


def customers_of(scored: Scored) -> NewCustomers:
    """Return the customers with origin and value; the first time, the log is read for it."""
    valued = scored.at(without_margin(scored.terms))
    with st.spinner(t("acquisition.wait")):
        return _customers(valued, scored.trained.scores_path, tiers.predictions_of(scored.model))


@cached(CUSTOMERS)
def _customers(scored: Scored, scores: Path, predictions: Path) -> NewCustomers:  # noqa: ARG001
    return load_new_customers(scored, NoProgress())


def spend_of(dataset: Dataset) -> Spend | None:
    """Return the saved spend tables as one; None where there is none."""
    return _spend(spend_folder(dataset), dataset)


@cached()
def _spend(folder: Path, _dataset: Dataset) -> Spend | None:  # the folder was written to with each table
    return load_spend(_dataset)


def answer(scored: Scored, customers: NewCustomers, question: Question) -> Acquisition:
    """Return the figures for a question.

    Raises:
        Refused: the spend is in another currency than the log, or about other days.
    """
    files = tiers.predictions_of(scored.model), spend_folder(scored.dataset)
    return _answer(scored.at(customers.terms), *files, question, customers, spend_of(scored.dataset))


def discounts(scored: Scored, customers: NewCustomers, question: Question) -> Acquisition | None:
    """Return the figures by the discount of the first order; None without it, or if the page groups by it."""
    by_discount = discount_question(customers, question)
    return None if by_discount is None else answer(scored, customers, by_discount)


@cached()
def _answer(
    scored: Scored,  # noqa: ARG001 - names the customers, as predictions do
    predictions: Path,  # noqa: ARG001
    folder: Path,  # noqa: ARG001 - names the spend
    question: Question,
    _customers: NewCustomers,
    _spend: Spend | None,
) -> Acquisition:
    return acquisition_report(_customers, _spend, question)


def dimension_names(names: Sequence[str]) -> list[str]:
    """Return what dimensions are called."""
    return [t(f"acquisition.by.{name}") for name in names]


def choose_dimensions(customers: NewCustomers) -> tuple[str, ...]:
    """Let the person choose by what customers are grouped: at most two dimensions at a time."""
    available = customers.dimensions
    selected = [name for name in st.session_state.get(BY, ()) if name in available]
    if BY in st.session_state and selected != st.session_state[BY]:
        st.session_state[BY] = selected or [available[0]]  # another log may have fewer columns
    answer_names = st.multiselect(
        t("acquisition.by"),
        available,
        [available[0]],
        format_func=lambda name: t(f"acquisition.by.{name}"),
        max_selections=MAX_BY,
        key=BY,
        help=t("acquisition.by.help"),
        placeholder=t("streamlit.choose_several"),
        width=420,
        persist_state="session",
    )
    return tuple(answer_names) or (available[0],)


def choose_targets() -> tuple[float, int, int]:
    """Ask for the target of LTV to CAC, the months in which a customer is to pay back, and the smallest group."""

    def ask(name: str, key: str, *bounds: Any, **how: Any) -> float:
        label, help = t(f"acquisition.{name}"), t(f"acquisition.{name}.help")
        return float(st.number_input(label, *bounds, key=key, help=help, width=160, persist_state="session", **how))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = ask("target", TARGET, 0.1, 100.0, 3.0, 0.5, format="%g")
        months = ask("payback", "acquisition_months", 1, 120, 12)
        fewest = ask("fewest", "acquisition_fewest", 2, 100_000, 50, 10)
    return target, int(months), int(fewest)


def choose_margins(report: Acquisition, dimension: str) -> dict[str, float]:
    """Let the person give single groups a margin of their own; others have that of all.

    Returns:
        Share of net value by the group's name in the dimension.
    """
    sizes = report.groups[report.groups[dimension] != ""].groupby(dimension)["customers"].sum()
    names = [str(name) for name in sizes.sort_values(ascending=False).index[:MAX_MARGINS]]
    if dimension == COHORT or not names:
        return {}
    saved: dict[str, dict[str, float]] = st.session_state.setdefault(MARGINS, {})
    key = f"{MARGINS}_{dimension}"
    with st.expander(t("acquisition.margins", by=t(f"acquisition.by.{dimension}"))):
        if key not in st.session_state:
            st.session_state[f"{key}_base"] = dict(saved.get(dimension, {}))
        base = st.session_state[f"{key}_base"]
        edited = st.data_editor(
            pd.DataFrame({"group": names, "margin": [base.get(name) for name in names]}, dtype="object").astype(
                {"margin": "float64"}
            ),
            key=key,
            hide_index=True,
            disabled=["group"],
            column_config={
                "group": st.column_config.TextColumn(t(f"acquisition.by.{dimension}")),
                "margin": st.column_config.NumberColumn(t("terms.margin"), min_value=0.1, max_value=100.0, format="%g"),
            },
            placeholder="–",
            alt=t("acquisition.margins", by=t(f"acquisition.by.{dimension}")),
        )
    given = edited[edited["margin"].notna()]
    saved[dimension] = dict(zip(given["group"], given["margin"], strict=True))
    return {name: round(float(margin) / 100, 6) for name, margin in saved[dimension].items()}


def report_words(scored: Scored, *, has_margin: bool) -> tuple[str, ...]:
    """Return what the page asks as words of the command ``report``.

    ``has_margin``: the margin is among the other words already.
    """
    available = customers_of(scored).dimensions
    by = [name for name in st.session_state.get(BY, ()) if name in available] or [available[0]]
    margin = st.session_state.get("terms_margin")
    margin_rates = st.session_state.get(MARGINS, {}).get(by[0], {})
    words = ["--by", ",".join(by), "--target-ratio", f"{st.session_state.get(TARGET, 3.0):g}"]
    words += [word for name, rate in margin_rates.items() for word in ("--margin", f"{name}={rate / 100:.10g}")]
    words += ["--margin-rate", f"{margin / 100:.10g}"] if margin and not has_margin else []
    return tuple(words)


def notes(report: Acquisition, spend: Spend | None) -> list[str]:
    """Return the notes on the figures, except those that the page shows anyway.

    That is that they are no cause, and how the spend tables were read.
    """
    sentences = []
    for message in report.warnings:
        if message.code == "warning.acquisition_not_causal" or (spend is not None and message in spend.warnings):
            continue
        params = dict(message.params)
        if "by" in params:
            params["by"] = dimension_names(params["by"])
        sentences.append(widgets.escape(i18n.message_text(type(message)(message.code, params))))
    return sentences

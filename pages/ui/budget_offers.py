"""The offers on the budget page: starting values, clearly assumed, in a table that the person edits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.strategy.offers import MONEY, MOST_OFFERS, SHARE, UNITS, Effect, Offer, checked
from pages.ui import state
from pages.ui.state import t


def edit(mark: str, values: np.ndarray, names: Sequence[str], currency: str) -> tuple[Offer, ...]:
    """Show the offers as a table and return what it says; rows that are not finished are passed over.

    Args:
        mark: of what the values speak of: other values have other costs to begin with.
        values: predicted value of all customers, money, [n].
        names: of the tiers, the highest first.
        currency: of costs.

    Raises:
        UsageError: an offer is out of bounds, or two have one name.
    """
    key = f"budget_table_{mark}_{state.language()}"
    kept = f"{key}_kept"
    if key not in st.session_state:
        st.session_state[f"{key}_base"] = st.session_state.get(kept, starting_offers(values, len(names)))
    st.caption(t("budget.offers.assumed"))
    edited = st.data_editor(
        st.session_state[f"{key}_base"],
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_config=_columns(names, currency),
        placeholder="–",
        alt=t("budget.offers"),
    )
    st.session_state[kept] = edited
    offers = read_offers(edited, len(names))
    return checked(offers) if offers else ()


def starting_offers(values: np.ndarray, tiers: int) -> pd.DataFrame:
    """Return offers to begin with: costs in proportion to what a customer is worth, and modest effects.

    Args:
        values: predicted value, money, [n].
        tiers: number of tiers.
    """
    worth = float(np.maximum(values, 0).mean()) if len(values) else 1.0
    top = [math.nan] * tiers
    rows: list[tuple[str, float, list[float], float]] = [
        ("mail", 0.002, [1.0] * tiers, math.nan),
        ("voucher", 0.03, [5.0] * tiers, math.nan),
        ("call", 0.15, [12.0, 10.0, *top][:tiers], float(f"{max(1.0, 0.02 * len(values)):.1g}")),
    ]
    return pd.DataFrame(
        [
            {"name": t(f"budget.offer.{name}"), "cost": float(f"{max(share * worth, 1e-6):.1g}"), "unit": SHARE}
            | {f"tier{tier}": effect for tier, effect in enumerate(effects, 1)}
            | {"capacity": capacity}
            for name, share, effects, capacity in rows
        ]
    )


def read_offers(table: pd.DataFrame, tiers: int) -> list[Offer]:
    """Return the offers of the table; a row without name, cost or effect is passed over.

    Args:
        table: name, cost, unit, one effect a tier (percent, or money), capacity.
        tiers: number of tiers.

    Raises:
        UsageError: an offer is out of bounds.
    """
    offers = []
    for row in table.to_dict("records"):
        unit = row["unit"] if row["unit"] in UNITS else SHARE
        effects = {
            tier: Effect(float(row[f"tier{tier}"]) / (100 if unit == SHARE else 1), unit)
            for tier in range(1, tiers + 1)
            if pd.notna(row[f"tier{tier}"])
        }
        if not row["name"] or pd.isna(row["name"]) or pd.isna(row["cost"]) or not effects:
            continue
        capacity = None if pd.isna(row["capacity"]) else int(row["capacity"])
        offers.append(Offer(str(row["name"]).strip(), float(row["cost"]), effects, capacity))
    return offers[: MOST_OFFERS + 1]


def _columns(names: Sequence[str], currency: str) -> dict[str, Any]:
    config, number = st.column_config, st.column_config.NumberColumn
    words = {SHARE: t("budget.unit.share"), MONEY: t("budget.unit.money")}
    columns: dict[str, Any] = {
        "name": config.TextColumn(t("budget.column.name"), max_chars=60, width=140),
        "cost": number(
            t("budget.column.cost"),
            min_value=0.0,
            format="%g",
            width=95,
            help=t("budget.column.cost.help", unit=state.unit(currency)),
        ),
        "unit": config.SelectboxColumn(
            t("budget.column.unit"),
            options=list(UNITS),
            format_func=lambda unit: words.get(unit, unit),
            default=SHARE,
            required=True,
            width=95,
            help=t("budget.column.unit.help"),
        ),
        "capacity": number(
            t("budget.column.capacity"),
            min_value=0,
            step=1,
            format="localized",
            width=90,
            help=t("budget.column.capacity.help"),
        ),
    }
    for tier, name in enumerate(names, 1):
        columns[f"tier{tier}"] = number(name, format="%g", width=100, help=t("budget.column.effect.help"))
    return columns

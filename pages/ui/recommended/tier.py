"""What to put in each tier's mail, and how dear the tiers' products are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.strategy.recommend.stored_recommendations import StoredRecommendations
from clv_core.strategy.segments import TIER
from pages.ui import widgets
from pages.ui.charts import advising
from pages.ui.i18n import t
from pages.ui.recommended.products import product_table

TABLE_HEIGHT: Final = 388
"""Ten rows and their head, as high as the chart beside them."""


def of_tier(advice: StoredRecommendations, kind: str, names: Sequence[str], currency: str) -> None:
    """Show what to put in one tier's mail, and how dear the tiers' products are, the tiers by their names."""
    rows = advice.tiers[advice.tiers["kind"] == kind]
    if rows.empty:
        st.caption(t("recommend.customer.none"))
        return
    left, right = st.columns([3, 2])
    with left:
        _mail(rows, names, currency)
    with right:
        _levels(rows, names)


def _mail(rows: pd.DataFrame, names: Sequence[str], currency: str) -> None:
    known = sorted(rows[TIER].unique().tolist())
    tier = st.segmented_control(
        t("column.tier"),
        known,
        format_func=lambda tier: widgets.escape(names[tier - 1]),
        default=known[0],
        required=True,
        key=f"recommend_tier_{len(known)}",
    )
    columns = ["product_id", "category", "price", "grade", "share"]
    product_table(rows[rows[TIER] == tier], columns, currency, about=t("recommend.tiers"), height=TABLE_HEIGHT)


def against(first: float, last: float) -> str:
    """Return how one price level stands to another as the bars show them: ``rising``, ``equal`` or ``flat``.

    Args:
        first: of the highest tier, 0 to 1.
        last: of the lowest tier, 0 to 1.
    """
    shown, other = advising.shown(first), advising.shown(last)
    return "equal" if shown == other else "rising" if shown > other else "flat"


def _levels(rows: pd.DataFrame, names: Sequence[str]) -> None:
    level = rows.groupby(TIER)["grade"].mean()
    table = pd.DataFrame({"name": [names[tier - 1] for tier in level.index], "level": level.to_numpy()})
    key = f"recommend.chart.{against(table['level'].iloc[0], table['level'].iloc[-1])}"
    message = t(key, first=table["name"].iloc[0], last=table["name"].iloc[-1])
    widgets.chart(advising.price_levels(table, message), "recommend_levels")

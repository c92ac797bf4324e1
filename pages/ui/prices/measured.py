"""What was measured of prices, by category, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import streamlit as st

from clv_core.columns import CATEGORY
from clv_core.strategy.pricing.price_responses import LEFT_OUT, Responses
from clv_core.strategy.segments import TIER
from pages.ui import cells, widgets
from pages.ui.i18n import t

DEEPER: Final = 0.1
"""The discount that the table speaks of: ten points of the price."""


def table(found: Responses, names: Sequence[str]) -> None:
    """Show the responses by category and tier, the tiers by their names."""
    called = [t("price.everyone"), *map(widgets.escape, names)]
    known = sorted(found.table[TIER].unique().tolist())
    tier = st.segmented_control(
        t("column.tier"),
        known,
        format_func=lambda tier: called[tier],
        default=known[0],
        required=True,
        key=f"price_table_tier_{len(known)}",
    )
    rows = found.table[found.table[TIER] == tier]
    deep = {"discount": "discount_effect", "discount_from": "discount_low", "discount_to": "discount_high"}
    rows = rows.assign(**{name: 100 * np.expm1(DEEPER * rows[source]) for name, source in deep.items()})
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category"), pinned=True),
        "elasticity": number(t("price.column.elasticity"), format="%.2f", help=t("price.column.elasticity.help")),
        "low": number(t("price.column.low"), format="%.2f"),
        "high": number(t("price.column.high"), format="%.2f"),
        "discount": number(t("price.column.discount"), format="%+.0f%%", help=t("price.column.discount.help")),
        "discount_from": number(t("price.column.low"), format="%+.0f%%"),
        "discount_to": number(t("price.column.high"), format="%+.0f%%"),
        "products": cells.whole(t("price.column.products")),
        "rows": cells.whole(t("price.column.rows"), help=t("price.column.rows.help")),
    }
    if rows["discount"].isna().all():
        columns = {name: column for name, column in columns.items() if name not in deep}
    cells.table(rows[list(columns)], t("price.table"), columns)


def left_out(found: Responses) -> None:
    """Show the categories that could not be measured, and why."""
    rows = found.left_out.assign(
        reason=[t(f"price.reason.{reason}", least=LEFT_OUT[reason]) for reason in found.left_out["reason"]],
        variation=100 * found.left_out["variation"],
    )
    columns: dict[str, Any] = {
        CATEGORY: st.column_config.TextColumn(t("recommend.column.category")),
        "reason": st.column_config.TextColumn(t("price.column.reason"), width="large"),
        "products": cells.whole(t("price.column.products")),
        "variation": st.column_config.NumberColumn(t("price.column.variation"), format="%.1f%%"),
    }
    cells.table(rows[list(columns)], t("price.left_out", count=len(rows)), columns)

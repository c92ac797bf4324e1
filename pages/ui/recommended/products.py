"""A table of recommended products: a tier's, or one customer's."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st

from pages.ui import cells
from pages.ui.i18n import t


def product_table(
    rows: pd.DataFrame, columns: list[str], currency: str, *, about: str, height: int | Literal["auto"] = "auto"
) -> None:
    """Show products, one row each.

    Args:
        rows: what is shown; ``grade`` and ``share`` are shares of one.
        columns: which are shown, in order.
        currency: of the prices.
        about: what the table holds, for those who cannot see it.
        height: in pixels.
    """
    shown = rows.assign(grade=(100 * rows["grade"]).round())
    if "share" in rows:
        shown["share"] = 100 * rows["share"]
    cells.table(shown[columns], about, _columns(currency), height=height)


def _columns(currency: str) -> dict[str, Any]:
    """Return how the columns are named and shown."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "place": number(t("recommend.column.place"), width="small"),
        "product_id": text(t("recommend.column.product")),
        "category": text(t("recommend.column.category")),
        "price": cells.money(t("recommend.column.price"), currency),
        "grade": st.column_config.ProgressColumn(
            t("recommend.column.grade"),
            min_value=0,
            max_value=100,
            format="%d",
            width="small",
            help=t("recommend.column.grade.help"),
        ),
        "share": number(t("recommend.column.share"), format="%.0f%%", help=t("recommend.column.share.help")),
        "reason": text(t("recommend.column.reason"), width="large"),
    }

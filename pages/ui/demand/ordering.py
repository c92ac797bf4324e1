"""The table to order by, as a file too, and how demand did on past dates."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Scored, Terms
from clv_core.strategy.demand import CUSTOMERS, SIMPLE, Demand, ordering_table
from pages.ui import cells, row_files, widgets
from pages.ui.i18n import count, percent, t

MOST_ROWS: Final = 2000
"""Rows that the page shows; the file has all."""


def show(scored: Scored, made: Demand, weeks: int) -> None:
    """Show the table to order by, and offer it as a file."""
    table = ordering_table(made, weeks)
    shown = table.head(MOST_ROWS)
    columns = {
        "product_id": st.column_config.TextColumn(t("demand.product"), pinned=True),
        "name": st.column_config.TextColumn(t("demand.name")),
        "category": st.column_config.TextColumn(t("demand.category")),
        "first": st.column_config.TextColumn(t("forecast.chart.week")),
        "expected": st.column_config.NumberColumn(t("demand.chart.expected"), format="%,.1f"),
        "low": cells.integer(t("segments.column.low")),
        "high": cells.integer(t("segments.column.high")),
        "returns": st.column_config.NumberColumn(t("demand.returns"), format="%,.1f"),
        "net": st.column_config.NumberColumn(t("demand.net"), format="%,.1f"),
        "revenue": cells.money(t("forecast.revenue"), made.currency),
    }
    texts = [name for name in ("name", "category") if not (table[name] != "").any()]
    held = [name for name in columns if name not in texts]
    cells.table(shown[held], t("demand.order"), columns, key="demand_order")
    if len(table) > len(shown):
        st.caption(t("demand.order.more", shown=count(len(shown)), rows=count(len(table))))
    row_files.figures(
        scored.model, table, "demand", "download_demand", scored.dataset.log_end, Terms(scored.trained_days)
    )
    st.caption(t("demand.order.stock"))


def tests(made: Demand) -> None:
    """Show by past date how far products' sales were off, by what was shown and by the simple methods."""
    tested = [test for test in made.tests if test.value > 0]
    if not tested:
        st.markdown(t("forecast.past.none"))
        return
    methods = [name for name in (CUSTOMERS, *SIMPLE) if any(name in test.errors for test in tested)]
    rows = pd.DataFrame(
        [
            {
                "cutoff": test.cutoff,
                "units": test.units,
                "value": test.value,
                "shown": test.share_off(),
                **{name: test.share_off(name) for name in methods},
                "weekly": test.shown_weekly_error / test.weekly_value if test.weekly_value > 0 else None,
                "inside": test.inside / test.ranged if test.ranged else None,
            }
            for test in tested
        ]
    )
    mean = {name: float((rows[name] * rows["value"]).sum() / rows["value"].sum()) for name in ("shown", *methods)}
    rivals = [name for name in methods if name != CUSTOMERS and rows[name].notna().all()]
    if rivals:
        best = min(rivals, key=mean.__getitem__)
        words = {"error": percent(mean["shown"]), "rival": t(f"demand.method.{best}"), "other": percent(mean[best])}
        st.markdown(f"**{widgets.escape(t('demand.past', weeks=tested[-1].weeks, **words))}**")
    share: dict[str, Any] = {"format": "percent"}
    columns = {
        "cutoff": st.column_config.TextColumn(t("forecast.past.date"), pinned=True),
        "units": cells.integer(t("demand.past.came")),
        "shown": st.column_config.NumberColumn(t("demand.past.shown"), help=t("demand.past.help"), **share),
        **{
            name: st.column_config.NumberColumn(t("forecast.past.error", method=t(f"demand.method.{name}")), **share)
            for name in methods
        },
        "weekly": st.column_config.NumberColumn(t("demand.past.weekly"), **share),
        "inside": st.column_config.NumberColumn(t("demand.past.inside"), **share),
    }
    cells.table(
        cells.filled(rows.astype({"inside": "float64", "weekly": "float64"}), columns),
        t("forecast.past"),
        columns,
        key="demand_tests",
    )

"""One product: its weeks, and what a month without it costs, by the tiers of who buys it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.columns import PRODUCT_ID
from clv_core.deployment import Scored
from clv_core.strategy.demand import FADING, NEW, Demand, customers_behind, ordering_table
from clv_core.strategy.segments import TIER
from pages.ui import cells, tiers, widgets
from pages.ui.charts import following
from pages.ui.demand.shown import past_weeks
from pages.ui.i18n import count, money, percent, t

MOST: Final = 1000
"""Products that can be chosen, by the revenue that is expected: more are no choice."""


@widgets.safe_fragment
def show(scored: Scored, made: Demand, weeks: int) -> None:
    """Let the person choose a product, and show its weeks and who stands behind it."""
    worth = made.revenue()[:, :weeks].sum(axis=1)
    order = np.argsort(-worth, kind="stable")[:MOST]
    about = made.products
    called = about["name"].where(about["name"] != "", about[PRODUCT_ID])
    names = {int(row): str(called[row]) for row in order}
    row = widgets.select(t("demand.product.choose"), names, "demand_product", width=380)
    table = ordering_table(made, weeks)
    rows = table[table[PRODUCT_ID] == about[PRODUCT_ID][row]]
    if rows.empty:
        st.markdown(t("demand.product.rare"))
        return
    units = {"units": count(round(rows["expected"].sum())), "recent": count(round(about["recent"][row]))}
    message = t("demand.chart", name=names[row], weeks=weeks, **units)
    widgets.chart(
        following.expected_units(past_weeks(made, made.before_products[row]), rows, message), "demand_product_chart"
    )
    state = about["state"][row]
    if state in (NEW, FADING):
        st.caption(t(f"demand.product.{state}"))
    _behind(scored, made, str(about[PRODUCT_ID][row]))


def _behind(scored: Scored, made: Demand, product: str) -> None:
    """Say what a month without the product costs, and with whom."""
    behind = customers_behind(scored, made, product)
    rows = behind.tiers
    if rows.empty:
        return
    labels = ["", *tiers.names(scored.dataset)]
    labels[0] = t("demand.tier.unknown")
    top = rows[rows[TIER] == 1]["revenue"].sum()
    sentence = t(
        "demand.out_of_stock",
        revenue=money(behind.revenue, made.currency),
        top=money(float(top), made.currency),
        share=percent(float(top) / behind.revenue if behind.revenue > 0 else 0.0),
        tier=labels[1],
    )
    st.markdown(f"**{widgets.escape(sentence)}**")
    shown = pd.DataFrame(
        {
            "tier": [labels[number] for number in rows[TIER]],
            "customers": rows["customers"],
            "share": rows["share"].round(3),
            "revenue": rows["revenue"],
        }
    )
    columns = {
        "tier": st.column_config.TextColumn(t("demand.tier")),
        "customers": cells.integer(t("demand.buyers")),
        "share": st.column_config.NumberColumn(t("demand.tier.share"), format="percent"),
        "revenue": cells.money(t("demand.at_stake"), made.currency),
    }
    cells.table(shown, t("demand.product"), columns, key="demand_tiers")
    st.caption(t("demand.out_of_stock.assumed"))

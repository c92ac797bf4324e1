"""Segments at a glance: cards or a table of figures, and the chart that says where the value lies."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.strategy.segments import P_PURCHASE
from clv_core.strategy.segments.clusters import EMBEDDING, FittedClusters
from clv_core.strategy.segments.rfm_and_quadrant import GRID, FittedQuadrant, FittedRfm, grid, value_of
from clv_core.strategy.segments.segment_rules import OTHERS
from clv_core.strategy.segments.segmentation import SEGMENT
from clv_core.strategy.segments.value_tiers import ValueTiers
from pages.ui import cells, i18n, row_files, tiers, widgets
from pages.ui.charts import explanations, placing
from pages.ui.i18n import percent, t
from pages.ui.segmenting import Scene

MOST_CARDS: Final = 6
SAMPLE: Final = 2000


def section(scene: Scene) -> None:
    """Show the segments, and a chart of their own kind."""
    notes(scene)
    if scene.placed.count <= MOST_CARDS:
        ranged = tiers.what_past_origins_say(scene.bundle, scene.terms)[0] is not None
        tiers.cards(scene.table, scene.currency, ranged=ranged)
    else:
        figures(scene, short=True)
        _described(scene)
    if isinstance(scene.fitted, FittedQuadrant):
        _quadrant(scene, scene.fitted)
    elif isinstance(scene.fitted, FittedRfm):
        _grid(scene, scene.fitted)
    _bars(scene)


def notes(scene: Scene) -> None:
    """Say what clusters were found among."""
    if isinstance(scene.fitted, FittedClusters):
        st.caption(t("segments.clusters.embedding" if scene.fitted.source == EMBEDDING else "segments.clusters.scores"))


def figures(scene: Scene, *, short: bool = False) -> None:
    """Show one row a segment: size, worth with its interval, who is typical.

    Args:
        scene: the customers in segments.
        short: whether only what a person asks first is shown, without the descriptions.
    """
    number, text, config = st.column_config.NumberColumn, st.column_config.TextColumn, st.column_config
    rows = scene.table.assign(
        share_of_customers=100 * scene.table["share_of_customers"],
        share_of_value=100 * scene.table["share_of_value"],
        p_purchase_mean=100 * scene.table["p_purchase_mean"],
    )
    columns: dict[str, object] = {
        "name": text(t("column.segment"), pinned=True),
        "customers": cells.whole(t("column.customers")),
        "share_of_customers": number(t("segments.column.share_of_customers"), format="%.1f%%"),
        "share_of_value": number(t("segments.column.share_of_value"), format="%.1f%%"),
        "value_sum": cells.money(t("segments.column.value_sum"), scene.currency),
        "value_sum_low": cells.money(t("segments.column.low"), scene.currency, help=t("segments.column.low.help")),
        "value_sum_high": cells.money(t("segments.column.high"), scene.currency, help=t("segments.column.low.help")),
        "value_mean": cells.money(t("segments.column.value_mean"), scene.currency),
        "p_purchase_mean": number(t("column.p_purchase"), format="%.1f%%", help=t("column.p_purchase.help")),
        "purchase_days_mean": number(t("segments.column.orders"), format="%.1f"),
        "days_since_last_median": number(t("segments.column.since"), format="%d"),
        "last_purchase_median": config.DateColumn(t("segments.column.last"), format="YYYY-MM-DD"),
        "historic_value_mean": cells.money(t("segments.column.historic"), scene.currency),
        "historic_value_sum": cells.money(t("segments.column.historic_sum"), scene.currency),
        "buyers": cells.whole(t("segments.column.buyers")),
        "description": text(t("segments.column.description"), width="large"),
    }
    brief = ("name", "customers", "share_of_customers", "share_of_value", "value_mean", "p_purchase_mean")
    kept = [name for name in (brief if short else columns) if rows[name].notna().any()]
    cells.table(
        rows[kept],
        t("segments.view.figures"),
        {name: columns[name] for name in kept},
        height="content",
        key="segments_figures",
    )


def _described(scene: Scene) -> None:
    """Say who each segment is and what to do, one line each: in a table beside figures it would be cut off."""
    known = scene.table[scene.table["description"].notna() & (scene.table["description"] != "")]
    lines = [
        f"- **{widgets.escape(name)}** – {widgets.escape(description)}"
        for name, description in zip(known["name"], known["description"], strict=True)
    ]
    if lines:
        st.caption("\n".join(lines))


def download(scene: Scene) -> None:
    """Offer the table of figures as a file."""
    rows = scene.table.assign(scheme=str(scene.scheme))
    row_files.figures(scene.bundle, rows, "segments", "download_segments", scene.dataset.log_end, scene.terms)


def _bars(scene: Scene) -> None:
    """Draw shares of customers beside shares of value."""
    rows = scene.table
    if not rows["share_of_value"].notna().any():
        return
    order = rows if isinstance(scene.scheme, ValueTiers) else rows.sort_values("share_of_value", ascending=False)
    named = order[order[SEGMENT] != OTHERS]
    first = (named if len(named) else order).iloc[0]
    message = t(
        "segments.chart",
        name=first["name"],
        share=percent(first["share_of_customers"]),
        value=percent(first["share_of_value"]),
    )
    widgets.chart(explanations.tier_bars(order.assign(tier_label=order["name"]), message), "tiers")


def _quadrant(scene: Scene, fitted: FittedQuadrant) -> None:
    customers = scene.customers
    rows = np.random.default_rng(0).permutation(len(customers))[:SAMPLE]
    some = customers.iloc[rows]
    points = pd.DataFrame(
        {
            "risk": 1 - some[P_PURCHASE].to_numpy(),
            "value": value_of(some, fitted.by),
            "place": scene.placed.where[rows],
            "customer_id": some["customer_id"].to_numpy(),
        }
    )
    back = scene.table[scene.table[SEGMENT] == "win_back"].iloc[0]
    message = t(
        "segments.quadrant.message" if back["customers"] else "segments.quadrant.nobody",
        customers=i18n.count(back["customers"]),
        name=back["name"],
        share=percent(back["p_purchase_mean"]),
        value=i18n.money(back["value_sum"], scene.currency),
    )
    axis = t(f"segments.quadrant.axis.{fitted.by}", unit=i18n.unit(scene.currency))
    figure = placing.quadrant(points, (1 - fitted.chance, fitted.value), scene.names, message, axis=axis)
    widgets.chart(figure, "quadrant")


def _grid(scene: Scene, fitted: FittedRfm) -> None:
    counts = grid(fitted, scene.customers)
    if not counts.sum():
        return
    called = dict(zip(scene.table[SEGMENT], scene.names, strict=True))
    names = [[called[key] for key in row] for row in GRID]
    rows = scene.table.set_index(SEGMENT)
    best = rows.loc[["champions", "loyal"]]
    message = t(
        "segments.rfm.message",
        first=best["name"].iloc[0],
        second=best["name"].iloc[1],
        share=percent(best["share_of_customers"].sum()),
        value=percent(best["share_of_value"].sum()),
    )
    widgets.chart(placing.grid(counts, names, message), "rfm_grid")

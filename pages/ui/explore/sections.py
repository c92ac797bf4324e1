"""The sections of the explore page: each takes its table, words its message, draws its chart.

A section is a function of cube, filters and language, so it is drawn once and then replayed (:func:`show`): a dozen
Plotly figures cost half a second of processor time, their messages a hundredth of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.features.explore.cohorts import cohort_unit, overall
from clv_core.features.explore.cube import Cube
from clv_core.features.explore.gaps import median_gap
from clv_core.features.explore.selection import Filters
from pages.ui import i18n, session, widgets
from pages.ui.charts import behaviour, periods
from pages.ui.charts.drawing import Chart
from pages.ui.explore import explored, words
from pages.ui.explore.words import bucket_name
from pages.ui.i18n import percent, say, t

ENOUGH: Final = 30
"""A curve ends where fewer waits than this are still seen."""

BARS: Final = 40


def show(section: str, cube: Cube, filters: Filters) -> None:
    """Show one of :data:`SECTIONS`."""
    _drawn(section, cube, filters, session.language())


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs={Cube: lambda cube: str(cube.folder)})
def _drawn(section: str, cube: Cube, filters: Filters, language: str) -> None:  # noqa: ARG001 - part of the key
    SECTIONS[section](cube, filters)


def over_time(cube: Cube, filters: Filters) -> None:
    """Show revenue and customers over time."""
    table, unit = explored.view("trend", cube.version, filters, cube), explored.selection(cube, filters).unit
    table = table.assign(label=[bucket_name(unit, first) for first in table["bucket"]])
    table["label"] += np.where(table["complete"], "", f" ({t('chart.incomplete')})")
    kinds = ["buyers", "known_buyers"] if cube.has == ("purchase",) else ["customers", "buyers", "known_buyers"]
    with st.grid(2, min_column_width=380):
        figure = periods.revenue_bars(
            table, words.revenue(table, cube.currency), unit=i18n.unit(cube.currency), time_unit=unit
        )
        widgets.chart(figure, "revenue")
        figure = periods.people_lines(table, words.people(table, unit), kinds=kinds, time_unit=unit)
        widgets.chart(figure, "people")


def coming_back(cube: Cube, filters: Filters) -> None:
    """Show cohorts, what they brought in, and how long it takes until the next purchase."""
    cells, unit = explored.view("cohorts", cube.version, filters, cube), cohort_unit(explored.selection(cube, filters))
    if cells.empty:
        st.caption(t("explore.no_cohorts"))
    else:
        _cohorts(cells, unit, cube.currency)
    waits = explored.view("gaps", cube.version, filters, cube)
    curve = explored.view("come_back", cube.version, filters, cube)
    with st.grid(2, min_column_width=380):
        median = median_gap(waits)
        if median is not None:
            message = t("explore.gaps", days=say(median))
            widgets.chart(behaviour.gap_bars(_binned(waits), message, median), "gaps")
        shown = curve[(curve["at_risk"] >= ENOUGH) & (curve["days"] <= 366)]
        if not shown.empty:
            widgets.chart(behaviour.back_curves(shown, words.back(shown)), "come_back")
    st.caption(t("explore.censored"))


def _cohorts(cells: pd.DataFrame, unit: str, currency: str) -> None:
    mean = overall(cells)
    names = {cohort: bucket_name(unit, cohort) for cohort in cells["cohort"].unique()}
    axis = t(f"chart.age.{unit}")
    with st.grid(2, min_column_width=380):
        later = cells[cells["age"] > 0]
        if later.empty:
            st.caption(t("explore.no_cohorts"))
        else:
            sizes = cells.groupby("cohort")["size"].first()
            rows = [f"{names[cohort]} ({sizes[cohort]:,})" for cohort in later["cohort"].unique()]
            values = later.pivot(index="cohort", columns="age", values="retention")
            said = later.assign(said=[_said(row, names, unit) for row in later.to_dict("records")])
            hover = said.pivot(index="cohort", columns="age", values="said")
            values.index = pd.Index(rows)
            message = words.retention(mean, unit)
            texts = behaviour.shares_text(values)
            axes = (axis, t("chart.cohort"))
            widgets.chart(behaviour.heat_map(values, texts, hover, message, axes=axes), "cohorts")
        message = words.cumulative(mean, unit, currency)
        figure = behaviour.cohort_curves(
            cells,
            mean,
            message,
            unit=i18n.unit(currency),
            axis=axis,
            names={key: str(name) for key, name in names.items()},
            height=behaviour.table_height(later["cohort"].nunique()),
        )
        widgets.chart(figure, "cumulative")


def _said(row: dict[Hashable, Any], names: dict[object, str], unit: str) -> str:
    return t(
        f"explore.cell.{unit}",
        cohort=names[row["cohort"]],
        age=row["age"],
        buyers=f"{row['buyers']:,}",
        size=f"{row['size']:,}",
        share=percent(row["retention"], 1),
    )


def _binned(waits: pd.DataFrame) -> pd.DataFrame:
    """Return counts of gaps in bins of equal width; the last hundredth, far out, is left to the table."""
    counts = waits.groupby("days")["returned"].sum()
    reached = counts.cumsum() / counts.sum()
    longest = int(reached.index[int(np.searchsorted(reached.to_numpy(), 0.99))])
    width = max(1, -(-longest // BARS))
    kept = counts[(counts.index <= longest) & (counts.index > 0)]
    low = (kept.index - 1) // width * width + 1
    table = kept.groupby(low).sum().rename("count").rename_axis("low").reset_index()
    return table.assign(high=table["low"] + width - 1)


def value(cube: Cube, filters: Filters) -> None:
    """Show who holds the revenue."""
    held = explored.spread(cube.version, filters, cube)
    if held.top10 is None:
        st.caption(t("explore.no_value"))
        return
    grid = explored.view("rfm", cube.version, filters, cube)
    with st.grid(2, min_column_width=380):
        widgets.chart(behaviour.lorenz(held.curve, words.held(held)), "lorenz")
        widgets.chart(_rfm(grid, cube.currency), "rfm")


def _rfm(grid: pd.DataFrame, currency: str) -> Chart:
    """Draw recency over frequency; each cell says how many buyers it holds and what they are worth on average."""
    days = grid.drop_duplicates("recency").set_index("recency").sort_index(ascending=False)
    orders = grid.drop_duplicates("frequency").set_index("frequency").sort_index()
    waited = [_range(low, high) for low, high in zip(days["recency_low"], days["recency_high"], strict=True)]
    rows = pd.Index([t("explore.range", low=span) for span in waited])
    bought = zip(orders["frequency_low"], orders["frequency_high"], strict=True)
    columns = pd.Index([_range(low, high) for low, high in bought])

    def wide(values: pd.Series) -> pd.DataFrame:
        table = grid.assign(cell=values).pivot(index="recency", columns="frequency", values="cell")
        return table.reindex(index=days.index, columns=orders.index).set_axis(rows).set_axis(columns, axis=1)

    places = list(zip(grid["buyers"], grid["mean_value"], grid["value"], strict=True))
    texts = [f"{i18n.count(buyers)}<br>{say(mean)}" for buyers, mean, _ in places]
    hover = [
        t("explore.rfm_cell", buyers=f"{buyers:,}", mean=f"{mean:,.2f}", value=f"{held:,.2f}")
        for buyers, mean, held in places
    ]
    ranks = grid["mean_value"].rank(pct=True)
    return behaviour.heat_map(
        wide(ranks),
        wide(pd.Series(texts, index=grid.index)).fillna(""),
        wide(pd.Series(hover, index=grid.index)).fillna(""),
        words.best(grid, currency),
        axes=(t("chart.rfm_orders", unit=i18n.unit(currency)), t("chart.rfm_days")),
    )


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def way(cube: Cube, filters: Filters) -> None:
    """Show the funnel."""
    table = explored.view("funnel", cube.version, filters, cube)
    if table.empty or not table["reached"].iloc[0]:
        return
    shown = pd.DataFrame(
        {
            "label": [t(f"explore.step.{step}") for step in table["step"]],
            "value": table["reached"],
            "text": [
                f"{i18n.count(reached)} · {words.share_of(share)}"
                for reached, share in zip(table["reached"], table["share"], strict=True)
            ],
            "hover": [
                t(
                    "explore.step_hover",
                    reached=f"{row.reached:,}",
                    customers=f"{row.customers:,}",
                    events=f"{row.events:,}",
                )
                for row in table.itertuples()
            ],
        }
    )
    st.header(t("explore.section.way"), anchor=False)
    widgets.chart(behaviour.bars(shown, words.way(table), axis=t("chart.customers_reached")), "funnel")


def rated(cube: Cube, filters: Filters) -> None:
    """Show ratings: how they are spread, who came back, how they went."""
    table = explored.view("ratings", cube.version, filters, cube)
    if table.empty:
        return
    st.header(t("explore.section.ratings"), anchor=False)
    label = [f"{rating:g}" for rating in table["rating"]]
    known = table["back_rate"].notna()
    with st.grid(3, min_column_width=300):
        shown = pd.DataFrame({"label": label, "value": table["share"], "text": table["share"].map(percent)})
        shown["hover"] = [
            t("explore.rating_hover", rating=name, count=f"{n:,}")
            for name, n in zip(label, table["ratings"], strict=True)
        ]
        widgets.chart(
            behaviour.bars(
                shown,
                words.rated(table),
                axis=t("chart.share_of_ratings"),
                level=t("chart.rating"),
                shares=True,
                upright=True,
            ),
            "ratings",
        )
        if known.any():
            shown = shown[known].assign(value=table["back_rate"], text=table.loc[known, "back_rate"].map(percent))
            shown["hover"] = [
                t(
                    "explore.rating_back_hover",
                    rating=f"{row.rating:g}",
                    back=f"{row.back:,}",
                    followed=f"{row.followed:,}",
                )
                for row in table[known].itertuples()
            ]
            figure = behaviour.bars(
                shown,
                words.back_after_rating(table),
                axis=t("chart.share_back_rating"),
                level=t("chart.rating"),
                shares=True,
                upright=True,
            )
            widgets.chart(figure, "rated_back")
        moved, unit = explored.view("rating_trend", cube.version, filters, cube), explored.selection(cube, filters).unit
        if len(moved) > 1:
            moved = moved.assign(label=[bucket_name(unit, first) for first in moved["bucket"]])
            figure = periods.rating_line(moved, words.rating_moved(moved), time_unit=unit)
            widgets.chart(figure, "rating_trend")


def sold(cube: Cube, filters: Filters) -> None:
    """Show what sells and what comes back."""
    if "category" not in cube.has:
        return
    table = explored.view("categories", cube.version, filters, cube)
    if table.empty:
        return
    st.header(t("explore.section.categories"), anchor=False)
    names = [words.category_name(row) for _, row in table.iterrows()]
    rates = ["–" if pd.isna(rate) else percent(rate, 1) for rate in table["return_rate"]]
    shares = ["–" if pd.isna(share) else percent(share, 1) for share in table["share"]]
    with_returns = "return" in cube.has
    shown = pd.DataFrame({"label": names, "value": table["net"]})
    shown["text"] = [
        t("explore.category_text", share=share, rate=rate) if with_returns else share
        for share, rate in zip(shares, rates, strict=True)
    ]
    shown["hover"] = [
        t(
            "explore.category_hover",
            name=name,
            net=f"{row.net:,.2f}",
            returned=f"{row.returned:,.2f}",
            lines=f"{row.purchases:,}",
        )
        for name, row in zip(names, table.itertuples(), strict=True)
    ]
    axis = t("chart.net_revenue_axis", unit=i18n.unit(cube.currency))
    widgets.chart(behaviour.bars(shown, words.sold(table), axis=axis), "categories")


SECTIONS: Final[dict[str, Callable[[Cube, Filters], None]]] = {
    section.__name__: section for section in (over_time, coming_back, value, way, rated, sold)
}


def missing(cube: Cube) -> None:
    """Say in a line each what this page shows of other logs, and what this log would have to hold for it."""
    lines = []
    if not {"view", "cart"} & set(cube.has):
        lines.append(t("explore.missing.funnel"))
    if "rating" not in cube.has:
        lines.append(t("explore.missing.ratings"))
    if "category" not in cube.has:
        lines.append(t("explore.missing.categories"))
    if lines:
        st.caption("  \n".join(lines))

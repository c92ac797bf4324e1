"""The sections of the explore page: each takes its table, words its message, draws its chart.

What a section draws is a function of cube, filters and language, so it is made once and then replayed
(:func:`_drawn`, :func:`_made`): a dozen Plotly figures cost half a second of processor time, their messages a hundredth
of it. A chart whose bars or cells are groups of customers can be clicked (:mod:`pages.ui.explore.groups`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.features.explore import Cube, Filters, cohort_unit, median_gap, overall
from clv_core.plot import Chart
from pages.ui import i18n, session, widgets
from pages.ui.cache import cached
from pages.ui.charts import behaviour
from pages.ui.explore import explored, groups, messages
from pages.ui.explore.messages import bucket_name
from pages.ui.i18n import percent, say, t

MIN_WAITS: Final = 30
"""A curve ends where fewer waits than this are still seen."""

MAX_GAP_BARS: Final = 40
"""Bars of the histogram of gaps: as many as stay legible in half a page."""


def show(part: str, cube: Cube, filters: Filters) -> None:
    """Show one of :func:`parts`."""
    if part == TABLES:
        explored.show_table(cube, filters)
    else:
        SECTIONS[part](cube, filters)


@cached(256)
def _drawn(charts: str, cube: Cube, filters: Filters, language: str) -> None:  # noqa: ARG001 - part of the key
    DRAWN[charts](cube, filters)


@cached(256)
def _made(chart: str, cube: Cube, filters: Filters, language: str) -> groups.Grouped | None:  # noqa: ARG001
    return GROUPED[chart](cube, filters)


def _grouped(chart: str, cube: Cube, filters: Filters) -> None:
    made = _made(chart, cube, filters, session.language())
    if made is not None:
        groups.show(made, chart, cube, whole=explored.selection(cube, filters).is_full)


def over_time(cube: Cube, filters: Filters) -> None:
    """Show revenue and customers over time."""
    table, unit = explored.view("trend", cube, filters), explored.selection(cube, filters).unit
    table = table.assign(label=[bucket_name(unit, first) for first in table["bucket"]])
    table["label"] += np.where(table["complete"], "", f" ({t('chart.incomplete')})")
    kinds = ["buyers", "known_buyers"] if cube.has == ("purchase",) else ["customers", "buyers", "known_buyers"]
    with st.grid(2, min_column_width=380):
        figure = behaviour.revenue_bars(
            table, messages.revenue(table, cube.currency), unit=i18n.unit(cube.currency), time_unit=unit
        )
        widgets.chart(figure, "revenue")
        figure = behaviour.people_lines(table, messages.people(table, unit), kinds=kinds, time_unit=unit)
        widgets.chart(figure, "people")


def coming_back(cube: Cube, filters: Filters) -> None:
    """Show cohorts, what they brought in, and how long it takes until the next purchase."""
    _grouped("cohorts", cube, filters)
    _drawn("waits", cube, filters, session.language())


def _cohorts(cube: Cube, filters: Filters) -> groups.Grouped | None:
    cells, unit = explored.view("cohorts", cube, filters), cohort_unit(explored.selection(cube, filters))
    later = cells[cells["age"] > 0]
    if later.empty:
        return None
    names = {cohort: str(bucket_name(unit, cohort)) for cohort in cells["cohort"].unique()}
    drawn = _cohort_map(later, names, unit, messages.retention(overall(cells), unit))
    ages = later["age"].nunique()
    rows = [groups.cohort(names[first], first, unit) for first in later["cohort"].unique()]
    return groups.Grouped(drawn, tuple(row for row in rows for _ in range(ages)))


def _waits(cube: Cube, filters: Filters) -> None:
    cells, unit = explored.view("cohorts", cube, filters), cohort_unit(explored.selection(cube, filters))
    names = {cohort: str(bucket_name(unit, cohort)) for cohort in cells["cohort"].unique()}
    mean = None if cells.empty else overall(cells)
    if mean is None or not (cells["age"] > 0).any():
        st.caption(t("explore.no_cohorts"))
    curve = explored.view("come_back", cube, filters)
    waits = explored.view("gaps", cube, filters)
    with st.grid(2, min_column_width=380):
        if mean is not None:
            money, axis = i18n.unit(cube.currency), t(f"chart.age.{unit}")
            message = messages.cumulative(mean, unit, cube.currency)
            figure = behaviour.cohort_curves(cells, mean, message, unit=money, axis=axis, names=names)
            widgets.chart(figure, "cumulative")
        shown = curve[(curve["at_risk"] >= MIN_WAITS) & (curve["days"] <= 366)]
        if not shown.empty:
            widgets.chart(behaviour.back_curves(shown, messages.back(shown)), "come_back")
        median = median_gap(waits)
        if median is not None:
            message = t("explore.gaps", days=say(median))
            widgets.chart(behaviour.gap_bars(_binned(waits), message, median), "gaps")
    st.caption(t("explore.censored"))


def _cohort_map(later: pd.DataFrame, names: dict[object, str], unit: str, message: str) -> Chart:
    """Draw the share of each cohort that bought again, by its age; ``later`` are the cells after the first."""
    sizes = later.groupby("cohort")["size"].first()
    values = later.pivot(index="cohort", columns="age", values="retention")
    hover = later.assign(said=[_cell_text(row, names, unit) for row in later.to_dict("records")])
    rows = pd.Index([f"{names[cohort]} ({sizes[cohort]:,})" for cohort in later["cohort"].unique()])
    axes = (t(f"chart.age.{unit}"), t("chart.cohort"))
    texts = behaviour.shares_text(values).set_axis(rows)
    spoken = hover.pivot(index="cohort", columns="age", values="said")
    return behaviour.heat_map(values.set_axis(rows), texts, spoken, message, axes=axes, wide=True, clicked=True)


def _cell_text(row: dict[Hashable, Any], names: dict[object, str], unit: str) -> str:
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
    width = max(1, -(-longest // MAX_GAP_BARS))
    shown = counts[(counts.index <= longest) & (counts.index > 0)]
    low = (shown.index - 1) // width * width + 1
    table = shown.groupby(low).sum().rename("count").rename_axis("low").reset_index()
    return table.assign(high=table["low"] + width - 1)


def value(cube: Cube, filters: Filters) -> None:
    """Show who holds the revenue."""
    value_held = explored.concentrated(cube, filters)
    if value_held.top10 is None:
        st.caption(t("explore.no_value"))
        return
    with st.grid(2, min_column_width=380):
        _drawn("lorenz", cube, filters, session.language())
        _grouped("rfm", cube, filters)


def _lorenz(cube: Cube, filters: Filters) -> None:
    value_held = explored.concentrated(cube, filters)
    widgets.chart(behaviour.lorenz(value_held.curve, messages.held_by_few(value_held)), "lorenz")


def _rfm(cube: Cube, filters: Filters) -> groups.Grouped:
    """Draw recency over frequency; each cell shows its buyers and their average value."""
    grid = explored.view("rfm", cube, filters)
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
        t("explore.rfm_cell", buyers=f"{buyers:,}", mean=f"{mean:,.2f}", value=f"{value_held:,.2f}")
        for buyers, mean, value_held in places
    ]
    ranks = grid["mean_value"].rank(pct=True)
    drawn = behaviour.heat_map(
        wide(ranks),
        wide(pd.Series(texts, index=grid.index)).fillna(""),
        wide(pd.Series(hover, index=grid.index)).fillna(""),
        messages.best(grid, cube.currency),
        axes=(t("chart.rfm_orders", unit=i18n.unit(cube.currency)), t("chart.rfm_days")),
        clicked=True,
    )
    spans = [
        (waits, counts)
        for waits in zip(days["recency_low"], days["recency_high"], strict=True)
        for counts in zip(orders["frequency_low"], orders["frequency_high"], strict=True)
    ]
    return groups.Grouped(
        drawn, tuple(groups.bought(_range(*counts), counts, _range(*waits), waits) for waits, counts in spans)
    )


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def way(cube: Cube, filters: Filters) -> None:
    """Show the funnel."""
    _grouped("funnel", cube, filters)


def _funnel(cube: Cube, filters: Filters) -> groups.Grouped | None:
    table = explored.view("funnel", cube, filters)
    if table.empty or not table["reached"].iloc[0]:
        return None
    shown = pd.DataFrame(
        {
            "label": [t(f"explore.step.{step}") for step in table["step"]],
            "value": table["reached"],
            "text": [
                f"{i18n.count(reached)} · {messages.share_of(share)}"
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
    drawn = behaviour.bars(shown, messages.way(table), axis=t("chart.customers_reached"))
    steps = table["step"].tolist()
    return groups.Grouped(drawn, tuple(groups.reached(steps[: place + 1]) for place in range(len(steps))))


def rated(cube: Cube, filters: Filters) -> None:
    """Show ratings: how they are spread, who came back, how they went."""
    table = explored.view("ratings", cube, filters)
    if table.empty:
        return
    label = [f"{rating:g}" for rating in table["rating"]]
    followed = table["back_rate"].notna()
    with st.grid(3, min_column_width=300):
        shown = pd.DataFrame({"label": label, "value": table["share"], "text": table["share"].map(percent)})
        shown["hover"] = [
            t("explore.rating_hover", rating=name, count=f"{n:,}")
            for name, n in zip(label, table["ratings"], strict=True)
        ]
        widgets.chart(
            behaviour.bars(
                shown,
                messages.rated(table),
                axis=t("chart.share_of_ratings"),
                level=t("chart.rating"),
                shares=True,
                upright=True,
            ),
            "ratings",
        )
        if followed.any():
            shown = shown[followed].assign(value=table["back_rate"], text=table.loc[followed, "back_rate"].map(percent))
            shown["hover"] = [
                t(
                    "explore.rating_back_hover",
                    rating=f"{row.rating:g}",
                    back=f"{row.back:,}",
                    followed=f"{row.followed:,}",
                )
                for row in table[followed].itertuples()
            ]
            figure = behaviour.bars(
                shown,
                messages.back_after_rating(table),
                axis=t("chart.share_back_rating"),
                level=t("chart.rating"),
                shares=True,
                upright=True,
            )
            widgets.chart(figure, "rated_back")
        moved, unit = explored.view("rating_trend", cube, filters), explored.selection(cube, filters).unit
        if len(moved) > 1:
            moved = moved.assign(label=[bucket_name(unit, first) for first in moved["bucket"]])
            figure = behaviour.rating_line(moved, messages.rating_moved(moved), time_unit=unit)
            widgets.chart(figure, "rating_trend")


def sold(cube: Cube, filters: Filters) -> None:
    """Show what sells and what comes back."""
    _grouped("categories", cube, filters)


def _categories(cube: Cube, filters: Filters) -> groups.Grouped | None:
    table = explored.view("categories", cube, filters) if "category" in cube.has else pd.DataFrame()
    if table.empty:
        return None
    names = [messages.category_name(row) for _, row in table.iterrows()]
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
    named = [
        None if others or pd.isna(name) else str(name)
        for name, others in zip(table["category"], table["others"], strict=True)
    ]
    drawn = behaviour.bars(shown, messages.sold(table), axis=axis)
    return groups.Grouped(drawn, tuple(None if name is None else groups.prefers(name) for name in named))


SECTIONS: Final[dict[str, Callable[[Cube, Filters], None]]] = {
    "time": lambda cube, filters: _drawn("time", cube, filters, session.language()),
    "back": coming_back,
    "value": value,
    "way": way,
    "ratings": lambda cube, filters: _drawn("ratings", cube, filters, session.language()),
    "categories": sold,
}
"""Parts of the page; the name of each is the sentence ``explore.section.<part>``."""
DRAWN: Final[dict[str, Callable[[Cube, Filters], None]]] = {
    "time": over_time,
    "waits": _waits,
    "lorenz": _lorenz,
    "ratings": rated,
}
"""Charts that are only looked at."""
GROUPED: Final[dict[str, Callable[[Cube, Filters], groups.Grouped | None]]] = {
    "cohorts": _cohorts,
    "rfm": _rfm,
    "funnel": _funnel,
    "categories": _categories,
}
"""Charts whose bars or cells are groups of customers; None where there is nothing to draw."""
TABLES: Final = "tables"


def parts(cube: Cube, buyers: int) -> dict[str, str]:
    """Return the parts that the log has something for, with their names."""
    has = {
        **dict.fromkeys(("time", "back", "value"), buyers > 0),
        "way": bool({"view", "cart"} & set(cube.has)),
        "ratings": "rating" in cube.has,
        "categories": "category" in cube.has,
        TABLES: True,
    }
    return {part: t(f"explore.section.{part}") for part, there in has.items() if there}


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

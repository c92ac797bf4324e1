"""What is expected by category: a choice of weeks, a picture of each category, and its sums with their ranges."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Scored
from clv_core.jobs import NoProgress
from clv_core.strategy.demand import (
    BLOCK,
    MOST_AHEAD,
    Demand,
    check_columns,
    demand,
    demand_notes,
    find_demand,
    ordering_table,
)
from pages.ui import cells, i18n, widgets
from pages.ui.charts import following
from pages.ui.forecast import expected
from pages.ui.i18n import count, t

WEEK_DAYS: Final = 7
LENGTHS: Final = (BLOCK, 2 * BLOCK, MOST_AHEAD)
WEEKS: Final = "demand_weeks"
"""Session key of how many weeks the page is about."""


def need_demand(scored: Scored) -> Demand:
    """Return demand: the saved one; else make it, from the shop's forecast.

    Raises:
        NotEnoughData: the log names no products.
    """
    check_columns(scored.dataset)
    found = find_demand(scored)
    if found is not None:
        return found
    expected.need_forecast(scored)
    with st.spinner(t("demand.wait")):
        return demand(scored, NoProgress())


def chosen_weeks() -> int:
    """Return how many weeks are chosen; the headline stands above the choice."""
    chosen = st.session_state.get(WEEKS)
    return chosen if chosen in LENGTHS else LENGTHS[0]


def choose_weeks() -> int:
    """Let the person choose how many weeks the page is about."""
    return widgets.choose(t("demand.weeks"), {weeks: t("demand.weeks.of", weeks=weeks) for weeks in LENGTHS}, WEEKS)


@widgets.safe_fragment
def categories(made: Demand, weeks: int) -> None:
    """Show a category's weeks, and the sums of all categories."""
    table = ordering_table(made, weeks, "category")
    names = {name: _name(name) for name in table["category"].drop_duplicates()}
    name = (
        widgets.select(t("demand.category"), names, "demand_category", width=380)
        if len(names) > 1
        else next(iter(names))
    )
    row = made.categories.index[made.categories["category"] == name][0]
    rows = table[table["category"] == name]
    message = t(
        "demand.chart",
        name=names[name],
        units=count(round(rows["expected"].sum())),
        weeks=weeks,
        recent=count(round(made.categories["recent"][row])),
    )
    chart = following.expected_units(past_weeks(made, made.before_categories[row]), rows, message)
    widgets.chart(chart, "demand_category_chart")
    _sums(made, weeks)


def past_weeks(made: Demand, units: object) -> pd.DataFrame:
    """Return the weeks before the cutoff, one row each: ``first`` (ISO date) and ``units``."""
    sold = pd.Series(units)
    first = [(made.cutoff - timedelta(days=WEEK_DAYS * ago)).isoformat() for ago in range(len(sold), 0, -1)]
    return pd.DataFrame({"first": first, "units": sold})


def _sums(made: Demand, weeks: int) -> None:
    """Show a row a category: pieces of four weeks with their range, of the span, and of the last four weeks."""
    ranged, about = made.by_category, made.categories
    rows = pd.DataFrame(
        {
            "category": [_name(name) for name in about["category"]],
            "recent": about["recent"],
            "month": ranged.block,
            "low": ranged.block_low,
            "high": ranged.block_high,
            "units": ranged.units[:, :weeks].sum(axis=1) if weeks > BLOCK else float("nan"),
            "revenue": made.revenue("categories")[:, :weeks].sum(axis=1),
        }
    ).sort_values("revenue", ascending=False)
    columns = {
        "category": st.column_config.TextColumn(t("demand.category"), pinned=True),
        "recent": cells.integer(t("demand.recent")),
        "month": cells.integer(t("demand.month")),
        "low": cells.integer(t("segments.column.low")),
        "high": cells.integer(t("segments.column.high")),
        "units": cells.integer(t("demand.in_weeks", weeks=weeks)),
        "revenue": cells.money(t("demand.revenue_in_weeks", weeks=weeks), made.currency),
    }
    cells.table(cells.filled(rows, columns), t("demand.category"), columns, key="demand_categories")


def notes(made: Demand) -> list[str]:
    """Return what is to be known of demand, in the language of the page, but for its tests, which have a section."""
    lines = [i18n.message_text(note) for note in demand_notes(made) if not note.code.startswith("demand.tested")]
    return [*lines, t("demand.note.expected", products=count(len(made.products)))]


def _name(category: str) -> str:
    return category or t("demand.no_category")

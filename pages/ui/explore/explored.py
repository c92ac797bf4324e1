"""The cube behind the explore page, its filters, its key figures and tables."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.errors import ClvError
from clv_core.features.explore import (
    VIEWS,
    Concentration,
    Cube,
    CubePart,
    Figures,
    Filters,
    Selection,
    concentration,
    figures,
    find_cube,
)
from pages.ui import cells, i18n, page_files, progress, widgets
from pages.ui.cache import cached
from pages.ui.i18n import money, percent, t

ALL_DAYS, OWN_DAYS = "whole", "own"
PRESETS: Final = {"days30": 30, "days90": 90, "days365": 365}
"""Periods to choose from, in days, besides all of the log and a free one."""
CARDS: Final = ("customers", "buyers", "net", "repeat_rate", "orders", "order_value", "per_customer", "return_rate")
DRAWN_CARDS: Final = 4
"""The first so many of them carry a curve."""
SHARES: Final = ("repeat_rate", "return_rate")
MONEY: Final = ("net", "order_value", "per_customer")
DAYS_OF: Final = ("bucket", "cohort")
SHARES_OF: Final = ("known_rate", "return_rate", "retention", "share", "back_rate")
MONEY_OF: Final = ("paid", "returned", "net", "order_value", "per_customer", "revenue", "value", "mean_value")
CURVES: Final = {name: "known_rate" if name == "repeat_rate" else name for name in CARDS}


def need_cube(dataset: Dataset) -> Cube:
    """Return the sums of a dataset; while they are not there, show the run that makes them."""
    cube = find_cube(dataset)
    label = f"{dataset.name} ({dataset.version})"
    progress.need_result(cube is not None, ["explore", dataset.name], label, t("explore.wait"))
    assert cube is not None
    return cube


@cached(3)
def _part(cube: Cube, channels: tuple[str, ...], countries: tuple[str, ...]) -> CubePart:
    if Cube.read(cube.folder) is None:
        raise ClvError("explore_gone", folder=str(cube.folder))
    return CubePart(cube, channels, countries)


def selection(cube: Cube, filters: Filters) -> Selection:
    """Return the cube's rows of the selected period, channels and countries."""
    return Selection.of(_part(cube, filters.channels, filters.countries), filters.start, filters.end)


@cached(256)
def view(name: str, cube: Cube, filters: Filters) -> pd.DataFrame:
    """Return one view of the selection as a table."""
    return VIEWS[name](selection(cube, filters))


@cached()
def key_figures(cube: Cube, filters: Filters) -> tuple[Figures, Figures | None, int]:
    """Return the key figures, those of the span before where the log holds it, and the days of the span."""
    selected = selection(cube, filters)
    before = selected.before()
    return figures(selected), figures(before) if before else None, selected.days


@cached()
def concentrated(cube: Cube, filters: Filters) -> Concentration:
    """Return how concentrated the net revenue is."""
    return concentration(selection(cube, filters))


def choose(cube: Cube) -> Filters:
    """Let the person choose period, channels and countries; columns that the log lacks are not offered."""
    days = (cube.end - cube.start).days
    of = f"{cube.dataset}_{cube.version}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        periods = [ALL_DAYS, *(name for name, length in PRESETS.items() if length < days), OWN_DAYS]
        names = {name: t(f"explore.period.{name}") for name in periods}
        period = st.segmented_control(
            t("explore.period"),
            periods,
            format_func=names.__getitem__,
            default=ALL_DAYS,
            required=True,
            key=f"explore_period_{of}",
            wrap=True,
            persist_state="session",
        )
        start, end = (cube.end - timedelta(days=PRESETS[period]), cube.end) if period in PRESETS else (None, None)
        if period == OWN_DAYS:
            start, end = _own_days(cube, of)
        selected = {
            column: tuple(
                st.multiselect(
                    t(f"explore.{column}"),
                    options,
                    key=f"explore_{column}_{of}",
                    placeholder=t(f"explore.{column}.all"),
                    persist_state="session",
                    width=160,
                )
            )
            for column, options in (("channels", cube.channels), ("countries", cube.countries))
            if len(options) > 1
        }
    return Filters(start, end, **selected)


def _own_days(cube: Cube, of: str) -> tuple[date, date]:
    last = cube.end - timedelta(days=1)
    days = st.date_input(
        t("explore.days"),
        (cube.start, last),
        cube.start,
        last,
        key=f"explore_days_{of}",
        format="YYYY-MM-DD",
        persist_state="session",
        width=260,
    )
    if not isinstance(days, tuple) or len(days) != 2:  # while the second day is being chosen
        st.stop()
    return days[0], days[1] + timedelta(days=1)


def about(cube: Cube, filters: Filters, compared: int) -> str:
    """Return dataset, period, filters, and what changes are against, in one line.

    ``compared``: days of the span before, 0 where the log does not hold it.
    """
    last = (filters.end or cube.end) - timedelta(days=1)
    words = t(
        "explore.context",
        dataset=widgets.escape(cube.dataset),
        start=i18n.day(filters.start or cube.start),
        end=i18n.day(last),
    )
    filter_words = [widgets.escape(i18n.join_names(part)) for part in (filters.channels, filters.countries) if part]
    against = t("explore.against", days=f"{compared:,}") if compared else t("explore.no_before")
    return " · ".join([words, *filter_words, against])


def headline(figures: Figures, value_share: Concentration) -> str:
    """Return how few hold how much, and how many came back."""
    if not figures.buyers:
        return t("explore.headline.nobody", customers=i18n.count(figures.customers))
    back = percent(figures.repeat_rate or 0.0)
    if value_share.top10 is None:
        return t("explore.headline.no_value", back=back)
    return t("explore.headline", share=percent(value_share.top10), back=back)


def cards(cube: Cube, filters: Filters, figures: Figures, before: Figures | None) -> None:
    """Show the key figures with their change against the span before, and the first with their way through it."""
    table = view("trend", cube, filters)
    complete = table[table["complete"]]
    left_out = {"customers"} if cube.has == ("purchase",) else set()
    left_out |= set() if "return" in cube.has else {"return_rate"}
    names = [name for name in CARDS if name not in left_out]
    with st.grid(4, min_column_width=200, gap="small"):
        for name in names:
            value = getattr(figures, name)
            curve = complete[CURVES[name]].dropna().tolist()
            change = _change(name, value, getattr(before, name) if before else None)
            st.metric(
                t(f"explore.card.{name}"),
                _card_value(name, value, cube.currency),
                change[0] if change else None,
                delta_color=change[1] if change else "off",
                delta_arrow="off",
                help=t("column.orders.help" if name == "orders" else f"explore.card.{name}.help"),
                chart_data=curve if len(curve) > 2 and name in names[:DRAWN_CARDS] else None,
                chart_type="area",
                border=True,
                height="stretch",
            )


def _card_value(name: str, value: float | None, currency: str) -> str:
    if value is None:
        return "–"
    if name in SHARES:
        return percent(value, 1)
    return money(value, currency) if name in MONEY else i18n.count(int(value))


def _change(name: str, now: float | None, then: float | None) -> tuple[str, Any] | None:
    """Return the change in words and its colour; None where there is nothing to compare."""
    if now is None or then is None or (name not in SHARES and then <= 0):
        return None
    change = now - then if name in SHARES else now / then - 1
    words = t("explore.points", change=f"{change * 100:+.1f}") if name in SHARES else f"{change:+.1%}"
    good = change < 0 if name == "return_rate" else change > 0
    return words, "off" if abs(change) < 0.0005 else "green" if good else "orange"


def show_table(cube: Cube, filters: Filters) -> None:
    """Show the table behind a chart, and offer it as a file."""
    views = {name: view(name, cube, filters) for name in VIEWS}
    names = {name: t(f"explore.view.{name}") for name, table in views.items() if not table.empty}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = widgets.select(t("explore.table"), names, "explore_table", width=340)
        table = views[name]
        page_files.download(
            t("explore.download"),
            lambda: page_files.spreadsheet(_with_currency(rounded(table), cube.currency)),
            file_name(cube, name, filters),
            key="explore_download",
        )
    cells.table(_readable(table), names[name], _columns(table, cube.currency), height=260)


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its amounts and shares rounded: not every column name shows its kind."""
    return table.round(dict.fromkeys(MONEY_OF, 2) | dict.fromkeys(SHARES_OF, 4))


def _with_currency(table: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return a table with the currency of its amounts, where it has amounts and they have one."""
    return table.assign(currency=currency) if currency and table.columns.isin(MONEY_OF).any() else table


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the words of the page in place of codes."""
    words = {"step": "explore.step", "after": "explore.after"}
    named = {
        column: table[column].map(lambda code, key=key: t(f"{key}.{code}"))
        for column, key in words.items()
        if column in table
    }
    return table.assign(**named)


def _columns(table: pd.DataFrame, currency: str) -> dict[str, Any]:
    """Return how the columns of a table are named and shown."""
    config, shown = st.column_config, {}
    for column in table.columns:
        label = t(f"explore.column.{column}")
        if column in DAYS_OF:
            shown[column] = config.DateColumn(label, format="YYYY-MM-DD")
        elif column in SHARES_OF:
            shown[column] = config.NumberColumn(label, format="percent")
        elif column in MONEY_OF:
            shown[column] = cells.money(label, currency)
        elif table[column].dtype.kind == "f":
            shown[column] = config.NumberColumn(label, format=cells.EXACT)
        elif table[column].dtype.kind in "iu":
            shown[column] = cells.integer(label)
        else:
            shown[column] = config.Column(label)
    return shown


def file_name(cube: Cube, name: str, filters: Filters) -> str:
    """Return a file name with dataset, view, period and filters."""
    last = (filters.end or cube.end) - timedelta(days=1)
    parts = [cube.dataset, name, str(filters.start or cube.start), str(last), *filters.channels, *filters.countries]
    safe = ("".join(letter if letter.isalnum() or letter in "-." else "-" for letter in part) for part in parts)
    return "_".join(safe)[:150] + ".csv"

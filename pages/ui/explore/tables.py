"""The tables behind the charts of the explore page: shown with the page's words, offered as files with stable names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.features.explore.cube import Cube
from clv_core.features.explore.selection import Filters
from clv_core.features.explore.views import VIEWS
from pages.ui import cells, page_files
from pages.ui.explore import explored
from pages.ui.i18n import t

DAYS_OF: Final = ("bucket", "cohort")
SHARES_OF: Final = ("known_rate", "return_rate", "retention", "share", "back_rate")
MONEY_OF: Final = ("paid", "returned", "net", "order_value", "per_customer", "revenue", "value", "mean_value")


def show(cube: Cube, filters: Filters) -> None:
    """Show the table behind a chart, and offer it as a file."""
    known = {name: explored.view(name, cube.version, filters, cube) for name in VIEWS}
    names = {name: t(f"explore.view.{name}") for name, table in known.items() if not table.empty}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            t("explore.table"), list(names), format_func=names.__getitem__, key="explore_table", width=340
        )
        table = known[name]
        page_files.download(
            t("explore.download"),
            lambda: page_files.spreadsheet(_with_currency(rounded(table), cube.currency)),
            file_name(cube, name, filters),
            key="explore_download",
        )
    cells.table(_readable(table), names[name], _columns(table, cube.currency), height=260)


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its amounts and shares as a person reads them: not all of their names tell what they are."""
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
            shown[column] = cells.whole(label)
        else:
            shown[column] = config.Column(label)
    return shown


def file_name(cube: Cube, name: str, filters: Filters) -> str:
    """Return a file name that says dataset, view, period and filters."""
    last = (filters.end or cube.end) - timedelta(days=1)
    parts = [cube.dataset, name, str(filters.start or cube.start), str(last), *filters.channels, *filters.countries]
    safe = ("".join(letter if letter.isalnum() or letter in "-." else "-" for letter in part) for part in parts)
    return "_".join(safe)[:150] + ".csv"

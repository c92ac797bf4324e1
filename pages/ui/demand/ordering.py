"""The table to order by, as a file too, with how long stock lasts where it is given; how demand did on past dates."""

from __future__ import annotations

import shutil
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.columns import PRODUCT_ID
from clv_core.deployment import Scored, Terms
from clv_core.errors import ClvError
from clv_core.strategy.demand import (
    COVER,
    CUSTOMERS,
    ORDER,
    SIMPLE,
    STOCK,
    Demand,
    ordering_table,
    read_stock,
    unknown_stock,
)
from pages.ui import access, cells, i18n, page_files, received, row_files, session, widgets
from pages.ui.i18n import count, percent, t

MOST_ROWS: Final = 2000
"""Rows that the page shows; the file has all."""
FILES: Final = ("csv", "txt", "tsv", "xlsx", "xls", "jsonl", "parquet")
TEMPLATE: Final = "product_id,stock\nP130,25\n"
ROUND: Final = "demand_stock_round"
"""Session key: which uploader is shown; a file that was read leaves it."""


def show(scored: Scored, made: Demand, weeks: int) -> None:
    """Show the table to order by, and offer it as a file; with stock, how long it lasts and what is missing."""
    stock = _stock(scored.dataset.name)
    table = ordering_table(made, weeks, stock=stock)
    if stock is None:
        _by_week(made, table)
    else:
        _by_product(made, table, stock, weeks)
    row_files.figures(
        scored.model, table, "demand", "download_demand", scored.dataset.log_end, Terms(scored.trained_days)
    )


def _stock(dataset: str) -> pd.Series | None:
    """Ask for a table of stock; return its pieces by product id, None where none is given."""
    key = f"demand_stock_{dataset}"
    held: tuple[str, pd.Series] | ClvError | None = st.session_state.setdefault(key, None)
    if isinstance(held, tuple):
        name, stock = held
        with st.container(horizontal=True, vertical_alignment="center"):
            said = t("demand.stock.read", file=name, products=count(len(stock)))
            st.markdown(f":material/inventory_2: {widgets.escape(said)}", width="content")
            st.button(
                t("demand.stock.remove"),
                key="demand_stock_remove",
                icon=":material/delete:",
                on_click=st.session_state.__setitem__,
                args=(key, None),
            )
        return stock
    with st.expander(t("demand.stock"), icon=":material/inventory_2:", expanded=held is not None):
        st.caption(t("demand.stock.what"))
        if held is not None:
            widgets.show_error(held)
        uploader = f"demand_stock_file_{st.session_state.setdefault(ROUND, 0)}"
        upload = st.file_uploader(t("demand.stock.file"), FILES, key=uploader, **access.if_may("upload"))
        page_files.download(t("demand.stock.template"), TEMPLATE, "stock.csv", "demand_stock_template", type="tertiary")
    if upload is not None:
        st.session_state[key] = _read(upload)
        st.session_state[ROUND] += 1
        st.rerun()
    return None


def _read(upload: UploadedFile) -> tuple[str, pd.Series] | ClvError:
    """Return the name of a table of stock and its pieces by product id, or why it was refused."""
    folder = received.new_folder()
    try:
        (path,) = received.copy([upload], folder)
        return path.name, reader_process.run(session.workspace(), path, read_stock, path)
    except ClvError as error:
        return error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _by_week(made: Demand, table: pd.DataFrame) -> None:
    """Show a row a product and week."""
    columns = {
        **_about(),
        "first": st.column_config.TextColumn(t("forecast.chart.week")),
        "expected": st.column_config.NumberColumn(t("demand.chart.expected"), format="%,.1f"),
        "low": cells.integer(t("segments.column.low")),
        "high": cells.integer(t("segments.column.high")),
        "returns": st.column_config.NumberColumn(t("demand.returns"), format="%,.1f"),
        "net": st.column_config.NumberColumn(t("demand.net"), format="%,.1f"),
        "revenue": cells.money(t("forecast.revenue"), made.currency),
    }
    _show(table, columns)


def _by_product(made: Demand, table: pd.DataFrame, stock: pd.Series, weeks: int) -> None:
    """Show a row a product, those that run out first on top: how long its stock lasts, and how many are missing."""
    by = table.groupby([PRODUCT_ID, "name", "category"], sort=False)
    rows = by.agg({"expected": "sum", STOCK: "first", COVER: "first", ORDER: "sum", "revenue": "sum"}).reset_index()
    known = rows[STOCK].notna()
    rows[ORDER] = np.ceil(rows[ORDER].where(known) - 0.005)  # what is expected is rounded to hundredths
    rows = rows.sort_values(COVER, kind="stable", na_position="last")
    short = rows[rows[ORDER] > 0]
    words = {"products": len(short), "weeks": weeks, "pieces": count(int(short[ORDER].sum()))}
    sentence = t("demand.stock.short", **words) if len(short) else t("demand.stock.enough", weeks=weeks)
    st.markdown(f"**{widgets.escape(sentence)}**")
    columns = {
        **_about(),
        STOCK: cells.integer(t("demand.stock.pieces")),
        COVER: st.column_config.NumberColumn(t("demand.stock.cover"), format="%,.1f"),
        "expected": st.column_config.NumberColumn(t("demand.in_weeks", weeks=weeks), format="%,.1f"),
        ORDER: cells.integer(t("demand.stock.order")),
        "revenue": cells.money(t("demand.revenue_in_weeks", weeks=weeks), made.currency),
    }
    _show(rows, columns)
    notes = [i18n.message_text(note) for note in unknown_stock(made, stock)]
    without = int((~known).sum())
    notes += [t("demand.stock.missing", products=without)] if without else []
    st.caption(widgets.escape(" ".join([t("demand.stock.assumed"), *notes])))


def _about() -> dict[str, Any]:
    """Return how the columns are shown that say which product it is."""
    return {
        PRODUCT_ID: st.column_config.TextColumn(t("demand.product"), pinned=True),
        "name": st.column_config.TextColumn(t("demand.name")),
        "category": st.column_config.TextColumn(t("demand.category")),
    }


def _show(table: pd.DataFrame, columns: dict[str, Any]) -> None:
    """Show the first rows, without the texts that no product has."""
    shown = table.head(MOST_ROWS)
    texts = [name for name in ("name", "category") if not (table[name] != "").any()]
    cells.table(shown[[name for name in columns if name not in texts]], t("demand.order"), columns, key="demand_order")
    if len(table) > len(shown):
        st.caption(t("demand.order.more", shown=count(len(shown)), rows=count(len(table))))


def tests(made: Demand) -> None:
    """Show by past date how far products' sales were off, by what was shown and by the simple methods."""
    tested = [test for test in made.tests if test.value > 0]
    if not tested:
        st.markdown(t("forecast.past.none"))
        return
    methods = [name for name in (CUSTOMERS, *SIMPLE) if any(name in test.errors for test in tested)]
    if all(test.share_off(CUSTOMERS) == test.share_off() for test in tested):
        methods.remove(CUSTOMERS)  # it is what was shown
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
    shares = ["shown", *methods, "weekly", "inside"]
    share: dict[str, Any] = {"format": "percent"}
    columns = {
        "cutoff": st.column_config.TextColumn(t("forecast.past.date"), pinned=True),
        "units": cells.integer(t("demand.past.came")),
        "shown": st.column_config.NumberColumn(t("demand.past.shown"), help=t("demand.past.help"), **share),
        **{name: st.column_config.NumberColumn(t(f"demand.method.{name}"), **share) for name in methods},
        "weekly": st.column_config.NumberColumn(t("demand.past.weekly"), **share),
        "inside": st.column_config.NumberColumn(t("demand.past.inside"), **share),
    }
    cells.table(
        cells.filled(rows.astype(dict.fromkeys(shares, "float64")).round(dict.fromkeys(shares, 3)), columns),
        t("forecast.past"),
        columns,
        key="demand_tests",
    )

"""A table that a page shows, as files: CSV and workbook, with what they rest on beside them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.strategy.export import Side
from clv_core.strategy.files import XLSX_ROWS
from clv_core.strategy.tables import write_rows
from pages.ui import state, widgets
from pages.ui.state import t


def offer(
    dataset: Dataset,
    bundle: Bundle,
    what: str,
    key: str,
    make: Callable[[str], tuple[pd.DataFrame, Side]],
    *,
    most: int = 0,
) -> None:
    """Offer a table as CSV and workbook; an untrusted model has to be acknowledged first.

    Args:
        dataset: what it is about.
        bundle: the model.
        what: the table, in the name of the file.
        key: of the buttons.
        make: returns the table and what is said of it in a language, when a button is pressed.
        most: rows at most; no workbook is offered of more than one holds.
    """
    allowed = widgets.acknowledged(bundle)
    many = most > XLSX_ROWS
    if many:
        st.caption(t("recommend.xlsx.many", rows=f"{XLSX_ROWS:,}"))
    with st.container(horizontal=True):
        for ending in ("csv", "xlsx"):
            name = widgets.file_name(bundle, what, dataset.log_end, ending)
            widgets.download(
                t("segments.download", format=t(f"export.{ending}")),
                _writer(make, name),
                name,
                f"download_{key}_{ending}",
                disabled=not allowed or (many and ending == "xlsx"),
                type="primary" if ending == "csv" else "secondary",
            )


def _writer(make: Callable[[str], tuple[pd.DataFrame, Side]], name: str) -> Callable[[], bytes]:
    """Return what writes a file; workspace and language are those of now, as the press is answered without a page."""
    work, language = state.workspace(), state.language()

    def write() -> bytes:
        rows, side = make(language)
        return write_rows(work, rows, work.exports / name, side).files[0].read_bytes()

    return write

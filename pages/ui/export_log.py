"""The export log as a table: who exported what, when, and how many customers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from clv_core.strategy.exported import export_log
from pages.ui import state, widgets
from pages.ui.state import name_of, t


def show() -> None:
    """Show the log, the newest first, and offer it as a file."""
    entries = export_log(state.workspace())
    if not entries:
        st.caption(t("exporting.log.none"))
        return
    last = entries[0]
    st.markdown(t("exporting.log.count", lists=len(entries), rows=last["rows"], when=state.moment(last["made"])))
    table = pd.DataFrame([_row(entry) for entry in entries])
    count = {t("column.export_rows"): st.column_config.NumberColumn(format="localized")}
    st.dataframe(table, hide_index=True, column_config=count, alt=t("exporting.log"), height="auto")
    widgets.download(t("exporting.log.download"), widgets.spreadsheet(table), "export-log.csv", "download_log")


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        t("column.export_when"): state.moment(entry["made"]),
        t("column.export_who"): entry.get("who", ""),
        t("column.export_what"): name_of("export", entry["format"]),
        t("column.export_rows"): entry["rows"],
        t("column.export_segment"): entry["segment"] or t("exporting.segment.all"),
        t("column.dataset"): entry["dataset"],
        t("column.model"): entry["model"],
        t("column.export_files"): ", ".join(entry["files"]),
    }

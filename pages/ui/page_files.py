"""Files that a person saves from a page: tables that a spreadsheet opens, their types, and the button for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.strategy.audiences.readable_columns import counted, headed, rounded, significant, with_currency
from clv_core.strategy.audiences.spreadsheet_safety import inert_csv
from pages.ui import access
from pages.ui.i18n import t

OFFICE: Final = "application/vnd.openxmlformats-officedocument"
TYPES: Final = {
    "csv": "text/csv",
    "gz": "application/gzip",
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "log": "text/plain",
    "md": "text/markdown",
    "pptx": f"{OFFICE}.presentationml.presentation",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""What a file is, by its ending: a phone opens it by that."""


def spreadsheet(frame: pd.DataFrame, currency: str = "", *, mixed: bool = False, language: str = "") -> bytes:
    """Return a frame as a CSV that a spreadsheet opens without running anything.

    Args:
        frame: any columns.
        currency: of its amounts.
        mixed: whether the names of its columns do not tell what their numbers are of.
        language: of the headers; "" for ids.
    """
    readable = significant(frame) if mixed else rounded(frame)
    return inert_csv(headed(counted(with_currency(readable, currency)), language))


def stamped(frame: pd.DataFrame, bundle: Bundle, as_of: date | str, terms: Terms | None = None) -> pd.DataFrame:
    """Return a table with what its numbers speak of at its end, so that the file says it under any other name too.

    Args:
        frame: any columns.
        bundle: the model.
        as_of: the cutoff.
        terms: horizon with discount and margin; None is the trained horizon.
    """
    trained = bundle.record["horizon_days"]
    terms = terms or Terms(trained)
    about = {"dataset": bundle.record["dataset"]["name"], "as_of": str(as_of)[:10], "horizon_days": terms.horizon_days}
    rates = {"discount_rate": terms.discount_rate, "margin_rate": terms.margin_rate}
    return frame.assign(**about, **({} if terms.plain(terms.horizon_days) else rates), model=bundle.id)


def download(label: str, data: str | bytes | Callable[[], bytes | str], name: str, key: str, **options: Any) -> None:
    """Offer a file, to those who may have it; the page is not drawn again for it."""
    if not access.may_take(key):
        options |= {"disabled": True, "help": t("access.no_export")}
        data = ""
    elif callable(data):
        data = access.as_current_user(data)
    kind = TYPES.get(name.rpartition(".")[2])
    st.download_button(label, data, name, kind, key=key, icon=":material/download:", on_click="ignore", **options)

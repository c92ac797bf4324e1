"""Files that a person saves from a page: their names, tables that a spreadsheet opens, and the button for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Bundle, Terms
from clv_core.i18n import has
from clv_core.strategy.audiences import counted, headed, inert_csv, rounded, significant, with_currency
from pages.ui import access, session
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
LONGEST: Final = 80
"""Characters of a name with its ending."""
FORBIDDEN: Final = re.compile(r"[\\/:*?\"<>|\s]+")
"""Signs that a file system or a spreadsheet does not take in a name."""
_NUMBERED: Final = re.compile(r"([a-z]+)(\d+)")


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
    """Return a table with the context of its numbers in the last columns, so that a renamed file keeps it.

    Without ``terms`` they are those of the trained horizon.
    """
    trained = bundle.record.horizon_days
    terms = terms or Terms(trained)
    name, horizon_days = bundle.record.dataset.name, terms.horizon_days
    rates = {"discount_rate": terms.discount_rate, "margin_rate": terms.margin_rate}
    assumed = {} if terms.plain(horizon_days) else rates
    return frame.assign(dataset=name, as_of=str(as_of)[:10], horizon_days=horizon_days, **assumed, model=bundle.id)


def download(label: str, data: str | bytes | Callable[[], bytes | str], name: str, key: str, **options: Any) -> None:
    """Offer a file, to those who may have it; the page is not drawn again for it."""
    if not access.may_take(key):
        options |= {"disabled": True, "help": t("access.no_export")}
        data = ""
    elif callable(data):
        data = access.as_current_user(data)
    kind = TYPES.get(name.rpartition(".")[2])
    st.download_button(label, data, name, kind, key=key, icon=":material/download:", on_click="ignore", **options)


def file_name(
    bundle: Bundle, what: str, as_of: date | str, ending: str, terms: Terms | None = None, mark: str = ""
) -> str:
    """Return ``<dataset>_<what>_<cutoff>_<horizon>.<ending>``, of at most :data:`LONGEST` characters.

    Model and version are in the file's side file, or on the second sheet of a workbook.

    Args:
        bundle: the model.
        what: the content, in words with hyphens between them.
        as_of: the cutoff.
        ending: without a full stop.
        terms: horizon with discount and margin; None is the trained horizon.
        mark: suffix of files that would otherwise share the name.
    """
    record = bundle.record
    rest = [str(as_of)[:10], (terms or Terms(record.horizon_days)).mark, *([mark] if mark else [])]
    room = LONGEST - len("_".join(["", "", *rest])) - len(f".{ending}")
    words, name = spoken(what), FORBIDDEN.sub("-", record.dataset.name)
    name = _cut(name, max(room - len(words), room // 2))
    return "_".join([name, _cut(words, room - len(name)), *rest]) + f".{ending}"


def dated(what: str, ending: str) -> str:
    """Return ``<what>_<today>.<ending>``, for a file about the workspace."""
    return f"{spoken(what)}_{datetime.now(UTC):%Y-%m-%d}.{ending}"


def spoken(what: str) -> str:
    """Return the words of a file's content in the language of the page; what has no word there stays."""
    return FORBIDDEN.sub("-", "-".join(map(_word, what.split("-"))))


def _word(token: str) -> str:
    numbered = _NUMBERED.fullmatch(token)
    word, number = numbered.groups() if numbered else (token, "")
    return t(f"file.{word}") + number if has(f"file.{word}", session.language()) else token


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rstrip("-_. ")

"""Lists and tables as files: their names, the buttons that make them, and their side files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.privacy import SuppressionList
from clv_core.deployment import Bundle, Terms
from clv_core.strategy.audiences import XLSX_ROWS, Exported, Side, write_rows
from pages.ui import page_files, session, verdict
from pages.ui.i18n import t
from pages.ui.page_files import file_name

LONGEST_ENDING: Final = "parquet"
"""Of the files that a list can be."""


def stem(bundle: Bundle, what: str, side: Side, terms: Terms | None = None, *marks: str) -> str:
    """Return the name of a list's files without their ending; two lists that differ do not share one.

    Args:
        bundle: the model.
        what: the list, in a word.
        side: what its numbers mean, and which customers were selected.
        terms: of the values; None is the trained horizon.
        marks: what else it depends on, besides the suppression list.
    """
    parts = "\n".join([side.mark, session.suppression_list().mark, *marks])
    digest = hashlib.sha256(parts.encode()).hexdigest()[:6]
    return file_name(bundle, what, side.cutoff, LONGEST_ENDING, terms, digest).removesuffix(f".{LONGEST_ENDING}")


def offer(
    name: str, key: str, write: Callable[[Path], Exported], *, allowed: bool, most: int = 0, suppressed: int = 0
) -> None:
    """Offer a list as CSV and workbook, and what its numbers mean.

    Args:
        name: of its files, without the ending (:func:`stem`).
        key: of the buttons.
        write: writes it by the ending of the path and notes it in the export log, when a button is pressed.
        allowed: whether it may be made at all.
        most: rows at most; no workbook is offered of more than one holds.
        suppressed: how many of the selected customers are left out, as they are on the suppression list.
    """
    folder, many = session.workspace().place("exports"), most > XLSX_ROWS
    if many:
        st.caption(t("recommend.xlsx.many", rows=f"{XLSX_ROWS:,}"))
    if suppressed:
        st.caption(t("exporting.left_out", reasons=reasons({"suppressed": suppressed})))

    def described() -> bytes:
        side_file = folder / f"{name}.csv.json"
        return (side_file if side_file.is_file() else write(folder / f"{name}.csv").side_file).read_bytes()

    with st.container(horizontal=True):
        for ending in ("csv", "xlsx"):
            path = folder / f"{name}.{ending}"
            page_files.download(
                t("segments.download", format=t(f"export.{ending}")),
                partial(_written, write, path),
                path.name,
                f"download_{key}_{ending}",
                disabled=not allowed or (many and ending == "xlsx"),
                type="primary" if ending == "csv" else "secondary",
            )
        side_name = f"{name}.csv.json"
        page_files.download(t("exporting.side"), described, side_name, f"download_{key}_side", disabled=not allowed)


def _written(write: Callable[[Path], Exported], path: Path) -> bytes:
    return write(path).files[0].read_bytes()


def table(
    bundle: Bundle,
    what: str,
    key: str,
    side: Side,
    make: Callable[[], pd.DataFrame],
    *,
    most: int = 0,
    suppressed: int = 0,
) -> None:
    """Offer a table of any columns; an untrusted model has to be acknowledged first.

    Args:
        bundle: the model.
        what: the table, in the name of the file.
        key: of the buttons.
        side: what its numbers mean.
        make: returns the table, when a button is pressed, after the page's run.
        most: rows at most.
        suppressed: how many customers are left out, as they are on the suppression list.
    """
    work, allowed, language = session.workspace(), verdict.is_acknowledged(bundle), session.language()

    def write(path: Path) -> Exported:
        return write_rows(work, make(), path, side, language=language)

    offer(stem(bundle, what, side), key, write, allowed=allowed, most=most, suppressed=suppressed)


def figures(
    bundle: Bundle,
    rows: pd.DataFrame,
    what: str,
    key: str,
    as_of: date,
    terms: Terms | None = None,
    *,
    is_past: bool = False,
    label: str = "",
) -> None:
    """Offer a table of figures as a CSV; an untrusted model has to be acknowledged first.

    Args:
        bundle: the model.
        rows: the table.
        what: the table, in the name of the file.
        key: of the button.
        as_of: the cutoff.
        terms: of the values; None is the trained horizon.
        is_past: what came is no prediction, and needs no acknowledgement.
        label: of the button; "" says that it is a table.
    """
    allowed = is_past or verdict.is_acknowledged(bundle)
    label, name = label or t("segments.download.table"), file_name(bundle, what, as_of, "csv", terms)
    table, currency = page_files.stamped(rows, bundle, as_of, terms), bundle.record.currency
    page_files.download(label, lambda: page_files.spreadsheet(table, currency), name, key, disabled=not allowed)


def made(exported: Exported, key: str) -> None:
    """Offer the files of a list that is written, and what its numbers mean."""
    with st.container(horizontal=True):
        for place, file in enumerate(exported.files, 1):
            several = len(exported.files) > 1
            label = t("exporting.part", part=place, parts=len(exported.files)) if several else t("exporting.download")
            page_files.download(label, file.read_bytes(), file.name, f"{key}_file_{place}", type="primary")
        page_files.download(
            t("exporting.side"), exported.side_file.read_bytes(), exported.side_file.name, f"{key}_side"
        )


@st.cache_resource(max_entries=4, show_spinner=False)
def stopped(mark: str, _customers: pd.DataFrame, _stop: SuppressionList) -> np.ndarray:
    """Return which customers are on the suppression list, bool [n]; the mark names both."""
    return _stop.hides(_customers).to_numpy()


def reasons(left_out: dict[str, int]) -> str:
    """Return how many customers are not in a list, by reason, as part of a sentence."""
    mark, colon = ("；", "：") if session.language() == "zh" else ("; ", ": ")
    return mark.join(f"{t(f'export.left_out.{reason}')}{colon}{count:,}" for reason, count in left_out.items())

"""A list as a workbook that spreadsheets open without surprises, with what it means on a second sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused
from clv_core.i18n import room
from clv_core.strategy.exports.about import about_facts
from clv_core.strategy.exports.headers import answered, headed, header
from clv_core.strategy.exports.readable import counted, rounded
from clv_core.strategy.exports.spreadsheet import escape, escape_frame
from clv_core.workspace import atomic_path

XLSX_ROWS: Final = 1_048_575
"""Rows that a worksheet holds below its header."""
XLSX_CHARACTERS: Final = 32_767
NARROWEST: Final = 12
WIDEST: Final = 48
"""Letters that a column of a workbook has room for, at least and at most."""
LOOKED_AT: Final = 100
"""Rows of it that say how wide a column must be."""


def write_xlsx(frame: pd.DataFrame, path: Path, about: dict[str, Any], language: str = "") -> Path:
    """Write a workbook: the list (text inert, ids as text, frozen header, filter), and what it means on a second sheet.

    Args:
        frame: any columns.
        path: to write.
        about: what is said on the second sheet, by id (:func:`~clv_core.strategy.exports.about.about_facts`).
        language: of headers and names, "" for ids.

    Returns:
        ``path``.

    Raises:
        Refused: more rows, or a longer text, than a worksheet holds.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    if len(frame) > XLSX_ROWS:
        raise Refused("xlsx_too_many_rows", rows=len(frame), most=XLSX_ROWS)
    cells = escape_frame(headed(answered(counted(rounded(frame)), language), language))
    texts = cells.select_dtypes(["object", "str"])
    for name in texts:
        if (texts[name].astype("str").str.len() > XLSX_CHARACTERS).any():
            raise Refused("xlsx_long_text", column=str(name), most=XLSX_CHARACTERS)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with atomic_path(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), options)
        bold = book.add_format({"bold": True})
        formats = {
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "number": book.add_format({"num_format": "0.00"}),
            "fine": book.add_format({"num_format": "0.00####"}),
        }
        kind = "customers_sheet" if CUSTOMER_ID in frame else "table_sheet"
        sheet = book.add_worksheet(header(kind, language).removesuffix("_sheet"))
        for position, name in enumerate(cells.columns):
            sheet.write_string(0, position, str(name), bold)
            _write_column(sheet, position, cells.iloc[:, position], formats)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(cells), max(len(cells.columns) - 1, 0))
        for position, width in enumerate(_widths(cells)):
            sheet.set_column(position, position, width)
        second = book.add_worksheet(header("about_sheet", language).removesuffix("_sheet"))
        facts = about_facts(about, language)
        long = book.add_format({"text_wrap": True, "valign": "top", "align": "left"})
        names = escape(pd.Series(list(facts), dtype="str"))
        values = escape(pd.Series(list(facts.values()), dtype="object"))
        for row, (name, value) in enumerate(zip(names, values, strict=True)):
            second.write_string(row, 0, name, long)
            write = second.write_string if isinstance(value, str) else second.write_number
            write(row, 1, value, long)
        second.set_column(0, 0, 24)
        second.set_column(1, 1, WIDEST)
        book.close()
    return path


def _write_column(
    sheet: Any, position: int, column: pd.Series[Any], formats: dict[str, Any], first_row: int = 1
) -> None:
    """Write one column cell by cell, as what it is; missing cells stay blank."""
    known = np.flatnonzero(column.notna().to_numpy())
    values = column.iloc[known]
    if pd.api.types.is_datetime64_any_dtype(column):
        for row, value in zip(known.tolist(), values.dt.to_pydatetime(), strict=True):
            sheet.write_datetime(first_row + row, position, value, formats["day"])
    elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        look = formats["number" if (values.round(2) == values).all() else "fine"]
        look = look if pd.api.types.is_float_dtype(column) else None
        for row, value in zip(known.tolist(), values.tolist(), strict=True):
            if np.isfinite(value):
                sheet.write_number(first_row + row, position, value, look)
    else:
        for row, value in zip(known.tolist(), values.tolist(), strict=True):
            sheet.write_string(first_row + row, position, str(value))


def _widths(cells: pd.DataFrame) -> list[int]:
    """Return how wide each column must be to be read, by its name and its first cells."""
    widths = []
    for position, name in enumerate(cells.columns):
        first = cells.iloc[:LOOKED_AT, position].dropna().astype("str")
        longest = max(sum(map(room, text)) for text in (str(name), *first))
        widths.append(min(max(longest + 2, NARROWEST), WIDEST))
    return widths

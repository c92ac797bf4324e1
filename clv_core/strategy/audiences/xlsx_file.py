"""A list as an Excel workbook, with what it means on a second sheet.

The side file of an export has the same facts for programs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused
from clv_core.i18n import DEFAULT_LANGUAGE, has, room, say_change, say_clauses, translate
from clv_core.records import JsonObject
from clv_core.strategy.audiences.readable_columns import IDS, for_people, header
from clv_core.strategy.audiences.spreadsheet_safety import escape, escape_frame
from clv_core.strategy.plans.offers import ALL_TIERS, Effect
from clv_core.workspace import atomic_path

XLSX_ROWS: Final = 1_048_575
"""Rows that a worksheet holds below its header."""
XLSX_CHARACTERS: Final = 32_767
MIN_WIDTH: Final = 12
MAX_WIDTH: Final = 48
"""Characters that a column has room for."""
SAMPLED_ROWS: Final = 100
"""Rows by which a column's width is chosen."""
Cell = str | int | float


def write_xlsx(frame: pd.DataFrame, path: Path, about: JsonObject, language: str = "") -> Path:
    """Write a workbook: the list (text inert, ids as text, frozen header, filter), and what it means on a second sheet.

    Args:
        frame: any columns.
        path: to write.
        about: facts of the second sheet by id, as JSON types (:attr:`clv_core.strategy.audiences.export.Side.about`).
        language: of headers and names, "" for ids.

    Returns:
        ``path``.

    Raises:
        Refused: more rows, or a longer text, than a worksheet holds.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    if len(frame) > XLSX_ROWS:
        raise Refused("xlsx_too_many_rows", rows=len(frame), most=XLSX_ROWS)
    cells = escape_frame(for_people(frame, language))
    texts = cells.select_dtypes(["object", "str"])
    for name in texts:
        if (texts[name].astype("str").str.len() > XLSX_CHARACTERS).any():
            raise Refused("xlsx_long_text", column=str(name), most=XLSX_CHARACTERS)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with atomic_path(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), options)
        kind = "customers_sheet" if CUSTOMER_ID in frame else "table_sheet"
        _write_list(book, header(kind, language).removesuffix("_sheet"), cells)
        _write_facts(book, header("about_sheet", language).removesuffix("_sheet"), about_facts(about, language))
        book.close()
    return path


def about_facts(about: JsonObject, language: str) -> dict[str, Cell]:
    """Return the facts as a person reads them, by their names, without those that are empty.

    Args:
        about: facts by id, as JSON types (:attr:`clv_core.strategy.audiences.export.Side.about`).
        language: of names and words; "" for ids and English words.
    """
    words = language or DEFAULT_LANGUAGE
    facts = {_fact_name(fact, language): _fact_cell(fact, value, words) for fact, value in about.items()}
    return {name: value for name, value in facts.items() if value != ""}


def _write_list(book: Any, name: str, cells: pd.DataFrame) -> None:
    """Add the sheet of the list: bold frozen header, filter, columns as wide as their first cells."""
    bold = book.add_format({"bold": True})
    kinds = {"day": "yyyy-mm-dd", "number": "0.00", "fine": "0.00####"}
    formats = {kind: book.add_format({"num_format": format}) for kind, format in kinds.items()}
    sheet = book.add_worksheet(name)
    for position, column in enumerate(cells.columns):
        sheet.write_string(0, position, str(column), bold)
        _write_column(sheet, position, cells.iloc[:, position], formats)
        first = cells.iloc[:SAMPLED_ROWS, position].dropna().astype("str")
        longest = max(sum(map(room, text)) for text in (str(column), *first))
        sheet.set_column(position, position, min(max(longest + 2, MIN_WIDTH), MAX_WIDTH))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(cells), max(len(cells.columns) - 1, 0))


def _write_column(sheet: Any, position: int, column: pd.Series[Any], formats: JsonObject) -> None:
    """Write the cells of a column by their type, below the header; missing cells stay blank."""
    rows = np.flatnonzero(column.notna().to_numpy())
    values = column.iloc[rows]
    if pd.api.types.is_datetime64_any_dtype(column):
        for row, value in zip(rows.tolist(), values.dt.to_pydatetime(), strict=True):
            sheet.write_datetime(1 + row, position, value, formats["day"])
    elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        format = formats["number" if (values.round(2) == values).all() else "fine"]
        format = format if pd.api.types.is_float_dtype(column) else None
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            if np.isfinite(value):
                sheet.write_number(1 + row, position, value, format)
    else:
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            sheet.write_string(1 + row, position, str(value))


def _write_facts(book: Any, name: str, facts: dict[str, Cell]) -> None:
    sheet = book.add_worksheet(name)
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "align": "left"})
    names = escape(pd.Series(list(facts), dtype="str"))
    values = escape(pd.Series(list(facts.values()), dtype="object"))
    for row, (fact, value) in enumerate(zip(names, values, strict=True)):
        sheet.write_string(row, 0, fact, wrapped)
        write = sheet.write_string if isinstance(value, str) else sheet.write_number
        write(row, 1, value, wrapped)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, MAX_WIDTH)


def _fact_name(fact: str, language: str) -> str:
    """Return the name of a fact; some have another than a column of the same id."""
    key = f"about.{fact}"
    return translate(key, language) if language not in IDS and has(key, language) else header(fact, language)


def _fact_cell(fact: str, value: Any, language: str) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return translate("about.yes" if value else "about.no", language)
    if isinstance(value, int | float):
        return value
    if fact == "offers":
        return say_clauses(map(str, (_offer(one, language) for one in value)), language)
    if fact == "price_changes":
        changes = ({**one, "change": say_change(one["change"], 1)} for one in value)
        return say_clauses((translate("about.price_change", language, **one) for one in changes), language)
    return str(value)


def _offer(offer: JsonObject, language: str) -> str:
    """Return an offer (:meth:`clv_core.strategy.plans.offers.Offer.to_json`) in words."""
    parts = [translate("about.offer.cost", language, cost=f"{offer['cost']:,.10g}")]
    for tier, effect in offer.get("effects", {}).items():
        key = "about.offer.effect" if int(tier) == ALL_TIERS else "about.offer.effect_on"
        parts.append(translate(key, language, tier=int(tier), effect=str(Effect(**effect))))
    if offer.get("capacity") is not None:
        parts.append(translate("about.offer.capacity", language, capacity=offer["capacity"]))
    return translate("about.offer", language, name=offer["name"], said=("，" if language == "zh" else ", ").join(parts))

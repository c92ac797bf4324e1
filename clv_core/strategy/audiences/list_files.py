"""Writing lists: as a CSV, a workbook or Parquet, and as a CSV in parts as a platform reads it.

A workbook explains the list on a second sheet; the side file of an export has the same facts for programs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, has, room, say_change, say_clauses, translate
from clv_core.records import JsonObject
from clv_core.strategy.audiences.readable_columns import CURRENCY, IDS, for_people, header, with_currency
from clv_core.strategy.audiences.spreadsheet_safety import escape, escape_frame
from clv_core.strategy.plans.offers import ALL_TIERS, Effect
from clv_core.workspace import atomic_path, read_json

ENDINGS: Final = (".csv", ".xlsx", ".parquet")
"""Of files that hold any columns."""
LINE_END: Final = "\r\n"
"""As RFC 4180 and spreadsheets have it; it also makes the writer quote cells that hold a bare carriage return."""
XLSX_ROWS: Final = 1_048_575
"""Rows that a worksheet holds below its header. Source: Microsoft, Excel specifications and limits."""
XLSX_CHARACTERS: Final = 32_767
"""Characters that a cell of a worksheet holds. Source: Microsoft, Excel specifications and limits."""
MIN_WIDTH, MAX_WIDTH = 12, 48
"""Characters that a column has room for."""
SAMPLED_ROWS: Final = 100
"""Rows by which a column's width is chosen."""
Cell = str | int | float


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor XLSX nor Parquet.

    Raises:
        UsageError: another ending.
    """
    if path.suffix not in ENDINGS:
        raise UsageError("segment_out", path=path.name, endings=list(ENDINGS))


def write_any(frame: pd.DataFrame, path: Path, ending: str, about: JsonObject, language: str = "") -> Path:
    """Write any columns as one of :data:`ENDINGS`, with the currency in a column of its own where there are amounts.

    Args:
        frame: any columns.
        path: to write.
        ending: what it is written as.
        about: facts by id, ``currency`` one of them; all of them go to a workbook's second sheet.
        language: of the headers and words of CSV and workbook, "" for ids, which Parquet keeps in any case.

    Returns:
        ``path``.

    Raises:
        Refused: more rows, or a longer text, than a worksheet holds.
    """
    frame = with_currency(frame, str(about.get(CURRENCY) or ""))
    if ending == ".csv":
        return write_csv(frame, path, language)
    if ending == ".xlsx":
        return write_xlsx(frame, path, about, language)
    with atomic_path(path) as temporary:
        frame.to_parquet(temporary, index=False)
    return path


def write_csv(frame: pd.DataFrame, path: Path, language: str = "") -> Path:
    """Write a CSV for spreadsheets: UTF-8 with a byte order mark, text inert, days as ISO dates, amounts rounded.

    Headers are in ``language``, "" for ids.

    Returns:
        ``path``.
    """
    days = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    frame = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})
    with atomic_path(path) as temporary:
        escape_frame(for_people(frame, language)).to_csv(
            temporary, index=False, encoding="utf-8-sig", lineterminator=LINE_END
        )
    return path


def write_csv_parts(
    frame: pd.DataFrame, path: Path, largest_file: int | None, header: bool = True, most_rows: int | None = None
) -> tuple[Path, ...]:
    """Write a CSV for a platform: UTF-8, bytes as they are; what is too large in several files of one shape.

    Args:
        frame: the platform's columns.
        path: to write.
        largest_file: bytes that one file may hold; None is no limit.
        header: whether each file names its columns.
        most_rows: rows that one file may hold, the header not counted; None is no limit.

    Returns:
        ``path``, or ``path`` with ``-1``, ``-2``, ... before its ending.
    """
    parts = _parts(frame, largest_file, header, most_rows)
    if len(parts) == 1:
        paths = [path]
    else:
        paths = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, len(parts) + 1)]
    for target, content in zip(paths, parts, strict=True):
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return tuple(paths)


def remove_earlier_parts(path: Path, files: tuple[Path, ...]) -> None:
    """Remove the files of an earlier list of the same path, as its side files name them, but for ``files``.

    They may hold customers who must not be in the list any more.
    """
    pattern = re.compile(rf"{re.escape(path.stem)}(-\d+)?{re.escape(path.suffix)}")
    for first in (path, path.with_name(f"{path.stem}-1{path.suffix}")):
        side = first.with_name(first.name + ".json")
        try:
            earlier = read_json(side)["files"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # no side file of ours
            continue
        for name in {str(name) for name in earlier} - {file.name for file in files}:
            if pattern.fullmatch(name):
                path.with_name(name).unlink(missing_ok=True)
        if first not in files:
            side.unlink()


def _parts(frame: pd.DataFrame, largest_file: int | None, header: bool, most_rows: int | None) -> list[bytes]:
    if most_rows is None or len(frame) <= most_rows:
        content = frame.to_csv(index=False, header=header, lineterminator=LINE_END).encode("utf-8")
        if largest_file is None or len(content) <= largest_file or len(frame) < 2:
            return [content]
    halves = np.array_split(np.arange(len(frame)), 2)
    return [part for half in halves for part in _parts(frame.iloc[half], largest_file, header, most_rows)]


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
        return say_clauses(map(str, (_offer(item, language) for item in value)), language)
    if fact == "price_changes":
        changes = ({**item, "change": say_change(item["change"], 1)} for item in value)
        return say_clauses((translate("about.price_change", language, **item) for item in changes), language)
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

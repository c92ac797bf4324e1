"""Writing lists: CSV and XLSX that spreadsheets open without surprises, Parquet, and CSV as a platform reads it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Refused, UsageError
from clv_core.strategy.exports.about import about_facts
from clv_core.strategy.exports.headers import answered, headed, header
from clv_core.strategy.exports.spreadsheet import escape, escape_frame
from clv_core.workspace import atomic_path, read_json

CURRENCY: Final = "currency"
ENDINGS: Final = (".csv", ".xlsx", ".parquet")
"""Of files that hold any columns."""
XLSX_ROWS: Final = 1_048_575
"""Rows that a worksheet holds below its header."""
XLSX_CHARACTERS: Final = 32_767
NARROWEST: Final = 12
WIDEST: Final = 48
"""Letters that a column of a workbook has room for, at least and at most."""
LOOKED_AT: Final = 100
"""Rows of it that say how wide a column must be."""
LINE_END: Final = "\r\n"
"""As RFC 4180 and spreadsheets have it; it also makes the writer quote cells that hold a bare carriage return."""


MONEY: Final = re.compile(
    r"(^|_)(clv|value|price|cost|costs|gain|spend|revenue|amount|budget|profit|predicted|actual|base|margin)(_|$)"
)
SHARE: Final = re.compile(r"^p_|(^|_)(probability|chance|share|rate|ratio)(_|$)")
"""Columns of amounts, and of probabilities and other shares, by their names."""
END: Final = re.compile(r"(^|_)(low|high)$")
"""Ends of an interval: they are of whatever the column before them is of."""


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with amounts to 2 decimals and probabilities to 4, as a person reads them; all else as it is.

    Amounts that are all below 1 keep three digits that say something.
    """
    places, said = {}, ""
    for name in frame.select_dtypes("float"):
        own = any(kind.search(str(name)) for kind in (MONEY, SHARE))
        said = said if END.search(str(name)) and not own else str(name)
        if SHARE.search(said):
            places[name] = 4
        elif MONEY.search(said):
            largest = float(frame[name].abs().max())
            places[name] = 2 if not 0 < largest < 1 else 2 - math.floor(math.log10(largest))
    return frame.round(places) if places else frame


def significant(frame: pd.DataFrame, digits: int = 6) -> pd.DataFrame:
    """Return a frame whose numbers keep so many digits that say something, for columns whose unit no name tells.

    Shares and amounts may stand in one column, and parts add up to a whole as they did.
    """
    floats = frame.select_dtypes("float")
    return frame.assign(**{str(name): floats[name].map(lambda value: float(f"{value:.{digits}g}")) for name in floats})


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of whole numbers are integers, of which some may be missing; money stays as it is.

    A count that is missing for some (days since a purchase, of those who never bought) is else read as 4.0 and 4.00.
    """
    whole = {}
    for name in frame.select_dtypes("float"):
        known = frame[name].dropna()
        measured = any(kind.search(str(name)) for kind in (MONEY, SHARE, END))
        if len(known) and not measured and (known % 1 == 0).all():
            whole[name] = "Int64"
    return frame.astype(whole) if whole else frame


def with_currency(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return a table of amounts with the column ``currency`` at its end, so that the file says it wherever it goes.

    Args:
        frame: any columns; as it is where none is an amount, or one says the currency already.
        currency: of the log; nothing is said where it has no name.
    """
    known = not currency or CURRENCY in frame
    return frame if known or not any(_is_amount(frame, name) for name in frame) else frame.assign(currency=currency)


def _is_amount(frame: pd.DataFrame, name: Any) -> bool:
    """Say whether a column is of amounts; an interval's ends alone do not tell, they may be of anything."""
    said = MONEY.search(str(name)) and not SHARE.search(str(name))
    return bool(said) and pd.api.types.is_float_dtype(frame[name])


def check_ending(path: Path) -> None:
    """Refuse a file that is neither CSV nor XLSX nor Parquet.

    Raises:
        UsageError: another ending.
    """
    if path.suffix not in ENDINGS:
        raise UsageError("segment_out", path=path.name, endings=list(ENDINGS))


def write_any(frame: pd.DataFrame, path: Path, ending: str, about: dict[str, Any], language: str = "") -> Path:
    """Write any columns as one of :data:`ENDINGS`; ``about`` goes into a workbook, the others have no place for it.

    The currency that ``about`` names stands in a column of its own beside amounts.

    Args:
        frame: any columns.
        path: to write.
        ending: what it is written as.
        about: what the workbook says of itself.
        language: of the headers of what a person opens (:func:`~clv_core.strategy.exports.headers.headed`); "" for ids,
            which Parquet keeps in any case.

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

    Args:
        frame: any columns.
        path: to write.
        language: of the headers, "" for ids.

    Returns:
        ``path``.
    """
    with atomic_path(path) as temporary:
        escape_frame(headed(answered(_days_as_text(counted(rounded(frame))), language), language)).to_csv(
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
    """Remove what an earlier list of the same path left in other files than ``files``, by its side files' word.

    Who must not be in the list by now would still be in it there.
    """
    own = re.compile(rf"{re.escape(path.stem)}(-\d+)?{re.escape(path.suffix)}")
    for first in (path, path.with_name(f"{path.stem}-1{path.suffix}")):
        side = first.with_name(first.name + ".json")
        try:
            named = read_json(side)["files"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # no side file of ours
            continue
        for name in {str(name) for name in named} - {file.name for file in files}:
            if own.fullmatch(name):
                path.with_name(name).unlink(missing_ok=True)
        if first not in files:
            side.unlink()


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
        longest = max((_width(text) for text in (str(name), *first)), default=0)
        widths.append(min(max(longest + 2, NARROWEST), WIDEST))
    return widths


def _width(text: str) -> int:
    """Return how many letters' room a text takes: a Chinese one takes two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _parts(frame: pd.DataFrame, largest_file: int | None, header: bool, most_rows: int | None) -> list[bytes]:
    if most_rows is None or len(frame) <= most_rows:
        content = frame.to_csv(index=False, header=header, lineterminator=LINE_END).encode("utf-8")
        if largest_file is None or len(content) <= largest_file or len(frame) < 2:
            return [content]
    halves = np.array_split(np.arange(len(frame)), 2)
    return [part for half in halves for part in _parts(frame.iloc[half], largest_file, header, most_rows)]


def _days_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    days = [name for name in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[name])]
    return frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})

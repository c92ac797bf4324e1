"""Tables: one look on all pages, amounts with their currency in the heading, counts.

Both languages write 1,234.56 and mark what is below zero with a minus sign, as the sentences next to the tables do; a
hyphen is for files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from clv_core.i18n import MINUS
from pages.ui.i18n import t

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

EXACT: Final = "%,.2f"
COUNT: Final = "%,d"
FORM: Final = re.compile(r"%(\+?)(,?)(\.\d+)?([dfg])(%%)?")
"""A column's format, as Streamlit takes it: sign, thousands, decimals, kind, and a percent sign behind."""
MISSING: Final = "–"
MAX_CELLS: Final = 50_000
"""A table that holds more is worded by the browser alone: wording this many here takes half a second."""


def table(rows: pd.DataFrame, alt: str, columns: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Show rows; return what of them was chosen, where ``options`` let them be chosen.

    Args:
        rows: without their index; what is missing is a dash.
        alt: what it shows, for who cannot see it.
        columns: how each is shown, by name.
        options: further ones of :func:`streamlit.dataframe`.
    """
    shown, heads = with_minus(rows, columns or {})
    return st.dataframe(shown, hide_index=True, column_config=heads, placeholder=MISSING, alt=alt, **options)


def filled(rows: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return those of the columns that hold anything."""
    return rows[[name for name in columns if rows[name].notna().any()]]


def with_minus(rows: pd.DataFrame, columns: Mapping[str, Any]) -> tuple[pd.DataFrame | Styler, dict[str, Any]]:
    """Return rows whose numbers below zero have a minus sign, and how their columns are shown.

    The browser writes a hyphen whatever a column's format. So such columns are worded here; sorting, copying and the
    file that the browser saves go by the numbers, and the file keeps the hyphen that programs read.
    """
    numbers = rows.select_dtypes("number").columns
    forms = {name: _form(columns.get(name)) for name in numbers if rows.size <= MAX_CELLS and (rows[name] < 0).any()}
    worded = {name: form for name, form in forms.items() if form in ("", "percent") or FORM.fullmatch(form)}
    if not worded:
        return rows, dict(columns)
    heads = {name: _formless(head) if name in worded else head for name, head in columns.items()}
    unformatted = {name: partial(signed, form="") for name in numbers if not _form(columns.get(name))}
    text: dict[Any, Any] = unformatted | {name: partial(signed, form=form) for name, form in worded.items()}
    return rows.reset_index(drop=True).style.format(text, na_rep=MISSING), heads


def signed(value: float, form: str) -> str:
    """Return a number as the browser writes it by a format, but with a minus sign.

    Args:
        value: any number.
        form: a format of Streamlit's; "" for none: up to four decimals.
    """
    match = FORM.fullmatch(form)
    if match:
        sign, thousands, decimals, kind, behind = match.groups(default="")
        decimals, kind = (".0", "f") if kind == "d" else (decimals, kind)
        text = f"{value:{sign}z{thousands}{decimals}{kind}}"
        text += "%" if behind else ""
    elif form == "percent":
        text = f"{_trimmed(f'{100 * value:z,.2f}')}%"
    else:
        text = _trimmed(f"{value:z.4f}")
    return text.replace("-", MINUS, 1)


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".")


def _form(head: Any) -> str:
    """Return the format of a column, "" where it has none."""
    kind = head.get("type_config") if isinstance(head, dict) else None
    return str((kind or {}).get("format") or "")


def _formless(head: Any) -> Any:
    """Return how a column is shown, without its format: what was worded here is shown only where there is none."""
    kind = head.get("type_config") or {}
    return {**head, "type_config": {name: value for name, value in kind.items() if name != "format"}}


def headed(label: str, unit: str) -> str:
    """Return a heading with its unit; as it is where the unit has no name: a log's currency may be unknown."""
    return t("column.in_unit", label=label, unit=unit) if unit else label


def money(label: str, currency: str, **options: Any) -> Any:
    """Return how a column of amounts is shown."""
    return st.column_config.NumberColumn(headed(label, currency), format=EXACT, **options)


def integer(label: str | None = None, **options: Any) -> Any:
    """Return the configuration of a column of integers."""
    return st.column_config.NumberColumn(label, format=COUNT, **options)

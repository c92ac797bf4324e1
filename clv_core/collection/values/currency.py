"""What the amounts of a file are in: what its signs and codes stand for, beside what the person says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from babel.numbers import get_currency_precision, list_currencies

from clv_core.collection.engine import text
from clv_core.collection.words.currency_marks import is_unit, meant
from clv_core.errors import Message

NO_CENTS: Final = ("IDR", "COP")
"""Currencies that have cents by law and hardly ever in a shop."""
WHOLE: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THOUSANDTHS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
"""Currencies without a minor unit, and with one of a thousandth; all others have one of a hundredth.

Source: ISO 4217, list one, column "minor unit".
"""
UNIT: Final = re.compile(
    r"[(（\[【]\s*([^()（）\[\]【】\s]{1,4})\s*[)）\]】]\s*$|[/／_]\s*(元|RMB|[A-Z]{3})\s*$|_in_(usd|eur|gbp|cny|jpy)$"
    r"|(?:[,，]|\s(?=руб))\s*((?i:руб\.?)|[A-Z]{3}|[₽€$£¥₹₺元])\s*$"
)


def decide(
    named: Sequence[str], marks: Sequence[str], said: str, column: str, home: Sequence[str] = ()
) -> tuple[str, tuple[Message, ...]]:
    """Return the currency, and warnings: several of them, a sign that means several, another one than was said.

    Args:
        named: what a column of currencies holds.
        marks: signs and codes at the amounts; they count where no column names any.
        said: by the person; empty where nothing was.
        column: of the amounts, in the file.
        home: codes of where the file's script is written; one of them outranks the likeliest meaning of a sign.
    """
    found = named or marks
    params = {"column": column, "found": list(found)}
    if not found:
        return said, ()
    could = [code for code in meant(found[0]) if all(code in meant(mark) for mark in found)]
    if not could:
        return said, (Message("warning.mixed_currency", params),)
    currency = said or next((code for code in could if code in home), could[0])
    params["currency"] = currency
    notes = [Message("warning.currency_marks", params)] if marks else []
    if said and not set(could) & set(meant(said)):
        notes.append(Message("warning.currency_contradicted", params))
    if not said and len(could) > 1:
        notes.append(Message("warning.currency_guessed", {**params, "could": list(could)}))
    return currency, tuple(notes)


def in_name(column: str) -> str:
    """Return the sign or code of a currency that a column's name ends with, behind a slash, a comma or ``_in_``."""
    found = UNIT.search(column)
    unit = next(filter(None, found.groups())) if found else ""
    unit = unit.upper() if found and found.group(3) else unit
    return unit if is_unit(unit) or (unit.isupper() and unit in list_currencies()) else ""


def has_cents(code: str) -> bool:
    """Say whether amounts in a currency are written with two decimals or more; so they are where none is known."""
    return code not in NO_CENTS and (code not in list_currencies() or get_currency_precision(code) > 0)


def minor_units(code: str) -> int:
    """Return how many of its minor units make one of a currency: 100 cents, 1 yen, 1,000 fils; 100 where not known."""
    return 1 if code in WHOLE else 1_000 if code in THOUSANDTHS else 100


def minor_units_sql(codes: str) -> str:
    """Return SQL for :func:`minor_units` of a text expression of codes."""
    lists = {1: WHOLE, 1_000: THOUSANDTHS}
    cases = "".join(
        f" WHEN upper(trim({codes})) IN ({', '.join(map(text, sorted(some)))}) THEN {units}"
        for units, some in lists.items()
    )
    return f"CASE{cases} ELSE 100 END"

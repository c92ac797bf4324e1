"""What the amounts of a file are in: what its signs and codes stand for, beside what the person says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from babel.numbers import get_currency_precision, list_currencies

from clv_core.errors import Message

CURRENCIES: Final[dict[str, tuple[str, ...]]] = {
    "$": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP"),
    **dict.fromkeys(("¥", "￥"), ("CNY", "JPY")),
    **dict.fromkeys(("元", "RMB"), ("CNY",)),
    **{"US$": ("USD",), "€": ("EUR",), "£": ("GBP",), "円": ("JPY",), "R$": ("BRL",), "NT$": ("TWD",), "HK$": ("HKD",)},
    **{"RP": ("IDR",), "RP.": ("IDR",), "₫": ("VND",), "₩": ("KRW",), "원": ("KRW",), "฿": ("THB",), "₹": ("INR",)},
    **{"ر.س": ("SAR",), "د.إ": ("AED",), "ج.م": ("EGP",), "د.ك": ("KWD",), "درهم": ("AED", "MAD"), "₪": ("ILS",)},
    **{"₺": ("TRY",), "TL": ("TRY",), "₽": ("RUB",), "РУБ": ("RUB",), "РУБ.": ("RUB",), "ZŁ": ("PLN",), "KČ": ("CZK",)},
}
"""Codes of the currencies that a sign stands for, the likeliest first."""
NO_CENTS: Final = ("IDR", "COP")
"""Currencies that have cents by law and hardly ever in a shop."""
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
    could = [code for code in _meant(found[0]) if all(code in _meant(mark) for mark in found)]
    if not could:
        return said, (Message("warning.mixed_currency", params),)
    currency = said or next((code for code in could if code in home), could[0])
    params["currency"] = currency
    notes = [Message("warning.currency_marks", params)] if marks else []
    if said and not set(could) & set(_meant(said)):
        notes.append(Message("warning.currency_contradicted", params))
    if not said and len(could) > 1:
        notes.append(Message("warning.currency_guessed", {**params, "could": list(could)}))
    return currency, tuple(notes)


def in_name(column: str) -> str:
    """Return the sign or code of a currency that a column's name ends with, behind a slash, a comma or ``_in_``."""
    found = UNIT.search(column)
    unit = next(filter(None, found.groups())) if found else ""
    unit = unit.upper() if found and found.group(3) else unit
    return unit if unit.upper() in CURRENCIES or (unit.isupper() and unit in list_currencies()) else ""


def has_cents(code: str) -> bool:
    """Say whether amounts in a currency are written with two decimals or more; so they are where none is known."""
    return code not in NO_CENTS and (code not in list_currencies() or get_currency_precision(code) > 0)


def _meant(mark: str) -> tuple[str, ...]:
    """Return the codes of the currencies that a sign or code stands for, the likeliest first."""
    bare = "".join(mark.split()).upper()
    return CURRENCIES.get(bare, (bare,))

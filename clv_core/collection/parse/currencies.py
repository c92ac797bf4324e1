"""What the amounts of a file are in: signs, codes and words of the world's currencies, and the person's answer.

Codes are those that Babel knows as legal tender today; marks and minor units are in ``currencies.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies, list_currencies

from clv_core.collection.engine import text
from clv_core.errors import Message

_DATA: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

CODES: Final = frozenset(_DATA["codes"]["former"]).union(
    *map(get_territory_currencies, get_global("territory_currencies"))
)
MARKS: Final[dict[str, tuple[str, ...]]] = {
    **{mark: (code,) for code, marks in _DATA["marks"].items() for mark in marks},
    **{mark: tuple(codes) for mark, codes in _DATA["shared_marks"].items()},
}
"""Mark in capitals -> codes of its currencies, the likeliest first."""
SHORT_MARKS: Final = frozenset(_DATA["codes"]["units_too"])
NO_CENTS: Final = ("IDR", "COP")
"""Currencies that have cents by law and hardly ever in a shop."""

_LATIN: Final = [mark for mark in MARKS if mark.isascii() and mark.isalpha() and mark != "L"]
"""Marks that are words of Latin letters. 12 L are litres; lempiras have a point behind."""
MARK: Final = "(?i)" + "|".join(
    (
        r"\bU ?\$ ?S\b|(?:\b[A-Z]{1,3} ?)?\$|\bGH ?₵|\p{Sc}",
        r"元整?|[円圆圓원块]|บาท|රු",
        r"zł|kč|\bS?Fr\.|лв\.?|руб\.?|грн\.?|дин\.?|ден\.?|ман\.?|тенге|\sтг\.?|\sр\.?$|сум|сом|so'm|đồng|vnđ|đ",
        r"ر\.? ?س\.?|د\.? ?إ\.?|ج\.? ?م\.?|د\.? ?ك\.?|ريال|درهم|جنيه",
        r"\bL\.|\bB/\.?|\bS/\.?|\bF ?CFA\b",
        rf"\b(?:{'|'.join(sorted({*_LATIN, *CODES}))})\b\.?",
    )
)
"""A mark of a currency as a pattern of RE2. There are blanks between letters and figures
(:func:`~clv_core.collection.parse.numbers.apart`), since 12.50EUR and RM12 have no bounds of words there."""
SIGNS: Final = "".join(mark for mark in MARKS if len(mark) == 1 and unicodedata.category(mark) == "Sc")
"""Signs that are one character, for a class of a pattern."""
_AS_WORDS: Final = "|".join(
    map(
        re.escape,
        sorted({*CODES, *(mark for mark in MARKS if len(mark) > 1 and mark[0].isalpha())}, key=lambda m: (-len(m), m)),
    )
)
IN_FRONT: Final = rf"(?:(?i:{_AS_WORDS}|R|Q)\.?(?:\s|(?=[+-]?\s?\d[\d.,'\s]*[.,]\d\d(?:\D|$)))|[A-Z]{{1,3}}\$)"
"""A mark before a number, as a pattern of Python; without a blank only before cents: RM12.50, but RM1001 is an id."""
BEHIND: Final = rf"(?i:{_AS_WORDS})"
"""A mark behind a number, as a pattern of Python."""
UNIT: Final = re.compile(
    r"[(（\[【]\s*([^()（）\[\]【】\s]{1,4})\s*[)）\]】]\s*$|[/／_]\s*(元|RMB|[A-Z]{3})\s*$|_in_(usd|eur|gbp|cny|jpy)$"
    r"|(?:[,，]|\s(?=руб))\s*((?i:руб\.?)|[A-Z]{3}|[₽€$£¥₹₺元])\s*$"
)


def decide(
    named: Sequence[str], marks: Sequence[str], given: str, column: str, home: Sequence[str] = ()
) -> tuple[str, tuple[Message, ...]]:
    """Return the currency, and warnings: several of them, a sign that means several, another one than was given.

    Args:
        named: what a column of currencies holds.
        marks: signs and codes at the amounts; they count where no column names any.
        given: by the person; may be empty.
        column: of the amounts, in the file.
        home: codes of where the file's script is written; one of them outranks the likeliest meaning of a sign.
    """
    units = named or marks
    params = {"column": column, "found": list(units)}
    if not units:
        return given, ()
    could = [code for code in meant(units[0]) if all(code in meant(mark) for mark in units)]
    if not could:
        return given, (Message("warning.mixed_currency", params),)
    currency = given or next((code for code in could if code in home), could[0])
    params["currency"] = currency
    notes = [Message("warning.currency_marks", params)] if marks else []
    if given and not set(could) & set(meant(given)):
        notes.append(Message("warning.currency_contradicted", params))
    if not given and len(could) > 1:
        notes.append(Message("warning.currency_guessed", {**params, "could": list(could)}))
    return currency, tuple(notes)


def in_name(column: str) -> str:
    """Return the sign or code of a currency that a column's name ends with, behind a slash, a comma or ``_in_``."""
    match = UNIT.search(column)
    unit = next(filter(None, match.groups())) if match else ""
    unit = unit.upper() if match and match.group(3) else unit
    return unit if is_unit(unit) or (unit.isupper() and unit in list_currencies()) else ""


def has_cents(code: str) -> bool:
    """Return whether amounts in a currency are written with two decimals or more; True for an unknown one."""
    return code not in NO_CENTS and (code not in list_currencies() or get_currency_precision(code) > 0)


def minor_units(code: str) -> int:
    """Return how many minor units make one of a currency: 100 cents, 1 yen, 1,000 fils; 100 for an unknown one."""
    return next((int(units) for units, codes in _DATA["minor_units"].items() if code in codes), 100)


def minor_units_sql(codes: str) -> str:
    """Return SQL for :func:`minor_units` of a text expression of codes."""
    cases = "".join(
        f" WHEN upper(trim({codes})) IN ({', '.join(map(text, some))}) THEN {units}"
        for units, some in _DATA["minor_units"].items()
    )
    return f"CASE{cases} ELSE 100 END"


def is_unit(mark: str) -> bool:
    """Say whether a mark in brackets behind a column's name is a currency, and no unit such as km, l or ft."""
    bare = mark.upper().rstrip(".")
    short = bare.isascii() and bare.isalpha() and len(bare) < 3
    return bare in MARKS and (not short or bare in SHORT_MARKS)


def meant(mark: str) -> tuple[str, ...]:
    """Return the codes of the currencies that a sign, code or word may mean, the likeliest first."""
    bare = "".join(mark.split()).upper().rstrip(".")
    if bare in MARKS:
        return MARKS[bare]
    if bare.endswith("$"):
        return (bare[:-1],) if bare[:-1] in CODES else MARKS["$"]
    return (bare,)

"""The person's answers about a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Final, TypedDict, cast

from clv_core.collection.vocabulary.order_statuses import MEANINGS
from clv_core.errors import UsageError
from clv_core.records import JsonRecord

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "date_order": ("dmy", "mdy", "ymd"),
    "decimal": ("point", "comma"),
    "amount_scope": ("line", "order"),
    "amount_unit": ("major", "minor", "micro"),
    "discount": ("amount", "unit", "percent", "order"),
    "sign": ("positive", "negative"),
    "broken_rows": ("reject",),
    "overlap": ("replace", "keep", "add"),
    "similar_ids": ("merge", "separate"),
    "duplicates": ("keep", "drop"),
}
"""Field of :class:`Answers` -> its values; None is no answer."""
SALE, LEFT_OUT, RETURN = ROW_MEANINGS = ("sale", "left_out", "return")
"""What the rows with one value in a column can be: sales as they are, no sales, or taken off."""
ANY_VALUE: Final = "*"
"""Stands for every value of a column."""
FILE, SHEET = "(file)", "(sheet)"
"""Called like columns: the name of the file, and of a row's sheet."""


@dataclass(frozen=True)
class Answers(JsonRecord):
    """The person's answers about a file.

    Args:
        mapping: canonical name -> source column, or two of them: ``A | B`` is A where it is filled and B elsewhere,
            ``A - B`` is A less B.
        date_order: ``dmy``, ``mdy``, ``ymd`` or None.
        decimal: ``point``, ``comma`` or None.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in.
        duplicates: ``keep``, ``drop`` or None for the rule.
        events: event name in the file -> event type.
        header: whether the file names its columns; None looks, and asks where that is not plain.
        states: word of a column of states of orders -> ``sold``, ``cancelled`` or ``refunded``; in any spelling.
        rows: ``COLUMN=VALUE`` -> ``sale``, ``left_out`` or ``return``: what the rows with that value are; the value is
            empty for blank cells, :data:`ANY_VALUE` for all. :data:`FILE` and :data:`SHEET` are columns here; a value
            of the former is a word of the file's name.
        encoding: of a text file; empty looks.
        sheet: of a workbook; empty looks.
        amount_scope: ``line``, ``order`` or None: whether a row's amount is its own, or that of the entire order that
            the row belongs to; None decides where that is plain, and asks where it is not.
        amount_unit: ``major``, ``minor``, ``micro`` or None: whether amounts are in the currency, in its smallest unit
            or in millionths; None takes them for the first, and asks where they look like the second.
        discount: ``amount``, ``unit``, ``percent``, ``order`` or None: whether a discount with quantity and unit
            price is money off the row, money off each piece, a percentage, or money off the order, repeated on each of
            its rows.
        sign: ``positive``, ``negative`` or None: how amounts of sales are written; a ledger books them as negative.
        max_amount: rows with larger amounts, in size, are rejected as slips; None: no limit of the person's.
        broken_rows: ``reject`` or None: whether a file is used though over 1% of its rows have too many cells.
        overlap: ``replace``, ``keep``, ``add`` or None: whether purchases that a later file has in another form take
            the place of the earlier ones, are left out, or count too; None asks.
        similar_ids: ``merge``, ``separate`` or None: whether ids that differ only in capitals, blanks or leading zeros
            are one customer; None decides where that is plain, and asks where it is not.
        recipe: name of a shipped recipe (:mod:`clv_core.collection.recipes`), the path of one, ``none``, or empty: then
            the file's columns decide whether there is one for it.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: str | None = None
    decimal: str | None = None
    timezone: str = "UTC"
    currency: str = ""
    duplicates: str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    header: bool | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    amount_unit: str | None = None
    discount: str | None = None
    sign: str | None = None
    max_amount: float | None = None
    broken_rows: str | None = None
    overlap: str | None = None
    sheet: str = ""
    similar_ids: str | None = None
    amount_scope: str | None = None
    recipe: str = ""


class Said(TypedDict, total=False):
    """The same as keywords of a call, each only where there is an answer."""

    mapping: Mapping[str, str]
    date_order: str | None
    decimal: str | None
    timezone: str
    currency: str
    duplicates: str | None
    events: Mapping[str, str]
    header: bool | None
    states: Mapping[str, str]
    rows: Mapping[str, str]
    encoding: str
    amount_unit: str | None
    discount: str | None
    sign: str | None
    max_amount: float | None
    broken_rows: str | None
    overlap: str | None
    sheet: str
    similar_ids: str | None
    amount_scope: str | None
    recipe: str


def check_said(given: Mapping[str, Any]) -> Said:
    """Return keywords of :class:`Answers`, once each of them is one and has a valid value.

    Raises:
        UsageError: there is no such keyword, its value is of another type, or is invalid.
    """
    names = Said.__annotations__
    for name, value in given.items():
        if name not in names:
            raise UsageError("setting_unknown", setting=name, known=sorted(names))
        if name in CHOICES and value is not None and value not in CHOICES[name]:
            raise UsageError("setting_choice", setting=name, value=str(value)[:60], choices=list(CHOICES[name]))
        kind = _KINDS.get(name, str)
        is_truth_for_number = kind is Real and isinstance(value, bool)
        if (not isinstance(value, kind) or is_truth_for_number) and not (value is None and "None" in str(names[name])):
            raise UsageError("setting_type", setting=name, value=str(value)[:60], type=_TYPE_NAMES.get(name, "str"))
    for word, meaning in given.get("states", {}).items():
        if meaning not in MEANINGS:
            raise UsageError("state_meaning", word=word[:60], meaning=str(meaning)[:60], known=list(MEANINGS))
    for key, meaning in given.get("rows", {}).items():
        if "=" not in key or meaning not in ROW_MEANINGS:
            raise UsageError("row_meaning", rows=key[:60], meaning=str(meaning)[:60], known=list(ROW_MEANINGS))
    return cast(Said, dict(given))


_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("mapping", "events", "states", "rows"), Mapping),
    "header": bool,
    "max_amount": Real,
}
"""Types of the answers that are not text."""
_TYPE_NAMES: Final = {**dict.fromkeys(("mapping", "events", "states", "rows"), "dict"), "header": "bool"} | {
    "max_amount": "float"
}


def named_anew(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that were named ``before``, and those named now, which hold where both name one."""
    named = {column.lower() for column in now.values() if column}
    return {name: column for name, column in before.items() if column.lower() not in named} | dict(now)

"""Answers on how a log is read, as keywords of Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from clv_core.collection import Said, check_said
from clv_core.errors import UsageError


class Reading(TypedDict, total=False):
    """How a log is read where its cells leave it open: keywords of :meth:`~clv_core.estimator.clv.CLV.fit`.

    All are of :class:`~clv_core.collection.answers.Answers`: ``currency`` of the amounts ("EUR"), ``timezone`` of the
    log ("Asia/Tokyo"), ``duplicates`` ("keep" or "drop" exact repetitions), ``date_order`` ("dmy", "mdy", "ymd"),
    ``decimal`` ("point", "comma"), ``event_types`` (name in the log -> type: ``{"order placed": "purchase"}``),
    ``states`` (word of an order's state -> "sold", "cancelled", "refunded"), ``rows`` ("COLUMN=VALUE" -> "sale",
    "left_out", "return"), ``amount_scope`` ("line", "order"), ``amount_unit`` ("major", "minor", "micro"),
    ``discount`` ("amount", "unit", "percent", "order"), ``sign`` of sales ("positive", "negative"), ``max_amount``
    (larger ones are rejected), ``similar_ids`` ("merge", "separate"), ``recipe`` of a shop system; and of a file
    ``header``, ``encoding``, ``sheet``, ``broken_rows`` ("reject"), ``overlap`` ("replace", "keep", "add").
    """

    currency: str
    timezone: str
    duplicates: str | None
    date_order: str | None
    decimal: str | None
    event_types: Mapping[str, str]
    states: Mapping[str, str]
    rows: Mapping[str, str]
    amount_scope: str | None
    amount_unit: str | None
    discount: str | None
    sign: str | None
    max_amount: float | None
    similar_ids: str | None
    recipe: str
    header: bool | None
    encoding: str
    sheet: str
    broken_rows: str | None
    overlap: str | None


NAMES = {"columns": "mapping", "event_types": "events"}
"""Keyword of Python -> field of :class:`~clv_core.collection.answers.Answers`, where they differ."""


def answers_of(columns: Mapping[str, str] | None, reading: Mapping[str, Any]) -> Said:
    """Return the keywords as the reader's answers; a number may be the name of a column.

    Raises:
        UsageError: there is no such keyword, or its value is none.
    """
    if not isinstance(columns, Mapping | None):
        raise UsageError("bad_columns", kind=type(columns).__name__)
    allowed = Reading.__annotations__
    for name in reading:
        if name not in allowed:
            raise UsageError("setting_unknown", setting=name, known=sorted({"columns", *allowed}))
    if not isinstance(reading.get("event_types", {}), Mapping):
        raise UsageError("setting_type", setting="event_types", value=str(reading["event_types"])[:60], type="dict")
    answers = {NAMES.get(name, name): value for name, value in reading.items()}
    if columns:
        answers["mapping"] = {str(name): "" if column is None else str(column) for name, column in columns.items()}
    return check_said(answers)

"""What forms the values of a file's columns have, counted in one pass over the whole table."""

from __future__ import annotations

from typing import Any, Final

import duckdb

from clv_core.collection.engine import T, fetch, name, text
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.plan import CREDIT_NOTE, MAX_QUANTITY, ReadingPlan
from clv_core.collection.values import numbers, times
from clv_core.collection.words.aliases import CURRENCY
from clv_core.columns import (
    AMOUNT,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    REFUND,
    UNIT_PRICE,
)
from clv_core.jobs import Progress

NUMBERS: Final = (AMOUNT, QUANTITY, UNIT_PRICE, DISCOUNT, RATING, REFUND)
NEARLY_ALL: Final = 0.95
SCALES: Final = (5.0, 10.0, 100.0)
"""Scales of ratings: the smallest that holds most ratings of the log is taken."""


def count_columns(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, progress: Progress
) -> dict[str, Any]:
    """Return counts of forms by column, and counts and extremes of rows under keys of their own.

    Args:
        connection: the engine.
        source: the file.
        plan: a draft of how it is read.
        progress: who listens.
    """
    chosen = plan.chosen
    texts = [column for column in (EVENT_TIME, ORDER_ID, *NUMBERS) if column in chosen]
    inner = [f"{plan.clean(column)} AS {T}{column}" for column in texts]
    forms = {EVENT_TIME: times.form(T + EVENT_TIME)}
    forms.update({column: numbers.form(T + column) for column in NUMBERS if column in chosen})
    figures = ["count(*) AS n"]
    order = T + ORDER_ID if ORDER_ID in chosen else "NULL::VARCHAR"
    figures.append(f"count(*) FILTER (regexp_full_match({order}, '\\d+')) AS digits")
    figures.append(f"count(*) FILTER (regexp_full_match({order}, {text(CREDIT_NOTE)})) AS noted")
    figures.append(
        f"max(abs(try_cast({T}discount AS DOUBLE))) AS discount" if DISCOUNT in chosen else "NULL AS discount"
    )
    usual = f"approx_quantile(try_cast({T}rating AS DOUBLE), 0.8)" if RATING in chosen else "NULL"
    figures.append(f"{usual} AS rating")
    money = T + (AMOUNT if AMOUNT in chosen else UNIT_PRICE) if plan.has_money else "NULL::VARCHAR"
    plain = f"try_cast({money} AS DOUBLE) IS NULL"
    marks = f"list(DISTINCT CASE WHEN {plain} THEN {numbers.currencies(money)} END)"
    named = f"list(DISTINCT {name(chosen[CURRENCY])})" if CURRENCY in chosen else "NULL"
    figures += [f"{marks} AS marks", f"{named} AS named"]
    sold = f"coalesce({T}{QUANTITY}[1] <> '-', true)" if QUANTITY in chosen else "true"
    off = f"regexp_matches({T}{DISCOUNT}, '[1-9]') AND {sold}" if DISCOUNT in chosen else "false"
    below = f"regexp_matches({T}{DISCOUNT}, '{numbers.BELOW}')" if DISCOUNT in chosen else "false"
    figures += [f"count(*) FILTER ({off}) AS off", f"count(*) FILTER ({off} AND {below}) AS below"]
    typed = {AMOUNT, EVENT_TYPE} <= set(chosen)
    negative = f"{T}{AMOUNT}[1] IN ('-', '(') AND {plan.kind} = '{PURCHASE}'" if typed else "false"
    figures.append(f"count(*) FILTER ({negative})")
    quantity = f"abs(try_cast({T}{QUANTITY} AS DOUBLE)) > {MAX_QUANTITY}"
    figures.append(f"count(*) FILTER ({quantity})" if QUANTITY in chosen else "0")
    rating = f"try_cast({T}{RATING} AS DOUBLE)"
    figures += [f"count(*) FILTER ({rating} NOT BETWEEN 0 AND {top})" if RATING in chosen else "0" for top in SCALES]
    keys = ", ".join(f"{expression} AS f_{column}" for column, expression in forms.items())
    groups = ", ".join(f"f_{column}" for column in forms)
    also = "".join(f", {name(chosen[column])}" for column in (CURRENCY, EVENT_TYPE) if column in chosen)
    query = (
        f"SELECT {groups}, {', '.join(figures)} FROM (SELECT *, {keys} FROM"
        f" (SELECT {', '.join(inner)}{also} FROM {source.relation(record=True)})) GROUP BY ALL"
    )
    result: dict[str, Any] = {column: {} for column in forms}
    table = fetch(connection, query, progress, "columns")
    width = len(forms)
    for row in table:
        for position, column in enumerate(forms):
            result[column][row[position]] = result[column].get(row[position], 0) + row[width]
    tail = [row[width:] for row in table]
    digits, noted = sum(row[1] for row in tail), sum(row[2] for row in tail)
    result["rows"] = sum(row[0] for row in tail)
    result["credit_notes"] = digits > noted > 0
    result["largest_discount"] = max((row[3] for row in tail if row[3] is not None), default=None)
    weights = sorted((row[4], row[0]) for row in tail if row[4] is not None)
    result["usual_rating"] = weights[-1][0] if len(weights) == 1 else _weighted(weights)
    result["marks"] = sorted({mark for row in tail for mark in row[5] or [] if mark})
    result["named"] = sorted({str(mark).strip() for row in tail for mark in row[6] or [] if mark and str(mark).strip()})
    off, below = sum(row[7] for row in tail), sum(row[8] for row in tail)
    result["discounts_below"] = below > NEARLY_ALL * off
    result["negative"] = sum(row[9] for row in tail)
    result["large_quantities"] = sum(row[10] for row in tail)
    result["beyond"] = {top: sum(row[11 + i] for row in tail) for i, top in enumerate(SCALES)}
    return result


def _weighted(pairs: list[tuple[float, int]]) -> float | None:
    total, passed = sum(count for _, count in pairs), 0
    for value, count in pairs:
        passed += count
        if passed * 2 >= total:
            return value
    return None

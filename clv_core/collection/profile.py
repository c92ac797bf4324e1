"""One pass over the whole table decides how each column is read; what cannot be decided is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from clv_core.collection import currency, numbers, order_states, price, refunds, times
from clv_core.collection.aliases import CURRENCY, MISSING
from clv_core.collection.engine import T, fetch, name, one, text
from clv_core.collection.mapping import Proposal, choose, propose
from clv_core.collection.order_amounts import of_whole_orders
from clv_core.collection.orders import Orders
from clv_core.collection.plan import CREDIT_NOTE, GUARD, MAX_QUANTITY, ReadingPlan, seen_values
from clv_core.collection.source import Source, sample
from clv_core.collection.split_columns import clock_of, counterparty_of, split_notes
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PURCHASE,
    QUANTITY,
    RATING,
    READ,
    REFUND,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

FLOAT_ID: Final = re.compile(r"\d+\.0")
NEARLY_ALL: Final = 0.95
SAMPLE_ROWS: Final = 2_000
SCALES: Final = (5.0, 10.0, 100.0)
"""Scales of ratings: the smallest that holds most ratings of the log is taken."""

NUMBERS: Final = (AMOUNT, QUANTITY, UNIT_PRICE, DISCOUNT, RATING, REFUND)
MARKED: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, QUANTITY, REFUND)
"""Columns that the answer about the decimal mark holds for; the first whose mark is proven speaks for the others."""


@dataclass(frozen=True)
class Answers:
    """What the person has said about a file.

    Args:
        mapping: canonical name -> source column.
        date_order: ``dmy``, ``mdy``, ``ymd`` or None.
        decimal: ``point``, ``comma`` or None.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in.
        duplicates: ``keep``, ``drop`` or None for the rule.
        events: event name in the file -> event type.
        header: whether the file names its columns; None looks, and asks where that is not plain.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    date_order: str | None = None
    decimal: str | None = None
    timezone: str = "UTC"
    currency: str = ""
    duplicates: str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    header: bool | None = None


@dataclass(frozen=True)
class Profile:
    """What one pass over the text has shown.

    Args:
        plan: how every column is read.
        rows: rows in the table.
        notes: what is to be said about the reading.
        currency: the currency, as the person or the file said it.
        proposals: what each column seems to be.
    """

    plan: ReadingPlan
    rows: int
    notes: tuple[Message, ...]
    currency: str
    proposals: tuple[Proposal, ...]


def profile(connection: duckdb.DuckDBPyConnection, source: Source, answers: Answers, progress: Progress) -> Profile:
    """Return how ``source`` is to be read.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: there is no row, or nothing that could be an amount.
    """
    rows = sample(connection, source, SAMPLE_ROWS)
    proposals = propose(source.columns, rows, answers.mapping)
    chosen, notes = choose(proposals, source.file)
    chosen, said = price.settle(connection, source, chosen)
    notes += said
    if REFUND in chosen and AMOUNT not in chosen:
        notes += (Message("warning.refund_unused", {"column": chosen.pop(REFUND)}),)
    seen = sorted(
        {str(row[chosen[EVENT_TYPE]]).strip() for row in rows if row[chosen[EVENT_TYPE]]}
        if EVENT_TYPE in chosen
        else ()
    )
    guarded = _guarded(rows, chosen)
    if guarded:
        shown = ", ".join(chosen[canonical] for canonical in chosen if canonical in guarded)
        notes += (Message("warning.guarded", {"columns": shown}),)
    clock, counterparty = clock_of(source.columns, rows, chosen), counterparty_of(source.columns, chosen)
    notes += split_notes(chosen, clock, counterparty)
    draft = ReadingPlan(
        source.columns,
        chosen,
        values=seen_values(seen[:100], answers.events),
        clock=clock,
        counterparty=counterparty,
        guarded=guarded,
    )
    counts = _count(connection, source, draft, progress)
    total = int(counts["rows"])
    if total == 0:
        raise Refused("no_rows", file=source.file)
    time, said = times.decide(counts[EVENT_TIME], chosen[EVENT_TIME], answers.date_order, answers.timezone)
    notes += said
    readings: dict[str, numbers.NumberReading] = {}
    proven = next((mark for column in MARKED if (mark := numbers.proven(counts.get(column, {})))), None)
    for column in NUMBERS:
        if column in chosen:
            decimal, elsewhere = (answers.decimal, proven) if column in MARKED else (None, None)
            readings[column], said = numbers.decide(counts[column], chosen[column], decimal, elsewhere)
            notes += said if column in MARKED else ()
            unreadable = counts[column].get("unreadable", 0)
            if unreadable and column in (QUANTITY, DISCOUNT, RATING, REFUND):
                notes += (Message("warning.unreadable_numbers", {"column": chosen[column], "rows": unreadable}),)
    paid = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    money, said = currency.decide(counts["named"], counts["marks"], answers.currency, paid)
    rate = DISCOUNT in chosen and AMOUNT not in chosen and float(counts["largest_discount"] or 2) <= 1
    if rate:
        said += (Message("warning.discount_rate", {"column": chosen[DISCOUNT]}),)
    top = float(counts["usual_rating"] or 5)
    scale = next((scale for scale in SCALES if top <= scale), SCALES[-1])
    said += _blanked(counts, chosen, scale)
    whole = _are_float_ids(connection, source, chosen[CUSTOMER_ID], rows)
    if whole:
        said += (Message("warning.float_ids", {"column": chosen[CUSTOMER_ID]}),)
    plan = ReadingPlan(
        source.columns,
        chosen,
        time,
        readings,
        draft.values,
        credit_notes=EVENT_TYPE not in chosen and bool(counts["credit_notes"]),
        rating_scale=scale,
        discount_off=not rate,
        amount_before_discount=price.before_promotion(chosen),
        discount_below=counts["discounts_below"],
        orders=Orders(of_whole_orders(connection, source, rows, chosen)),
        clock=clock,
        counterparty=counterparty,
        float_ids=whole,
        guarded=guarded,
    )
    if ORDER_STATUS in chosen:
        said += order_states.strange(connection, source, chosen[ORDER_STATUS])
    if refunds.stand_apart(connection, source, plan):
        plan = replace(plan, orders=replace(plan.orders, refunds_apart=True))
        said += (Message("warning.refunds_apart", {"column": chosen.get(REFUND) or chosen[ORDER_STATUS]}),)
    elif REFUND in chosen:
        said += (Message("warning.refunds_off", {"column": chosen[REFUND]}),)
    if plan.orders.whole:
        said += (Message("warning.whole_orders", {"order": chosen[ORDER_ID], "column": chosen[AMOUNT]}),)
    return Profile(plan, total, notes + said, money, tuple(proposals))


def _count(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, progress: Progress
) -> dict[str, Any]:
    """Return counts of forms by column, in one pass over the table."""
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


def _are_float_ids(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, rows: list[dict[str, Any]]
) -> bool:
    """Say whether all ids are whole numbers written as 17850.0, as spreadsheets and data frames export them.

    The whole file is asked only where the sample says so.
    """
    seen = [str(row[column]).strip() for row in rows if row[column] is not None]
    if not seen or not all(FLOAT_ID.fullmatch(value) or value.lower() in MISSING for value in seen):
        return False
    missing = ", ".join(text(word) for word in MISSING)
    value = f"trim({name(column)}, ' \t\u00a0\u3000')"
    others = f"NOT regexp_full_match({value}, '\\d+\\.0') AND lower({value}) NOT IN ({missing})"
    query = f"SELECT count(*) FILTER ({value} IS NOT NULL), count(*) FILTER ({others}) FROM {source.relation()}"
    known, wild = one(connection, query)
    return bool(known) and not wild


def _guarded(rows: list[dict[str, Any]], chosen: Mapping[str, str]) -> frozenset[str]:
    """Return the canonical columns whose values in the sample are all guarded against spreadsheets."""

    def all_are(column: str) -> bool:
        values = [str(row[column]) for row in rows if row[column] is not None and str(row[column]).strip()]
        return bool(values) and all(re.match(GUARD, value) for value in values)

    return frozenset(canonical for canonical, column in chosen.items() if canonical in READ and all_are(column))


def _weighted(pairs: list[tuple[float, int]]) -> float | None:
    total, passed = sum(count for _, count in pairs), 0
    for value, count in pairs:
        passed += count
        if passed * 2 >= total:
            return value
    return None


def _blanked(counts: dict[str, Any], chosen: Mapping[str, str], scale: float) -> tuple[Message, ...]:
    """Return warnings about values that are left empty, and about purchases below zero."""
    found = []
    if counts["large_quantities"]:
        params = {"column": chosen[QUANTITY], "rows": counts["large_quantities"], "low": -MAX_QUANTITY}
        found.append(Message("warning.out_of_range", {**params, "high": MAX_QUANTITY}))
    if RATING in chosen and counts["beyond"][scale]:
        params = {"column": chosen[RATING], "rows": counts["beyond"][scale], "low": 0, "high": scale}
        found.append(Message("warning.out_of_range", params))
    if counts["negative"]:
        found.append(Message("warning.negative_purchases", {"rows": counts["negative"], "column": chosen[AMOUNT]}))
    return tuple(found)

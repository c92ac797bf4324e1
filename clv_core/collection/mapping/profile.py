"""One pass over the whole table decides how each column is read; what cannot be decided is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.files.source import Source, sample
from clv_core.collection.mapping import order_states, price, refunds
from clv_core.collection.mapping.amount_identities import settle_amount
from clv_core.collection.mapping.amount_pieces import settle_pieces
from clv_core.collection.mapping.choosing import choose
from clv_core.collection.mapping.column_counts import NUMBERS, SCALES, count_columns
from clv_core.collection.mapping.customer_blanks import settle_blanks
from clv_core.collection.mapping.customer_ids import guests_of, settle_customer
from clv_core.collection.mapping.money_columns import refuse_ids
from clv_core.collection.mapping.order_amounts import of_orders
from clv_core.collection.mapping.order_states import OrderState
from clv_core.collection.mapping.orders import Orders
from clv_core.collection.mapping.plan import GUARD, MAX_QUANTITY, ReadingPlan, seen_values
from clv_core.collection.mapping.proposal import NUMBER, Proposal, propose
from clv_core.collection.mapping.second_states import both_used, read_second
from clv_core.collection.values import currency, numbers, times
from clv_core.collection.words.aliases import MISSING
from clv_core.collection.words.split_columns import clock_of, counterparty_of, split_notes
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_STATUS,
    QUANTITY,
    RATING,
    READ,
    REFUND,
    REFUND_STATUS,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

FLOAT_ID: Final = re.compile(r"\d+\.0")
SAMPLE_ROWS: Final = 2_000
PAID: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, REFUND)
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
        states: word of a column of states of orders -> ``sold``, ``cancelled`` or ``refunded``; spelling aside.
        encoding: of a text file; empty looks.
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
    encoding: str = ""


@dataclass(frozen=True)
class Profile:
    """What one pass over the text has shown.

    Args:
        plan: how every column is read.
        rows: rows in the table.
        notes: what is to be said about the reading.
        currency: the currency, as the person or the file said it.
        proposals: what each column seems to be.
        states: the words of its columns of states, and what each is taken for.
    """

    plan: ReadingPlan
    rows: int
    notes: tuple[Message, ...]
    currency: str
    proposals: tuple[Proposal, ...]
    states: tuple[OrderState, ...] = ()


def profile(connection: duckdb.DuckDBPyConnection, source: Source, answers: Answers, progress: Progress) -> Profile:
    """Return how ``source`` is to be read.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: there is no row, or nothing that could be an amount.
    """
    rows = sample(connection, source, SAMPLE_ROWS)
    proposals = propose(source.columns, rows, answers.mapping)
    refuse_ids(answers.mapping)
    chosen, notes = choose(proposals, source.file)
    chosen, said = settle_customer(connection, source, proposals, chosen, answers.mapping)
    notes += said
    chosen, said = settle_blanks(connection, source, rows, chosen, answers.mapping)
    notes += said
    chosen, said = order_states.settle(rows, chosen, answers.mapping, answers.states)
    notes += said + order_states.refunds_unused(rows, chosen, answers.mapping)
    chosen, said = settle_pieces(connection, source, rows, proposals, chosen, answers.mapping)
    notes += said
    chosen, said = price.settle(connection, source, chosen)
    notes += said
    chosen, said = settle_amount(connection, source, proposals, chosen, answers.mapping)
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
        shown = [chosen[canonical] for canonical in chosen if canonical in guarded]
        notes += (Message("warning.guarded", {"columns": shown}),)
    clock, counterparty = clock_of(source.columns, rows, chosen), counterparty_of(source.columns, chosen)
    notes += split_notes(chosen, clock, counterparty)
    guests, guest_email, said = guests_of(connection, source, rows, chosen)
    notes += said
    draft = ReadingPlan(
        source.columns,
        chosen,
        values=seen_values(seen[:100], answers.events),
        clock=clock,
        counterparty=counterparty,
        guests=guests,
        guest_email=guest_email,
        guarded=guarded,
    )
    counts = count_columns(connection, source, draft, progress)
    total = int(counts["rows"])
    if total == 0:
        raise Refused("no_rows", file=source.file)
    time, said = times.decide(counts[EVENT_TIME], chosen[EVENT_TIME], answers.date_order, answers.timezone)
    notes += said
    paid = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    named = counts["named"] or list(filter(None, [currency.in_name(paid)]))
    money, of_money_said = currency.decide(named, counts["marks"], answers.currency, paid)
    whole = AMOUNT in chosen and numbers.without_cents(counts[item] for item in PAID if item in chosen)
    cents = currency.has_cents(money) and not whole
    readings: dict[str, numbers.NumberReading] = {}
    proven = next((mark for column in MARKED if (mark := numbers.proven(counts.get(column, {})))), None)
    for column in NUMBERS:
        if column in chosen:
            decimal, elsewhere = (answers.decimal, proven) if column in MARKED else (None, None)
            readings[column], said = numbers.decide(
                counts[column], chosen[column], decimal, elsewhere, cents=cents or column not in MARKED
            )
            notes += said if column in MARKED else ()
            unreadable = counts[column].get("unreadable", 0)
            nothing = column == REFUND and _words_for_nothing(rows, chosen[column])
            if unreadable and column in (QUANTITY, DISCOUNT, RATING, REFUND) and not nothing:
                notes += (Message("warning.unreadable_numbers", {"column": chosen[column], "rows": unreadable}),)
    said = of_money_said
    rate = DISCOUNT in chosen and float(counts["largest_discount"] or 2) <= 1 and not price.before_promotion(chosen)
    if rate:
        said += (Message("warning.discount_rate", {"column": chosen.pop(DISCOUNT)}),)
    top = float(counts["usual_rating"] or 5)
    scale = next((scale for scale in SCALES if top <= scale), SCALES[-1])
    said += _blanked(counts, chosen, scale)
    float_ids = _are_float_ids(connection, source, chosen[CUSTOMER_ID], rows)
    if float_ids:
        said += (Message("warning.float_ids", {"column": chosen[CUSTOMER_ID]}),)
    texts: dict[str, str] = {item: draft.clean(item) for item in (ORDER_STATUS, REFUND_STATUS) if item in chosen}
    states = order_states.read_states(connection, source, chosen, texts, answers.states)
    second = read_second(connection, source, proposals, chosen, answers.states)
    notes = both_used(notes, chosen, second)
    states += second
    said += order_states.strange(states)
    plan = ReadingPlan(
        source.columns,
        chosen,
        time,
        readings,
        draft.values,
        credit_notes=EVENT_TYPE not in chosen and bool(counts["credit_notes"]),
        rating_scale=scale,
        amount_before_discount=price.before_promotion(chosen),
        discount_below=counts["discounts_below"],
        orders=Orders(
            states=order_states.no_sales(states, chosen.get(ORDER_STATUS, "")),
            after_sale=order_states.no_sales(states, chosen.get(REFUND_STATUS, "")),
            second=second[0].column if second else "",
            second_states=order_states.no_sales(second, second[0].column if second else ""),
        ),
        clock=clock,
        counterparty=counterparty,
        guests=guests,
        guest_email=guest_email,
        float_ids=float_ids,
        guarded=guarded,
    )
    orders, of_orders_said = of_orders(connection, source, rows, plan, answers.mapping)
    plan = replace(plan, orders=orders)
    if refunds.stand_apart(connection, source, plan):
        plan = replace(plan, orders=replace(plan.orders, refunds_apart=True))
        said += (
            Message(
                "warning.refunds_apart",
                {"column": chosen.get(REFUND) or chosen.get(REFUND_STATUS) or chosen[ORDER_STATUS]},
            ),
        )
    elif REFUND in chosen:
        said += (Message("warning.refunds_off", {"column": chosen[REFUND]}),)
    return Profile(plan, total, notes + said + of_orders_said, money, tuple(proposals), states)


def _words_for_nothing(rows: list[dict[str, Any]], column: str) -> bool:
    """Say whether what is no number in a column of refunds holds no figure: "no refund was asked for"."""
    values = [str(row[column]).strip() for row in rows if row[column] is not None]
    return not any(re.search(r"\d", value) and not NUMBER.fullmatch(value) for value in values)


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

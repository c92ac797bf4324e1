"""One pass over the whole table decides how each column is read; what cannot be decided is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from clv_core.collection.files.source import Source, sample
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.numbers import decide_numbers
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.columns.spreadsheet_marks import float_ids, guarded
from clv_core.collection.mapping.columns.swapped_dates import told_swapped
from clv_core.collection.mapping.customers.emails import spelt_mails
from clv_core.collection.mapping.customers.guests import guests_of
from clv_core.collection.mapping.kinds.documents import of_documents, read_documents
from clv_core.collection.mapping.kinds.event_names import seen_values
from clv_core.collection.mapping.kinds.side_marks import with_marks
from clv_core.collection.mapping.kinds.sides import with_sides
from clv_core.collection.mapping.kinds.visits import of_visits
from clv_core.collection.mapping.money import price
from clv_core.collection.mapping.money.converted import settle_converted
from clv_core.collection.mapping.money.discount_rates import in_percent, told_rates
from clv_core.collection.mapping.money.large_units import large_units
from clv_core.collection.mapping.money.minor_units import of_units
from clv_core.collection.mapping.orders import refund_rows
from clv_core.collection.mapping.orders.amounts import of_orders
from clv_core.collection.mapping.orders.ends import read_ends, without_used
from clv_core.collection.mapping.orders.other_states import others_used, read_others
from clv_core.collection.mapping.orders.steps import order_steps
from clv_core.collection.mapping.orders.totals import told_totals
from clv_core.collection.mapping.plan.counts import SCALES, count_columns
from clv_core.collection.mapping.plan.names import MAX_QUANTITY
from clv_core.collection.mapping.plan.orders import Orders, of_other
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.proposals.propose import propose
from clv_core.collection.mapping.settling import settle_columns
from clv_core.collection.mapping.states.reading import OrderState, no_sales, read_states, strange
from clv_core.collection.mapping.states.returns import returns, told_returns
from clv_core.collection.values import currency, times
from clv_core.collection.values.eras import calendar_of
from clv_core.collection.values.locale_hints import at_home
from clv_core.collection.values.zone_names import told_zones
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
    REFUND,
    REFUND_STATUS,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

SAMPLE_ROWS: Final = 2_000
MOST_EVENT_NAMES: Final = 100
"""How many different names of events are looked at; a column of more holds something else."""


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
        steps: event names that tell of orders which others tell of too, whatever the person said of them.
    """

    plan: ReadingPlan
    rows: int
    notes: tuple[Message, ...]
    currency: str
    proposals: tuple[Proposal, ...]
    states: tuple[OrderState, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)


def profile(connection: duckdb.DuckDBPyConnection, source: Source, answers: Answers, progress: Progress) -> Profile:
    """Return how ``source`` is to be read.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: there is no row, or nothing that could be an amount.
    """
    rows = sample(connection, source, SAMPLE_ROWS)
    proposals, of_sides = with_sides(propose(source.columns, rows, answers.mapping), rows, answers.mapping)
    proposals, marks, of_marks = with_marks(proposals, rows, answers.mapping, answers.events)
    chosen, notes = settle_columns(connection, source, rows, proposals, answers.mapping, answers.states)
    notes += of_sides + of_marks
    chosen, home, said = settle_converted(connection, source, proposals, chosen, answers.mapping)
    notes += said
    draft, said = _draft(connection, source, rows, chosen, {**marks, **answers.events})
    notes += said
    counts = count_columns(connection, source, draft, progress)
    if counts["rows"] == 0:
        raise Refused("no_rows", file=source.file)
    time, said = times.decide(counts[EVENT_TIME], chosen[EVENT_TIME], answers.date_order, answers.timezone)
    notes += said + told_zones(filled(rows, chosen[EVENT_TIME]), chosen[EVENT_TIME], answers.timezone)
    money, of_money = _currency(counts, source.columns, chosen, answers.currency or home)
    readings, said = decide_numbers(counts, rows, chosen, answers.decimal, cents=currency.has_cents(money))
    notes += said
    chosen, of_rates = _without_rates(counts, chosen)
    scale = _rating_scale(counts)
    whole_ids, of_ids = float_ids(connection, source, chosen[CUSTOMER_ID], rows)
    texts: dict[str, str] = {item: draft.clean(item) for item in (ORDER_STATUS, REFUND_STATUS) if item in chosen}
    others = read_others(connection, source, proposals, chosen, answers.states)
    states = read_states(connection, source, chosen, texts, answers.states) + others
    ends, of_ends = read_ends(connection, source, rows, chosen, answers.mapping)
    plan = replace(
        draft,
        chosen=chosen,
        time=time,
        numbers=readings,
        credit_notes=EVENT_TYPE not in chosen and bool(counts["credit_notes"]),
        rating_scale=scale,
        amount_before_discount=price.before_promotion(chosen),
        discount_below=counts["discounts_below"],
        orders=replace(_told_by_states(chosen, states, others), ends=ends),
        float_ids=whole_ids,
    )
    units, said = of_units(connection, source, rows, plan, answers.amount_unit, money)
    large, of_large = (1, ()) if units or answers.amount_unit else large_units(chosen)
    plan, of_money = replace(plan, minor=units, large=large), of_money + said + of_large
    of_money += told_rates(source.columns, rows, chosen)
    visits, of_visitors = of_visits(connection, source, plan)
    plan = replace(plan, visits=visits)
    steps, of_steps = order_steps(connection, source, plan, answers.events)
    plan = replace(plan, values={**plan.values, **steps, **answers.events})
    plan = replace(plan, refund_rows=refund_rows.have_rows(connection, source, plan))
    orders, of_orders_said = of_orders(connection, source, rows, plan, answers.mapping)
    plan, of_refunds = _refunds(connection, source, replace(plan, orders=orders))
    of_refunds += told_totals(connection, source, plan)
    notes = (
        without_used(others_used(notes, chosen, others), {*ends, *(item.column for item in others)})
        + of_ends
        + of_money
        + of_rates
        + _blanked(counts, chosen, scale)
        + of_ids
    )
    notes += told_swapped(connection, source, plan, counts[EVENT_TIME])
    notes += of_visitors + of_steps + strange(states) + told_returns(states) + of_refunds + of_orders_said
    return Profile(plan, int(counts["rows"]), notes, money, tuple(proposals), states, steps)


def _draft(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: list[dict[str, Any]],
    chosen: Mapping[str, str],
    events: Mapping[str, str],
) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return what the sample tells of how the columns are read, enough to count by, and what is to be said."""
    guards, notes = guarded(rows, chosen)
    clock, counterparty = clock_of(source.columns, rows, chosen), counterparty_of(source.columns, chosen)
    guests, guest_email, of_guests = guests_of(connection, source, rows, chosen)
    of_mails = spelt_mails(connection, source, rows, chosen[CUSTOMER_ID])
    calendar = calendar_of(filled(rows, chosen[EVENT_TIME]))
    of_years = (Message(f"warning.years_{calendar}", {"column": chosen[EVENT_TIME]}),) if calendar else ()
    kind = chosen.get(EVENT_TYPE, "")
    seen = sorted({str(row[kind]).strip() for row in rows if row[kind]}) if kind else []
    money = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    ledger = read_documents(connection, source, kind, money) if of_documents(seen) else {}
    draft = ReadingPlan(
        (*source.own_columns, *(column for column, _ in source.made if column in chosen.values())),
        chosen,
        values=seen_values(seen[:MOST_EVENT_NAMES], {**ledger, **events}),
        calendar=calendar,
        clock=clock,
        counterparty=counterparty,
        guests=guests,
        guest_email=guest_email,
        guarded=guards,
    )
    return draft, notes + split_notes(chosen, clock, counterparty) + of_guests + of_mails + of_years


def _currency(
    counts: Mapping[str, Any], columns: tuple[str, ...], chosen: Mapping[str, str], said: str
) -> tuple[str, tuple[Message, ...]]:
    """Return the currency as the file or the person says it, and warnings."""
    paid = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    named = counts["named"] or list(filter(None, [currency.in_name(paid)]))
    return currency.decide(named, counts["marks"], said, paid, at_home(columns))


def _without_rates(counts: Mapping[str, Any], chosen: dict[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns without one of discounts that holds rates, and what is to be said of it."""
    largest = float(counts["largest_discount"] or 2)
    others = {canonical: column for canonical, column in chosen.items() if canonical != DISCOUNT}
    if DISCOUNT in chosen and in_percent(chosen[DISCOUNT]):
        return others, ()  # what is to be said of it, told_rates knows
    if DISCOUNT not in chosen or largest > 1 or price.before_promotion(chosen):
        return chosen, ()
    return others, (Message("warning.discount_rate", {"column": chosen[DISCOUNT]}),)


def _rating_scale(counts: Mapping[str, Any]) -> float:
    """Return the largest rating of the smallest scale that holds most of them."""
    top = float(counts["usual_rating"] or SCALES[0])
    return next((scale for scale in SCALES if top <= scale), SCALES[-1])


def _told_by_states(
    chosen: Mapping[str, str], states: tuple[OrderState, ...], others: tuple[OrderState, ...]
) -> Orders:
    """Return which words of which column of states say that an order is no sale, and which that a row is a return."""
    columns = dict.fromkeys(item.column for item in others)
    orders = Orders(
        states=no_sales(states, chosen.get(ORDER_STATUS, "")),
        after_sale=no_sales(states, chosen.get(REFUND_STATUS, "")),
        others={column: no_sales(others, column) for column in columns},
    )
    back = returns(states)
    words = (of_other(item.column, item.word) if item.column in columns else item.word for item in back)
    return replace(orders, returns=tuple(words))


def _refunds(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan
) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return the plan that knows whether refunds have rows of their own, and what is to be said."""
    chosen = plan.chosen
    if refund_rows.stand_apart(connection, source, plan):
        told = (chosen.get(item) for item in (REFUND, REFUND_STATUS, ORDER_STATUS))
        column = next(filter(None, told), None) or next(iter(plan.orders.ends))
        apart = replace(plan, orders=replace(plan.orders, refunds_apart=True))
        if plan.refund_rows:
            return apart, (Message("warning.refund_rows", {"column": chosen[AMOUNT], "refund": chosen[REFUND]}),)
        return apart, (Message("warning.refunds_apart", {"column": column}),)
    return plan, (Message("warning.refunds_off", {"column": chosen[REFUND]}),) if REFUND in chosen else ()


def _blanked(counts: dict[str, Any], chosen: Mapping[str, str], scale: float) -> tuple[Message, ...]:
    """Return warnings about values written short or left empty, and about purchases below zero."""
    found = []
    if counts["scaled"]:
        params = {"column": chosen.get(AMOUNT) or chosen[UNIT_PRICE], "example": counts["scaled"][:40]}
        found.append(Message("warning.scaled_amounts", params))
    if counts["large_quantities"]:
        params = {"column": chosen[QUANTITY], "rows": counts["large_quantities"], "low": -MAX_QUANTITY}
        found.append(Message("warning.out_of_range", {**params, "high": MAX_QUANTITY}))
    if RATING in chosen and counts["beyond"][scale]:
        params = {"column": chosen[RATING], "rows": counts["beyond"][scale], "low": 0, "high": scale}
        found.append(Message("warning.out_of_range", params))
    if counts["negative"]:
        found.append(Message("warning.negative_purchases", {"rows": counts["negative"], "column": chosen[AMOUNT]}))
    return tuple(found)

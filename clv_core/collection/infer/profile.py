"""One pass over the table decides how each column is read; what cannot be decided is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from clv_core.collection.answers import Answers
from clv_core.collection.engine import name
from clv_core.collection.infer.columns.cell_formats import decide_numbers, float_ids, refuse_swapped_dates
from clv_core.collection.infer.columns.proposal import filled
from clv_core.collection.infer.draft import draft
from clv_core.collection.infer.ledger import ask_before_scope, row_kinds
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.money.discounts import OF_ORDER, discount_kind
from clv_core.collection.infer.money.units import large_units, read_units
from clv_core.collection.infer.order_states import (
    OrderState,
    read_states,
    return_rows_warning,
    returns,
    unknown_states_warning,
    void_words,
)
from clv_core.collection.infer.orders.amount_scope import read_scope
from clv_core.collection.infer.orders.counted_twice import (
    are_refunds_in_rows,
    have_refund_rows,
    order_steps,
    reject_repeated_totals,
)
from clv_core.collection.infer.orders.void_times import (
    read_other_statuses,
    read_void_times,
    refunds_in_part_warning,
    status_column_warnings,
)
from clv_core.collection.infer.plan import counts as probes
from clv_core.collection.infer.plan.counts import SCALES, count_columns
from clv_core.collection.infer.plan.orders import Orders, qualified_word
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse import currencies as currency
from clv_core.collection.parse import date_order
from clv_core.collection.parse.date_order import ColumnDates
from clv_core.collection.parse.locale_hints import script_currencies
from clv_core.collection.parse.times import shared_zone_warnings
from clv_core.collection.read.source import Source, sample
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TIME,
    ORDER_ID,
    ORDER_STATUS,
    RATING,
    REFUND,
    REFUND_STATUS,
    UNIT_PRICE,
)
from clv_core.errors import Message, NeedsAnswer, Refused
from clv_core.jobs import Progress

SAMPLE_ROWS: Final = 2_000
"""Rows that names and values are first judged by; all others are only counted."""


@dataclass(frozen=True)
class Profile:
    """What one pass over the text has shown.

    Args:
        plan: how every column is read.
        source: the table that it reads.
        rows: rows in the table.
        notes: warnings.
        currency: as answered, or as detected in the file.
        log: the file, with what each column seems to be.
        states: the words of its columns of states, and what each is taken for.
        steps: event names whose orders other event names have too, regardless of answers.
    """

    plan: ReadingPlan
    source: Source
    rows: int
    notes: tuple[Message, ...]
    currency: str
    log: LogTable
    states: tuple[OrderState, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)


def profile(connection: duckdb.DuckDBPyConnection, source: Source, answers: Answers, progress: Progress) -> Profile:
    """Return how ``source`` is to be read.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: there is no row, or nothing that could be an amount.
    """
    log = LogTable(connection, source, sample(connection, source, SAMPLE_ROWS), answers)
    log, plan, home, notes = draft(log)
    rows, column_of = log.rows, dict(plan.column_of)
    counts = count_columns(log, plan, progress)
    if counts["rows"] == 0:
        raise Refused("no_rows", file=source.file)
    usual = EVENT_TIME in counts["usual"]
    evidence = ColumnDates(connection, f"SELECT {plan.clean(EVENT_TIME)} AS x FROM {source.relation()}")
    forms = counts[EVENT_TIME]
    time, warnings = date_order.decide(
        forms, column_of[EVENT_TIME], answers.date_order, answers.timezone, usual=usual, evidence=evidence
    )
    refuse_swapped_dates(log, plan, forms)
    notes += warnings + shared_zone_warnings(
        filled(rows, column_of[EVENT_TIME]), column_of[EVENT_TIME], answers.timezone
    )
    money, of_money = _currency(counts, source.columns, column_of, answers.currency or home)
    readings, warnings = decide_numbers(counts, rows, column_of, answers.decimal, cents=currency.has_cents(money))
    notes += warnings
    largest = float(counts["largest_discount"] or 2)
    discount, column_of, of_discounts = discount_kind(rows, column_of, largest, answers)
    if discount == OF_ORDER and ORDER_ID not in column_of:
        free = [column for column in source.columns if column not in column_of.values()]
        raise NeedsAnswer("missing_column", canonical=ORDER_ID, found=free, guess="COLUMN", file=source.file)
    scale = _rating_scale(counts)
    whole_floats, of_ids = float_ids(column_of[CUSTOMER_ID], rows)
    other_states = read_other_statuses(log, column_of)
    states = read_states(log, plan) + other_states
    ends, of_ends = read_void_times(log, column_of)
    inferred, of_probes = probes.decide(plan, counts["probes"])
    plan = replace(
        plan,
        column_of=column_of,
        time=time,
        numbers=readings,
        rating_scale=scale,
        discount=discount,
        float_ids=whole_floats,
        sales_below=answers.sign == "negative",
        max_amount=answers.max_amount,
        orders=replace(
            _orders_by_states(column_of, states, other_states),
            ends=ends,
            kinds=row_kinds(answers, source.columns, source.file),
        ),
        **inferred,
    )
    units, warnings = read_units(log, plan, answers.amount_unit, money)
    large, of_large = (1, ()) if units or answers.amount_unit else large_units(column_of)
    plan, of_money = replace(plan, minor=units, large=large), of_money + warnings + of_large
    log, plan = _read_cells(log, plan)
    plan, steps, of_rows = _relate_rows(log, plan, states)
    notes = status_column_warnings(notes, column_of, other_states)
    notes += of_ends + of_money + of_discounts + of_probes + _unscaled_ratings(counts, column_of, scale) + of_ids
    notes += of_rows + refunds_in_part_warning(log, plan, states)
    return Profile(plan, log.source, int(counts["rows"]), notes, money, log, states, steps)


def _read_cells(log: LogTable, plan: ReadingPlan) -> tuple[LogTable, ReadingPlan]:
    """Return a small file joined with the texts and values of its cells, so that no question reads them again."""
    if not log.source.loaded:  # of a large one they take more memory, and as long as to read them again
        return log, plan
    columns = ", ".join(map(name, log.columns))
    cells = f"SELECT * EXCLUDE ({columns}) FROM ({plan.read(log.relation)})"
    log.connection.execute(f"CREATE OR REPLACE TEMP TABLE clv_cells AS {cells}")
    source = replace(log.source, loaded=f"(FROM {log.relation} POSITIONAL JOIN clv_cells)")
    return replace(log, source=source), replace(plan, is_read=True)


def _relate_rows(
    log: LogTable, plan: ReadingPlan, states: tuple[OrderState, ...]
) -> tuple[ReadingPlan, Mapping[str, str], tuple[Message, ...]]:
    """Return the plan with how rows are combined, the names of events that are steps, and warnings.

    Args:
        log: the file.
        plan: how each row is read for itself.
        states: the words of its columns of states.

    Raises:
        NeedsAnswer: an amount may be that of its row or of its order, or rows may give back what others sold.
    """
    steps, of_steps = order_steps(log, plan)
    plan = replace(plan, values={**plan.values, **steps, **log.answers.events})
    plan = replace(plan, refund_rows=have_refund_rows(log, plan))
    try:
        orders, of_amounts = read_scope(log, plan)
    except NeedsAnswer:
        ask_before_scope(log, plan)
        raise
    plan, of_refunds = _refunds(log, replace(plan, orders=orders))
    plan, of_repeats = reject_repeated_totals(log, plan)
    warnings = (
        of_steps + unknown_states_warning(states) + return_rows_warning(states) + of_refunds + of_repeats + of_amounts
    )
    return plan, steps, warnings


def _orders_by_states(
    column_of: Mapping[str, str], states: tuple[OrderState, ...], other_states: tuple[OrderState, ...]
) -> Orders:
    """Return which words of which column of states say that an order is no sale, and which that a row is a return."""
    columns = dict.fromkeys(item.column for item in other_states)
    orders = Orders(
        states=void_words(states, column_of.get(ORDER_STATUS, "")),
        after_sale=void_words(states, column_of.get(REFUND_STATUS, "")),
        other_states={column: void_words(other_states, column) for column in columns},
    )
    back = returns(states)
    words = (qualified_word(item.column, item.word) if item.column in columns else item.word for item in back)
    return replace(orders, returns=tuple(words))


def _refunds(log: LogTable, plan: ReadingPlan) -> tuple[ReadingPlan, tuple[Message, ...]]:
    """Return the plan with whether refunds have rows of their own, and warnings."""
    column_of = plan.column_of
    if are_refunds_in_rows(log, plan):
        refund_columns = (column_of.get(item) for item in (REFUND, REFUND_STATUS, ORDER_STATUS))
        column = next(filter(None, refund_columns), None) or next(iter(plan.orders.ends))
        apart = replace(plan, orders=replace(plan.orders, refunds_apart=True))
        return apart, (Message("warning.refunds_apart", {"column": column}),)
    return plan, (Message("warning.refunds_off", {"column": column_of[REFUND]}),) if REFUND in column_of else ()


def _currency(
    counts: Mapping[str, Any], columns: tuple[str, ...], column_of: Mapping[str, str], answer: str
) -> tuple[str, tuple[Message, ...]]:
    """Return the currency, as answered or as detected in the file, and warnings."""
    paid = column_of.get(AMOUNT) or column_of.get(UNIT_PRICE, "")
    named = counts["named"] or list(filter(None, [currency.in_name(paid)]))
    return currency.decide(named, counts["marks"], answer, paid, script_currencies(columns))


def _rating_scale(counts: Mapping[str, Any]) -> float:
    """Return the largest rating of the smallest scale that holds most of them."""
    top = float(counts["usual_rating"] or SCALES[0])
    return next((scale for scale in SCALES if top <= scale), SCALES[-1])


def _unscaled_ratings(counts: Mapping[str, Any], column_of: Mapping[str, str], scale: float) -> tuple[Message, ...]:
    """Return a warning about ratings beyond their scale, which are left empty."""
    if RATING not in column_of or not counts["beyond"][scale]:
        return ()
    params = {"column": column_of[RATING], "rows": counts["beyond"][scale], "low": 0, "high": scale}
    return (Message("warning.out_of_range", params),)

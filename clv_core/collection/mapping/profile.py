"""One pass over the whole table decides how each column is read; what cannot be decided is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name
from clv_core.collection.files.source import Source, sample
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.numbers import decide_numbers
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.columns.spreadsheet_marks import float_ids
from clv_core.collection.mapping.columns.swapped_dates import are_swapped
from clv_core.collection.mapping.draft import draft
from clv_core.collection.mapping.money import price
from clv_core.collection.mapping.money.discounts import discount_kind
from clv_core.collection.mapping.money.large_units import large_units
from clv_core.collection.mapping.money.minor_units import of_units
from clv_core.collection.mapping.orders.ends import read_ends, without_used
from clv_core.collection.mapping.orders.other_states import others_used, read_others
from clv_core.collection.mapping.plan.counts import SCALES, count_columns
from clv_core.collection.mapping.plan.names import MAX_QUANTITY
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.states.reading import OrderState, read_states
from clv_core.collection.mapping.together import settle_rows, told_by_states
from clv_core.collection.values import currency, times
from clv_core.collection.values.date_evidence import ColumnDates
from clv_core.collection.values.locale_hints import at_home
from clv_core.collection.values.zone_names import told_zones
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_STATUS,
    QUANTITY,
    RATING,
    REFUND_STATUS,
    UNIT_PRICE,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

SAMPLE_ROWS: Final = 2_000


@dataclass(frozen=True)
class Profile:
    """What one pass over the text has shown.

    Args:
        plan: how every column is read.
        source: the table that it reads.
        rows: rows in the table.
        notes: what is to be said about the reading.
        currency: the currency, as the person or the file said it.
        proposals: what each column seems to be.
        states: the words of its columns of states, and what each is taken for.
        steps: event names that tell of orders which others tell of too, whatever the person said of them.
    """

    plan: ReadingPlan
    source: Source
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
    drafted = draft(connection, source, rows, answers)
    plan, notes = drafted.plan, drafted.notes
    chosen = dict(plan.chosen)
    counts = count_columns(connection, source, rows, plan, progress)
    if counts["rows"] == 0:
        raise Refused("no_rows", file=source.file)
    usual = EVENT_TIME in counts["usual"]
    evidence = ColumnDates(connection, f"SELECT {plan.clean(EVENT_TIME)} AS x FROM {source.relation()}")
    forms = counts[EVENT_TIME]
    time, said = times.decide(
        forms, chosen[EVENT_TIME], answers.date_order, answers.timezone, usual=usual, evidence=evidence
    )
    swapped, of_swapped = are_swapped(connection, source, plan, forms)
    time = replace(time, swapped=swapped)
    notes += said + told_zones(filled(rows, chosen[EVENT_TIME]), chosen[EVENT_TIME], answers.timezone)
    money, of_money = _currency(counts, source.columns, chosen, answers.currency or drafted.currency)
    readings, said = decide_numbers(counts, rows, chosen, answers.decimal, cents=currency.has_cents(money))
    notes += said
    largest = float(counts["largest_discount"] or 2)
    discount, chosen, of_discounts = discount_kind(rows, chosen, largest, answers.discount)
    scale = _rating_scale(counts)
    whole_floats, of_ids = float_ids(chosen[CUSTOMER_ID], rows)
    texts: dict[str, str] = {item: plan.clean(item) for item in (ORDER_STATUS, REFUND_STATUS) if item in chosen}
    others = read_others(connection, source, drafted.proposals, chosen, answers.states)
    states = read_states(connection, source, chosen, texts, answers.states) + others
    ends, of_ends = read_ends(connection, source, rows, chosen, answers.mapping, answers.states)
    plan = replace(
        plan,
        chosen=chosen,
        time=time,
        numbers=readings,
        credit_notes=EVENT_TYPE not in chosen and bool(counts["credit_notes"]),
        rating_scale=scale,
        amount_before_discount=price.before_promotion(chosen),
        discount_below=counts["discounts_below"],
        discount=discount,
        float_ids=whole_floats,
        sales_below=answers.sign == "negative",
        max_amount=answers.max_amount,
        orders=replace(told_by_states(chosen, states, others), ends=ends),
    )
    units, said = of_units(connection, source, rows, plan, answers.amount_unit, money)
    large, of_large = (1, ()) if units or answers.amount_unit else large_units(chosen)
    plan, of_money = replace(plan, minor=units, large=large), of_money + said + of_large
    if source.is_small:  # of a large file a second copy costs more than reading cells again
        columns = ", ".join(map(name, source.columns))
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE clv_cells AS"
            f" SELECT * EXCLUDE ({columns}) FROM ({plan.read(source.relation())})"
        )
        source = replace(source, loaded=f"(FROM {source.loaded} POSITIONAL JOIN clv_cells)")
        plan = replace(plan, is_read=True)
    plan, steps, of_rows = settle_rows(connection, source, rows, plan, states, answers)
    notes = without_used(others_used(notes, chosen, others), {*ends, *(item.column for item in others)})
    notes += of_ends + of_money + of_discounts + _blanked(counts, chosen, scale) + of_ids
    notes += of_swapped + of_rows
    return Profile(plan, source, int(counts["rows"]), notes, money, tuple(drafted.proposals), states, steps)


def _currency(
    counts: Mapping[str, Any], columns: tuple[str, ...], chosen: Mapping[str, str], said: str
) -> tuple[str, tuple[Message, ...]]:
    """Return the currency as the file or the person says it, and warnings."""
    paid = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    named = counts["named"] or list(filter(None, [currency.in_name(paid)]))
    return currency.decide(named, counts["marks"], said, paid, at_home(columns))


def _rating_scale(counts: Mapping[str, Any]) -> float:
    """Return the largest rating of the smallest scale that holds most of them."""
    top = float(counts["usual_rating"] or SCALES[0])
    return next((scale for scale in SCALES if top <= scale), SCALES[-1])


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

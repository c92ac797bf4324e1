"""A first draft of how a file is read: which column is what, and what its first rows tell, enough to count by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.cell_formats import guarded
from clv_core.collection.infer.columns.column_choice import ask_time, choose
from clv_core.collection.infer.columns.grouped_ids import ask_grouped_ids
from clv_core.collection.infer.columns.proposal import CLOCK, refuse_ids
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.infer.customers import ask_customer, find_guests, use_emails_for_blank_ids
from clv_core.collection.infer.debit_credit import with_marks, with_sides
from clv_core.collection.infer.event_names import (
    drop_payment_kinds,
    known_event_types,
    ledger_event_types,
    read_documents,
)
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.money.amounts import (
    other_total_warning,
    rival_amounts,
    settle_amount,
    settle_returns,
    without_cost,
)
from clv_core.collection.infer.money.discounts import with_discount_rate
from clv_core.collection.infer.money.price import settle_pieces, settle_price
from clv_core.collection.infer.money.units import settle_converted
from clv_core.collection.infer.order_states import choose_status_column
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.read.derived_columns import WAYS
from clv_core.collection.vocabulary.column_names import MISSING, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, CUSTOMER_ID, DISCOUNT, EVENT_TIME, EVENT_TYPE, PAYEE, QUANTITY, REFUND, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

MOST_EVENT_NAMES: Final = 100
"""How many different names of events are looked at; a column of more holds something else."""

CLOCK_NAME: Final = re.compile(f"({load_vocabulary().pattern('dates', 'clock_columns')})$")
DATE_ONLY: Final = re.compile(r"[^:時时]*")

Columns = dict[str, str]
Notes = tuple[Message, ...]
Rule = Callable[[LogTable, Columns], tuple[Columns, Notes]]
"""Returns the columns as it leaves them, and what is to be said of it; what it cannot decide it asks."""
COLUMN_RULES: Final[tuple[Rule, ...]] = (
    ask_customer,
    ask_grouped_ids,
    ask_time,
    use_emails_for_blank_ids,
    drop_payment_kinds,
    choose_status_column,
)
MONEY_RULES: Final[tuple[Rule, ...]] = (settle_price, settle_amount)


def draft(log: LogTable) -> tuple[LogTable, ReadingPlan, str, Notes]:
    """Return what the names of a file's columns and its first rows tell of how it is read.

    Returns:
        The file with what each column seems to be; how its columns are read, as far as is known; the currency of
        amounts that stand in one currency beside those of several, empty where there are none; what is to be said.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    said = log.answers
    proposals = with_sides(propose(log.columns, log.rows, said.mapping), said.mapping)
    proposals, marks = with_marks(proposals, log.rows, said.mapping, said.events)
    log = replace(log, proposals=proposals)
    chosen, notes = _choose_columns(log)
    chosen, home, of_converted = settle_converted(log, chosen)
    notes += of_converted
    if not home and AMOUNT not in said.mapping:
        _ask_converted(log, chosen)
        notes += rival_amounts(log, chosen, notes)
    plan, of_plan = _first_plan(log, chosen, {**marks, **said.events})
    return log, plan, home, notes + of_plan


def _choose_columns(log: LogTable) -> tuple[Columns, Notes]:
    """Return canonical -> source column, and what is to be said about it."""
    mapping = log.answers.mapping
    refuse_ids(mapping)
    chosen, notes = choose(log.proposals, log.source.file)
    for settle in COLUMN_RULES:
        chosen, said = settle(log, chosen)
        notes += said
    chosen, said = settle_pieces(log, chosen)
    notes += said
    priced = without_cost(chosen, mapping)
    if priced != chosen:  # what was guessed of the amount is not true any more
        chosen, notes = priced, tuple(note for note in notes if note.params.get("canonical") != AMOUNT)
    for settle in MONEY_RULES:
        chosen, said = settle(log, chosen)
        notes += said
    notes += other_total_warning(log, chosen, notes)
    chosen, said = settle_returns(log, chosen)
    notes += said
    chosen = with_discount_rate(log.columns, log.rows, _price_alone(log, chosen), mapping)
    if REFUND in chosen and AMOUNT not in chosen:
        notes += (Message("warning.refund_unused", {"column": chosen.pop(REFUND)}),)
    return chosen, notes


def _price_alone(log: LogTable, chosen: Columns) -> Columns:
    """Return the columns with a price that no pieces stand beside as the amount, where a refund is to be taken off."""
    found = dict(chosen)
    off = any(re.search("[1-9]", value) for value in log.filled(found[DISCOUNT])) if DISCOUNT in found else False
    if REFUND in found and UNIT_PRICE in found and not {AMOUNT, QUANTITY} & set(found) and not off:
        found[AMOUNT] = found.pop(UNIT_PRICE)
    return found


def _ask_converted(log: LogTable, chosen: Columns) -> None:
    """Ask whether amounts in several currencies are to be converted by the rate beside them, and which way.

    Raises:
        NeedsAnswer: there is such a rate.
    """
    amount = chosen.get(AMOUNT, "")
    converted = [column for way in WAYS for column, _ in log.source.made if column.startswith(f"{amount} {way} ")]
    if amount and converted:
        raise NeedsAnswer("which_converted", canonical=AMOUNT, columns=[*converted, amount])


def _first_plan(log: LogTable, chosen: Columns, events: Mapping[str, str]) -> tuple[ReadingPlan, Notes]:
    """Return what the sample tells of how the columns are read, enough to count by, and what is to be said."""
    guards, notes = guarded(log.rows, chosen)
    clock = find_clock(log.columns, log.rows, chosen)
    guests, guest_email, of_guests = find_guests(log, chosen)
    kind = chosen.get(EVENT_TYPE, "")
    seen = sorted({str(row[kind]).strip() for row in log.rows if row[kind]}) if kind else []
    money = chosen.get(AMOUNT) or chosen.get(UNIT_PRICE, "")
    ledger = read_documents(log.connection, log.source, kind, money) if ledger_event_types(seen) else {}
    draft = ReadingPlan(
        (*log.source.own_columns, *(column for column, _ in log.source.made if column in chosen.values())),
        chosen,
        values=known_event_types(seen[:MOST_EVENT_NAMES], {**ledger, **events}),
        clock=clock,
        guests=guests,
        guest_email=guest_email,
        guarded=guards,
    )
    if clock:
        notes += (Message("warning.date_and_clock", {"column": chosen[EVENT_TIME], "other": clock}),)
    if PAYEE in chosen:
        notes += (Message("warning.counterparty", {"column": chosen[CUSTOMER_ID], "other": chosen[PAYEE]}),)
    return draft, notes + of_guests


def find_clock(columns: Sequence[str], rows: Sequence[TextRow], chosen: Mapping[str, str]) -> str:
    """Return the column of the time of day, "" where the time's own column has it, or none or several could be it.

    Args:
        columns: source columns.
        rows: sample rows as text.
        chosen: canonical name -> source column.
    """
    if not _all(DATE_ONLY, rows, chosen[EVENT_TIME]):
        return ""
    free = [column for column in columns if column not in chosen.values() and CLOCK_NAME.search(fold(column))]
    found = [column for column in free if _all(CLOCK, rows, column)]
    return found[0] if len(found) == 1 else ""


def _all(pattern: re.Pattern[str], rows: Sequence[TextRow], column: str) -> bool:
    cells = (row[column] for row in rows)
    values = [cell for cell in cells if cell is not None and cell.strip().lower() not in MISSING]
    return bool(values) and all(pattern.fullmatch(value) for value in values)

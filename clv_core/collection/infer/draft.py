"""A first draft of how a file is read, by the names of its columns and its first rows: enough to count by."""

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
    resolve_amount,
    resolve_returns,
    rival_amounts,
    without_cost,
)
from clv_core.collection.infer.money.discounts import with_discount_rate
from clv_core.collection.infer.money.price import resolve_pieces, resolve_price
from clv_core.collection.infer.money.units import resolve_converted
from clv_core.collection.infer.order_states import choose_status_column
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.read.derived_columns import WAYS
from clv_core.collection.vocabulary.column_names import MISSING, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, CUSTOMER_ID, DISCOUNT, EVENT_TIME, EVENT_TYPE, PAYEE, QUANTITY, REFUND, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

MAX_SAMPLED_NAMES: Final = 100
"""Different names of events in the sample that are mapped; a column with more has something else."""

CLOCK_NAME: Final = re.compile(f"({load_vocabulary().pattern('dates', 'clock_columns')})$")
DATE_ONLY: Final = re.compile(r"[^:時时]*")

Columns = dict[str, str]
Notes = tuple[Message, ...]
Rule = Callable[[LogTable, Columns], tuple[Columns, Notes]]
"""Returns canonical -> source column after the rule, and warnings; raises a question where it cannot decide."""
COLUMN_RULES: Final[tuple[Rule, ...]] = (
    ask_customer,
    ask_grouped_ids,
    ask_time,
    use_emails_for_blank_ids,
    drop_payment_kinds,
    choose_status_column,
)
MONEY_RULES: Final[tuple[Rule, ...]] = (resolve_price, resolve_amount)


def draft(log: LogTable) -> tuple[LogTable, ReadingPlan, str, Notes]:
    """Return how a file is read, as far as the names of its columns and its first rows decide.

    Returns:
        The file with what each column seems to be; a partial plan; the currency of amounts that another column has in
        several currencies, empty without such a column; warnings.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    answers = log.answers
    proposals = with_sides(propose(log.columns, log.rows, answers.mapping), answers.mapping)
    proposals, marks = with_marks(proposals, log.rows, answers.mapping, answers.events)
    log = replace(log, proposals=proposals)
    column_of, notes = _choose_columns(log)
    column_of, home, of_converted = resolve_converted(log, column_of)
    notes += of_converted
    if not home and AMOUNT not in answers.mapping:
        _ask_converted(log, column_of)
        notes += rival_amounts(log, column_of, notes)
    plan, of_plan = _first_plan(log, column_of, {**marks, **answers.events})
    return log, plan, home, notes + of_plan


def _choose_columns(log: LogTable) -> tuple[Columns, Notes]:
    """Return canonical -> source column, and warnings."""
    mapping = log.answers.mapping
    refuse_ids(mapping)
    column_of, notes = choose(log.proposals, log.source.file)
    for settle in COLUMN_RULES:
        column_of, warnings = settle(log, column_of)
        notes += warnings
    column_of, warnings = resolve_pieces(log, column_of)
    notes += warnings
    priced = without_cost(column_of, mapping)
    if priced != column_of:  # what was guessed of the amount is not true any more
        column_of, notes = priced, tuple(note for note in notes if note.params.get("canonical") != AMOUNT)
    for settle in MONEY_RULES:
        column_of, warnings = settle(log, column_of)
        notes += warnings
    notes += other_total_warning(log, column_of, notes)
    column_of, warnings = resolve_returns(log, column_of)
    notes += warnings
    column_of = with_discount_rate(log.columns, log.rows, _price_alone(log, column_of), mapping)
    if REFUND in column_of and AMOUNT not in column_of:
        notes += (Message("warning.refund_unused", {"column": column_of.pop(REFUND)}),)
    return column_of, notes


def _price_alone(log: LogTable, column_of: Columns) -> Columns:
    """Return the columns with a price as the amount, where there are no pieces and a refund is to be taken off."""
    result = dict(column_of)
    off = any(re.search("[1-9]", value) for value in log.filled(result[DISCOUNT])) if DISCOUNT in result else False
    if REFUND in result and UNIT_PRICE in result and not {AMOUNT, QUANTITY} & set(result) and not off:
        result[AMOUNT] = result.pop(UNIT_PRICE)
    return result


def _ask_converted(log: LogTable, column_of: Columns) -> None:
    """Ask whether amounts in several currencies are to be converted by a column of rates, and which way.

    Raises:
        NeedsAnswer: there is such a rate.
    """
    amount = column_of.get(AMOUNT, "")
    converted = [column for way in WAYS for column, _ in log.source.made if column.startswith(f"{amount} {way} ")]
    if amount and converted:
        raise NeedsAnswer("which_converted", canonical=AMOUNT, columns=[*converted, amount])


def _first_plan(log: LogTable, column_of: Columns, events: Mapping[str, str]) -> tuple[ReadingPlan, Notes]:
    """Return a plan that the sample is enough for and that counting needs, and warnings."""
    guards, notes = guarded(log.rows, column_of)
    clock = find_clock(log.columns, log.rows, column_of)
    guests, guest_email, of_guests = find_guests(log, column_of)
    kind = column_of.get(EVENT_TYPE, "")
    seen = sorted({str(row[kind]).strip() for row in log.rows if row[kind]}) if kind else []
    money = column_of.get(AMOUNT) or column_of.get(UNIT_PRICE, "")
    ledger = read_documents(log.connection, log.source, kind, money) if ledger_event_types(seen) else {}
    draft = ReadingPlan(
        (*log.source.own_columns, *(column for column, _ in log.source.made if column in column_of.values())),
        column_of,
        values=known_event_types(seen[:MAX_SAMPLED_NAMES], {**ledger, **events}),
        clock=clock,
        guests=guests,
        guest_email=guest_email,
        guarded=guards,
    )
    if clock:
        notes += (Message("warning.date_and_clock", {"column": column_of[EVENT_TIME], "other": clock}),)
    if PAYEE in column_of:
        notes += (Message("warning.counterparty", {"column": column_of[CUSTOMER_ID], "other": column_of[PAYEE]}),)
    return draft, notes + of_guests


def find_clock(columns: Sequence[str], rows: Sequence[TextRow], column_of: Mapping[str, str]) -> str:
    """Return the column of the time of day, "" where the time's own column has it, or none or several could be it.

    Args:
        columns: source columns.
        rows: sample rows as text.
        column_of: canonical name -> source column.
    """
    if not _all(DATE_ONLY, rows, column_of[EVENT_TIME]):
        return ""
    free = [column for column in columns if column not in column_of.values() and CLOCK_NAME.search(fold(column))]
    clocks = [column for column in free if _all(CLOCK, rows, column)]
    return clocks[0] if len(clocks) == 1 else ""


def _all(pattern: re.Pattern[str], rows: Sequence[TextRow], column: str) -> bool:
    cells = (row[column] for row in rows)
    values = [cell for cell in cells if cell is not None and cell.strip().lower() not in MISSING]
    return bool(values) and all(pattern.fullmatch(value) for value in values)

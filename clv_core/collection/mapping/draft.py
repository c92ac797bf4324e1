"""A first draft of how a file is read: which column is what, and what its first rows tell, enough to count by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.paired_columns import clock_of, counterparty_of, split_notes
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.columns.spreadsheet_marks import guarded
from clv_core.collection.mapping.customers.emails import spelt_mails
from clv_core.collection.mapping.customers.guests import guests_of
from clv_core.collection.mapping.kinds.documents import of_documents, read_documents
from clv_core.collection.mapping.kinds.event_names import seen_values
from clv_core.collection.mapping.kinds.side_marks import with_marks
from clv_core.collection.mapping.kinds.sides import with_sides
from clv_core.collection.mapping.money.converted import settle_converted
from clv_core.collection.mapping.money.other_totals import rival_amounts
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.proposals.propose import propose
from clv_core.collection.mapping.settling import settle_columns
from clv_core.collection.parse.calendars import calendar_of
from clv_core.collection.read.derived_columns import WAYS
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

MOST_EVENT_NAMES: Final = 100
"""How many different names of events are looked at; a column of more holds something else."""


@dataclass(frozen=True)
class Draft:
    """What is known of a file before all of it was counted.

    Args:
        plan: how its columns are read, as far as is known.
        proposals: what each column seems to be.
        currency: that of amounts which stand in one currency beside those of several; empty where there are none.
        notes: what is to be said.
    """

    plan: ReadingPlan
    proposals: list[Proposal]
    currency: str
    notes: tuple[Message, ...]


def draft(connection: duckdb.DuckDBPyConnection, source: Source, rows: list[dict[str, Any]], answers: Answers) -> Draft:
    """Return what the names of a file's columns and its first rows tell of how it is read.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        answers: what the person said.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    proposals, of_sides = with_sides(propose(source.columns, rows, answers.mapping), rows, answers.mapping)
    proposals, marks, of_marks = with_marks(proposals, rows, answers.mapping, answers.events)
    chosen, notes = settle_columns(connection, source, rows, proposals, answers.mapping, answers.states)
    notes += of_sides + of_marks
    chosen, home, said = settle_converted(connection, source, proposals, chosen, answers.mapping)
    notes += said
    if not home and AMOUNT not in answers.mapping:
        _ask_converted(source, chosen)
        notes += rival_amounts(connection, source, proposals, chosen, notes)
    plan, said = _first_plan(connection, source, rows, chosen, {**marks, **answers.events})
    return Draft(plan, proposals, home, notes + said)


def _ask_converted(source: Source, chosen: Mapping[str, str]) -> None:
    """Ask whether amounts in several currencies are to be converted by the rate beside them, and which way.

    Raises:
        NeedsAnswer: there is such a rate.
    """
    amount = chosen.get(AMOUNT, "")
    converted = [column for way in WAYS for column, _ in source.made if column.startswith(f"{amount} {way} ")]
    if amount and converted:
        raise NeedsAnswer("which_converted", canonical=AMOUNT, columns=[*converted, amount])


def _first_plan(
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

"""Which source column each canonical one is read from, step by step; what a step cannot decide is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import duckdb

from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.money import refuse_ids
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.customers.blanks import settle_blanks
from clv_core.collection.mapping.customers.ids import settle_customer
from clv_core.collection.mapping.kinds.payments import settle_kind
from clv_core.collection.mapping.money import price
from clv_core.collection.mapping.money.discounts import of_rates
from clv_core.collection.mapping.money.identities import settle_amount
from clv_core.collection.mapping.money.other_totals import told_other_total, without_cost
from clv_core.collection.mapping.money.pieces import settle_pieces
from clv_core.collection.mapping.money.return_amounts import settle_returns
from clv_core.collection.mapping.orders.other_states import others_unused
from clv_core.collection.mapping.orders.refund_amounts import settle_refund
from clv_core.collection.mapping.proposals.choosing import choose
from clv_core.collection.mapping.proposals.customer_dates import settle_time
from clv_core.collection.mapping.states.naming import refunds_unused, settle_states
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, DISCOUNT, ORDER_STATUS, QUANTITY, REFUND, UNIT_PRICE
from clv_core.errors import Message


def settle_columns(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: list[dict[str, Any]],
    proposals: list[Proposal],
    mapping: Mapping[str, str],
    states: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return canonical -> source column, and what is to be said about it.

    Args:
        connection: the engine.
        source: the file.
        rows: sample rows as text.
        proposals: what each column seems to be.
        mapping: what the person said: canonical name -> source column.
        states: what the person said of words of states.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    refuse_ids(mapping)
    chosen, notes = choose(proposals, source.file)
    chosen, said = settle_customer(connection, source, proposals, chosen, mapping)
    notes += said
    chosen, said = settle_time(connection, source, proposals, chosen, mapping)
    notes += said
    chosen, said = settle_blanks(connection, source, rows, chosen, mapping)
    notes += said
    chosen, said = settle_kind(rows, chosen, mapping)
    notes += said
    chosen, said = settle_states(rows, chosen, mapping, states)
    notes += said
    chosen, said = settle_refund(connection, source, rows, proposals, chosen, mapping)
    notes += said + refunds_unused(rows, chosen, mapping)
    notes += () if ORDER_STATUS in mapping else others_unused(rows, proposals, chosen)
    chosen, said = settle_pieces(connection, source, rows, proposals, chosen, mapping)
    notes += said
    priced = without_cost(chosen, mapping)
    if priced != chosen:  # what was guessed of the amount is not true any more
        chosen, notes = priced, tuple(note for note in notes if note.params.get("canonical") != AMOUNT)
    chosen, said = price.settle(connection, source, chosen, mapping)
    notes += said
    chosen, said = settle_amount(connection, source, proposals, chosen, mapping)
    notes += said
    notes += told_other_total(connection, source, proposals, chosen, mapping, notes)
    chosen, said = settle_returns(rows, proposals, chosen, mapping)
    notes += said
    chosen = of_rates(source.columns, rows, _price_alone(rows, chosen), mapping)
    if REFUND in chosen and AMOUNT not in chosen:
        notes += (Message("warning.refund_unused", {"column": chosen.pop(REFUND)}),)
    return chosen, notes


def _price_alone(rows: list[dict[str, Any]], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the columns with a price that no pieces stand beside as the amount, where a refund is to be taken off."""
    found = dict(chosen)
    off = any(re.search("[1-9]", value) for value in filled(rows, found[DISCOUNT])) if DISCOUNT in found else False
    if REFUND in found and UNIT_PRICE in found and not {AMOUNT, QUANTITY} & set(found) and not off:
        found[AMOUNT] = found.pop(UNIT_PRICE)
    return found

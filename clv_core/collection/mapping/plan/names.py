"""Names and limits of a reading: types of rows beside those of events, columns of money, ids of credit notes."""

from __future__ import annotations

from typing import Final

from clv_core.columns import AMOUNT, DISCOUNT, REFUND, UNIT_PRICE

UNKNOWN: Final = "unknown"

UNPRICED: Final = "purchase_unpriced"
"""A row that is called a purchase and has no amount at all: behaviour is kept, money is not made up."""

MAX_QUANTITY: Final = 1e6

CREDIT_NOTE: Final = "(?i)C[NR]?[-_]?[0-9]+"
"""Order ids of credit notes among ids of digits. Other letters name a channel or a shop: there only a sign tells."""

GUARD: Final = r"""^\s*(?:="(.*)"|'(.*))\s*$"""
"""How exports keep spreadsheets from making a number of an id: ="0012", or an apostrophe before it."""

PAID: Final = (AMOUNT, UNIT_PRICE, DISCOUNT, REFUND)
"""Columns of money."""

REASON: Final = "reason"

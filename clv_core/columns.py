"""The canonical columns of an event log: one name, one type, one place.

Every stage refers to a column by the constants here, never by a literal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How the values of a canonical column are read from text."""

    TEXT = "text"
    TIME = "time"
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Args:
        name: the name used everywhere in code, files and exports.
        kind: how its text is read.
        required: whether a log without it is refused.
    """

    name: str
    kind: Kind
    required: bool = False


CUSTOMER_ID: Final = "customer_id"
EVENT_TIME: Final = "event_time"
EVENT_TYPE: Final = "event_type"
AMOUNT: Final = "amount"
ORDER_ID: Final = "order_id"
PRODUCT_ID: Final = "product_id"
CATEGORY: Final = "category"
QUANTITY: Final = "quantity"
UNIT_PRICE: Final = "unit_price"
DISCOUNT: Final = "discount"
RATING: Final = "rating"
REVIEW_TEXT: Final = "review_text"
CHANNEL: Final = "channel"
COUNTRY: Final = "country"
SESSION_ID: Final = "session_id"

COLUMNS: Final[tuple[Column, ...]] = (
    Column(CUSTOMER_ID, Kind.TEXT, required=True),
    Column(EVENT_TIME, Kind.TIME, required=True),
    Column(EVENT_TYPE, Kind.TEXT),
    Column(AMOUNT, Kind.NUMBER),
    Column(ORDER_ID, Kind.TEXT),
    Column(PRODUCT_ID, Kind.TEXT),
    Column(CATEGORY, Kind.TEXT),
    Column(QUANTITY, Kind.NUMBER),
    Column(UNIT_PRICE, Kind.NUMBER),
    Column(DISCOUNT, Kind.NUMBER),
    Column(RATING, Kind.NUMBER),
    Column(REVIEW_TEXT, Kind.TEXT),
    Column(CHANNEL, Kind.TEXT),
    Column(COUNTRY, Kind.TEXT),
    Column(SESSION_ID, Kind.TEXT),
)
BY_NAME: Final = {column.name: column for column in COLUMNS}

ORDER_STATUS: Final = "order_status"
REFUND: Final = "refund"
REFUND_STATUS: Final = "refund_status"
PAYEE: Final = "payee"
"""Who was paid: the customer in rows below zero, where the customer's own column names who paid."""

OF_ORDERS: Final[tuple[Column, ...]] = (
    Column(ORDER_STATUS, Kind.TEXT),
    Column(REFUND, Kind.NUMBER),
    Column(REFUND_STATUS, Kind.TEXT),
    Column(PAYEE, Kind.TEXT),
)
"""Columns of orders that decide whether a row is a sale, and how much of its amount was refunded. They are stored as
they are, like any other column of the file."""
READ: Final = {column.name: column for column in (*COLUMNS, *OF_ORDERS)}
"""All columns that a reader detects."""

VIEW: Final = "view"
CART: Final = "cart"
PURCHASE: Final = "purchase"
RETURN: Final = "return"
RATING_EVENT: Final = "rating"
REVIEW: Final = "review"

EVENT_TYPES: Final = (VIEW, CART, PURCHASE, RETURN, RATING_EVENT, REVIEW)
"""Event types with a meaning of their own; any other name is stored as it is."""

MONEY_TYPES: Final = (PURCHASE, RETURN)
"""Event types whose ``amount`` counts towards net value (returns are negative)."""

"""The cleaning rules, one entry each: which stored rows a rule would reject, in SQL.

A rule is off until a person switches it on, and its words (``clean.<id>.title``, ``clean.<id>.why``) say what it means.
Customers who spend much are customers: no rule looks at a customer's total value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clv_core.collection import local_time, name, text
from clv_core.collection.vocabulary import folded, load_vocabulary
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    PRODUCT_ID,
    PURCHASE,
)

POSITION: Final = "file_row_number"
"""The row's number in the Parquet file, from 0."""

REPEATS: Final = "repeats"
"""The table of positions of rows that repeat an earlier one (:mod:`clv_core.collection.rows.duplicates`)."""

_VOCABULARY: Final = load_vocabulary()
MAIL: Final = re.compile(
    f"(?i)(?:^|[^a-z])(?:{_VOCABULARY.pattern('cleaning', 'email_columns')})"
    f"|{_VOCABULARY.pattern('cleaning', 'email_columns_within')}"
)
TEST_WORDS: Final = (
    rf"(?i)(?:^|[^a-z])(?:{_VOCABULARY.pattern('cleaning', 'test_ids')})(?:[^a-z]|$)|@(?:test|example)\."
    rf"|{_VOCABULARY.pattern('cleaning', 'test_ids_within')}"
)
SERVICE_WORDS: Final = _VOCABULARY.entries("cleaning", "services")

MIN_SPREAD: Final = 0.25
"""A log in which nearly every line costs the same has hardly a spread; a line of 1.3 times the rest is no outlier. A
guess."""

BUYERS: Final = 100
"""Who buys less often than once in so many events may be a program; a guess."""


@dataclass(frozen=True)
class Scope:
    """What a rule looks at.

    Args:
        events: SQL table expression of the stored rows, times in UTC.
        columns: their columns.
        timezone: IANA name of the log's time zone.
    """

    events: str
    columns: Sequence[str]
    timezone: str

    @property
    def local_time(self) -> str:
        """SQL of the event time in the log's time zone."""
        return local_time(EVENT_TIME, self.timezone)

    @property
    def order(self) -> str:
        """SQL of what names an order: its id, or the customer and the moment."""
        moment = f"{CUSTOMER_ID} || ' ' || {EVENT_TIME}::VARCHAR"
        return f"coalesce({ORDER_ID}, {moment})" if ORDER_ID in self.columns else moment


@dataclass(frozen=True)
class Rule:
    """One cleaning rule.

    Args:
        id: stable name; rows that it removes carry the reason ``rule_<id>``.
        condition: (scope, limit) -> SQL over the stored rows; a row for which it is true is rejected.
        limit: the limit unless the person sets another; None: the rule has none.
        unit: of the limit, catalogue key without ``clean.unit.``.
        lowest: least limit that makes sense.
        repeats: whether the condition asks the table :data:`REPEATS`.
    """

    id: str
    condition: Callable[[Scope, float], str]
    limit: float | None = None
    unit: str = ""
    lowest: float = 0.0
    repeats: bool = False


def _repeated(scope: Scope, limit: float) -> str:
    return f"{POSITION} IN (FROM {REPEATS})"


def _test_ids(scope: Scope, limit: float) -> str:
    named = [column for column in scope.columns if column in (CUSTOMER_ID, ORDER_ID) or MAIL.search(column)]
    return " OR ".join(f"regexp_matches({name(column)}, {text(TEST_WORDS)})" for column in named)


def _tiny_orders(scope: Scope, limit: float) -> str:
    """Look for orders whose purchases come to next to nothing in all.

    The innermost query has the orders with a tiny line, so that only those are summed; the one around it keeps the
    orders whose sum is tiny; the condition takes their tiny lines.
    """
    bought = f"{EVENT_TYPE} = '{PURCHASE}'"
    some = f"SELECT {scope.order} FROM {scope.events} WHERE {bought} AND {AMOUNT} <= {limit}"
    orders = (
        f"SELECT {scope.order} AS key FROM {scope.events} WHERE {bought} AND {scope.order} IN ({some})"
        f" GROUP BY key HAVING round(sum({AMOUNT}), 6) <= {limit}"
    )
    return f"{bought} AND {AMOUNT} <= {limit} AND {scope.order} IN ({orders})"


def _zero_price(scope: Scope, limit: float) -> str:
    return f"{EVENT_TYPE} = '{PURCHASE}' AND {AMOUNT} = 0"


def _outliers(scope: Scope, limit: float) -> str:
    """Compare on the log scale, by median and median absolute deviation, which outliers do not move.

    Returns count too: a slip of the keyboard and its cancellation go together.
    """
    kinds = ", ".join(text(kind) for kind in MONEY_TYPES)
    size = f"ln(abs({AMOUNT}))"
    some = f"{EVENT_TYPE} IN ({kinds}) AND {AMOUNT} <> 0"
    border = (
        f"SELECT exp(median({size}) + {limit} * greatest(1.4826 * mad({size}), {MIN_SPREAD}))"
        f" FROM {scope.events} WHERE {some}"
    )
    return f"{EVENT_TYPE} IN ({kinds}) AND abs({AMOUNT}) > ({border})"


def _bots(unit: str) -> Callable[[Scope, float], str]:
    def condition(scope: Scope, limit: float) -> str:
        """Look for many events within one clock minute, hour or day, by someone who hardly ever buys.

        Rows at midnight are rows without a time of day; they show nothing of minutes and hours. An hour that the clock
        goes through twice, when summer time ends, is two.

        The innermost query (``idle``) has those with many events and hardly a purchase, so that only theirs are cut by
        time; the one around it (``busy``) keeps those with too many in one span; the condition takes all their rows.
        """
        time = scope.local_time
        timed = "" if unit == "day" else f" AND {time} <> date_trunc('day', {time})"
        offset = "" if unit == "day" else f", {time} - {EVENT_TIME}"
        idle = (
            f"SELECT {CUSTOMER_ID} FROM {scope.events} GROUP BY {CUSTOMER_ID} HAVING count(*) > {limit}"
            f" AND count(*) FILTER ({EVENT_TYPE} = '{PURCHASE}') * {BUYERS} < count(*)"
        )
        busy = (
            f"SELECT {CUSTOMER_ID} FROM {scope.events} WHERE {CUSTOMER_ID} IN ({idle}){timed}"
            f" GROUP BY {CUSTOMER_ID}, date_trunc('{unit}', {time}){offset} HAVING count(*) > {limit}"
        )
        return f"{CUSTOMER_ID} IN ({busy})"

    return condition


def _services(scope: Scope, limit: float) -> str:
    words = ", ".join(text(word) for word in SERVICE_WORDS)
    named = [column for column in (PRODUCT_ID, CATEGORY) if column in scope.columns]
    return " OR ".join(f"{folded(column)} IN ({words})" for column in named) or "false"


RULES: Final[dict[str, Rule]] = {
    rule.id: rule
    for rule in (
        Rule("repeated", _repeated, repeats=True),
        Rule("test_ids", _test_ids),
        Rule("tiny_orders", _tiny_orders, limit=0.01, unit="money"),
        Rule("zero_price", _zero_price),
        Rule("outliers", _outliers, limit=6.0, unit="spreads", lowest=2.0),
        Rule("bots_minute", _bots("minute"), limit=60, unit="events_minute", lowest=10),
        Rule("bots_hour", _bots("hour"), limit=600, unit="events_hour", lowest=30),
        Rule("bots_day", _bots("day"), limit=3_000, unit="events_day", lowest=50),
        Rule("services", _services),
    )
}
"""The order in which rules are listed; a row that several would remove goes to the first."""

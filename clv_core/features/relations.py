"""The relations that every feature and every sequence is made from, built once per log.

    customers      customer, customer_id, first_day
    event_types, categories, channels, countries     text, code: the distinct texts, sorted and numbered
    steps          customer x day x event type: what was done that day
    money_days     customer x day: net value, money paid, money returned (purchases and returns, net first)
    purchase_days  the days of money_days with a net value above zero, numbered, with the gap to the day before
    baskets        customer x day x order: what was in it; a day without order ids is one basket
    category_days  customer x day x category: lines bought, lines seen
    rating_days, review_days    customer x day
    channel_days, country_days  customer x day: the first and the last one as ``moment * TEXT_CODES + code``

A cutoff is a midnight, so a row of any of them lies wholly before or wholly after it: ``day < cutoff`` cannot leak.
Sums are exact: money and quantities are added up as decimals, days as integers, because a sum of floats depends on
the order of its rows, and with several threads on chance.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    EVENT_TYPES,
    MONEY_TYPES,
    ORDER_ID,
    PURCHASE,
    QUANTITY,
    RATING,
    RETURN,
    REVIEW,
    REVIEW_TEXT,
)
from clv_core.errors import Refused

if TYPE_CHECKING:
    import ibis

EXACT: Final = "decimal(18, 6)"
"""Type of money, quantities and ratings while they are added up: millionths; sums grow to decimal(38, 6)."""

LARGEST: Final = 1e12
"""No single number of an event may reach this."""

EPOCH: Final = date(1970, 1, 1)
DAY_SECONDS: Final = 86_400
KINDS: Final = {name: code for code, name in enumerate(EVENT_TYPES)}
"""Codes of the event types with a meaning of their own."""

OTHER: Final = len(EVENT_TYPES)
"""Kind of all other event types."""

TEXT_CODES: Final = 2**30
"""More than any vocabulary holds: ``second since 1970 * TEXT_CODES + code`` orders texts by time, then by code."""

VOCABULARIES: Final = {
    EVENT_TYPE: "event_types",
    CATEGORY: "categories",
    CHANNEL: "channels",
    COUNTRY: "countries",
}
"""Columns whose texts are numbered, and the relation that holds the numbers."""


def day_of(day: date) -> int:
    """Return ``day`` in days since 1970-01-01."""
    return (day - EPOCH).days


def build(events: ibis.Table, connection: ibis.BaseBackend) -> dict[str, ibis.Table]:
    """Make all relations of ``events`` as tables of ``connection``.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine that holds ``events``.

    Returns:
        The relations by name.
    """
    import ibis

    tables: dict[str, ibis.Table] = {}

    def keep(name: str, table: ibis.Table) -> ibis.Table:
        tables[name] = connection.create_table(name, table, overwrite=True)
        return tables[name]

    _refuse_absurd_numbers(events, connection)
    day = events[EVENT_TIME].date().delta(ibis.date(EPOCH), unit="day").cast("int32")
    dated = events.mutate(day=day)
    customers = keep("customers", _numbered(dated.group_by(CUSTOMER_ID).aggregate(first_day=dated.day.min())))
    vocabularies = {column: keep(name, _vocabulary(events, column)) for column, name in VOCABULARIES.items()}
    lines = keep("lines", _lines(dated, customers, vocabularies))
    steps = keep("steps", _steps(lines))
    money_days = keep("money_days", _money_days(steps))
    keep("purchase_days", _purchase_days(money_days))
    keep("baskets", _baskets(lines))
    keep("category_days", _category_days(lines))
    keep("rating_days", _rating_days(lines))
    keep("review_days", _review_days(lines))
    keep("channel_days", _text_days(lines, CHANNEL))
    keep("country_days", _text_days(lines, COUNTRY))
    connection.drop_table("lines")
    return {name: table for name, table in tables.items() if name != "lines"}


def _numbered(customers: ibis.Table) -> ibis.Table:
    import ibis

    number = ibis.row_number().over(order_by=customers[CUSTOMER_ID]).cast("int32")
    return customers.mutate(customer=number)


def _vocabulary(events: ibis.Table, column: str) -> ibis.Table:
    import ibis

    texts = events.filter(events[column].notnull()).select(text=events[column]).distinct()
    return texts.mutate(code=ibis.row_number().over(order_by=texts.text).cast("int32"))


def _refuse_absurd_numbers(events: ibis.Table, connection: ibis.BaseBackend) -> None:
    numbers = (AMOUNT, QUANTITY, DISCOUNT, RATING)
    largest = connection.to_pyarrow(events.aggregate(**{name: events[name].abs().max() for name in numbers}))
    for name, value in largest.to_pylist()[0].items():
        if value is not None and not value < LARGEST:
            raise Refused("number_absurd", column=name, value=str(value), largest=LARGEST)


def _lines(dated: ibis.Table, customers: ibis.Table, vocabularies: dict[str, ibis.Table]) -> ibis.Table:
    import ibis

    second = (dated[EVENT_TIME].epoch_seconds() - dated.day.cast("int64") * DAY_SECONDS).cast("int32")
    rows = dated.select(
        CUSTOMER_ID,
        ORDER_ID,
        *VOCABULARIES,
        day=dated.day,
        second=second,
        kind=ibis.cases(*((dated[EVENT_TYPE] == name, code) for name, code in KINDS.items()), else_=OTHER).cast("int8"),
        amount=dated[AMOUNT].cast(EXACT),
        quantity=dated[QUANTITY].cast(EXACT),
        discount=dated[DISCOUNT].cast(EXACT),
        rating=dated[RATING].cast(EXACT),
        review_length=dated[REVIEW_TEXT].length().cast("int32"),
    )
    rows = rows.join(customers.drop("first_day"), CUSTOMER_ID).drop(CUSTOMER_ID)
    for column, vocabulary in vocabularies.items():
        coded = vocabulary.select("text", **{f"{column}_code": vocabulary.code})
        rows = rows.left_join(coded, rows[column] == coded.text).drop(column, "text")
    return rows


def _steps(lines: ibis.Table) -> ibis.Table:
    return lines.group_by("customer", "day", type=lines.event_type_code).aggregate(
        kind=lines.kind.min(),
        second=lines.second.min(),
        lines=lines.count().cast("int32"),
        amount=lines.amount.sum(),
        quantity=lines.quantity.sum(),
        discount=lines.discount.sum(),
        rating=lines.rating.sum(),
        ratings=lines.rating.count().cast("int32"),
        review_length=lines.review_length.sum().cast("int64"),
        category_code=lines.category_code.min(),
    )


def _money_days(steps: ibis.Table) -> ibis.Table:
    money = steps.filter(steps.kind.isin([KINDS[name] for name in MONEY_TYPES]))
    bought, returned = money.kind == KINDS[PURCHASE], money.kind == KINDS[RETURN]
    return money.group_by("customer", "day").aggregate(
        net=money.amount.sum().fill_null(0).cast(EXACT),
        paid=money.amount.sum(where=bought).fill_null(0).cast(EXACT),
        returned=(0 - money.amount.sum(where=returned)).fill_null(0).cast(EXACT),
    )


def _purchase_days(money_days: ibis.Table) -> ibis.Table:
    import ibis

    days = money_days.filter(money_days.net > 0)
    window = ibis.window(group_by=days.customer, order_by=days.day)
    return days.select(
        "customer",
        "day",
        "net",
        number=ibis.row_number().over(window).cast("int32") + 1,
        gap=days.day - days.day.lag().over(window),
    )


def _baskets(lines: ibis.Table) -> ibis.Table:
    bought = lines.filter(lines.kind == KINDS[PURCHASE])
    return bought.group_by("customer", "day", order=bought[ORDER_ID].fill_null("")).aggregate(
        value=bought.amount.sum().fill_null(0).cast(EXACT),
        quantity=bought.quantity.sum(),
        discount=bought.discount.sum(),
        lines=bought.count().cast("int32"),
    )


def _category_days(lines: ibis.Table) -> ibis.Table:
    known = lines.filter(lines.category_code.notnull())
    return known.group_by("customer", "day", category=known.category_code).aggregate(
        bought=known.count(where=known.kind == KINDS[PURCHASE]).cast("int32"),
        seen=known.count().cast("int32"),
    )


def _rating_days(lines: ibis.Table) -> ibis.Table:
    rated = lines.filter(lines.rating.notnull())
    return rated.group_by("customer", "day").aggregate(
        total=rated.rating.sum(), ratings=rated.count().cast("int32"), lowest=rated.rating.min()
    )


def _review_days(lines: ibis.Table) -> ibis.Table:
    reviewed = lines.filter((lines.kind == KINDS[REVIEW]) | (lines.review_length > 0))
    return reviewed.group_by("customer", "day").aggregate(
        reviews=reviewed.count().cast("int32"), length=reviewed.review_length.sum().fill_null(0).cast("int64")
    )


def _text_days(lines: ibis.Table, column: str) -> ibis.Table:
    code = lines[f"{column}_code"]
    known = lines.filter(code.notnull())
    moment = known.day.cast("int64") * DAY_SECONDS + known.second
    key = moment * TEXT_CODES + code
    return known.group_by("customer", "day").aggregate(first=key.min(), last=key.max())

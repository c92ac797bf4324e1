"""The log's rows as numbers: customers and texts are numbered, days counted. One query that any engine can run."""

from __future__ import annotations

from dataclasses import dataclass
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
    ORDER_ID,
    QUANTITY,
    RATING,
    REVIEW_TEXT,
)
from clv_core.features.relations import DAY_SECONDS, EPOCH, KINDS, OTHER

if TYPE_CHECKING:
    import ibis

VOCABULARIES: Final = {"type": EVENT_TYPE, "category": CATEGORY, "channel": CHANNEL, "country": COUNTRY}
"""Columns of a line whose texts are numbered, and where they come from."""

NUMBERS: Final = (AMOUNT, QUANTITY, DISCOUNT, RATING)
"""Columns that are added up as exact decimals."""

OPTIONAL: Final[dict[str, str]] = (
    {name: name for name in NUMBERS} | VOCABULARIES | {"order": ORDER_ID, "review_length": REVIEW_TEXT}
)
"""Columns of a line that a log may lack, and where they come from."""

ROW: Final = "file_row_number"
"""The place of a row in its file; not a column of the log."""

LARGEST: Final = 1e12
"""No single number of an event may reach this."""


@dataclass(frozen=True)
class Lines:
    """The log's rows as an engine's query, and the tables that their numbers point into.

    Args:
        table: customer, event_time, day, second of the day, kind, a code for each of :data:`VOCABULARIES`, ``order``
            (text, empty where there is none), :data:`NUMBERS` as they are, review_length; unknown is NULL. Also
            :data:`ROW`, where the events have it.
        customers: customer_id, customer, lines (their number): numbered in the order of the ids.
        vocabularies: text, code, for each of :data:`VOCABULARIES`: the distinct texts, sorted and numbered.
        present: columns of ``table`` that are not NULL throughout.
        file_rows: one more than the largest :data:`ROW`; 0 where the rows are not numbered.
    """

    table: ibis.Table
    customers: ibis.Table
    vocabularies: dict[str, ibis.Table]
    present: frozenset[str]
    file_rows: int


def number_lines(events: ibis.Table, connection: ibis.BaseBackend) -> Lines:
    """Number the customers and texts of ``events``, as tables of ``connection``.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine that holds ``events``.
    """
    import ibis

    facts = {name: events[name].count() for name in OPTIONAL.values()}
    if ROW in events.columns and events[ROW].type().is_integer():  # a log's own column of that name is text
        facts[ROW] = events[ROW].max()
    held = connection.to_pyarrow(events.aggregate(**facts)).to_pylist()[0]
    present = frozenset(name for name, column in OPTIONAL.items() if held[column])
    rows = 0 if held.get(ROW) is None else held[ROW] + 1
    seen = events.group_by(CUSTOMER_ID).aggregate(lines=events.count())
    number = ibis.row_number().over(order_by=seen[CUSTOMER_ID]).cast("int32")
    customers = connection.create_table("customers", seen.mutate(customer=number), overwrite=True)
    vocabularies = {
        name: connection.create_table(f"{name}_texts", _vocabulary(events, column), overwrite=True)
        for name, column in VOCABULARIES.items()
    }
    day = events[EVENT_TIME].date().delta(ibis.date(EPOCH), unit="day").cast("int32")
    return Lines(
        _numbered(events.mutate(day=day), customers, vocabularies, present), customers, vocabularies, present, rows
    )


def _vocabulary(events: ibis.Table, column: str) -> ibis.Table:
    import ibis

    texts = events.filter(events[column].notnull()).select(text=events[column]).distinct()
    return texts.mutate(code=ibis.row_number().over(order_by=texts.text).cast("int32"))


def _numbered(
    dated: ibis.Table, customers: ibis.Table, vocabularies: dict[str, ibis.Table], present: frozenset[str]
) -> ibis.Table:
    import ibis

    second = (dated[EVENT_TIME].epoch_seconds() - dated.day.cast("int64") * DAY_SECONDS).cast("int32")
    rows = dated.select(
        CUSTOMER_ID,
        *(name for name in (ROW,) if name in dated.columns),
        EVENT_TIME,
        *NUMBERS,
        *(column for name, column in VOCABULARIES.items() if name in present),
        day=dated.day,
        second=second,
        order=dated[ORDER_ID].fill_null(""),
        review_length=dated[REVIEW_TEXT].length().cast("int32"),
    )
    rows = rows.join(customers.select(CUSTOMER_ID, "customer"), CUSTOMER_ID).drop(CUSTOMER_ID)
    for name, column in VOCABULARIES.items():
        if name not in present:
            rows = rows.mutate(**{f"{name}_code": ibis.null("int32")})
            continue
        coded = vocabularies[name].select("text", **{f"{name}_code": vocabularies[name].code})
        if name == "type":
            kinds = ibis.cases(*((coded.text == text, code) for text, code in KINDS.items()), else_=OTHER)
            coded = coded.mutate(kind=kinds)
        rows = rows.left_join(coded, rows[column] == coded.text).drop(column, "text")
    rows = rows.rename({name: f"{name}_code" for name in VOCABULARIES})
    kind = rows.kind.fill_null(OTHER) if "type" in present else ibis.literal(OTHER)
    return rows.mutate(kind=kind.cast("int8"))

"""The relation ``lines``: the log's rows as numbers. Customers and texts are numbered, days counted.

Of a stored log it is one query that any engine can run; of a few events that were sent, columns in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

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
from clv_core.errors import Refused
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
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

LARGEST: Final = 1e12
"""No single number of an event may reach this."""

Texts = Sequence[str | None]


@dataclass(frozen=True)
class Lines:
    """The log's rows as an engine's query, and the tables that their numbers point into.

    Args:
        table: customer, event_time, day, second of the day, kind, a code for each of :data:`VOCABULARIES`, ``order``
            (text, empty where there is none), :data:`NUMBERS` as they are, review_length; unknown is NULL.
        customers: customer_id, customer: numbered in the order of the ids.
        vocabularies: text, code, for each of :data:`VOCABULARIES`: the distinct texts, sorted and numbered.
        present: columns of ``table`` that are not NULL throughout.
        rows: how many lines there are.
    """

    table: ibis.Table
    customers: ibis.Table
    vocabularies: dict[str, ibis.Table]
    present: frozenset[str]
    rows: int


def number_lines(events: ibis.Table, connection: ibis.BaseBackend) -> Lines:
    """Number the customers and texts of ``events``, as tables of ``connection``.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine that holds ``events``.
    """
    import ibis

    facts = {name: events[name].count() for name in OPTIONAL.values()}
    counts = connection.to_pyarrow(events.aggregate(rows=events.count(), **facts)).to_pylist()[0]
    present = frozenset(name for name, column in OPTIONAL.items() if counts[column])
    seen = events.select(CUSTOMER_ID).distinct()
    number = ibis.row_number().over(order_by=seen[CUSTOMER_ID]).cast("int32")
    customers = connection.create_table("customers", seen.mutate(customer=number), overwrite=True)
    vocabularies = {
        name: connection.create_table(f"{name}_texts", _vocabulary(events, column), overwrite=True)
        for name, column in VOCABULARIES.items()
    }
    day = events[EVENT_TIME].date().delta(ibis.date(EPOCH), unit="day").cast("int32")
    table = _numbered(events.mutate(day=day), customers, vocabularies, present)
    return Lines(table, customers, vocabularies, present, counts["rows"])


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
        EVENT_TIME,
        *NUMBERS,
        *(column for name, column in VOCABULARIES.items() if name in present),
        day=dated.day,
        second=second,
        order=dated[ORDER_ID].fill_null(""),
        review_length=dated[REVIEW_TEXT].length().cast("int32"),
    )
    rows = rows.join(customers, CUSTOMER_ID).drop(CUSTOMER_ID)
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


@dataclass(frozen=True)
class Events:
    """e events of n customers, in any order, as columns.

    Args:
        customers: n.
        customer: whose event it is, 0 to n - 1, int64 [e]; each has at least one.
        second: seconds since 1970-01-01 in the log's time zone, int64 [e].
        numbers: those of :data:`~clv_core.features.lines.NUMBERS` that the log has, NaN where unknown, float64 [e]
            each.
        texts: the same for :data:`~clv_core.features.lines.VOCABULARIES`, None where unknown, [e] each.
        orders: order ids, empty where there is none, [e].
        reviews: review texts, None where there is none, [e].
    """

    customers: int
    customer: NDArray[np.int64]
    second: NDArray[np.int64]
    numbers: Mapping[str, NDArray[np.float64]]
    texts: Mapping[str, Texts]
    orders: Sequence[str]
    reviews: Texts

    def lines(self) -> tuple[Rows, dict[str, NDArray[np.object_]]]:
        """Return the relation ``lines``, and the texts of each vocabulary by code.

        Raises:
            Refused: a number is absurdly large.
        """
        size = len(self.customer)
        day, second = np.divmod(self.second, DAY_SECONDS)
        columns = {"customer": Column(self.customer.astype(np.int32)), "day": Column(day.astype(np.int32))}
        columns["second"] = Column(second.astype(np.int32))
        vocabularies = {}
        for name in VOCABULARIES:
            columns[name], vocabularies[name] = _coded(self.texts.get(name, ()), size)
        kinds = np.array([*(KINDS.get(text, OTHER) for text in vocabularies["type"]), OTHER], np.int8)
        columns["kind"] = Column(kinds[columns["type"].fill_null(-1).values])
        for name in NUMBERS:
            present = name in self.numbers
            columns[name] = exact(name, self.numbers[name]) if present else Column.missing(size, MILLIONTHS)
        columns["order"] = Column(_order_numbers(self.orders))
        columns["review_length"] = _lengths(self.reviews)
        return Rows.of(columns), vocabularies


def exact(name: str, values: NDArray[np.float64]) -> Column:
    """Return numbers as integer millionths, to the nearest one (of two, the even one).

    Raises:
        Refused: one of them is absurdly large.
    """
    valid = ~np.isnan(values)
    values = np.where(valid, values, 0)
    largest = np.abs(values).max(initial=0)
    if not largest < LARGEST:
        raise Refused("number_absurd", column=name, value=str(largest), largest=LARGEST)
    return Column(np.rint(values * MILLIONTHS).astype(np.int64), valid, MILLIONTHS, zeroed=True)


def _coded(texts: Texts, size: int) -> tuple[Column, NDArray[np.object_]]:
    """Return texts as codes in the order of the texts, and the texts by code."""
    distinct = sorted({text for text in texts if text is not None})
    vocabulary = np.array(distinct, object)
    if not distinct:
        return Column.missing(size), vocabulary
    code = {text: number for number, text in enumerate(distinct)} | {None: -1}
    codes = np.fromiter(map(code.__getitem__, texts), np.int32, size)
    return Column(codes, codes >= 0), vocabulary


def _order_numbers(orders: Sequence[str]) -> NDArray[np.int64]:
    code: dict[str, int] = {}
    return np.array([code.setdefault(order, len(code)) for order in orders], np.int64)


def _lengths(reviews: Texts) -> Column:
    lengths = np.array([-1 if text is None else len(text) for text in reviews], np.int32)
    return Column(lengths, lengths >= 0) if (lengths >= 0).any() else Column.missing(len(lengths))

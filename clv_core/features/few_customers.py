"""A handful of customers whose events are in memory: the relations, features and steps that a log's shards would hold.

A service is handed events, not a dataset. What it makes of them comes from the very functions that training used; only
what the whole log decides (the anchor, the context) is handed in, since a few customers cannot tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.features.behaviour import FEATURES
from clv_core.features.btyd import Anchor
from clv_core.features.circumstance import TEXTS
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.feature import DERIVED
from clv_core.features.filling import fill_features
from clv_core.features.holder import CustomerRelations
from clv_core.features.lines import NUMBERS, VOCABULARIES
from clv_core.features.pack import pack_steps
from clv_core.features.relations import DAY_SECONDS, KINDS, OTHER, day_of
from clv_core.features.reviews import LAST_REVIEWS, MOST_CHARACTERS
from clv_core.features.sequences import Steps
from clv_core.features.sharding import RelationsAtHand
from clv_core.features.shards import each, orders_by_day
from clv_core.features.sources import SOURCES
from clv_core.features.spool import exact
from clv_core.features.table import ANCHORS, HISTORY, decoded, fill_anchor, fill_derived
from clv_core.preprocessing.block import FewRows

if TYPE_CHECKING:
    import ibis

Texts = Sequence[str | None]
SPACES: Final = " \t\n\r\v\f"
"""What the engine strips."""


@dataclass(frozen=True)
class Events:
    """e events of n customers, in any order, as columns.

    Args:
        customers: n.
        customer: whose event it is, 0 to n - 1, int64 [e]; each has at least one.
        second: seconds since 1970-01-01 in the log's time zone, int64 [e].
        numbers: those of :data:`~clv_core.features.lines.NUMBERS` that are known, NaN where unknown, float64 [e] each.
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
            known = name in self.numbers
            columns[name] = exact(name, self.numbers[name]) if known else Column.missing(size, MILLIONTHS)
        columns["order"] = Column(_numbered(self.orders))
        columns["review_length"] = _lengths(self.reviews)
        return Rows.of(columns), vocabularies


class FewCustomers:
    """The relations of :class:`Events`; a :class:`~clv_core.features.holder.Holder`.

    Args:
        events: of all its customers.

    Raises:
        Refused: a number or a sum is absurdly large.
    """

    def __init__(self, events: Events) -> None:
        lines, self._texts = events.lines()
        self._days = int(lines["day"].values.min()), int(lines["day"].values.max())
        self._tables = RelationsAtHand(lines)
        self.customer_ids = np.arange(events.customers).astype(object)

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""
        import ibis

        numbers = np.arange(len(self.customer_ids), dtype=np.int32)
        return ibis.memtable(pd.DataFrame({CUSTOMER_ID: numbers.astype(str), "customer": numbers}))

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""
        return self._texts[name]

    def span(self) -> tuple[int, int]:
        """Return the first and the last day of its events in days since 1970-01-01."""
        return self._days

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""
        steps = self._tables["steps"]
        return np.unique(steps.customer.values[steps.day.values < cutoff_day]).astype(np.int64)

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return steps, ordered by customer and time (:class:`~clv_core.features.holder.Holder`)."""
        ids = self.customer_ids[first:stop]
        part = self._tables["steps"].between("customer", first, first + len(ids))
        return pack_steps([part], ids, (self._texts["type"], self._texts["category"]), each, first)

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations (:class:`~clv_core.features.holder.Holder`)."""
        fill_features(columns, self._tables, cutoff_day, horizon_days, customers)

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""
        days = self._tables["money_days"]
        net = np.where((days.day.values >= first) & (days.day.values < end), days.net.floats(), 0.0)
        return np.bincount(days.customer.values, net, len(self.customer_ids)).astype(np.float64)

    def orders_by_day(self, first: int, end: int) -> NDArray[np.float64]:
        """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days]."""
        days = self._tables["purchase_days"]
        return orders_by_day(days.customer.values, days.day.values, first, end)


def few_features(
    told: CustomerRelations,
    cutoff: date,
    horizon_days: int,
    customers: NDArray[np.int64],
    anchor: Anchor,
    names: frozenset[str],
    signals: Mapping[str, NDArray[Any]],
) -> FewRows:
    """Return some features of customers seen before ``cutoff``, as :func:`~clv_core.features.table.feature_table` has.

    Args:
        told: what the relations say of them.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.
        customers: numbers of all customers seen before the cutoff, ascending, [n].
        anchor: fitted on the whole log.
        names: which of ``FEATURES``; what they are made from is returned as well.
        signals: columns beyond ``FEATURES``, float64 or texts, [n] each.
    """
    every = closure(names)
    numeric = tuple(name for name in every if name not in TEXTS)
    block = np.empty((len(numeric), len(customers)))
    columns = dict(zip(numeric, block, strict=True))
    codes = {name: np.empty(len(customers)) for name in every if name in TEXTS}
    related = {name: values for name, values in (columns | codes).items() if FEATURES[name].source in SOURCES}
    told.features(day_of(cutoff), horizon_days, customers, related)
    fill_anchor(columns, horizon_days, anchor)
    fill_derived(columns, cutoff)
    texts: dict[str, NDArray[Any]] = {name: decoded(values, told.texts(TEXTS[name])) for name, values in codes.items()}
    for name, values in signals.items():
        if values.dtype == object:
            texts[name] = values
        else:
            numeric, block = (*numeric, name), np.vstack([block, values])
    return FewRows(numeric, block, texts)


@cache
def closure(names: frozenset[str]) -> tuple[str, ...]:
    """Return features with all that they are made from, in the order of the table."""
    wanted = {*names, *HISTORY, *ANCHORS}
    for name in names:
        if FEATURES[name].source == DERIVED:
            wanted |= _read_by(name)
    return tuple(name for name in FEATURES if name in wanted)


def _read_by(name: str) -> set[str]:
    """Return what a derived feature reads, found by asking it to."""
    read: set[str] = set()

    def fetch(column: str) -> Column:
        read.add(column)
        return Column(np.ones(1))

    FEATURES[name].expr(Rows(1, tuple(FEATURES), fetch))
    further = [_read_by(other) for other in read if FEATURES[other].source == DERIVED]
    return read.union(*further)


def _coded(texts: Texts, size: int) -> tuple[Column, NDArray[np.object_]]:
    """Return texts as codes in the order of the texts, and the texts by code."""
    known = sorted({text for text in texts if text is not None})
    vocabulary = np.array(known, object)
    if not known:
        return Column.missing(size), vocabulary
    code = {text: number for number, text in enumerate(known)} | {None: -1}
    codes = np.fromiter(map(code.__getitem__, texts), np.int32, size)
    return Column(codes, codes >= 0), vocabulary


def _numbered(orders: Sequence[str]) -> NDArray[np.int64]:
    code: dict[str, int] = {}
    return np.array([code.setdefault(order, len(code)) for order in orders], np.int64)


def _lengths(reviews: Texts) -> Column:
    lengths = np.array([-1 if text is None else len(text) for text in reviews], np.int32)
    return Column(lengths, lengths >= 0) if (lengths >= 0).any() else Column.missing(len(lengths))


def reviews_of(events: Events) -> list[str | None]:
    """Return each customer's last reviews as one text, as :class:`~clv_core.features.reviews.ReviewTexts` has it, [n].

    Args:
        events: all of them lie before the cutoff.
    """
    found: list[list[tuple[int, str]]] = [[] for _ in range(events.customers)]
    for customer, second, text in zip(events.customer.tolist(), events.second.tolist(), events.reviews, strict=True):
        written = "" if text is None else text.strip(SPACES)
        if written:
            found[customer].append((second, written[:MOST_CHARACTERS]))
    return ["\n".join(text for _, text in sorted(own, reverse=True)[:LAST_REVIEWS]) or None for own in found]

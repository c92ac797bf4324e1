"""The feature table at one cutoff: what comes from the relations, the BTYD anchor, and what combines them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.anchor import Anchor
from clv_core.features.behaviour import FEATURES, TEXTS
from clv_core.features.columnar.column import Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.feature import ANCHOR, CALENDAR, DERIVED
from clv_core.features.relations import SOURCES, day_of
from clv_core.preprocessing import FewRows

if TYPE_CHECKING:
    from clv_core.features.event_store import CustomerEventStore, EventStore

Columns = dict[str, NDArray[np.float64]]

HISTORY: Final = ("frequency", "recency", "T", "monetary_value", "net_value", "purchase_days", "first_day_value")
"""What the anchor reads."""
ANCHORS: Final = tuple(name for name, feature in FEATURES.items() if feature.source == ANCHOR)
"""The anchor's features, which are computed from :data:`HISTORY`."""

EARLY: Final = frozenset(FEATURES[name].source for name in HISTORY)

FIT_CUSTOMERS: Final = 100_000
"""More customers than these add nothing to the anchor's six parameters but time."""


def feature_table(
    store: EventStore,
    cutoff: date,
    horizon_days: int,
    customers: NDArray[np.int64],
    anchored: Anchored | Anchor | None = None,
) -> tuple[pd.DataFrame, Anchor]:
    """Return all features of customers seen before ``cutoff``, and the anchor.

    Args:
        store: of the log's events.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.
        customers: numbers of the customers seen before the cutoff, ascending, [n]: all of them, or with ``anchored``
            those from one to another.
        anchored: the anchor's features of these customers, as fitted on all, or the anchor itself; None fits it.

    Returns:
        One column for each of ``FEATURES``, float64 with NaN or text with None for unknown, one row a customer, [n, f];
        and the anchor.
    """
    rows, anchor = few_features(store, cutoff, horizon_days, customers, anchored, frozenset(FEATURES))
    return rows.frame(tuple(FEATURES)), anchor


def few_features(
    store: CustomerEventStore,
    cutoff: date,
    horizon_days: int,
    customers: NDArray[np.int64],
    anchored: Anchored | Anchor | None,
    names: frozenset[str],
) -> tuple[FewRows, Anchor]:
    """Return some features of customers, as :func:`feature_table` has them.

    Args:
        store: of their events.
        cutoff: midnight, log-local.
        horizon_days: length of the predicted span.
        customers: numbers of all customers seen before the cutoff, ascending, [n].
        anchored: the anchor's features of these customers, or the anchor itself; None fits it on them.
        names: which of ``FEATURES``; what they are made from is returned as well.
    """
    day, every = day_of(cutoff), closure(names)
    numeric = tuple(name for name in every if name not in TEXTS)
    block = np.empty((len(numeric), len(customers)))
    columns = dict(zip(numeric, block, strict=True))
    codes = {name: np.empty(len(customers)) for name in every if name in TEXTS}
    wanted = {name: values for name, values in (columns | codes).items() if FEATURES[name].source in SOURCES}
    if anchored is None:
        early = {name: wanted.pop(name) for name in list(wanted) if FEATURES[name].source in EARLY}
        store.features(day, horizon_days, customers, early)
        with ThreadPoolExecutor(1) as pool:  # the fit takes one processor
            fitting = pool.submit(fill_anchor, columns, horizon_days, None)
            store.features(day, horizon_days, customers, wanted)
            anchor = fitting.result()
    else:
        store.features(day, horizon_days, customers, wanted)
        anchor = fill_anchor(columns, horizon_days, anchored)
    fill_derived(columns, cutoff)
    texts = {name: decoded(values, store.texts(TEXTS[name])) for name, values in codes.items()}
    return FewRows(numeric, block, texts), anchor


@dataclass(frozen=True)
class Anchored:
    """The inputs and features of an anchor for n customers.

    Args:
        columns: :data:`HISTORY` and the anchor's features, as :func:`feature_table` has them, each [n].
        anchor: fitted on all customers seen before the cutoff.
    """

    columns: Columns
    anchor: Anchor

    @classmethod
    def of(
        cls,
        store: EventStore,
        cutoff: date,
        horizon_days: int,
        customers: NDArray[np.int64],
        anchor: Anchor | None = None,
    ) -> Self:
        """Return the anchor's features of ``customers``, all of those seen before ``cutoff``; None fits it on them."""
        columns = {name: np.empty(len(customers)) for name in (*HISTORY, *ANCHORS)}
        store.features(day_of(cutoff), horizon_days, customers, {name: columns[name] for name in HISTORY})
        return cls(columns, fill_anchor(columns, horizon_days, anchor))

    def part(self, begin: int, end: int) -> Anchored:
        """Return the rows of the customers at ``begin`` to ``end``."""
        return Anchored({name: values[begin:end] for name, values in self.columns.items()}, self.anchor)


def fill_anchor(columns: Columns, horizon_days: int, anchored: Anchored | Anchor | None) -> Anchor:
    """Fill in the anchor's features and return the anchor.

    Args:
        columns: :data:`HISTORY` is read, the anchor's features are filled in, each [n].
        horizon_days: length of the predicted span.
        anchored: the anchor's features of these customers, or the anchor itself; None fits it on them.
    """
    if isinstance(anchored, Anchored):
        for name in ANCHORS:
            columns[name][:] = anchored.columns[name]
        return anchored.anchor
    history = {name: columns[name] for name in HISTORY}
    anchor = Anchor.fit(_sample(pd.DataFrame(history))) if anchored is None else anchored
    for name in ANCHORS:
        history[name] = columns[name]
        columns[name][:] = FEATURES[name].expr(anchor, history, horizon_days)
    return anchor


@np.errstate(all="ignore")  # of unknown features
def fill_derived(columns: Columns, cutoff: date) -> None:
    """Fill in those of ``columns`` that combine other features, and the season."""
    size = len(next(iter(columns.values())))
    rows = Rows(size, tuple(columns), lambda name: Column(columns[name], ~np.isnan(columns[name])))
    for feature in (FEATURES[name] for name in columns):
        if feature.source == DERIVED:
            columns[feature.name][:] = feature.expr(rows).floats()
        elif feature.source == CALENDAR:
            columns[feature.name].fill(feature.expr(cutoff))


def _sample(history: pd.DataFrame) -> pd.DataFrame:
    """Return at most ``FIT_CUSTOMERS`` rows, always the same ones of as many customers."""
    if len(history) <= FIT_CUSTOMERS:
        return history
    rows = np.random.default_rng(0).permutation(len(history))[:FIT_CUSTOMERS]
    return history.iloc[np.sort(rows)]


def decoded(codes: NDArray[np.float64], texts: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the texts of codes, None where the code is NaN, [n]."""
    by_code = np.array([*texts, None], object)
    return by_code[np.where(np.isnan(codes), len(texts), codes).astype(np.int64)]


@cache
def closure(names: frozenset[str]) -> tuple[str, ...]:
    """Return features with all that they are made from, in the order of the table."""
    wanted = {*names, *HISTORY, *ANCHORS}
    for name in names:
        if FEATURES[name].source == DERIVED:
            wanted |= _read_by(name)
    return tuple(name for name in FEATURES if name in wanted)


def _read_by(name: str) -> set[str]:
    """Return what a derived feature reads, by running it on rows that record their columns."""
    read: set[str] = set()

    def fetch(column: str) -> Column:
        read.add(column)
        return Column(np.ones(1))

    FEATURES[name].expr(Rows(1, tuple(FEATURES), fetch))
    further = [_read_by(other) for other in read if FEATURES[other].source == DERIVED]
    return read.union(*further)

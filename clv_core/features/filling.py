"""Features of rows in memory: every expression of the table, worked out on its relation and put in its column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.features.behaviour import FEATURES
from clv_core.features.columnar.column import Column
from clv_core.features.columnar.row_groups import FEW_ROWS
from clv_core.features.columnar.rows import Rows
from clv_core.features.feature import Feature, InWindow
from clv_core.features.relations import SOURCES, STEP_KINDS, Tables

Floats = NDArray[np.float64]
Values = Callable[[Rows], Floats]


@np.errstate(all="ignore")  # what arithmetic makes of unknown values is nobody's concern
def fill_features(
    columns: Mapping[str, Floats], relations: Tables, cutoff_day: int, horizon_days: int, customers: NDArray[np.int64]
) -> None:
    """Fill in features of ``customers``, all between the first and the last of them that were seen before the cutoff.

    Args:
        columns: the features that are wanted, by name, each of shape [n].
        relations: rows in memory, which may hold further customers.
        cutoff_day: the cutoff in days since 1970-01-01.
        horizon_days: length of the predicted span.
        customers: their numbers, ascending, [n].
    """
    sources = _Sources(_Part(relations, int(customers[0]), int(customers[-1]) + 1), cutoff_day, horizon_days)
    for source, fillings in FILLINGS.items():
        wanted = [filling for filling in fillings if filling.name in columns]
        if not wanted:
            continue
        rows, groups = sources.rows(source)
        assert rows.groups is not None
        at = customers.searchsorted(rows.customer.values[rows.groups.starts[groups]])
        for filling in wanted:
            if len(at) < len(customers):
                columns[filling.name].fill(filling.empty)
            if len(at):
                columns[filling.name][at] = filling.values(rows)[groups]


@cache
def _filled(expr: Callable[[Rows], Column], empty: float | None) -> Values:
    """Return what makes numbers of an expression, the same function for the same one: ``empty`` or NaN for unknown."""

    def values(rows: Rows) -> Floats:
        column = expr(rows)
        return (column if empty is None else column.fill_null(empty)).floats()

    return values


@cache
def _filled_at_all(make: Callable[[Rows, Any], Column], lengths: tuple[int, ...], empty: float | None) -> Values:
    """Return the same of an expression at several lengths of time, [k, g]."""
    below_each_other = np.array(lengths)[:, None]
    return _filled(lambda rows: make(rows, below_each_other), empty)


class _Filling:
    """How a feature's column is filled."""

    def __init__(self, feature: Feature) -> None:
        expr, empty = feature.expr, feature.empty
        self.name, self.empty = feature.name, np.nan if empty is None else empty
        self._alone = _filled(expr, empty)
        self._place = expr.place if isinstance(expr, InWindow) else None
        self._at_all = _filled_at_all(expr.make, expr.lengths, empty) if isinstance(expr, InWindow) else None

    def values(self, rows: Rows) -> Floats:
        """Return the feature of each group of rows, [g]; what is shared with others is worked out once."""
        if self._at_all is None or rows.size > FEW_ROWS:
            return rows.once(self._alone)
        return rows.once(self._at_all)[self._place]


FILLINGS: Final = {
    source: [_Filling(feature) for feature in FEATURES.values() if feature.source == source] for source in SOURCES
}


class _Sources:
    """Rows before the cutoff by source.

    All kinds of steps have the same features: few steps are grouped by kind and customer at once, not kind by kind.
    """

    def __init__(self, tables: Tables, cutoff_day: int, horizon_days: int) -> None:
        self._arguments = tables, cutoff_day, horizon_days

    def rows(self, source: str) -> tuple[Rows, slice]:
        """Return rows in groups of a customer, and which of the groups are the source's own."""
        if source not in STEP_KINDS or self._arguments[0]["steps"].size > FEW_ROWS:
            return self._grouped(source, "customer"), slice(None)
        steps, kind = self._steps, STEP_KINDS[source]
        assert steps.groups is not None
        kinds = steps.kind.values[steps.groups.starts]
        return steps, slice(*kinds.searchsorted([kind, kind + 1]).tolist())

    @cached_property
    def _steps(self) -> Rows:
        return self._grouped("steps", "kind", "customer")

    def _grouped(self, source: str, *keys: str) -> Rows:
        rows: Rows = SOURCES[source](*self._arguments)
        return rows.grouped(keys)


class _Part(dict[str, Rows]):
    """Relations of the customers ``first <= customer < stop``, each cut out at its first use."""

    def __init__(self, relations: Tables, first: int, stop: int) -> None:
        super().__init__()
        self._relations, self._first, self._stop = relations, first, stop

    def __missing__(self, name: str) -> Rows:
        rows: Rows = self._relations[name].between("customer", self._first, self._stop)
        self[name] = rows
        return rows

"""A table in memory that answers to the words of the feature language: filter, mutate, aggregate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clv_core.features.columnar.column import Column
from clv_core.features.columnar.row_groups import Groups, all_true, order_of, sort_keys

T = TypeVar("T")


class Rows:
    """n rows of named columns, each fetched at its first use.

    Args:
        size: n.
        names: of the columns.
        fetch: returns a column by its name.
        groups: the rows that aggregates add up, where they are grouped.
    """

    def __init__(
        self, size: int, names: Sequence[str], fetch: Callable[[str], Column], groups: Groups | None = None
    ) -> None:
        self.size = size
        self.names = tuple(names)
        self.groups = groups
        self._fetch = fetch
        self._columns: dict[str, Column] = {}
        self._made: dict[Any, Any] = {}

    @classmethod
    def of(cls, columns: Mapping[str, Column]) -> Rows:
        """Return the rows of ``columns``, all of one length."""
        return cls(len(next(iter(columns.values())).values), tuple(columns), columns.__getitem__)

    def __getitem__(self, name: str) -> Column:
        """Return the column ``name``."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._fetch(name).grouped(self.groups)
        return column

    def __getattr__(self, name: str) -> Column:
        """Return the column ``name``; it is an attribute from now on."""
        if name.startswith("_"):
            raise AttributeError(name)
        column = self.__dict__[name] = self[name]
        return column

    def once(self, make: Callable[[Rows], T]) -> T:
        """Return what ``make`` makes of these rows, computed once."""
        result: T | None = self._made.get(make)
        if result is None:
            result = self._made[make] = make(self)
        return result

    def count(self, where: Column | None = None) -> Column:
        """Return the rows of each group, or those of them that are marked."""
        if self.groups is None:
            raise TypeError("these rows are in no groups")
        return Column(self.groups.sizes()) if where is None else where.marked()

    def filter(self, condition: Column) -> Rows:
        """Return the rows where ``condition`` is true, in their order, in no groups."""
        if all_true(condition.values):
            return self._apart()
        return self._take(condition.values.nonzero()[0])

    def mutate(self, **columns: Column | int) -> Rows:
        """Return the rows with more columns; a plain number is the same in every row."""

        def fetch(name: str) -> Column:
            if name not in columns:
                return self[name]
            value = columns[name]
            return value if isinstance(value, Column) else Column(np.broadcast_to(np.int32(value), self.size))

        return Rows(self.size, (*self.names, *columns), fetch, self.groups)

    def select(self, *names: str) -> Rows:
        """Return the rows with the columns ``names`` only."""
        return Rows(self.size, names, self.__getitem__, self.groups)

    def sorted_by(self, keys: Sequence[str]) -> Rows:
        """Return the rows in the order of integer columns, the first weighs most, in no groups."""
        order = order_of(sort_keys([self[name].values for name in keys]))
        return self._apart() if order is None else self._take(order)

    def grouped(self, keys: Sequence[str]) -> Rows:
        """Return the rows with those of equal ``keys`` side by side, as groups; they are sorted only if they must."""
        rows, sorting = self, sort_keys([self[name].values for name in keys])
        order = order_of(sorting)
        if order is not None:
            rows, sorting = self._take(order), [key[order] for key in sorting]
        return Rows(rows.size, rows.names, rows.__getitem__, Groups.of(sorting))

    def aggregate(self, keys: Sequence[str], values: Callable[[Any], Mapping[str, Column]]) -> Rows:
        """Return one row for each different ``keys``, sorted by them.

        Args:
            keys: names of integer columns.
            values: the other columns of the result, from the grouped rows.
        """
        rows = self.grouped(keys)
        assert rows.groups is not None
        first = rows.groups.starts
        columns = {name: rows[name].take(first) for name in keys} | dict(values(rows))
        return Rows.of(columns)

    def between(self, name: str, first: int, stop: int) -> Rows:
        """Return the rows with ``first <= name < stop`` of rows sorted by the column ``name``, in no groups."""
        values = self[name].values
        if not self.size or (values[0] >= first and values[-1] < stop):
            return self._apart()
        start, end = values.searchsorted([first, stop]).tolist()
        return Rows(end - start, self.names, lambda column: self[column].take(slice(start, end)))

    def _apart(self) -> Rows:
        return self if self.groups is None else Rows(self.size, self.names, self.__getitem__)

    def _take(self, rows: NDArray[np.int64]) -> Rows:
        return Rows(len(rows), self.names, lambda name: self[name].take(rows))

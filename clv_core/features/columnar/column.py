"""One column in memory that answers to the words of the feature language: arithmetic, conditions, sums by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.features.columnar.row_groups import Groups, all_true

Array = NDArray[Any]
Mask = NDArray[np.bool_]

MILLIONTHS: Final = 1_000_000
"""Money, quantities and ratings are held as integers of millionths: their sums are exact in any order."""

EXACT: Final = "decimal(18, 6)"
"""How an engine holds the same."""

KINDS: Final = {"float64": np.float64, "int64": np.int64, "int32": np.int32, "int8": np.int8}


class Column:
    """Values of n rows, some of them unknown.

    It has the methods of an Ibis column that features use, and means the same by them. A comparison with something
    unknown is no, as it is in a filter. Arithmetic may make anything of unknown rows, and of a division by 0: who works
    out many columns has numpy keep quiet about it, once for all of them.

    Args:
        values: numbers or truth values, [n]; 0 or arbitrary at unknown rows.
        valid: which rows have a value, bool [n], or a function that returns it; None: all have.
        scale: what one unit is in ``values``: 1, or :data:`MILLIONTHS`.
        groups: the rows that aggregates add up; None where there is nothing to aggregate.
        zeroed: whether unknown rows hold 0.
    """

    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("_valid", "_made", "groups", "scale", "values", "zeroed")

    def __init__(
        self,
        values: Array,
        valid: Mask | Callable[[], Mask] | None = None,
        scale: int = 1,
        groups: Groups | None = None,
        zeroed: bool = False,
    ) -> None:
        self.values = values
        self.scale = scale
        self.groups = groups
        self.zeroed = zeroed
        self._valid = valid
        self._made: dict[tuple[Any, int], tuple[Any, Column]] | None = None

    @classmethod
    def missing(cls, size: int, scale: int = 1) -> Self:
        """Return ``size`` unknown values; they take no memory."""
        kind = np.int64 if scale != 1 else np.int32
        return cls(np.broadcast_to(kind(0), size), np.broadcast_to(np.False_, size), scale, zeroed=True)

    @property
    def valid(self) -> Mask | None:
        """Which rows have a value, bool [n]; None: all have."""
        if callable(self._valid):
            self._valid = self._valid()
        return self._valid

    def take(self, rows: Array | slice) -> Column:
        """Return the values of ``rows``, in no group."""
        valid = self.valid
        if valid is not None:
            valid = valid[rows]
            if all_true(valid):  # columns without a gap are added up and filled in faster
                valid = None
        return Column(self.values[rows], valid, self.scale, zeroed=self.zeroed)

    def floats(self) -> NDArray[np.float64]:
        """Return the values as float64 with NaN for unknown, [n]."""
        values: NDArray[np.float64] = self.cast("float64").values
        valid = self.valid
        return values if valid is None else np.where(valid, values, np.nan)

    def _like(self, values: Array, valid: Any = None, scale: int = 1) -> Column:
        return Column(values, valid, scale, self.groups)

    def _both(self, other: Any, apply: Callable[[Any, Any], Array]) -> Column:
        """Combine with a column or a plain number, both brought to one unit first."""
        left, right, scale, valid = self.values, other, self.scale, self.valid
        if isinstance(other, Column):
            right = other.values
            if other.valid is not None:
                valid = other.valid if valid is None else valid & other.valid
            if other.scale != self.scale:
                scale = max(self.scale, other.scale)
                left, right = left * (scale // self.scale), right * (scale // other.scale)
        elif self.scale != 1:
            right = other * self.scale
        return Column(apply(left, right), valid, scale, self.groups)

    def _once(self, what: Any, other: Any, make: Callable[[], Column]) -> Column:
        """Make something of this column and another once: dozens of features ask for the same recent days and sums."""
        key = what, other if type(other) is int else id(other)
        if self._made is None:
            self._made = {}
        cached = self._made.get(key)
        if cached is None:
            cached = self._made[key] = other, make()  # the other one is kept too: while it is, its id is nobody else's
        return cached[1]

    def _compare(self, other: Any, apply: Callable[[Any, Any], Array]) -> Column:
        def compared() -> Column:
            result = self._both(other, apply)
            return result if result.valid is None else self._like(result.values & result.valid)

        return self._once(apply, other, compared)

    def __lt__(self, other: Any) -> Column:
        """Return where this is less."""
        return self._compare(other, np.less)

    def __le__(self, other: Any) -> Column:
        """Return where this is at most."""
        return self._compare(other, np.less_equal)

    def __gt__(self, other: Any) -> Column:
        """Return where this is more."""
        return self._compare(other, np.greater)

    def __ge__(self, other: Any) -> Column:
        """Return where this is at least."""
        return self._compare(other, np.greater_equal)

    def __eq__(self, other: Any) -> Column:  # type: ignore[override]
        """Return where both are the same."""
        return self._compare(other, np.equal)

    def __and__(self, other: Column) -> Column:
        """Return where both hold."""
        return self._like(self.values & other.values)

    def __or__(self, other: Column) -> Column:
        """Return where either holds."""
        return self._like(self.values | other.values)

    def __add__(self, other: Any) -> Column:
        """Return the sum of each row."""
        return self._both(other, np.add)

    def __sub__(self, other: Any) -> Column:
        """Return the difference of each row."""
        return self._both(other, np.subtract)

    def __rsub__(self, other: Any) -> Column:
        """Return the difference of each row."""
        return self._both(other, lambda left, right: right - left)

    def __mul__(self, other: Any) -> Column:
        """Return the product of each row."""
        return self._plain()._both(other, np.multiply)

    def __mod__(self, other: Any) -> Column:
        """Return the remainder of each row."""
        return self._plain()._both(other, np.remainder)

    def __truediv__(self, other: Any) -> Column:
        """Return the quotient of each row."""
        return self._plain()._both(other, np.true_divide)

    def _plain(self) -> Column:
        if self.scale != 1:
            raise TypeError("money is cast to float64 before it is multiplied or divided")
        return self

    def cast(self, kind: str) -> Column:
        """Return the column as ``kind``: one of ``KINDS``, or :data:`EXACT`."""
        if kind == EXACT:
            scaled = self.values if self.scale == MILLIONTHS else self.values * MILLIONTHS
            return Column(scaled, self._valid, MILLIONTHS, self.groups, self.zeroed)
        values = self.values.astype(KINDS[kind], copy=False)
        if self.scale != 1:
            if kind != "float64":
                raise TypeError(f"money is no {kind}")
            values = values / self.scale
        elif values is self.values:
            return self
        return Column(values, self._valid, 1, self.groups, self.zeroed)

    def notnull(self) -> Column:
        """Return which rows have a value."""
        return self._like(np.ones(len(self.values), bool) if self.valid is None else self.valid)

    def fill_null(self, value: float) -> Column:
        """Return the column with ``value`` where it is unknown."""
        if self._valid is None or (self.zeroed and value == 0):
            return Column(self.values, None, self.scale, self.groups)
        assert self.valid is not None
        return self._like(np.where(self.valid, self.values, value * self.scale), None, self.scale)

    def nullif(self, value: float) -> Column:
        """Return the column, unknown where it equals ``value``."""
        differs = self.values != value * self.scale
        return self._like(self.values, differs if self.valid is None else differs & self.valid, self.scale)

    def isin(self, values: Sequence[Any]) -> Column:
        """Return which rows hold one of ``values``."""
        return self._like(np.logical_or.reduce([self.values == value for value in values]))

    def ifelse(self, yes: Column, no: None) -> Column:
        """Return ``yes`` where this is true, unknown elsewhere."""
        valid = self.values if yes.valid is None else self.values & yes.valid
        return self._like(yes.values, valid, yes.scale)

    def abs(self) -> Column:
        """Return the absolute values."""
        return self._like(np.abs(self.values), self.valid, self.scale)

    def sqrt(self) -> Column:
        """Return the square roots."""
        return self._plain()._like(np.sqrt(self.values), self.valid)

    def sum(self, where: Column | None = None) -> Column:
        """Return each group's sum, unknown where no row of it has a value; integers only, since sums are exact."""
        return self._once("sum", where, lambda: self._sum(where))

    def _sum(self, where: Column | None) -> Column:
        if self.values.dtype.kind == "f":
            raise TypeError("a sum of fractions would depend on the order of rows")
        groups, mask = self._grouped(), self._mask(where)
        if mask is None:
            return Column(groups.sum(self.values), None, self.scale)
        values = self.values if where is None and self.zeroed else self.values * mask
        return Column(groups.sum(values), lambda: groups.count(mask) > 0, self.scale, zeroed=True)

    def count(self, where: Column | None = None) -> Column:
        """Return how many rows of each group have a value."""
        groups, mask = self._grouped(), self._mask(where)
        return self._once("count", where, lambda: Column(groups.sizes() if mask is None else groups.count(mask)))

    def marked(self) -> Column:
        """Return how many rows of each group are true."""
        return self._once("marked", None, lambda: Column(self._grouped().count(self.values)))

    def min(self) -> Column:
        """Return each group's smallest value."""
        return self._once("min", None, lambda: self._extreme(Groups.least, greatest=False))

    def max(self) -> Column:
        """Return each group's largest value."""
        return self._once("max", None, lambda: self._extreme(Groups.greatest, greatest=True))

    def argmin(self, key: Column) -> Column:
        """Return each group's value at its smallest ``key``, among rows that have both; keys do not repeat."""
        return self._once("argmin", key, lambda: self._argmin(key))

    def _argmin(self, key: Column) -> Column:
        groups, mask, other = self._grouped(), self._mask(None), key._mask(None)
        both = mask if other is None else other if mask is None else mask & other
        keys = Column(key.values, both, groups=groups)
        least = keys.min()
        at = keys.values == groups.repeat(least.values)
        rows = np.flatnonzero(at if both is None else at & both)
        has_value = least.valid if least.valid is not None else np.ones(len(groups.starts), bool)
        values = np.zeros(len(groups.starts), self.values.dtype)
        first = np.searchsorted(rows, groups.starts[has_value])
        values[has_value] = self.values[rows[first]]
        return Column(values, None if least.valid is None else has_value, self.scale)

    def _extreme(self, reduce: Callable[[Groups, Array], Array], *, greatest: bool) -> Column:
        groups, mask = self._grouped(), self._mask(None)
        if mask is None:
            return Column(reduce(groups, self.values), None, self.scale)
        values = np.where(mask, self.values, _limits(self.values.dtype)[not greatest])
        return Column(reduce(groups, values), lambda: groups.count(mask) > 0, self.scale)

    def _mask(self, where: Column | None) -> Mask | None:
        if where is None:
            return self.valid
        return where.values if self.valid is None else where.values & self.valid

    def _grouped(self) -> Groups:
        if self.groups is None:
            raise TypeError("these rows are in no groups")
        return self.groups

    def grouped(self, groups: Groups | None) -> Self:
        """Return the column as one of rows in ``groups``."""
        return self if groups is self.groups else type(self)(self.values, self._valid, self.scale, groups, self.zeroed)


@cache
def _limits(kind: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the smallest and the largest value of a type."""
    limits = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    return kind.type(limits.min), kind.type(limits.max)

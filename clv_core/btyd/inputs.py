"""What a model is given: columns of numbers, checked, each mistake an error that names the argument and the row.

Rows count from 0. A column may be a list, an array, a series of pandas or polars, an Arrow array, or one number.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clv_core.errors import UsageError

Floats = NDArray[np.float64]

NUMBERS: Final = "biuf"
"""Kinds of arrays that hold numbers."""


def numbers(argument: str, values: Any) -> Floats:
    """Return one column as float64, [n] or [] where it is one number.

    Raises:
        UsageError: it is no column of numbers, or a number is missing or infinite.
    """
    array = _array(argument, values)
    bad = ~np.isfinite(array)
    if bad.any():
        raise UsageError("btyd_missing", argument=argument, row=_first(bad))
    return array


def customers(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, *, whole: bool = False) -> list[Floats]:
    """Return x, t_x and T, each [n] or [] as given.

    Args:
        frequency: repeat purchases.
        recency: from the first purchase to the last.
        T: from the first purchase to the cutoff.
        whole: whether time is counted in opportunities (BG/BB), of which each holds one purchase at most.

    Raises:
        UsageError: no such customer can be.
    """
    named = {"frequency": frequency, "recency": recency, "T": T}
    columns = {name: numbers(name, values) for name, values in named.items()}
    same_length(columns)
    for name, column in columns.items():
        not_below_zero(name, column)
    x, last, age = columns.values()
    for name in named if whole else ("frequency",):
        whole_numbers(name, columns[name])
    _refuse(last > age, "btyd_recency_above", columns)
    _refuse((x > 0) & (last == 0), "btyd_no_recency", columns)
    _refuse((x == 0) & (last > 0), "btyd_no_frequency", columns)
    if whole:
        _refuse(x > last, "btyd_frequency_above", columns)
    return [x, last, age]


def horizon_of(horizon: ArrayLike, *, whole: bool = False) -> Floats:
    """Return a horizon, or one of each customer, 0 or longer.

    Raises:
        UsageError: it is none.
    """
    return counted("horizon", horizon) if whole else not_below_zero("horizon", numbers("horizon", horizon))


def counted(argument: str, values: ArrayLike) -> Floats:
    """Return whole numbers of 0 or more.

    Raises:
        UsageError: they are none.
    """
    return whole_numbers(argument, not_below_zero(argument, numbers(argument, values)))


def weights_of(weights: ArrayLike | None, size: int) -> Floats:
    """Return how many customers share each row, [n].

    Raises:
        UsageError: they are not as many as the rows, or one is negative.
    """
    if weights is None:
        return np.ones(size)
    array = not_below_zero("weights", numbers("weights", weights))
    same_length({"frequency": np.empty(size), "weights": np.atleast_1d(array)})
    return np.broadcast_to(array, (size,))


def share(argument: str, value: float) -> float:
    """Return a number strictly between 0 and 1.

    Raises:
        UsageError: it is none.
    """
    if np.ndim(value) or not 0 < float(numbers(argument, value)) < 1:
        raise UsageError("btyd_share", argument=argument, value=str(value))
    return float(value)


def same_rows(argument: str, values: ArrayLike, size: int) -> Floats:
    """Return a column with one number a customer, [n].

    Raises:
        UsageError: it is none, or has another length.
    """
    array = np.atleast_1d(numbers(argument, values))
    same_length({"frequency": np.empty(size), argument: array})
    return array


def means(argument: str, values: ArrayLike, frequency: Floats) -> Floats:
    """Return mean order values, [n]; of those without a repeat purchase there need be none.

    Raises:
        UsageError: one of the others is missing, or there are not as many as customers.
    """
    array = np.atleast_1d(_array(argument, values))
    same_length({"frequency": frequency, argument: array})
    bad = (frequency >= 1) & ~np.isfinite(array)
    if bad.any():
        raise UsageError("btyd_missing", argument=argument, row=_first(bad))
    return array


def not_below_zero(argument: str, array: Floats) -> Floats:
    """Return the column; an error where a number of it is negative."""
    bad = array < 0
    if bad.any():
        row = _first(bad)
        raise UsageError("btyd_negative", argument=argument, row=row, value=float(np.ravel(array)[row]))
    return array


def whole_numbers(argument: str, array: Floats) -> Floats:
    """Return the column; an error where a number of it is a fraction."""
    bad = array != np.rint(array)
    if bad.any():
        row = _first(bad)
        raise UsageError("btyd_fraction", argument=argument, row=row, value=float(np.ravel(array)[row]))
    return array


def _array(argument: str, values: Any) -> Floats:
    """Return a column as numbers, NaN where one is missing."""
    if hasattr(values, "to_numpy") and "pandas" in type(values).__module__:
        values = values.to_numpy(dtype=object) if str(values.dtype) in _NULLABLE else values.to_numpy()
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            texts = any(isinstance(value, str | bytes) for value in array.ravel())
            missing = [value is None or type(value).__name__ == "NAType" for value in array.ravel()]
            array = np.where(np.reshape(missing, array.shape), np.nan, array)
            array = np.asarray(array, np.float64) if not texts else array
    except (TypeError, ValueError) as error:
        raise UsageError("btyd_not_numbers", argument=argument) from error
    if array.dtype.kind not in NUMBERS or array.ndim > 1:
        raise UsageError("btyd_not_numbers", argument=argument)
    return array.astype(np.float64, copy=False)


_NULLABLE: Final = {*(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)), "Float32", "Float64"}


def same_length(columns: dict[str, Floats]) -> None:
    """Refuse columns of several lengths; one number goes with all."""
    lengths = {name: len(array) for name, array in columns.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError("btyd_lengths", lengths=said)


def _refuse(bad: NDArray[np.bool_] | np.bool_, code: str, columns: dict[str, Floats]) -> None:
    """Raise the error of the first bad row, with its figures."""
    if np.any(bad):
        row = _first(bad)
        figures = {name: float(array if not array.ndim else array[row]) for name, array in columns.items()}
        raise UsageError(code, row=row, **figures)


def _first(bad: NDArray[np.bool_] | np.bool_) -> int:
    return int(np.flatnonzero(bad)[0])

"""Customers who look like one: nearest by value, chance, spend, purchase days and time since the last purchase."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE

FIGURES: Final = (VALUE, P_PURCHASE, HISTORIC_VALUE, PURCHASE_DAYS, DAYS_SINCE_LAST)
LINEAR: Final = (P_PURCHASE,)
"""All others grow by factors rather than by steps: they are compared by the logarithm of 1 + figure."""


def figures_of(customers: pd.DataFrame) -> NDArray[np.float64]:
    """Return :data:`FIGURES` on scales on which customers can be compared, [n, 5].

    Never-buyers, whose last purchase is unknown, stand where the longest silence does.
    """
    return np.stack(_columns(customers), axis=1)


def _columns(customers: pd.DataFrame) -> list[NDArray[np.float64]]:
    """Return what :func:`figures_of` returns, one column after the other."""
    columns = []
    for name in FIGURES:
        figure = customers[name].to_numpy(np.float64)
        figure = figure if name in LINEAR else np.sign(figure) * np.log1p(np.abs(figure))
        unknown = np.isnan(figure)
        if unknown.any():
            figure = np.where(unknown, 0.0 if unknown.all() else np.nanmax(figure), figure)
        columns.append(figure)
    return columns


def similar(customers: pd.DataFrame, row: int, count: int = 5) -> pd.DataFrame:
    """Return the customers nearest to one, the nearest first; among equals, in their order.

    Each figure is divided by its standard deviation over all customers; one that is the same for all counts nothing.
    Never-buyers, whose last purchase is unknown, stand where the longest silence does.

    Args:
        customers: scores with history and tier, one row a customer, [n].
        row: position of the one.
        count: how many; fewer where there are fewer others.

    Returns:
        customer_id, tier, :data:`FIGURES`, and distance (in standard deviations, 0 is alike).
    """
    squares = np.zeros(len(customers))
    for figure in _columns(customers):
        spread = figure.std()
        if spread > 0:
            squares += ((figure - figure[row]) / spread) ** 2
    squares[row] = np.inf
    count = min(count, len(customers) - 1)
    if count <= 0:
        nearest = np.empty(0, np.int64)
    else:
        near = np.flatnonzero(squares <= np.partition(squares, count - 1)[count - 1])
        nearest = near[np.argsort(squares[near], kind="stable")[:count]]
    columns = [CUSTOMER_ID, TIER, *FIGURES]
    found = customers[columns].iloc[nearest].reset_index(drop=True)
    return found.assign(distance=np.sqrt(squares[nearest]))

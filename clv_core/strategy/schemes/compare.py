"""Two schemes side by side: where the customers of one land in the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from clv_core.strategy.schemes.segmentation import Floats, Ints, Placed
from clv_core.strategy.segments import VALUE


@dataclass(frozen=True, eq=False)
class Comparison:
    """Customers by their segments in two schemes.

    Args:
        customers: by the segment in the first (rows) and the second scheme, [j, k].
        value: their predicted value, [j, k].
        pairs: segments of the first and of the second that are paired, each at most once, so that most customers are
            in a pair.
        agreeing: share of customers who are in a pair, 0 to 1.
    """

    customers: Ints
    value: Floats
    pairs: tuple[tuple[int, int], ...]
    agreeing: float


def compare(customers: pd.DataFrame, first: Placed, second: Placed) -> Comparison:
    """Return the cross table of two schemes; of overlapping segments, the first of each customer counts.

    Source of the pairing: Kuhn (1955), The Hungarian method for the assignment problem.

    Args:
        customers: with predicted value, one row each, [n].
        first: where one scheme puts them.
        second: where the other does.
    """
    shape = (first.count, second.count)
    cell = first.where * second.count + second.where
    count = np.bincount(cell, minlength=first.count * second.count).reshape(shape)
    value = np.bincount(cell, customers[VALUE].to_numpy(float), minlength=count.size).reshape(shape).astype(np.float64)
    rows, columns = scipy.optimize.linear_sum_assignment(count, maximize=True)
    pairs = tuple((int(row), int(column)) for row, column in zip(rows, columns, strict=True) if count[row, column])
    return Comparison(count, value, pairs, float(count[rows, columns].sum() / max(len(customers), 1)))

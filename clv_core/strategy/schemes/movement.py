"""Who moved between segments: two placements of the same customers, an earlier and a later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.schemes.segmentation import Floats, Ints, Placed
from clv_core.strategy.segments import VALUE


@dataclass(frozen=True, eq=False)
class Movement:
    """Customers by the segment that they were in and the one that they are in.

    Args:
        customers: those seen at both times, by earlier (rows) and later segment, [k, k].
        value: their predicted value at the later time, [k, k].
        new: customers first seen since, by later segment, [k].
        gone: customers of the earlier time who are not among the later ones, by earlier segment, [k].
    """

    customers: Ints
    value: Floats
    new: Ints
    gone: Ints

    @property
    def stayed(self) -> int:
        """How many are in the segment that they were in."""
        return int(np.trace(self.customers))

    @property
    def moved(self) -> int:
        """How many are in another one."""
        return int(self.customers.sum()) - self.stayed

    def largest(self) -> tuple[int, int, int] | None:
        """Return from, to, and how many, of the largest move; None where nobody moved."""
        others = self.customers * (1 - np.eye(len(self.customers), dtype=np.int64))
        if not others.any():
            return None
        start, end = np.unravel_index(int(others.argmax()), others.shape)
        return int(start), int(end), int(others.max())


def movement(earlier: pd.DataFrame, before: Placed, later: pd.DataFrame, now: Placed) -> Movement:
    """Return who moved between segments of one scheme; of overlapping ones, the first of each customer counts.

    Args:
        earlier: customers of the earlier time with their ids, [n].
        before: where they were.
        later: customers of the later time with ids and predicted value, [m].
        now: where they are.
    """
    count = now.count
    place = pd.Index(earlier[CUSTOMER_ID]).get_indexer(pd.Index(later[CUSTOMER_ID]))
    both = place >= 0
    start, end = before.where[place[both]], now.where[both]
    cell = start * count + end
    value = later[VALUE].to_numpy(float)[both]
    seen = np.zeros(len(earlier), bool)
    seen[place[both]] = True
    return Movement(
        customers=np.bincount(cell, minlength=count**2).reshape(count, count),
        value=np.bincount(cell, value, minlength=count**2).reshape(count, count).astype(np.float64),
        new=np.bincount(now.where[~both], minlength=count),
        gone=np.bincount(before.where[~seen], minlength=count),
    )

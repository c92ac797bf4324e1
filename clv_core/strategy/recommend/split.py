"""A month held out: what customers bought in it, and what was recommended as of its first day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.strategy.recommend.blend import TOP, WITH_BOUGHT, WITHOUT_BOUGHT, Blend, best, choose
from clv_core.strategy.recommend.candidates import Candidates, blocks, joined, propose
from clv_core.strategy.recommend.grades import aimed_levels, own_levels
from clv_core.strategy.recommend.history import History
from clv_core.strategy.recommend.lines import Lines
from clv_core.strategy.tiers import DEFAULT_SCHEME

WINDOW_DAYS: Final = 30
MOST_CUSTOMERS: Final = 3000
FEWEST_CUSTOMERS: Final = 30
SEED: Final = 1
MOST_BOUGHT: Final = 500
"""So many products that a customer has bought are passed over to find ten that are new to her."""


@dataclass(frozen=True, eq=False)
class Split:
    """Customers who bought before the cutoff and in the month after it.

    Args:
        history: as of the cutoff.
        aimed: price level that is aimed at for each customer, [n].
        rows: numbers of the customers, at most :data:`MOST_CUSTOMERS`, [m].
        bought: what they bought in the month, [m, p].
    """

    history: History
    aimed: NDArray[np.float64]
    rows: NDArray[np.int64]
    bought: sparse.csr_array

    @classmethod
    def at(cls, lines: Lines, cutoff_day: int) -> Split | None:
        """Return the split at a cutoff; None where fewer than :data:`FEWEST_CUSTOMERS` can be judged.

        Tiers are cut by what was spent in the year before the cutoff: the model may have seen the month.
        """
        table = lines.table
        rows = table.filter(table.bought, table.day >= cutoff_day, table.day < cutoff_day + WINDOW_DAYS)
        later = rows.select("customer", "product").distinct().order_by("customer", "product").to_pyarrow()
        history = History.at(lines, cutoff_day)
        shape = history.days.shape
        customer, product = later["customer"].to_numpy(), later["product"].to_numpy()
        bought = sparse.csr_array((np.ones(len(customer), np.float32), (customer, product)), shape=shape)
        judged = np.flatnonzero((np.diff(history.days.indptr) > 0) & (np.diff(bought.indptr) > 0))
        if len(judged) < FEWEST_CUSTOMERS:
            return None
        if len(judged) > MOST_CUSTOMERS:
            judged = np.sort(np.random.default_rng(SEED).choice(judged, MOST_CUSTOMERS, replace=False))
        tier = DEFAULT_SCHEME.tier_of(history.spent)
        aimed = aimed_levels(own_levels(history.days, history.grade), tier, DEFAULT_SCHEME.tiers)
        return cls(history, aimed[judged], judged, bought[judged])

    def task(self, kind: str) -> Task:
        """Return what is to be found: all that was bought, or what was never bought before."""
        parts = blocks(self.history, self.rows)
        found = joined([propose(self.history, part, without_bought=kind == WITHOUT_BOUGHT) for part in parts])
        bought = self.bought
        if kind == WITHOUT_BOUGHT:
            before = self.history.days[self.rows]
            bought = bought - bought.multiply(before > 0)
            bought.eliminate_zeros()
        relevant = np.asarray(np.diff(bought.indptr), np.float64)
        some = np.flatnonzero(relevant > 0)
        part = Candidates(*(getattr(found, item.name)[some] for item in fields(found)))
        return Task(self, kind, part, bought[some], relevant[some], self.aimed[some])


def chosen_on(tasks: Sequence[Task]) -> Blend:
    """Return the blend that does best on the same question of several months together."""
    found = joined([task.found for task in tasks])
    hits = np.zeros(found.product.shape, bool)
    begin = 0
    for task in tasks:
        some = task.hits()
        hits[begin : begin + len(some), : some.shape[1]] = some
        begin += len(some)
    relevant, aimed = (np.concatenate([getattr(task, name) for task in tasks]) for name in ("relevant", "aimed"))
    return choose(found, hits, relevant, aimed, tasks[0].kind)


@dataclass(frozen=True, eq=False)
class Task:
    """One question of a split.

    Args:
        split: the month.
        kind: of :data:`~clv_core.strategy.recommend.blend.KINDS`.
        found: candidates of the customers who have something to be found, [m].
        bought: what is to be found, [m, p].
        relevant: how many products that is, [m].
        aimed: price level that is aimed at, [m].
    """

    split: Split
    kind: str
    found: Candidates
    bought: sparse.csr_array
    relevant: NDArray[np.float64]
    aimed: NDArray[np.float64]

    def hits(self) -> NDArray[np.bool_]:
        """Return whether each candidate was bought, [m, c]."""
        return self._hit(self.found.product)

    def of_blend(self, blend: Blend) -> NDArray[np.bool_]:
        """Return whether each of the ten that a blend recommends was bought, [m, 10]."""
        place = best(blend.score(self.found, self.aimed), self.found.product, TOP)
        return self._hit(np.take_along_axis(self.found.product, place, 1))

    def of_vector(self, strength: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return whether each of the ten products that are highest for everyone was bought, [m, 10]."""
        history = self.split.history
        order = np.argsort(-strength, kind="stable")
        if self.kind == WITH_BOUGHT:
            chosen = np.broadcast_to(order[:TOP], (len(self.relevant), TOP))
            return self._hit(chosen)
        most = order[: TOP + MOST_BOUGHT]
        before = history.days[self.found.rows][:, most].toarray() > 0
        place = np.argsort(before, axis=1, kind="stable")[:, :TOP]
        return self._hit(most[place])

    def of_own(self) -> NDArray[np.bool_]:
        """Return whether each of the ten that the customer bought on most days, the latest first among equals, was."""
        days, last = self.split.history.days[self.found.rows], self.split.history.last[self.found.rows]
        row = np.repeat(np.arange(days.shape[0]), np.diff(days.indptr))
        order = np.lexsort((days.indices, last.data, -days.data, row))
        place = np.arange(len(order)) - days.indptr[row]
        keep = place < TOP
        chosen = np.full((days.shape[0], TOP), -1, np.int64)
        if self.kind == WITH_BOUGHT:
            chosen[row[keep], place[keep]] = days.indices[order][keep]
        return self._hit(chosen)

    def _hit(self, product: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each product, -1 where there is none, is among what is to be found, [m, c]."""
        customers, products = self.bought.shape
        row = np.repeat(np.arange(customers), np.diff(self.bought.indptr))
        key = np.arange(customers)[:, None] * products + product
        return (product >= 0) & np.isin(key, row * products + self.bought.indices)

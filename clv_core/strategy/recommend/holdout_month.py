"""How good recommendations are: recall and NDCG on the last month, with the blend chosen on months before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clv_core.evaluation import Estimate
from clv_core.features import EPOCH
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.recommend.collaborative import place_in_row
from clv_core.strategy.recommend.interactions import Interactions
from clv_core.strategy.recommend.purchase_signals import (
    Candidates,
    PurchaseSignals,
    joined,
    own_levels,
    propose_in_blocks,
    target_levels,
)
from clv_core.strategy.recommend.ranking import KINDS, TOP, USUAL, WITHOUT_BOUGHT, Blend, best, choose_blend
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME

WINDOW_DAYS: Final = 30
"""Length of a month here: every one has as many days."""
EARLIER_MONTHS: Final = 3
"""Months before the last one that the blend is chosen on."""
MAX_CUSTOMERS: Final = 3000
"""Customers of a month, drawn at random, to bound the time."""
MIN_HOLDOUT_CUSTOMERS: Final = 30
"""Customers that a month needs to be judged; a guess."""
MAX_EXCLUDED: Final = 500
"""So many products that a customer has bought are passed over to find ten that are new to her."""
RESAMPLES: Final = 1000
"""Bootstrap samples of customers."""
CONFIDENCE: Final = 0.95
"""Level of the intervals."""
SEED: Final = 1  # any number: the same log gives the same result
BLEND: Final = "blend"

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Month:
    """Customers who bought before a cutoff and in the month after it.

    Args:
        signals: as of the cutoff.
        rows: numbers of the customers, at most :data:`MAX_CUSTOMERS`, [m].
        bought: what they bought in the month, [m, p].
        target: their target price level, [m].
    """

    signals: PurchaseSignals
    rows: NDArray[np.int64]
    bought: sparse.csr_array
    target: Floats

    @classmethod
    def after(cls, interactions: Interactions, cutoff_day: int) -> Month | None:
        """Return the month after a cutoff, in days since 1970; None where it has too few customers.

        Tiers are cut by what was spent in the year before the cutoff: the model may have seen the month.
        """
        table = interactions.table
        month = table.filter(table.bought, table.day >= cutoff_day, table.day < cutoff_day + WINDOW_DAYS)
        pairs = month.select("customer", "product").distinct().order_by("customer", "product").to_pyarrow()
        signals = PurchaseSignals.at(interactions, cutoff_day)
        entries = (np.ones(len(pairs), np.float32), (pairs["customer"].to_numpy(), pairs["product"].to_numpy()))
        bought = sparse.csr_array(entries, shape=signals.days.shape)
        rows = np.flatnonzero((np.diff(signals.days.indptr) > 0) & (np.diff(bought.indptr) > 0))
        if len(rows) < MIN_HOLDOUT_CUSTOMERS:
            return None
        if len(rows) > MAX_CUSTOMERS:
            rows = np.sort(np.random.default_rng(SEED).choice(rows, MAX_CUSTOMERS, replace=False))
        tier = DEFAULT_SCHEME.tier_of(signals.spent)
        target = target_levels(own_levels(signals.days, signals.level), tier, DEFAULT_SCHEME.tiers)
        return cls(signals, rows, bought[rows], target[rows])

    def task(self, kind: str) -> Task | None:
        """Return what is to be recommended: all that was bought, or what was new; None where that is nothing."""
        bought, without_bought = self.bought, kind == WITHOUT_BOUGHT
        if without_bought:
            bought = bought - bought.multiply(self.signals.days[self.rows] > 0)
            bought.eliminate_zeros()
        relevant = np.asarray(np.diff(bought.indptr), np.float64)
        some = np.flatnonzero(relevant)
        if not len(some):
            return None
        candidates = propose_in_blocks(self.signals, self.rows[some], without_bought=without_bought)
        return Task(self.signals, kind, candidates, bought[some], relevant[some], self.target[some])


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be recommended to the customers of a month.

    Args:
        signals: as of its first day.
        kind: of :data:`~clv_core.strategy.recommend.ranking.KINDS`.
        candidates: of the customers, [m].
        bought: what is to be recommended, [m, p].
        relevant: how many products that is, > 0, [m].
        target: price level of the customers, [m].
    """

    signals: PurchaseSignals
    kind: str
    candidates: Candidates
    bought: sparse.csr_array
    relevant: Floats
    target: Floats

    def hits(self, product: NDArray[np.int64]) -> Flags:
        """Return whether each product, -1 where there is none, is among what is to be recommended, [m, c]."""
        customers, products = self.bought.shape
        row = np.repeat(np.arange(customers), np.diff(self.bought.indptr))
        key = np.arange(customers)[:, None] * products + product
        return (product >= 0) & np.isin(key, row * products + self.bought.indices)

    def hits_of_blend(self, blend: Blend) -> Flags:
        """Return which of the ten that a blend recommends were bought, [m, 10]."""
        place = best(blend.score(self.candidates, self.target), self.candidates.product, TOP)
        return self.hits(np.take_along_axis(self.candidates.product, place, 1))

    def hits_of_best_sellers(self, strength: NDArray[np.float32]) -> Flags:
        """Return which of the ten products that are highest for everyone were bought, [m, 10].

        Args:
            strength: of each product, [p].
        """
        order = np.argsort(-strength, kind="stable")[: TOP + MAX_EXCLUDED]
        excluded = self.signals.days[self.candidates.rows][:, order].toarray() > 0
        excluded &= self.kind == WITHOUT_BOUGHT
        return self.hits(order[np.argsort(excluded, axis=1, kind="stable")[:, :TOP]])

    def hits_of_own(self) -> Flags:
        """Return which of the ten that the customer bought on most days, the latest first among equals, were, [m, 10].

        None is, where what is new is to be recommended.
        """
        days, last = self.signals.days[self.candidates.rows], self.signals.last[self.candidates.rows]
        row = np.repeat(np.arange(days.shape[0]), np.diff(days.indptr))
        order, place = np.lexsort((days.indices, last.data, -days.data, row)), place_in_row(row)
        keep = place < TOP
        product = np.full((days.shape[0], TOP), -1, np.int64)
        product[row[keep], place[keep]] = days.indices[order][keep]
        return self.hits(product)


def choose_on(tasks: Sequence[Task]) -> Blend:
    """Return the blend that does best on the same kind of task of several months."""
    candidates = joined([task.candidates for task in tasks])
    hits = np.zeros(candidates.product.shape, bool)
    begin = 0
    for task in tasks:
        flags = task.hits(task.candidates.product)
        hits[begin : begin + len(flags), : flags.shape[1]] = flags
        begin += len(flags)
    relevant, target = (np.concatenate([getattr(task, name) for task in tasks]) for name in ("relevant", "target"))
    return choose_blend(candidates, hits, relevant, target, tasks[0].kind)


@dataclass(frozen=True)
class Quality:
    """How one way to recommend did.

    Args:
        method: ``blend``, ``blend_without_price``, ``popular``, ``own``.
        recall: share of the bought products that were among the ten.
        ndcg: the same with early places counting more, 1 is the perfect order.
        ahead: how far the blend's recall is above this one's, paired by customer; None for the blend itself.
    """

    method: str
    recall: Estimate
    ndcg: Estimate
    ahead: Estimate | None


def recall_at(hits: Flags, relevant: Floats) -> Floats:
    """Return the share of each customer's products that were recommended, [m].

    Args:
        hits: whether the product at each place was bought, [m, top].
        relevant: products that the customer bought, > 0, [m].
    """
    return np.asarray(hits.sum(axis=1) / relevant)


def ndcg_at(hits: Flags, relevant: Floats) -> Floats:
    """Return the normalized discounted cumulative gain of each customer, [m].

    Source: Järvelin and Kekäläinen (2002), binary gains, discount 1 / log2(place + 1).
    Arguments are those of :func:`recall_at`.
    """
    discount = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    ideal = np.cumsum(discount)[np.minimum(relevant, hits.shape[1]).astype(np.int64) - 1]
    return np.asarray(hits @ discount / ideal)


def judge(hits: Mapping[str, Flags], relevant: Floats) -> tuple[Quality, ...]:
    """Return the figures of all methods; the bootstrap draws customers, the same for all methods.

    Args:
        hits: of each method, ``blend`` among them.
        relevant: products that each customer bought, [m].
    """
    customers = len(relevant)
    draws = np.random.default_rng(SEED).multinomial(customers, np.full(customers, 1 / customers), size=RESAMPLES)
    weights = draws / customers

    def figure(values: Floats) -> Estimate:
        low, high = np.quantile(weights @ values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return Estimate(float(values.mean()), float(low), float(high))

    recall = {name: recall_at(flags, relevant) for name, flags in hits.items()}
    return tuple(
        Quality(
            name,
            figure(recall[name]),
            figure(ndcg_at(flags, relevant)),
            None if name == BLEND else figure(recall[BLEND] - recall[name]),
        )
        for name, flags in hits.items()
    )


@dataclass(frozen=True)
class HoldoutResult:
    """The evaluation of recommendations on past months.

    Args:
        blends: of each kind of :data:`~clv_core.strategy.recommend.ranking.KINDS`.
        quality: figures of each method in the last month, by kind; empty where it has too few buyers, or no earlier
            month to choose on.
        customers: how many customers were judged, by kind.
        start: first day of the last month.
        earlier_months: how many months the blends were chosen on.
    """

    blends: dict[str, Blend]
    quality: dict[str, tuple[Quality, ...]]
    customers: dict[str, int]
    start: date
    earlier_months: int

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary."""
        return {
            "blends": {kind: blend.to_json() for kind, blend in self.blends.items()},
            "quality": {kind: [asdict(method) for method in methods] for kind, methods in self.quality.items()},
            "customers": self.customers,
            "start": self.start.isoformat(),
            "window_days": WINDOW_DAYS,
            "earlier_months": self.earlier_months,
        }


def evaluate(interactions: Interactions, end_day: int, progress: Progress) -> HoldoutResult:
    """Choose the blends on earlier months and judge them on the last one.

    ``end_day`` is the day after the last month, since 1970.
    """
    start = end_day - WINDOW_DAYS
    earlier = []
    for month in range(1, EARLIER_MONTHS + 1):
        progress.report("recommend_earlier", month - 1, EARLIER_MONTHS)
        earlier.append(Month.after(interactions, start - month * WINDOW_DAYS))
    progress.report("recommend_judging", 0, 1)
    last, months = Month.after(interactions, start), [month for month in earlier if month is not None]
    blends, quality, customers = {kind: Blend(USUAL[kind]) for kind in KINDS}, {}, {}
    for kind in KINDS:
        tasks = [task for month in months if (task := month.task(kind)) is not None]
        if not tasks:
            continue
        blends[kind] = choose_on(tasks)
        task = None if last is None else last.task(kind)
        if task is not None:
            hits = {
                BLEND: task.hits_of_blend(blends[kind]),
                "blend_without_price": task.hits_of_blend(Blend(blends[kind].weights, 0.0)),
                "popular": task.hits_of_best_sellers(task.signals.popular),
                "own": task.hits_of_own(),
            }
            quality[kind], customers[kind] = judge(hits, task.relevant), len(task.relevant)
    return HoldoutResult(blends, quality, customers, EPOCH + timedelta(days=start), len(months))

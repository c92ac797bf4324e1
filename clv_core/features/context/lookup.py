"""What happened to customers like her in complete windows before the cutoff.

A window is a past cutoff whose horizon has passed. Its customers are put into cells by their history at that cutoff,
and the statistics of a customer today are how many of her cell bought again and how often (target encoding). Cells with
few customers are shrunk to larger ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.btyd import BGNBD
from clv_core.columns import CART
from clv_core.features.context.log_days import Days, LogDays, Past
from clv_core.float_arrays import FloatArray
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOWS: Final = 6
"""Complete windows that are read, an eighth of the horizon apart; a guess: more cost time."""
SHORTEST_DAYS: Final = 7
"""A window of less than a week would show only weekdays."""
COUNT_EDGES: Final = np.array([1, 2, 3, 4, 6, 9, 15, 30, 60])
RECENCY_EDGES: Final = np.array([0.03, 0.08, 0.16, 0.3, 0.5, 0.8, 1.3, 2.2, 4.0])
"""In horizons."""
AGE_EDGES: Final = np.array([0.15, 0.35, 0.7, 1.2, 2.0, 3.5, 6.0])
WEIGHT_EDGES: Final = np.exp(np.linspace(np.log(0.03), np.log(60), 14))
"""Of the decayed count of orders. All edges are guesses, finer where most customers are."""
PRIOR_CUSTOMERS: Final = 12.0
"""Weight of the larger cell's mean, in customers; a guess."""
SMALLEST: Final = 1e-4
"""Floor of chances and means, so that their logs are finite."""
SURPLUS: Final = ("cell", "weight", "age")
"""Tables that also hold buyers' orders relative to those that BG/NBD expected of them."""
QUIET: Final = 0.5
"""Horizons of silence that part quiet repeat buyers from recent ones."""
PRIOR_ORDERS: Final = 8.0
"""Orders that are added to both sides of that ratio, so that small cells stay near 1; a guess."""

SPANS: Final = (0.0, 0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Edges of the spans of the past in which order days are counted, in horizons before the cutoff."""


def span_edges(orders: Days, customers: Ints, cutoff_day: int, horizon_days: float) -> Ints:
    """Return the positions of customers' order days at each of :data:`SPANS`, and of their first ones, [n, 10]."""
    edges = np.array([cutoff_day - round(span * horizon_days) for span in SPANS])
    return np.column_stack([orders.before(customers[:, None], edges), orders.offsets[customers]])


def by_span(running: Floats | Ints) -> Floats:
    """Return what lies in each of the spans between :data:`SPANS`, and before them, [n, 9].

    Args:
        running: a running count or sum at :func:`span_edges`, [n, 10].
    """
    return (running[:, :-1] - running[:, 1:]).astype(np.float64)


def decayed(spans: Floats, half: float) -> Floats:
    """Return the sum over spans with a weight that halves every ``half`` horizons, [n]."""
    return spans @ _weights(half)


@cache
def _weights(half: float) -> Floats:
    edges = np.array([*SPANS, 2 * SPANS[-1]])
    weights: Floats = 0.5 ** ((edges[:-1] + edges[1:]) / 2 / half)
    return weights


@dataclass(frozen=True)
class CustomerState:
    """What cells are made of, for n customers at one cutoff.

    Args:
        count: order days so far, [n].
        recency: days since the last one, in horizons; 0 without any, [n].
        age: days since the first one (or the first event, without any), in horizons, [n].
        weight: order days decayed by half a horizon, [n].
        silence: days since the last event of any kind, in horizons, [n].
        cart: days since the last cart, in horizons, infinite without any, [n].
        edges: :func:`span_edges`, [n, 10].
    """

    count: Floats
    recency: Floats
    age: Floats
    weight: Floats
    silence: Floats
    cart: Floats
    edges: Ints

    @classmethod
    def of(cls, log: LogDays, customers: Ints, cutoff_day: int, horizon_days: float) -> CustomerState:
        """Return the state of customers before a cutoff."""
        edges = span_edges(log.orders, customers, cutoff_day, horizon_days)
        orders = Past(edges[:, -1], edges[:, 0])
        last = orders.last(log.orders.day, cutoff_day)
        first = np.where(orders.some, orders.first(log.orders.day, cutoff_day), log.seen[customers])
        return cls(
            (orders.stop - orders.begin).astype(np.float64),
            (cutoff_day - last) / horizon_days,
            (cutoff_day - first) / horizon_days,
            decayed(by_span(edges), 0.5),
            log.events.since(customers, cutoff_day) / horizon_days,
            log.behaviour.since(CART, customers, cutoff_day) / horizon_days,
            edges,
        )

    @cached_property
    def orders(self) -> Past:
        """The order days so far."""
        return Past(self.edges[:, -1], self.edges[:, 0])

    def expected(self, counts: BGNBD, days: int, horizon_days: float) -> Floats:
        """Return the order days that BG/NBD expects of buyers in the next ``days``, 0 of all others, [n]."""
        bought = self.count > 0
        last, age = (np.rint(part * horizon_days)[bought] for part in (self.age - self.recency, self.age))
        order_days = np.zeros(len(self.count))
        order_days[bought] = counts.expected_purchases(days, self.count[bought] - 1, last, age, check=False)
        return order_days

    def cells(self) -> dict[str, tuple[Ints, int]]:
        """Return the cell of each customer and the number of cells, by what they are made of."""
        count = np.searchsorted(COUNT_EDGES, self.count, side="right")
        recency = np.searchsorted(RECENCY_EDGES, self.recency, side="right")
        age = np.searchsorted(AGE_EDGES, self.age, side="right")
        weight = np.searchsorted(WEIGHT_EDGES, self.weight, side="right")
        wide = len(RECENCY_EDGES) + 1
        ages = len(AGE_EDGES) + 1
        few = np.minimum(count, 2)
        silence, cart = (np.searchsorted(RECENCY_EDGES, part, side="right") for part in (self.silence, self.cart))
        return {
            "count": (count, len(COUNT_EDGES) + 1),
            "cell": (count * wide + recency, (len(COUNT_EDGES) + 1) * wide),
            "weight": (np.where(self.count > 0, weight + 1, 0), len(WEIGHT_EDGES) + 2),
            "age": (few * ages + age, 3 * ages),
            "silence": (few * wide + silence, 3 * wide),
            "cart": (few * wide + cart, 3 * wide),
        }


LEANS_ON: Final = {"count": "", "cell": "count", "weight": "", "age": "", "silence": "", "cart": ""}
"""The larger cells that each table's cells lean on; empty: all customers."""


@dataclass(frozen=True)
class Lookup(JsonRecord):
    """Shares and means by cell.

    Args:
        days: length of the windows; shorter than the horizon where the log is too short for it.
        horizon_days: of the cutoff that asks.
        windows: how many windows it was made from; 0 where the log holds none.
        share: chance of an order day, by table and cell.
        orders: mean order days, by table and cell.
        overall: both over all customers, [2].
        largest: largest value of a customer in a window, in the log's currency; without a window, in the last ``days``.
        surplus: log of buyers' order days over those that BG/NBD expected, by table and cell.
        misfit: the same of one-time buyers, and of repeat buyers before and after :data:`QUIET` horizons of silence;
            and how far cells are from what was expected of them, whatever the direction.
    """

    days: int
    horizon_days: int
    windows: int
    share: dict[str, FloatArray]
    orders: dict[str, FloatArray]
    overall: tuple[float, float]
    largest: float
    surplus: dict[str, FloatArray]
    misfit: dict[str, float]

    @classmethod
    def of(cls, log: LogDays, cutoff_day: int, horizon_days: int, counts: BGNBD) -> Lookup:
        """Return the look-ups of a log whose days all lie before ``cutoff_day``.

        Args:
            log: its days.
            cutoff_day: days since 1970-01-01.
            horizon_days: of the cutoff that asks.
            counts: fitted on the log, in days; what it expects of the windows is held against them.
        """
        days = int(min(horizon_days, (cutoff_day - log.first) / 2.5))
        cutoffs = window_cutoffs(log, cutoff_day, days) if days >= SHORTEST_DAYS else []
        sizes = {name: size for name, (_, size) in CustomerState.of(log, np.empty(0, np.int64), 0, 1.0).cells().items()}
        added = {name: np.zeros((5, size)) for name, size in sizes.items()}
        everyone = np.arange(len(log))
        largest = 0.0 if cutoffs else _largest(log, everyone, cutoff_day - max(1, days), cutoff_day)
        for cutoff in cutoffs:
            customers = np.flatnonzero(log.seen < cutoff)
            orders = log.orders.count(customers, cutoff, cutoff + days)
            largest = max(largest, _largest(log, customers, cutoff, cutoff + days))
            state = CustomerState.of(log, customers, cutoff, horizon_days)
            bought = state.count > 0
            with_expected = (orders * bought, state.expected(counts, days, horizon_days))
            sums = (np.ones(len(orders)), (orders > 0).astype(np.float64), orders, *with_expected)
            for name, (cell, size) in state.cells().items():
                for row, weights in enumerate(sums):
                    added[name][row] += np.bincount(cell, weights=weights, minlength=size)
        total = added["count"].sum(axis=1)
        overall = (float((total[1] + 0.5) / (total[0] + 2)), float((total[2] + 0.5) / (total[0] + 2)))
        share: dict[str, Floats] = {}
        mean: dict[str, Floats] = {}
        for name, (n, bought, orders) in ((name, tuple(rows[:3])) for name, rows in added.items()):
            onto = LEANS_ON[name]
            wide = len(n) // len(share[onto]) if onto else 1
            p, m = (np.repeat(share[onto], wide), np.repeat(mean[onto], wide)) if onto else overall
            share[name] = (bought + PRIOR_CUSTOMERS * p) / (n + PRIOR_CUSTOMERS)
            mean[name] = (orders + PRIOR_CUSTOMERS * m) / (n + PRIOR_CUSTOMERS)
        surplus = {name: np.log((added[name][3] + PRIOR_ORDERS) / (added[name][4] + PRIOR_ORDERS)) for name in SURPLUS}
        misfit = _misfit(*added["cell"][3:].reshape(2, len(COUNT_EDGES) + 1, -1))
        return cls(days, horizon_days, len(cutoffs), share, mean, overall, largest, surplus, misfit)

    def of_customers(self, state: CustomerState) -> dict[str, Floats]:
        """Return, for the requested horizon, the log of the mean order days and the logit of the chance, by table, [n].

        Shorter windows than the horizon are stretched to it in proportion; without any, all customers have one mean.
        The surplus over BG/NBD is that of the windows, and 0 for those who have never bought.
        """
        columns: dict[str, Floats] = {}
        longer = self.horizon_days / self.days if self.windows else 1.0
        cells = {name: cell for name, (cell, _) in state.cells().items() if name != "count"}
        share, orders = (
            np.array([table[name][cell] for name, cell in cells.items()]) for table in (self.share, self.orders)
        )
        share = np.clip(1 - (1 - np.clip(share, SMALLEST, 1 - SMALLEST)) ** longer, SMALLEST, 1 - SMALLEST)
        logs, logits = np.log(np.maximum(orders * longer, SMALLEST)), np.log(share) - np.log1p(-share)
        for place, (name, cell) in enumerate(cells.items()):
            columns[f"lookup_{name}_orders"], columns[f"lookup_{name}_chance"] = logs[place], logits[place]
            if name in SURPLUS:
                columns[f"lookup_{name}_surplus"] = self.surplus[name][cell] * (state.count > 0)
        return columns


def _largest(log: LogDays, customers: Ints, begin: int, end: int) -> float:
    """Return the largest value of a customer on days ``begin <= day < end``, in the log's currency; 0 of nobody."""
    return float(log.orders.sum(customers, begin, end).max(initial=0.0))


def _misfit(orders: Floats, expected: Floats) -> dict[str, float]:
    """Return how BG/NBD did in complete windows, by groups of the cells of count and recency, [c, r] each."""
    quiet = int(np.searchsorted(RECENCY_EDGES, QUIET, side="right"))
    groups = {"one": np.s_[1:2, :], "recent": np.s_[2:, :quiet], "quiet": np.s_[2:, quiet:]}
    by_group = {
        name: float(np.log((orders[cells].sum() + PRIOR_ORDERS) / (expected[cells].sum() + PRIOR_ORDERS)))
        for name, cells in groups.items()
    }
    off = np.abs(np.log((orders[1:] + PRIOR_ORDERS) / (expected[1:] + PRIOR_ORDERS)))
    return {**by_group, "any": float((off * expected[1:]).sum() / (expected[1:].sum() + 1e-9))}


def window_cutoffs(log: LogDays, cutoff_day: int, days: int) -> list[int]:
    """Return the cutoffs of complete windows of ``days``, the latest first, each with something before it."""
    step = max(1, round(days / 8))
    cutoffs = [cutoff_day - days - number * step for number in range(WINDOWS)]
    return [cutoff for cutoff in cutoffs if cutoff >= log.first + max(SHORTEST_DAYS, days // 4)]

"""Recommendations for each customer and each tier, made from a log and scored customers, measured on its last month.

The last month is held out first: the blend of the parts is chosen on up to three earlier months, and judged on the last
one. Then everything up to the cutoff is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.features.engine import Engine
from clv_core.features.relations import day_of
from clv_core.jobs import Progress
from clv_core.strategy.recommend.blend import KINDS, TOP, WITHOUT_BOUGHT, Blend
from clv_core.strategy.recommend.by_tier import tier_table
from clv_core.strategy.recommend.candidates import blocks
from clv_core.strategy.recommend.grades import MIDDLE, aimed_levels, own_levels
from clv_core.strategy.recommend.history import History
from clv_core.strategy.recommend.lines import Lines
from clv_core.strategy.recommend.measured import Measured, measure
from clv_core.strategy.recommend.picks import Picks, pick
from clv_core.strategy.segments import TIER


@dataclass(frozen=True, eq=False)
class Advice:
    """What is recommended to whom.

    Args:
        customers: customer_id, tier, own_level, aimed_level, one row a customer, by id.
        products: product_id, category, price, grade, buyers, one row a product, by id.
        picks: of each kind of :data:`~clv_core.strategy.recommend.blend.KINDS`.
        tiers: what to put in a tier's mail (:func:`clv_core.strategy.recommend.by_tier.tier_table`).
        measured: how good that was in the last month, and the blends.
        cutoff: nothing at or after it was read.
    """

    customers: pd.DataFrame
    products: pd.DataFrame
    picks: dict[str, Picks]
    tiers: pd.DataFrame
    measured: Measured
    cutoff: date


def recommend(
    dataset: Dataset, tiered: pd.DataFrame, tiers: int, cutoff: date, *, top: int = TOP, progress: Progress
) -> Advice:
    """Return what is recommended to each scored customer.

    Args:
        dataset: the log; nothing at or after the cutoff is read.
        tiered: customer_id and tier, one row a customer.
        tiers: how many tiers there are.
        cutoff: local midnight.
        top: products a customer.
        progress: listener.

    Raises:
        NotEnoughData: the log names no products.
    """
    progress.report("recommend_reading", 0, 1)
    engine = Engine()
    try:
        lines = Lines.of(dataset, engine.connection, cutoff)
        measured = measure(lines, day_of(cutoff), progress)
        progress.report("recommend_learning", 0, 1)
        history, products = History.at(lines, day_of(cutoff)), lines.products(day_of(cutoff))
    finally:
        engine.close()
    people = tiered[["customer_id", TIER]].sort_values("customer_id", kind="stable", ignore_index=True)
    rows = pd.Index(lines.customer_ids).get_indexer(pd.Index(people["customer_id"]))
    own = np.where(rows >= 0, own_levels(history.days, history.grade)[np.maximum(rows, 0)], MIDDLE)
    aimed = aimed_levels(own, people[TIER].to_numpy(), tiers)
    picks = {kind: _picks(history, rows, measured.blends[kind], kind, aimed, top, progress) for kind in KINDS}
    people = people.assign(own_level=own, aimed_level=aimed)
    products = products.assign(grade=history.grade, buyers=history.popular.astype(np.int64))
    table = tier_table(people, products, picks, tiers)
    return Advice(people, products, picks, table, measured, cutoff)


def _picks(
    history: History,
    rows: NDArray[np.int64],
    blend: Blend,
    kind: str,
    aimed: NDArray[np.float64],
    top: int,
    progress: Progress,
) -> Picks:
    """Return the picks of all customers, block by block."""
    parts: list[Picks] = []
    begin = 0
    for block in blocks(history, rows):
        end = begin + len(block)
        parts.append(pick(history, block, blend, aimed[begin:end], top, without_bought=kind == WITHOUT_BOUGHT))
        begin = end
        progress.report(f"recommend_{kind}", begin, len(rows))
    return Picks.joined(parts)

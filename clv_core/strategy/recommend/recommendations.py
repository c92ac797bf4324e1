"""Recommendations for each customer and each tier, made from a log and scored customers, judged on its last month."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.features import Engine, day_of
from clv_core.jobs import Progress
from clv_core.strategy.recommend.candidates import blocks
from clv_core.strategy.recommend.holdout_month import HoldoutResult, evaluate
from clv_core.strategy.recommend.interactions import Interactions
from clv_core.strategy.recommend.price_levels import MIDDLE, own_levels, price_fit, target_levels
from clv_core.strategy.recommend.purchase_signals import PurchaseSignals
from clv_core.strategy.recommend.ranking import KINDS, TOP, WITHOUT_BOUGHT, rank
from clv_core.strategy.segments import TIER

PER_TIER: Final = 20


@dataclass(frozen=True, eq=False)
class Recommendations:
    """What is recommended to whom.

    Args:
        customers: customer_id, tier, own_level, aimed_level (price levels, 0 to 1), one row a customer, by id.
        products: product_id, name, category, price, grade (price level), buyers, one row a product, by id.
        picks: kind (place in :data:`~clv_core.strategy.recommend.ranking.KINDS`), customer (place in ``customers``),
            place (from 1), product (place in ``products``), score, why, because, days
            (:func:`~clv_core.strategy.recommend.ranking.rank`); by kind, customer and place.
        tiers: what to put in a tier's mail (:func:`tier_table`).
        measured: how good that was in the last month, and the blends.
        cutoff: nothing at or after it was read.
        excluded: products that are recommended to nobody, and why
            (:class:`~clv_core.strategy.recommend.interactions.Interactions`).
    """

    customers: pd.DataFrame
    products: pd.DataFrame
    picks: pd.DataFrame
    tiers: pd.DataFrame
    measured: HoldoutResult
    cutoff: date
    excluded: pd.DataFrame


def recommend(
    dataset: Dataset,
    tiered: pd.DataFrame,
    tiers: int,
    cutoff: date,
    *,
    top: int = TOP,
    exclude: Collection[str] | None = None,
    progress: Progress,
) -> Recommendations:
    """Return what is recommended to each scored customer.

    The last month is held out first: the blend is chosen on up to three earlier months, and judged on the last one.
    Then everything up to the cutoff is used.

    Args:
        dataset: the log; nothing at or after the cutoff is read.
        tiered: customer_id and tier, one row a customer.
        tiers: how many tiers there are.
        cutoff: local midnight.
        top: products a customer.
        exclude: ids of products that are recommended to nobody and count in no figure; None: those that lie in orders
            whatever else is bought.
        progress: listener.

    Raises:
        NotEnoughData: the log names no products.
    """
    progress.report("recommend_reading", 0, 1)
    engine, day = Engine(), day_of(cutoff)
    try:
        interactions = Interactions.before(dataset, engine.connection, cutoff, exclude)
        measured = evaluate(interactions, day, progress)
        progress.report("recommend_learning", 0, 1)
        signals, products = PurchaseSignals.at(interactions, day), interactions.products(day)
    finally:
        engine.close()
    customers = tiered[["customer_id", TIER]].sort_values("customer_id", kind="stable", ignore_index=True)
    rows = pd.Index(interactions.customer_ids).get_indexer(pd.Index(customers["customer_id"]))
    own = np.where(rows >= 0, own_levels(signals.days, signals.level)[np.maximum(rows, 0)], MIDDLE)
    target = target_levels(own, customers[TIER].to_numpy(), tiers)
    customers = customers.assign(own_level=own, aimed_level=target)
    products = products.assign(grade=signals.level, buyers=signals.popular.astype(np.int64))
    parts = []
    for number, kind in enumerate(KINDS):
        for some in blocks(len(rows), len(products)):
            blend, without_bought = measured.blends[kind], kind == WITHOUT_BOUGHT
            picks = rank(signals, rows[some], blend, target[some], top, without_bought=without_bought)
            picks.insert(0, "kind", np.int8(number))
            parts.append(picks.assign(customer=picks["customer"] + some.start))
            progress.report(f"recommend_{kind}", some.stop, len(rows))
    picks = pd.concat(parts, ignore_index=True)
    mail = tier_table(customers, products, picks)
    return Recommendations(customers, products, picks, mail, measured, cutoff, interactions.excluded)


def tier_table(customers: pd.DataFrame, products: pd.DataFrame, picks: pd.DataFrame) -> pd.DataFrame:
    """Return the products of each tier and kind, the first to be shown first.

    They are ordered by how many customers of the tier they are recommended to, times how well they fit the mean
    target price level of the tier.
    Arguments are frames of :class:`Recommendations`.

    Returns:
        kind, tier, place (from 1), product_id, name, category, price, grade, customers (of the tier who are recommended
        it), share (of the tier's customers).
    """
    order = ["kind", TIER, "place", "product_id", "name", "category", "price", "grade", "customers", "share"]
    tier_of_pick = customers[TIER].to_numpy()[picks["customer"]]
    by_tier = customers.groupby(TIER)["aimed_level"].agg(["size", "mean"])
    tables = []
    for number, kind in enumerate(KINDS):
        for tier, size, target in by_tier.itertuples():
            mine = picks["product"][(picks["kind"] == number) & (tier_of_pick == tier)]
            counts = np.bincount(mine, minlength=len(products))
            worth = counts * price_fit(products["grade"].to_numpy(), target)
            best = np.argsort(-worth, kind="stable")[:PER_TIER]
            best = best[counts[best] > 0]
            place, count = np.arange(1, len(best) + 1), counts[best]
            rows = products.iloc[best].reset_index(drop=True)
            tables.append(rows.assign(kind=kind, tier=tier, place=place, customers=count, share=count / size))
    return pd.concat(tables, ignore_index=True)[order]

"""Recommendations for each customer and each tier: made by a run, judged on the log's last month, and kept on disk.

The pages read one customer or one tier at a time:

recommendations/<model>-<version>/
  record.json        how good they were, the blends, cutoff, model, dataset
  customers.parquet  products.parquet  tiers.parquet
  picks.parquet      kind, customer, place, product, score, why, because, days: numbers, by kind and customer
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from clv_core.collection.store import Dataset
from clv_core.deployment import ArtifactKind, Scored
from clv_core.errors import Message
from clv_core.features import Engine, day_of
from clv_core.i18n import translate
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.recommend.holdout_month import HoldoutResult, evaluate
from clv_core.strategy.recommend.interactions import Interactions
from clv_core.strategy.recommend.purchase_signals import (
    MIDDLE,
    PurchaseSignals,
    blocks,
    own_levels,
    price_fit,
    target_levels,
)
from clv_core.strategy.recommend.ranking import KINDS, TOP, WHY, WITHOUT_BOUGHT, rank
from clv_core.strategy.segments import TIER
from clv_core.workspace import atomic_path, read_json, write_json

RECORD: Final = "record.json"
FRAMES: Final = ("customers", "products", "tiers")
GROUP_ROWS: Final = 100_000
"""A reader skips groups of rows: one customer's are in one or two of them."""
PER_TIER: Final = 20
"""Products listed for each tier."""


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
    level = np.where(rows >= 0, own_levels(signals.days, signals.level)[np.maximum(rows, 0)], MIDDLE)
    target = target_levels(level, customers[TIER].to_numpy(), tiers)
    customers = customers.assign(own_level=level, aimed_level=target)
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


def recommendations_folder(scored: Scored) -> Path:
    """Return the folder of the recommendations of a model for a dataset, as of the log's end."""
    return scored.folder / ArtifactKind.RECOMMENDATIONS


def store_recommendations(made: Recommendations, folder: Path, about: JsonObject) -> StoredRecommendations:
    """Write recommendations, and return what was written.

    The record is written last, so that a folder with one is complete.
    """
    (folder / RECORD).unlink(missing_ok=True)
    for name in (*FRAMES, "picks"):
        with atomic_path(folder / f"{name}.parquet") as temporary:
            getattr(made, name).to_parquet(temporary, index=False, row_group_size=GROUP_ROWS)
    excluded = made.excluded.to_dict("records")
    measured = made.measured.to_json()
    write_json(folder / RECORD, {**about, "cutoff": made.cutoff.isoformat(), "excluded": excluded, **measured})
    return _read(folder)


@dataclass(frozen=True, eq=False)
class StoredRecommendations:
    """Recommendations on disk.

    Args:
        folder: where.
        record: content of ``record.json``.
        customers: as in :class:`Recommendations`.
        products: as there.
        tiers: as there.
    """

    folder: Path
    record: JsonObject
    customers: pd.DataFrame
    products: pd.DataFrame
    tiers: pd.DataFrame

    @property
    def excluded(self) -> list[JsonObject]:
        """Products that are recommended to nobody: product_id, name; share, partners and price if by rule."""
        return list(self.record.get("excluded", []))

    def of_customer(self, customer: str, kind: str) -> pd.DataFrame:
        """Return one customer's products, the best first; empty for an unknown id.

        Returns:
            The columns of :meth:`everyone`.
        """
        ids = self.customers["customer_id"]
        row = int(ids.searchsorted(customer))
        exists = row < len(ids) and ids.iloc[row] == customer
        return self._rows(kind, ("customer", "==", row if exists else -1))

    def everyone(self, kind: str, top: int) -> pd.DataFrame:
        """Return the list of all customers.

        Args:
            kind: of :data:`~clv_core.strategy.recommend.ranking.KINDS`.
            top: products a customer at most.

        Returns:
            customer_id, tier, place, product_id, name, category, price, grade, score, why (word of ``WHY``), because
            (product id or None), because_name, days (bought before); by customer and place.
        """
        return self._rows(kind, ("place", "<=", top))

    def _rows(self, kind: str, condition: tuple[str, str, int]) -> pd.DataFrame:
        filters = [("kind", "==", KINDS.index(kind)), condition]
        picks = pq.read_table(self.folder / "picks.parquet", filters=filters).to_pandas()
        customers = self.customers[["customer_id", "tier"]].iloc[picks["customer"]]
        products = self.products[["product_id", "name", "category", "price", "grade"]].iloc[picks["product"]]
        because, ids = picks["because"].to_numpy(), self.products["product_id"].to_numpy(object)
        called = self.products["name"].where(self.products["name"] != "", self.products["product_id"]).to_numpy(object)
        return pd.DataFrame(
            {
                **{name: customers[name].to_numpy() for name in customers},
                "place": picks["place"],
                **{name: products[name].to_numpy() for name in products},
                "score": picks["score"],
                "why": np.array(WHY, object)[picks["why"].to_numpy()],
                "because": np.where(because >= 0, ids[np.maximum(because, 0)], None),
                "because_name": np.where(because >= 0, called[np.maximum(because, 0)], None),
                "days": picks["days"],
            }
        )


def load_recommendations(folder: Path) -> StoredRecommendations | None:
    """Return the recommendations in a folder, or None where there are none."""
    return _read(folder) if (folder / RECORD).is_file() else None


def _read(folder: Path) -> StoredRecommendations:
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    for name in ("products", "tiers"):
        if "name" not in frames[name]:  # written by versions that read no names
            frames[name].insert(list(frames[name].columns).index("product_id") + 1, "name", "")
    return StoredRecommendations(folder, read_json(folder / RECORD), **frames)


def recommendations_of_model(scored: Scored) -> StoredRecommendations | None:
    """Return the stored recommendations of a model for a dataset, or None."""
    return load_recommendations(recommendations_folder(scored))


def reason(why: str, because: str | None, days: int, language: str) -> str:
    """Return why a product is recommended, in a few words.

    Args:
        why: word of :data:`clv_core.strategy.recommend.ranking.WHY`.
        because: name of the product that it is bought together with, None where there is none.
        days: on how many days the customer bought it before.
        language: of the words.
    """
    if why == "again":
        return translate("recommend.why.once" if days == 1 else "recommend.why.again", language, days=days)
    text = translate(f"recommend.why.{why}", language, product=because or "")
    if why in ("taste", "popular") and because is not None:
        return translate("recommend.why.also", language, why=text, product=because)
    return text


def reasons(rows: pd.DataFrame, language: str) -> list[str]:
    """Return the reason of each row of :meth:`StoredRecommendations.everyone`; each different one is worded once."""
    keys = rows[["why", "because_name", "days"]].copy()
    keys.loc[keys["why"] != "again", "days"] = 0
    keys.loc[keys["why"].isin(["again", "seen"]), "because_name"] = None
    codes, unique = pd.factorize(pd.MultiIndex.from_frame(keys.fillna({"because_name": ""})))
    texts = [reason(why, because or None, int(days), language) for why, because, days in unique]
    return [texts[code] for code in codes]


def customer_rows(rows: pd.DataFrame, names: Sequence[str], language: str) -> pd.DataFrame:
    """Return the list as a file has it: one row a customer and product.

    ``rows`` are of :meth:`StoredRecommendations.everyone`; ``names`` of the tiers, the highest first.
    """
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "tier": rows["tier"],
            "tier_name": rows["tier"].map(dict(enumerate(names, 1))),
            "rank": rows["place"],
            "product_id": rows["product_id"],
            "product_name": rows["name"],
            "category": rows["category"],
            "price": rows["price"].round(2),
            "price_level": rows["grade"].round(2),
            "reason": reasons(rows, language),
            "bought_together_with": rows["because"],
        }
    )


def assumption() -> Message:
    """Return what a list of recommendations assumes beyond what was measured: the step of the price level by tier."""
    return Message("warning.recommend_price_rule", {})

"""Recommendations on disk: written once by a run, read by the pages one customer or one tier at a time.

recommendations/<model>-<version>/
  record.json        how good they were, the blends, cutoff, model, dataset
  customers.parquet  products.parquet  tiers.parquet
  picks.parquet      kind, customer, place, product, score, why, because, days: numbers, by kind and customer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from clv_core.deployment import ArtifactKind, Scored
from clv_core.errors import Message
from clv_core.i18n import translate
from clv_core.records import JsonObject
from clv_core.strategy.recommend.ranking import KINDS, WHY
from clv_core.strategy.recommend.recommendations import Recommendations
from clv_core.workspace import atomic_path, read_json, write_json

RECORD: Final = "record.json"
FRAMES: Final = ("customers", "products", "tiers")
GROUP_ROWS: Final = 100_000
"""A reader skips groups of rows: one customer's are in one or two of them."""


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
        customers: as in :class:`~clv_core.strategy.recommend.recommendations.Recommendations`.
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
        """Products that are recommended to nobody: product_id, name; share, partners and price where a rule says so."""
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

"""Recommendations on disk: written once by a run, read by the pages one customer or one tier at a time.

recommendations/<model>-<version>/
  record.json        what was measured, the blends, cutoff, model, dataset
  customers.parquet  products.parquet  tiers.parquet
  picks.parquet      kind, customer, place, product, score, why, because, days: numbers, by kind and customer
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.artifacts import RECOMMENDATIONS, artifact_folder
from clv_core.deployment.bundle import Bundle
from clv_core.strategy.recommend.advice import Advice
from clv_core.strategy.recommend.blend import KINDS
from clv_core.strategy.recommend.picks import WHY
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

RECORD: Final = "record.json"
FRAMES: Final = ("customers", "products", "tiers")
GROUP_ROWS: Final = 100_000
"""A reader skips whole groups of rows: one customer's are in one or two of them."""


def recommendations_folder(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> Path:
    """Return where the recommendations of a model for a dataset, as of the log's end, are kept."""
    return artifact_folder(dataset, bundle) / RECOMMENDATIONS


def keep_advice(advice: Advice, folder: Path, about: dict[str, Any]) -> KeptAdvice:
    """Write recommendations, and return what was written.

    The record goes last, so that a folder with one is whole.
    """
    (folder / RECORD).unlink(missing_ok=True)
    for name in FRAMES:
        with atomic_path(folder / f"{name}.parquet") as temporary:
            getattr(advice, name).to_parquet(temporary, index=False)
    with atomic_path(folder / "picks.parquet") as temporary:
        parts = [_flat(advice, number, kind) for number, kind in enumerate(KINDS)]
        pq.write_table(pa.concat_tables(parts), temporary, row_group_size=GROUP_ROWS)
    write_json(folder / RECORD, {**about, "cutoff": advice.cutoff.isoformat(), **advice.measured.to_json()})
    return _read_advice(folder)


def _flat(advice: Advice, number: int, kind: str) -> pa.Table:
    picks = advice.picks[kind]
    customer, place = np.nonzero(picks.product >= 0)
    names = ("product", "score", "why", "because", "days")
    columns = {name: getattr(picks, name)[customer, place] for name in names}
    about = {"kind": np.full(len(customer), number, np.int8), "customer": customer.astype(np.int32)}
    return pa.table({**about, "place": (place + 1).astype(np.int16), **columns})


@dataclass(frozen=True, eq=False)
class KeptAdvice:
    """Recommendations on disk.

    Args:
        folder: where.
        record: what ``record.json`` says.
        customers: as in :class:`~clv_core.strategy.recommend.advice.Advice`.
        products: as there.
        tiers: as there.
    """

    folder: Path
    record: dict[str, Any]
    customers: pd.DataFrame
    products: pd.DataFrame
    tiers: pd.DataFrame

    def of_customer(self, customer: str, kind: str) -> pd.DataFrame:
        """Return one customer's products, the best first; empty for one who is not known.

        Returns:
            The columns of :meth:`everyone`.
        """
        place = int(np.searchsorted(self.customers["customer_id"].to_numpy(), customer))
        known = place < len(self.customers) and self.customers["customer_id"].iloc[place] == customer
        wanted = place if known else -1
        return self._read(kind, [("customer", "==", wanted)])

    def everyone(self, kind: str, top: int) -> pd.DataFrame:
        """Return the list of all customers.

        Args:
            kind: of :data:`~clv_core.strategy.recommend.blend.KINDS`.
            top: products a customer at most.

        Returns:
            customer_id, tier, place, product_id, category, price, grade, score, why (word of ``WHY``), because
            (product id or None), days (bought before); by customer and place.
        """
        return self._read(kind, [("place", "<=", top)])

    def _read(self, kind: str, filters: list[tuple[str, str, int]]) -> pd.DataFrame:
        wanted = [("kind", "==", KINDS.index(kind)), *filters]
        rows = pq.read_table(self.folder / "picks.parquet", filters=wanted).to_pandas()
        customer, product = rows["customer"].to_numpy(), rows["product"].to_numpy()
        because = rows["because"].to_numpy()
        ids = self.products["product_id"].to_numpy(object)
        return pd.DataFrame(
            {
                "customer_id": self.customers["customer_id"].to_numpy(object)[customer],
                "tier": self.customers["tier"].to_numpy()[customer],
                "place": rows["place"].to_numpy(),
                **{
                    name: self.products[name].to_numpy()[product]
                    for name in ("product_id", "category", "price", "grade")
                },
                "score": rows["score"].to_numpy(),
                "why": np.array(WHY, object)[rows["why"].to_numpy()],
                "because": np.where(because >= 0, ids[np.maximum(because, 0)], None),
                "days": rows["days"].to_numpy(),
            }
        )


def load_advice(folder: Path) -> KeptAdvice | None:
    """Return the recommendations in a folder, or None where there are none."""
    return _read_advice(folder) if (folder / RECORD).is_file() else None


def _read_advice(folder: Path) -> KeptAdvice:
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    return KeptAdvice(folder, read_json(folder / RECORD), **frames)


def kept_advice(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> KeptAdvice | None:
    """Return the kept recommendations of a model for a dataset, or None."""
    return load_advice(recommendations_folder(workspace, bundle, dataset))

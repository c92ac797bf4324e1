"""The panel of sales against hand-reckoned weeks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.strategy.pricing.panel import panels
from clv_core.workspace import Workspace


def test_how_deep_a_discount_is_is_its_share_of_the_full_price(tmp_path: Path) -> None:
    """Every week a tin of 20 is sold once in full and once at 16: 36 were paid, and 4 of 40 are a tenth."""
    days = pd.date_range("2024-01-01", periods=60 * 7)[::7].strftime("%Y-%m-%d")
    rows = [
        (f"c{tier}", day, "tin", "tea", price, 20 - price, 1) for day in days for tier, price in ((1, 20.0), (2, 16.0))
    ]
    names = ["customer_id", "event_time", "product_id", "category", "amount", "discount", "quantity"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "log.csv", index=False)
    ingest(Workspace(tmp_path / "work"), tmp_path / "log.csv", "shop", currency="EUR")
    dataset = open_dataset(Workspace(tmp_path / "work"), "shop")
    tiered = pd.DataFrame({"customer_id": ["c1", "c2"], "tier": [1, 2]})
    (panel,) = panels(dataset, tiered, dataset.log_end + timedelta(days=1), (7,))
    assert len(panel.prices) == 60 and panel.prices["depth"].tolist() == [pytest.approx(0.1)] * 60
    depth = panel.spend.set_index("tier")["depth"]
    assert depth.to_dict() == {1: 0.0, 2: pytest.approx(0.2)}, "what tier 2 bought was a fifth below its price"

"""Products that lie in orders whatever else is bought: found, left out of everything, and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import Dataset
from clv_core.jobs import NoProgress
from clv_core.strategy.recommend.recommendations import (
    Recommendations,
    load_recommendations,
    reasons,
    recommend,
    store_recommendations,
)
from tests.strategy.recommend.test_recommend import stored

PRODUCTS, CUSTOMERS = 40, 80


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Orders of two products of forty; a third of them also have an insurance that costs next to nothing."""
    rng = np.random.default_rng(5)
    rows = []
    for customer in range(CUSTOMERS):
        for day in pd.date_range("2024-01-01", "2024-06-28", freq="20D")[rng.random(9) < 0.8]:
            order = f"{customer}-{day:%j}"
            bought = [(f"p{product:02}", 5.0 + product) for product in rng.choice(PRODUCTS, 2, replace=False)]
            bought += [("insurance", 0.5)] if rng.random() < 0.33 else []
            rows += [(f"c{customer:03}", f"{day:%Y-%m-%d}", order, product, price) for product, price in bought]
    frame = pd.DataFrame(rows, columns=["customer_id", "event_time", "order_id", "product_id", "amount"])
    return frame.assign(quantity=1, description="The " + frame["product_id"])


@pytest.fixture(scope="module")
def dataset(log: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return stored(log, tmp_path_factory.mktemp("extras"))


def advice(dataset: Dataset, log: pd.DataFrame, **options: list[str]) -> Recommendations:
    people = pd.DataFrame({"customer_id": sorted(log["customer_id"].unique()), "tier": 1})
    return recommend(dataset, people, 1, dataset.log_end, progress=NoProgress(), **options)


def test_an_extra_is_left_out_of_products_and_figures_and_says_why(dataset: Dataset, log: pd.DataFrame) -> None:
    made = advice(dataset, log)
    (extra,) = made.excluded.to_dict("records")
    orders = log[log["order_id"].isin(log.groupby("order_id").filter(lambda rows: len(rows) > 1)["order_id"])]
    share = orders[orders["product_id"] == "insurance"]["order_id"].nunique() / orders["order_id"].nunique()
    assert extra["product_id"] == "insurance" and extra["share"] == pytest.approx(share) and extra["price"] == 0.5
    assert "insurance" not in made.products["product_id"].tolist()
    everything = advice(dataset, log, exclude=[])
    assert everything.excluded.empty and "insurance" in everything.tiers["product_id"].tolist()
    popular = {
        one: next(item for item in result.measured.quality["with_bought"] if item.method == "popular").recall.value
        for one, result in (("without", made), ("with", everything))
    }
    assert popular["without"] < popular["with"]


def test_what_is_chosen_is_left_out_and_names_stand_beside_ids(
    dataset: Dataset, log: pd.DataFrame, tmp_path: Path
) -> None:
    store_recommendations(advice(dataset, log, exclude=["p01"]), tmp_path, {})
    read = load_recommendations(tmp_path)
    assert read is not None and read.excluded == [{"product_id": "p01", "name": "The p01"}]
    assert "p01" not in read.products["product_id"].tolist()
    assert (read.tiers["name"] == "The " + read.tiers["product_id"]).all()
    rows = read.everyone("with_bought", 10)
    because = rows["because"].notna() & (rows["why"] == "together")
    assert all("The p" in text or "The ins" in text for text in np.array(reasons(rows, "en"))[because])

"""Attributes: static ones at any cutoff, dated ones after their date, and nothing later shines through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.manifest import Attribute
from clv_core.collection.store.version_store import Dataset, derive, open_dataset
from clv_core.features.log import open_log
from clv_core.features.snapshot import Snapshot, concat
from clv_core.workspace import Workspace
from tests.conftest import own_copy
from tests.manifests import customers_table

pytestmark = pytest.mark.first(3)

CUTOFF = date(2023, 9, 1)
ATTRIBUTES = [
    Attribute("age", "number"),
    Attribute("city", "text"),
    Attribute("points", "number", "points_on"),
    Attribute("tier", "text", "tier_since"),
]
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def shop(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(own_copy(small_workspace, tmp_path_factory.mktemp("attributes")), "shop")


@pytest.fixture(scope="module")
def customers(shop: Dataset) -> pd.DataFrame:
    """Two to four rows for nine tenths of the customers, and for some that the log does not know."""
    ids = sorted(pd.read_parquet(shop.events_path)["customer_id"].unique())
    random = np.random.default_rng(5)
    known = pd.DataFrame({"customer_id": [*ids[: len(ids) * 9 // 10], "stranger"]})
    known["age"] = random.integers(18, 80, len(known)).astype(float)
    known["city"] = random.choice(["Köln", "上海", "Lyon"], len(known))
    known.loc[::7, "age"] = np.nan
    known.loc[::5, "city"] = None
    frame = known.loc[known.index.repeat(random.integers(2, 5, len(known)))].reset_index(drop=True)
    for value, day in (("points", "points_on"), ("tier", "tier_since")):
        frame[day] = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 500, len(frame)), unit="D")
        frame.loc[random.random(len(frame)) < 0.1, day] = pd.NaT
        numbers = pd.Series(random.integers(0, 900, len(frame)), dtype=float)
        frame[value] = numbers if value == "points" else "tier " + (numbers // 300).astype(int).astype(str)
        frame.loc[random.random(len(frame)) < 0.1, value] = None
    return frame


def given(shop: Dataset, customers: pd.DataFrame, path: Path, attributes: list[Attribute]) -> Dataset:
    """Return a version of the dataset with a customers table."""
    dates = {name: customers[name].dt.date for name in ("points_on", "tier_since")}
    customers.assign(**dates).to_parquet(path, index=False)
    version = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return derive(
        shop, replace(shop.manifest, customers_table=customers_table(*attributes), version=version), customers=path
    )


def at(dataset: Dataset, cutoff: date = CUTOFF, **options: bool) -> Snapshot:
    log = open_log(dataset, **options)
    try:
        return log.snapshot(cutoff, 60)
    finally:
        log.close()


def expected(customers: pd.DataFrame, value: str, day: str | None, ids: pd.Index) -> pd.Series:
    """The same by pandas: the last known value before the cutoff; of equal days the largest."""
    rows = customers[customers[value].notna()]
    if day is not None:
        rows = rows[rows[day] < pd.Timestamp(CUTOFF)].sort_values([day, value])
    return rows.groupby("customer_id")[value].last().reindex(ids)


@pytest.fixture(scope="module")
def snapshot(shop: Dataset, customers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return at(given(shop, customers, tmp_path_factory.mktemp("table") / "c.parquet", ATTRIBUTES))


@pytest.mark.parametrize("one", ATTRIBUTES, ids=lambda one: one.name)
def test_each_attribute_is_what_was_known_before_the_cutoff(
    one: Attribute, snapshot: Snapshot, customers: pd.DataFrame
) -> None:
    found = snapshot.features[f"attribute:{one.name}"]
    theirs = expected(customers, one.name, one.dated_by, snapshot.features.index)
    assert 0.2 < theirs.notna().mean() < 0.95
    pd.testing.assert_series_equal(found, theirs, check_names=False, check_dtype=False)


def test_columns_say_their_group_and_scale(snapshot: Snapshot) -> None:
    told = {name: (column.group, column.scale) for name, column in snapshot.signals.items()}
    assert told == {
        "attribute:age": ("attributes", "auto"),
        "attribute:city": ("attributes", "category"),
        "attribute:points": ("attributes", "auto"),
        "attribute:tier": ("attributes", "category"),
        "review_text": ("ratings", "text"),
    }
    assert list(snapshot.described) == list(snapshot.features.columns)
    assert concat([snapshot, snapshot]).described == snapshot.described


def _later(customers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: customers[name] >= pd.Timestamp(CUTOFF) for name in ("points_on", "tier_since")})


def changed(customers: pd.DataFrame) -> pd.DataFrame:
    later, frame = _later(customers), customers.copy()
    frame.loc[later["points_on"], "points"] = 1e9
    frame.loc[later["tier_since"], "tier"] = "aaa"
    return frame


def added(customers: pd.DataFrame) -> pd.DataFrame:
    new = customers.assign(points=-1.0, tier="zzz", points_on=pd.Timestamp(CUTOFF), tier_since=pd.Timestamp(CUTOFF))
    return pd.concat([customers, new])


def deleted(customers: pd.DataFrame) -> pd.DataFrame:
    later, frame = _later(customers), customers.copy()
    frame.loc[later["points_on"], ["points", "points_on"]] = None
    frame.loc[later["tier_since"], ["tier", "tier_since"]] = None
    return frame


@pytest.mark.examples(2)
@pytest.mark.parametrize("alter", [changed, added, deleted, lambda frame: frame.sample(frac=1, random_state=3)])
def test_what_is_dated_later_and_the_order_of_rows_change_nothing(
    alter: Change, shop: Dataset, customers: pd.DataFrame, snapshot: Snapshot, tmp_path: Path
) -> None:
    pd.testing.assert_frame_equal(
        at(given(shop, alter(customers), tmp_path / "c.parquet", ATTRIBUTES)).features, snapshot.features
    )


def test_a_value_counts_from_the_day_after_its_date(shop: Dataset, customers: pd.DataFrame, tmp_path: Path) -> None:
    who = customers["customer_id"].iloc[0]
    day = pd.Timestamp("2024-02-01")
    one = pd.DataFrame({"customer_id": [who], "age": [1.0], "city": ["x"], "points": [7.0], "points_on": [day],
                        "tier": ["gold"], "tier_since": [day]})  # fmt: skip
    dataset = given(shop, one, tmp_path / "c.parquet", ATTRIBUTES)
    on_the_day, after = (at(dataset, day.date() + timedelta(days=days)).features.loc[who] for days in (0, 1))
    assert np.isnan(on_the_day["attribute:points"]) and on_the_day["attribute:tier"] is None
    assert after["attribute:points"] == 7.0 and after["attribute:tier"] == "gold"


def test_columns_that_are_off_and_attributes_not_wanted_never_enter(
    shop: Dataset, customers: pd.DataFrame, tmp_path: Path
) -> None:
    frame = customers.assign(email="a@b.c", lifetime_spend=1.0)
    dataset = given(shop, frame, tmp_path / "c.parquet", ATTRIBUTES[:1])
    assert [name for name in at(dataset).features if ":" in name] == ["attribute:age"]
    without = at(dataset, attributes=False)
    assert [name for name in without.features if ":" in name] == [] and "review_text" in without.features


def test_a_log_without_a_customers_table_or_texts_has_no_signals(shop: Dataset) -> None:
    bare = at(shop, review_text=False)
    assert bare.signals == {}
    assert "review_text" not in bare.features and "review_text" in at(shop).features

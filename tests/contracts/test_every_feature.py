"""Every feature is the same in both engines, differs from customer to customer, and says its name, meaning and unit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clv_core.features import relation_cache
from clv_core.features.behaviour import FEATURES, TEXTS
from clv_core.features.duckdb_engine import Engine, scratch_folder
from clv_core.features.event_store import ColumnStore
from clv_core.features.feature import CALENDAR, SCALES, UNITS, Feature
from clv_core.features.labels import group_label, label, meaning
from clv_core.features.log import EventLog
from clv_core.features.relations import SOURCES
from clv_core.features.warehouse import Warehouse
from clv_core.i18n import LANGUAGES
from tests.features.conftest import canonical, features_at, made_shop

CUTOFF = date(2024, 5, 1)
FEATURE = pytest.mark.parametrize("feature", FEATURES.values(), ids=lambda one: one.name)
COUNTED = pytest.mark.parametrize(
    "feature", [one for one in FEATURES.values() if one.source in SOURCES], ids=lambda one: one.name
)
Values = dict[str, NDArray[np.float64]]


def events() -> pd.DataFrame:
    """Return a shop with events of every kind over more than a year, some orders of several lines."""
    shop = made_shop()
    every_other = np.arange(len(shop)) % 2 == 0
    shop["event_type"] = shop["event_type"].mask((shop["event_type"] == "wishlist") & every_other, "gift card")
    return canonical(pd.concat([shop, shop.sample(2000, random_state=3).assign(product_id="p99")], ignore_index=True))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(memory_limit_mb=512)
    yield made
    made.close()


@pytest.fixture(scope="module")
def both(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Values, Values]:
    """The features of a shop with events of every kind, on sorted columns and in an engine."""
    path, connection = tmp_path_factory.mktemp("both") / "events.parquet", engine.connection
    events().to_parquet(path, index=False)
    folder = scratch_folder(connection)
    relation_cache.write_shards(connection.read_parquet(path), connection, folder)
    holders = ColumnStore.open(folder), Warehouse(connection.read_parquet(path), connection)
    return features_at(holders[0], CUTOFF, 90), features_at(holders[1], CUTOFF, 90)


@pytest.fixture(scope="module")
def table(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The feature table of the shop, with what is made of the anchor and of other features."""
    path = tmp_path_factory.mktemp("table") / "events.parquet"
    events().to_parquet(path, index=False)
    return EventLog.from_table(engine.connection.read_parquet(path), engine.connection).snapshot(CUTOFF, 90).features


@COUNTED
def test_a_feature_is_the_same_to_the_bit_in_both_engines(feature: Feature, both: tuple[Values, Values]) -> None:
    at_hand, engine = (values[feature.name] for values in both)
    assert len(at_hand) > 300 and at_hand.tobytes() == engine.tobytes()


@FEATURE
def test_a_feature_is_finite_or_unknown_and_not_the_same_for_everybody(feature: Feature, table: pd.DataFrame) -> None:
    column = table[feature.name]
    assert column.nunique() > (0 if feature.source == CALENDAR else 1)
    assert (feature.scale == "category") == (feature.name in TEXTS) == (feature.unit == "text")
    if feature.name not in TEXTS:
        assert column.dtype == np.float64 and not np.isinf(column).any()
    if feature.scale == "log":
        assert not (column < 0).any() or feature.unit in ("money", "days"), "the logarithm of what is below zero"
    assert feature.empty is None or column.notna().all()


@FEATURE
def test_a_feature_has_a_unit_and_says_its_name_and_meaning_in_every_language(feature: Feature) -> None:
    assert feature.unit in UNITS and feature.scale in SCALES
    for language in LANGUAGES:
        name, says = label(feature.name, language), meaning(feature.name, language)
        assert 0 < len(name) <= 50 and says.endswith("。" if language == "zh" else ".") and says != name
        assert group_label(feature.group, language) != feature.group
    assert label(feature.name, "en") != label(feature.name, "zh")

"""The same relations and features on sorted columns as in an engine, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clv_core.features import relation_cache
from clv_core.features.duckdb_engine import Engine, scratch_folder
from clv_core.features.event_store import ColumnStore, EventStore
from clv_core.features.relations import day_of
from clv_core.features.warehouse import Warehouse
from tests.features.conftest import differences, features_at

pytestmark = pytest.mark.first(3)

KINDS = ["view", "cart", "purchase", "return", "rating", "review", "wishlist"]
START = pd.Timestamp("2023-01-01")
Complete = Callable[[pd.DataFrame], pd.DataFrame]
Held = Callable[[pd.DataFrame], tuple[EventStore, EventStore]]


@pytest.fixture
def held(complete: Complete, tmp_path: Path) -> Iterator[Held]:
    """Hold a frame of events on sorted columns and in an engine."""
    engines: list[Engine] = []

    def hold(frame: pd.DataFrame) -> tuple[EventStore, EventStore]:
        path = tmp_path / f"events{len(engines)}.parquet"
        complete(frame).to_parquet(path, index=False)
        engines.append(Engine(memory_limit_mb=512))
        connection = engines[-1].connection
        folder = scratch_folder(connection)
        relation_cache.write_shards(connection.read_parquet(path), connection, folder)
        return ColumnStore.open(folder), Warehouse(connection.read_parquet(path), connection)

    yield hold
    for engine in engines:
        engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("rows_a_shard", [1_000, 10**9], ids=["many shards", "one shard"])
def test_columns_at_hand_give_the_bits_of_the_engine(
    held: Held, shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, rows_a_shard: int
) -> None:
    monkeypatch.setattr(relation_cache, "SHARD_ROWS", rows_a_shard)
    at_hand, engine = held(shop)
    assert isinstance(at_hand, ColumnStore) and (len(at_hand.shards) == 1) == (rows_a_shard > 1e6)
    assert len(features_at(at_hand, date(2023, 3, 1), 90)) > 100
    for cutoff in (date(2023, 3, 1), date(2023, 12, 15), date(2024, 5, 15)):
        assert differences(at_hand, engine, cutoff) == []


@pytest.mark.parametrize("holder", [0, 1], ids=["columns at hand", "engine"])
def test_a_range_of_customers_is_told_as_among_all(
    held: Held, shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, holder: int
) -> None:
    monkeypatch.setattr(relation_cache, "SHARD_ROWS", 3_000)
    one, cutoff = held(shop)[holder], date(2023, 6, 1)
    everyone, whole = one.seen(day_of(cutoff)), features_at(one, cutoff, 90)
    steps = one.steps()
    for begin, end in ((0, 1), (40, 333), (len(everyone) - 9, len(everyone))):
        some = everyone[begin:end]
        found = {name: np.full(len(some), np.inf) for name in whole}
        one.features(day_of(cutoff), 90, some, found)
        assert [name for name in whole if found[name].tobytes() != whole[name][begin:end].tobytes()] == []
        part = one.steps(int(some[0]), int(some[-1]) + 1)
        rows = slice(*steps.offsets[[some[0], some[-1] + 1]])
        assert part.gap_days.tobytes() == steps.gap_days[rows].tobytes()
        assert part.codes.tobytes() == steps.codes[rows].tobytes()
        assert part.offsets.tolist() == (steps.offsets[some[0] : some[-1] + 2] - rows.start).tolist()


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    "columns",
    [["amount"], ["amount", "quantity", "order_id"], ["amount", "event_type", "rating", "review_text", "country"]],
    ids=" ".join,
)
def test_a_log_that_lacks_columns_gives_the_same_bits(held: Held, shop: pd.DataFrame, columns: list[str]) -> None:
    frame = shop[["customer_id", "event_time", *columns]]
    if "event_type" not in columns:
        frame = frame.assign(event_type="purchase", amount=frame["amount"].fillna(1.5))
    at_hand, engine = held(frame)
    assert differences(at_hand, engine, date(2024, 1, 1)) == []


def test_one_event_before_1970_takes_nobody_another_channel(held: Held, shop: pd.DataFrame) -> None:
    channels = ["web", "app", "store"]
    frame = shop.assign(channel=[channels[row % len(channels)] for row in range(len(shop))])
    frame.loc[frame.index[7], "event_time"] = pd.Timestamp("1960-02-03 04:05")
    frame = frame.drop_duplicates(["customer_id", "event_time"])  # which of two at once was first is another question
    ordered = frame[frame["event_time"] < pd.Timestamp("2023-12-15")].sort_values("event_time")
    expected = ordered.groupby("customer_id", sort=True)["channel"].agg(["first", "last"])
    holders = held(frame)
    assert differences(*holders, date(2023, 12, 15)) == []
    for holder in holders:
        texts, codes = holder.texts("channel"), features_at(holder, date(2023, 12, 15), 90)
        assert texts[codes["first_channel"].astype(int)].tolist() == expected["first"].tolist()
        assert texts[codes["last_channel"].astype(int)].tolist() == expected["last"].tolist()


def test_the_real_log_gives_the_same_bits(held: Held, cdnow: pd.DataFrame) -> None:
    at_hand, engine = held(cdnow)
    assert differences(at_hand, engine, date(1997, 12, 31)) == []


amounts = st.one_of(
    *(st.integers(-(10**9), 10**9).map(lambda whole, unit=unit: whole / unit) for unit in (1, 100, 1e4))
)
events = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["a", "b", "c", "ü"]),
            "event_time": st.integers(0, 400 * 24).map(lambda hours: START + timedelta(hours=hours)),
            "event_type": st.sampled_from(KINDS),
            "amount": st.none() | amounts,
            "quantity": st.none() | st.integers(-3, 9),
            "discount": st.none() | st.integers(0, 500).map(lambda value: value / 100),
            "rating": st.none() | st.integers(1, 5),
            "order_id": st.none() | st.sampled_from(["1", "2"]),
            "category": st.none() | st.sampled_from(["x", "y"]),
            "channel": st.none() | st.sampled_from(["web", "app"]),
            "review_text": st.none() | st.sampled_from(["", "good"]),
        }
    ),
    min_size=1,
    max_size=40,
)
"""Without shrinking: each try opens an engine."""


@pytest.mark.slow
@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=events)
def test_any_log_gives_the_same_bits(held: Held, rows: list[dict[str, object]]) -> None:
    at_hand, engine = held(pd.DataFrame(rows))
    assert differences(at_hand, engine, date(2023, 7, 1)) == []

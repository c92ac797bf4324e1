"""The estimate of shards follows its formula, and what they took is what every run recorded."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pandas as pd
import pytest

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.shards import shard_cost
from clv_core.deployment.shards.shard_cost import Comparison, Estimate, FolderSize, Meter, RoundCost, Taken, money
from clv_core.deployment.shards.shard_events import EventFiles
from clv_core.deployment.shards.shard_folder import ROUNDS, Shard, ShardFolder
from clv_core.deployment.shards.shard_scoring import FolderRequest, estimate_shards, merge_shards, score_shard
from clv_core.errors import NotFound
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace, read_json


def size(events: int, customers: int, *, partitioned: bool = True) -> FolderSize:
    return FolderSize(1, 1.0, events, customers, partitioned)


@pytest.mark.parametrize(
    ("events", "customers", "shards"),
    [
        (0, 0, 1),
        (1_250_000, 62_500, 1),
        (1_250_001, 10, 2),
        (1_000, 62_501, 2),
        (2_000_000_000, 100_000_000, 1_600),
        (10**12, 10**9, 10_000),  # the most that one plan has
    ],
)
def test_shards_are_as_many_as_events_or_customers_ask_for(events: int, customers: int, shards: int) -> None:
    assert Estimate.of(size(events, customers)).shards == shards


def test_the_estimate_is_the_formula_and_reading_what_is_others_grows_with_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    constants = {
        **{"SECONDS_A_RUN": 2.0, "SECONDS_A_MILLION": 7.0, "SECONDS_A_MILLION_READ": 0.5},
        **{"SECONDS_A_MILLION_MERGED": 3.0, "MEMORY_MB": 500.0, "MEMORY_MB_A_MILLION": 100.0},
        **{"DISK_MB_A_MILLION": 90.0},
    }
    for name, value in constants.items():
        monkeypatch.setattr(shard_cost, name, value)
    found = Estimate.of(size(8_000_000, 1_000_000), 10)
    assert found == Estimate(10, 2 * 31 + 7 * 8 + 3, 500 + 100 * 0.8, 90 * 8)
    found = Estimate.of(size(8_000_000, 1_000_000, partitioned=False), 10)
    assert found.core_seconds == 2 * 31 + 7 * 8 + 0.5 * 8 * 10 + 3


def test_money_is_core_hours_at_the_price_and_none_without_one() -> None:
    assert (money(7_200, 0.05), money(7_200, 0.0), money(7_200, None)) == (0.1, 0.0, None)


def test_a_folder_is_as_large_as_pandas_says(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))))
    found, customers = FolderSize.of(EventFiles.find(str(folder))), frame["customer_id"].nunique()
    assert (found.files, found.events, found.customers, found.partitioned) == (3, len(frame), customers, False)
    assert found.mb * 1e6 == sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    monkeypatch.setattr(shard_cost, "COUNTED_ROWS", len(frame) // 4)  # from here on by a sketch, or in part
    assert abs(FolderSize.of(EventFiles.find(str(folder))).customers - customers) < 0.25 * customers
    digit = [hashlib.md5(one.encode(), usedforsecurity=False).hexdigest()[:1] for one in frame["customer_id"]]
    frame.assign(customer_md5=digit).to_parquet(tmp_path / "e", partition_cols=["customer_md5"])
    found = FolderSize.of(EventFiles.find(str(tmp_path / "e")))
    assert (found.files, found.events, found.partitioned) == (16, len(frame), True)
    assert abs(found.customers - customers) < 0.25 * customers


def test_the_estimate_of_a_folder_writes_nothing_and_refuses_what_shards_would(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    request = FolderRequest(str(folder), bundles["bgnbd"].id)
    found, estimate = estimate_shards(shop, request)
    assert (found, estimate) == (FolderSize.of(EventFiles.find(str(folder))), Estimate.of(found, 1))
    (tmp_path / "e.parquet").write_text("no table")
    with pytest.raises(NotFound):
        estimate_shards(shop, FolderRequest(str(tmp_path / "e.parquet"), request.model))
    assert [path.name for path in tmp_path.iterdir()] == ["e.parquet"]


def test_a_meter_counts_each_lap_once_and_the_start_of_a_process_only_where_asked(tmp_path: Path) -> None:
    def work() -> None:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass

    (tmp_path / "kept").write_bytes(b"x" * 5_000)
    meter, whole = Meter(with_start=False), Meter(with_start=True)
    work()
    first, second = meter.lap(tmp_path), meter.lap()
    assert 0.09 < first.core_seconds < 2 and first.seconds >= 0.09 and first.disk_mb == 0.005
    assert second.core_seconds < 0.09 and second.disk_mb == 0
    assert first.memory_mb > 50 and whole.lap().core_seconds > first.core_seconds


def test_what_shards_took_is_the_sum_of_their_records_and_what_left_none_is_counted(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    out, request = tmp_path / "out", FolderRequest(str(folder), bundles["bgnbd"].id)
    for number in (1, 2, 2, 1, 2, 1):
        score_shard(shop, request, Shard(number, 2), out, progress=NoProgress())
    cost = merge_shards(shop, out, tmp_path / "scores.csv", progress=NoProgress()).cost
    records = {(step, n): read_json(out / "costs" / step / f"{n}.json") for step in ROUNDS for n in (1, 2)}
    kept = [max(records[step, n]["disk_mb"] for step in ROUNDS) for n in (1, 2)]
    assert cost.estimated == Estimate.of(FolderSize.of(EventFiles.find(str(folder))), 2)
    assert cost.taken.core_seconds >= round(sum(one["core_seconds"] for one in records.values()), 1) > 0
    assert cost.taken.memory_mb >= max(one["memory_mb"] for one in records.values())
    assert (cost.taken.recorded, cost.unrecorded) == (6, 0) and cost.taken.disk_mb == round(sum(kept), 1) > 0
    assert {step: one.recorded for step, one in cost.rounds.items()} == dict.fromkeys(ROUNDS, 2)
    (out / "costs" / "sums" / "1.json").unlink()  # as of a run that was killed before it could say
    again = merge_shards(shop, out, tmp_path / "scores.csv", progress=NoProgress()).cost
    assert (again.taken.recorded, again.unrecorded, again.rounds["sums"].recorded) == (5, 1, 1)


def test_shards_of_an_earlier_version_have_no_estimate_and_no_records(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    request = FolderRequest(str(folder), bundles["bgnbd"].id)
    score_shard(shop, request, Shard(1, 1), tmp_path / "out", progress=NoProgress())
    shard_folder = ShardFolder(tmp_path / "out")
    (tmp_path / "out" / Estimate.FILE).unlink()
    for step in ROUNDS:
        shard_folder.cost_path(step, 1).unlink()
    merge = RoundCost(1.0, 2.0, 300.0)
    found = Comparison.of(shard_folder, shard_folder.open_plan(), merge)
    assert (found.estimated, found.unrecorded, found.taken) == (None, 3, Taken(0, 1.0, 2.0, 300.0, 0.0))

"""Whom a model could be tested on: compared with pandas, in zones with other midnights and changes of clocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from clv_core.collection.horizons import SIZES_FILE, count_holdouts, holdout_sizes
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace, read_json, write_json

HORIZONS = (7, 30, 90, 182)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"])
def test_customers_of_a_holdout_are_seen_before_it_and_buyers_keep_something(tmp_path: Path, zone: str) -> None:
    random = np.random.default_rng(3)
    count = 4_000
    log = pd.DataFrame(
        {
            "customer_id": random.integers(0, 900, count).astype(str),
            "event_time": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 350 * 24, count), "h"),
            "event_type": random.choice(["purchase", "return", "view"], count, p=[0.5, 0.2, 0.3]),
        }
    )
    money = {"purchase": 10.0, "return": -10.0, "view": np.nan}
    log["amount"] = log["event_type"].map(money)
    log.to_parquet(tmp_path / "events.parquet")
    local = log["event_time"].dt.tz_localize("UTC").dt.tz_convert(zone)
    end = local.max().tz_localize(None).normalize() + pd.Timedelta(days=1)
    wanted = {}
    for days in HORIZONS:
        since = (end - pd.Timedelta(days=days)).tz_localize(zone)
        known = set(log.loc[local < since, "customer_id"])
        net = log[local >= since].groupby("customer_id")["amount"].sum()
        wanted[days] = (len(known), len(known & set(net[net > 0].index)))
    with duckdb.connect() as connection:
        found = count_holdouts(connection, tmp_path / "events.parquet", zone, str(end.date()), HORIZONS)
    assert found == wanted and len({size.buyers for size in found.values()}) == len(HORIZONS)


def test_counts_are_kept_with_their_version_until_its_days_begin_at_another_hour(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    lines = [f"C{place},2024-0{month}-15,10" for place in range(20) for month in range(1, 7)]
    log.write_text("\n".join(["customer_id,event_time,amount", *lines]), encoding="utf-8")
    ingest(Workspace(tmp_path / "work"), log, "shop")
    dataset = open_dataset(Workspace(tmp_path / "work"), "shop")
    assert holdout_sizes(dataset, (30, 60)) == {30: (20, 20), 60: (20, 20)}
    path = dataset.folder / SIZES_FILE
    kept = read_json(path)
    write_json(path, {**kept, "sizes": {"30": [9, 7]}})
    assert holdout_sizes(dataset, (60, 30)) == {60: (20, 20), 30: (9, 7)}
    assert read_json(path)["sizes"] == {"30": [9, 7], "60": [20, 20]}
    elsewhere = replace(dataset, manifest=replace(dataset.manifest, timezone="Asia/Shanghai"))
    assert holdout_sizes(elsewhere, (30,)) == {30: (20, 20)} and read_json(path)["timezone"] == "Asia/Shanghai"

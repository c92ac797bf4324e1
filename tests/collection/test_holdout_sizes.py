"""Whom a model could be tested on: compared with pandas, in zones with other midnights and changes of clocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from clv_core.collection.horizons import RHYTHM_FILE, SIZES_FILE, count_holdouts, holdout_sizes, payment_rhythm
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


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_the_rhythm_is_that_of_gaps_between_days_with_a_purchase(tmp_path: Path, zone: str) -> None:
    random, count = np.random.default_rng(5), 900
    time = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300 * 24, count), "h")
    log = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in random.integers(0, 120, count)],
            "event_time": time.strftime("%Y-%m-%d %H:%M:%S"),
            "event_type": np.where(random.random(count) < 0.3, "purchase", "view"),
        }
    )
    log["amount"] = np.where(log["event_type"] == "purchase", 10.0, np.nan)
    log.to_csv(tmp_path / "log.csv", index=False)
    ingest(Workspace(tmp_path / "work"), tmp_path / "log.csv", "shop", timezone=zone)
    bought = log[log["event_type"] == "purchase"].assign(day=pd.to_datetime(log["event_time"]).dt.normalize())
    days = bought[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    gaps = days.groupby("customer_id")["day"].diff().dt.days.dropna()
    dataset = open_dataset(Workspace(tmp_path / "work"), "shop")
    usual, long = (int(np.quantile(gaps, q, method="inverted_cdf")) for q in (0.5, 0.9))
    never = 1 - bought["customer_id"].nunique() / log["customer_id"].nunique()
    expected = (pytest.approx(never), usual, long)
    assert payment_rhythm(dataset) == expected == payment_rhythm(dataset) and 0 < never < 0.5 < usual < long
    path = dataset.folder / RHYTHM_FILE
    write_json(path, {**read_json(path), "log_end": "2001-01-01", "rhythm": [0, 1, 2]})
    assert payment_rhythm(dataset) == expected, "of another end of the log it is counted anew"

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store import Dataset, Manifest
from clv_core.strategy.history import purchase_history


@pytest.fixture
def log() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 3000
    kind = rng.choice(["purchase", "view", "return"], n, p=[0.5, 0.35, 0.15])
    amount = np.where(kind == "view", np.nan, np.where(kind == "return", -1, 1) * rng.lognormal(3, 1, n).round(2))
    time = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 90 * 24 * 60, n), unit="min")
    return pd.DataFrame(
        {"customer_id": rng.integers(0, 1500, n).astype(str), "event_time": time, "event_type": kind, "amount": amount}
    )


def dataset(log: pd.DataFrame, folder: Path, zone: str) -> Dataset:
    log.assign(event_time=log["event_time"].astype("datetime64[us]")).to_parquet(folder / "events.parquet")
    facts = dict.fromkeys(Manifest.__dataclass_fields__, 0) | {"name": "x", "version": "0" * 12, "timezone": zone}
    return Dataset(folder, Manifest(**facts))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_history_is_net_by_local_day_and_ends_at_the_cutoff(log: pd.DataFrame, tmp_path: Path, zone: str) -> None:
    cutoff = date(2020, 3, 1)
    ours = purchase_history(dataset(log, tmp_path, zone), cutoff)
    local = log.assign(event_time=log["event_time"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None))
    before = local[(local["event_time"] < pd.Timestamp(cutoff)) & local["event_type"].isin(["purchase", "return"])]
    days = (
        before.groupby(["customer_id", before["event_time"].dt.normalize().rename("day")])["amount"].sum().reset_index()
    )
    bought = days[days["amount"] > 0].groupby("customer_id")["day"].agg(["max", "count"])
    theirs = days.groupby("customer_id")["amount"].sum().to_frame("value").join(bought)
    assert ours["customer_id"].tolist() == theirs.index.tolist()
    np.testing.assert_allclose(ours["historic_value"], theirs["value"], rtol=1e-9)
    assert ours["purchase_days"].tolist() == theirs["count"].fillna(0).astype(int).tolist()
    assert ours["last_purchase"].astype("str").tolist() == theirs["max"].astype("datetime64[s]").astype("str").tolist()
    assert ours["last_purchase"].isna().any()

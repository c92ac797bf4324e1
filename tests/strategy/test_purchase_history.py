import errno
import os
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored, saved_score_files
from clv_core.strategy.purchase_history import join_history, load_history, net_value, purchase_history, with_history
from clv_core.workspace import Workspace
from tests.manifests import manifest
from tests.records import model_record


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
    folder = folder / ("0" * 12)
    folder.mkdir()
    log.assign(event_time=log["event_time"].astype("datetime64[us]")).to_parquet(folder / "events.parquet")
    return Dataset(folder, manifest(timezone=zone))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_history_is_net_by_local_day_and_ends_at_the_cutoff(log: pd.DataFrame, tmp_path: Path, zone: str) -> None:
    cutoff = date(2020, 3, 1)
    ours = purchase_history(dataset(log, tmp_path, zone), cutoff)
    local = log.assign(event_time=log["event_time"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None))
    before = purchases_before(local, cutoff)
    days = (
        before.groupby(["customer_id", before["event_time"].dt.normalize().rename("day")])["amount"].sum().reset_index()
    )
    bought = days[days["amount"] > 0].groupby("customer_id")["day"].agg(["min", "max", "count"])
    theirs = days.groupby("customer_id")["amount"].sum().to_frame("value").join(bought)
    assert ours["customer_id"].tolist() == theirs.index.tolist()
    np.testing.assert_allclose(ours["historic_value"], theirs["value"], rtol=1e-9)
    assert ours["purchase_days"].tolist() == theirs["count"].fillna(0).astype(int).tolist()
    for name, own in (("first_purchase", "min"), ("last_purchase", "max")):
        assert ours[name].astype("str").tolist() == theirs[own].astype("datetime64[s]").astype("str").tolist()
    assert ours["last_purchase"].isna().any()


def test_a_day_whose_purchases_were_all_returned_is_no_purchase_day(tmp_path: Path) -> None:
    amounts = [0.1, 0.2, -0.3]  # in floats they leave 5.6e-17
    kinds = ["purchase", "purchase", "return"]
    log = pd.DataFrame({"customer_id": "a", "event_time": pd.Timestamp("2020-01-05"), "amount": amounts}).assign(
        event_type=kinds
    )
    shop = dataset(log, tmp_path, "UTC")
    history = purchase_history(shop, date(2020, 3, 1))
    assert history["purchase_days"].tolist() == [0] and history["last_purchase"].isna().all()
    assert net_value(shop, date(2020, 1, 1), date(2020, 3, 1)).tolist() == [0.0]


def test_kept_history_is_that_of_the_scored_customers_and_is_made_once(log: pd.DataFrame, tmp_path: Path) -> None:
    cutoff, shop = date(2020, 3, 1), dataset(log, tmp_path, "UTC")
    scored = pd.DataFrame({"customer_id": sorted({*log["customer_id"].unique(), "a stranger"})[::-1], "other": 1.0})
    scores = scores_file(shop)
    scored.to_parquet(scores)
    theirs = with_history(scored, purchase_history(shop, cutoff), cutoff)
    for _ in range(2):
        pd.testing.assert_frame_equal(join_history(scored, load_history(of_model(shop, cutoff)), cutoff), theirs)
        shop.events_path.unlink(missing_ok=True)  # what is kept needs no log
    assert theirs.set_index("customer_id").loc["a stranger"].isna().sum() == 2
    assert theirs["historic_value"].sum() == pytest.approx(purchases_before(log, cutoff)["amount"].sum())


def test_kept_history_that_is_older_than_the_scores_is_made_anew(log: pd.DataFrame, tmp_path: Path) -> None:
    cutoff, shop = date(2020, 3, 1), dataset(log, tmp_path, "UTC")
    scores = scores_file(shop)
    for customers in (["1", "2", "3"], ["3", "1"]):
        pd.DataFrame({"customer_id": customers}).to_parquet(scores)
        later = time.time_ns() + 10**9 * len(customers) if len(customers) == 2 else time.time_ns()
        os.utime(scores, ns=(later, later))
        own = purchase_history(shop, cutoff).set_index("customer_id").reindex(customers)["historic_value"]
        assert load_history(of_model(shop, cutoff))["historic_value"].tolist() == own.fillna(0).tolist()


def test_kept_history_goes_where_its_scores_go_and_is_taken_for_no_scores(log: pd.DataFrame, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    shop = dataset(log, workspace.folder("datasets", "shop"), "UTC")
    scores = scores_file(shop)
    pd.DataFrame({"customer_id": ["1", "2"]}).to_parquet(scores)
    load_history(of_model(shop, date(2020, 3, 1)))
    assert len(list(scores.parent.iterdir())) == len(artifacts(workspace, "shop")) == 2
    assert saved_score_files(workspace, "model", "shop") == [(date(2020, 3, 1), scores)]


@pytest.mark.parametrize("number", (errno.EACCES, errno.EROFS))
def test_a_read_only_folder(number: int, log: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    cutoff, shop = date(2020, 3, 1), dataset(log, tmp_path, "UTC")
    scores = scores_file(shop)
    pd.DataFrame({"customer_id": ["1", "2"]}).to_parquet(scores)
    told = load_history(of_model(shop, cutoff))
    next(scores.parent.glob("history-*.parquet")).unlink()
    monkeypatch.setattr("clv_core.strategy.purchase_history.write_table", refuse)
    pd.testing.assert_frame_equal(load_history(of_model(shop, cutoff)), told)


def scores_file(shop: Dataset) -> Path:
    """Return where the scores of :func:`of_model` are saved, with the folder made."""
    path = of_model(shop, date(2020, 3, 1)).scores_path
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def of_model(shop: Dataset, cutoff: date) -> Scored:
    """The shop as scored by a model that is nothing but its name."""
    return Scored.of(Workspace(shop.folder.parent), shop, Bundle(Path("model"), model_record()), cutoff=cutoff)


def purchases_before(log: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    return log[(log["event_time"] < pd.Timestamp(cutoff)) & log["event_type"].isin(["purchase", "return"])]

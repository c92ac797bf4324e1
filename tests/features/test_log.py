"""Opening logs: from a stored dataset, within bounds, purchases only; and what is said of logs that are no use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NotEnoughData, Refused
from clv_core.features import feature_table
from clv_core.features.log import EventLog, open_log
from clv_core.i18n import LANGUAGES
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

Opener = Callable[..., EventLog]


def test_a_stored_dataset_opens_in_its_own_time_zone_up_to_its_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    times = ("b,2024-01-01T15:59:00Z,1", "a,2024-01-01T16:00:00Z,2", "a,2024-02-01T00:00:00Z,4")
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount", *times]))
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "shop", timezone="Asia/Shanghai")
    dataset = open_dataset(workspace, "shop")
    log = open_log(dataset)
    assert log.dataset is dataset
    assert (log.first_day, log.end) == (date(2024, 1, 1), date(2024, 2, 2))
    at_midnight = log.snapshot(date(2024, 1, 2), 31)
    assert list(at_midnight.features.index) == ["b"]
    assert at_midnight.target is not None and at_midnight.target.tolist() == [0.0]
    a_day_later = log.snapshot(date(2024, 1, 3), 30)
    assert a_day_later.target is not None and a_day_later.target.tolist() == [4.0, 0.0]

    assert log.engine is not None
    scratch = Path(log.connection.raw_sql("select current_setting('temp_directory')").fetchone()[0]).parent
    assert scratch.is_dir()
    log.close()
    log.close()
    assert not scratch.exists()
    assert len(a_day_later.windows.steps.day) == 3
    open_log(dataset, before=dataset.log_end).close()
    with pytest.raises(NotEnoughData) as too_late:
        open_log(dataset, before=date(2024, 2, 3))
    assert too_late.value.exit_code == 4
    for language in LANGUAGES:
        sentence = too_late.value.message(language)
        assert "2024-02-03" in sentence and "2024-02-02" in sentence


def test_purchases_only_is_the_log_without_its_other_events(opened: Opener, shop: pd.DataFrame) -> None:
    money = shop[shop["event_type"].isin(["purchase", "return"])]
    only = opened(shop, event_types="purchases").snapshot(date(2024, 1, 1), 90)
    same = opened(money).snapshot(date(2024, 1, 1), 90)
    pd.testing.assert_frame_equal(only.features, same.features)
    assert (only.features[["views", "carts", "ratings"]] == 0).all(axis=None)


def test_steps_add_up_to_the_log(opened: Opener, shop: pd.DataFrame) -> None:
    steps = opened(shop).steps
    days = pd.to_datetime(shop["event_time"]).dt.floor("D")
    assert len(steps.day) == len(shop.assign(day=days).drop_duplicates(["customer_id", "day", "event_type"]))
    np.testing.assert_array_equal(np.diff(steps.offsets) > 0, True)
    assert steps.values[:, 2].sum() == len(shop)
    assert steps.values[:, 0][~np.isnan(steps.values[:, 0])].sum(dtype=np.float64) == pytest.approx(
        shop["amount"].sum(), rel=1e-5
    )
    customer = np.repeat(np.arange(len(steps.customer_ids)), np.diff(steps.offsets))
    assert (np.diff(customer.astype(np.int64) * 100_000 + steps.day) >= 0).all()
    first = np.zeros(len(steps.day), bool)
    first[steps.offsets[:-1]] = True
    np.testing.assert_array_equal(steps.gap_days[~first], np.diff(steps.day)[~first[1:]])
    types = pd.Series(np.array(steps.vocabularies[0])[steps.codes[:, 0]]).value_counts()
    assert set(types.index) == set(shop["event_type"])


def test_the_anchor_of_a_sample_of_customers_holds_the_level(
    opened: Opener, cdnow: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(cdnow)
    whole = log.snapshot(date(1997, 12, 31), 182).features["anchor_value"].sum()
    monkeypatch.setattr(feature_table, "FIT_CUSTOMERS", 10_000)
    one, again = (log.snapshot(date(1997, 12, 31), 182).features["anchor_value"] for _ in range(2))
    assert one.sum() == pytest.approx(whole, rel=0.05)
    assert one.to_numpy().tobytes() == again.to_numpy().tobytes()


def test_logs_that_are_no_use_are_refused_in_words(opened: Opener, shop: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData) as empty:
        opened(shop.iloc[:0])
    with pytest.raises(NotEnoughData) as too_early:
        opened(shop, before=date(2020, 1, 1))
    first = opened(shop).first_day
    with pytest.raises(NotEnoughData) as nobody:
        opened(shop).snapshot(first, 30)
    with pytest.raises(Refused) as absurd:
        opened(shop.assign(amount=1e15))
    codes = [error.value.code for error in (empty, too_early, nobody, absurd)]
    assert codes == ["log_empty", "log_empty_before", "no_customer_before", "number_absurd"]
    for error in (empty, too_early, nobody, absurd):
        assert all(error.value.message(language) for language in LANGUAGES)
    assert "amount" in absurd.value.message() and first.isoformat() in nobody.value.message()


def test_a_day_whose_sum_does_not_fit_is_refused_and_not_told_wrong(opened: Opener) -> None:
    def day(lines: int) -> pd.DataFrame:
        moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(lines), unit="min")
        return pd.DataFrame({"customer_id": "x", "event_time": moments, "event_type": "purchase", "amount": 9e11})

    fits = opened(day(9)).snapshot(date(2024, 2, 1), 30)
    assert fits.features["net_value"].tolist() == [8.1e12]
    with pytest.raises(Refused) as absurd:
        opened(day(12))  # 1.08e13, in millionths more than 2**63
    assert absurd.value.code == "number_absurd" and absurd.value.params["column"] == "amount"


def test_one_customer_with_one_purchase_has_a_finite_snapshot(opened: Opener) -> None:
    row = {"customer_id": "x", "event_time": pd.Timestamp("2024-01-01"), "event_type": "purchase", "amount": 5.0}
    log = opened(pd.DataFrame([row]))
    features = log.snapshot(log.first_day + timedelta(days=1), 30).features
    assert np.isfinite(features[["anchor_count", "anchor_spend", "anchor_value", "p_alive"]].to_numpy()).all()

"""Realised value on CDNOW, month by month, against the log itself; and beside it the expected part."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import score_customers
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.terms import Terms
from clv_core.evaluation.levels import SharedError
from clv_core.jobs import NoProgress
from clv_core.monitoring.monitor import monitor
from clv_core.monitoring.monitoring_report import ReferenceFacts, Report
from clv_core.monitoring.realized.realized_value import chance_of, matured, realised, tiers_since
from clv_core.strategy.purchase_history import net_value
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME
from clv_core.workspace import Workspace
from tests.monitoring.steady_shop import stored

CUTOFF = date(1997, 10, 1)
HORIZON_DAYS = 182


@pytest.fixture(scope="module")
def work(cdnow_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    found = Workspace(tmp_path_factory.mktemp("cdnow"))
    ingest(found, cdnow_file, "cdnow", currency="USD")
    return found


@pytest.fixture(scope="module")
def bundle(work: Workspace) -> Bundle:
    config = TrainConfig(horizon_days=HORIZON_DAYS, model="naive", cutoffs=3)
    return pipeline.train(work, "cdnow", config, cutoff=CUTOFF, progress=NoProgress())


@pytest.fixture(scope="module")
def report(work: Workspace, bundle: Bundle) -> Report:
    return monitor(Scored.open(work, "cdnow", bundle.id), progress=NoProgress())


@pytest.fixture(scope="module")
def log(cdnow_file: Path) -> pd.DataFrame:
    """The file as pandas reads it, in cents so that sums are exact."""
    names = ["customer", "day", "items", "dollars"]
    frame = pd.read_csv(cdnow_file, sep=r"\s+", names=names, skiprows=1, dtype={"customer": str, "dollars": str})
    cents = frame["dollars"].str.replace(".", "", regex=False).astype(int)
    return frame.assign(day=pd.to_datetime(frame["day"].astype(str)), cents=cents)


def test_realised_value_equals_the_log_to_the_cent_month_by_month(report: Report, log: pd.DataFrame) -> None:
    begins = ["1997-11-01", "1997-12-01", "1998-01-01", "1998-02-01", "1998-03-01", "1998-04-01"]
    assert [one.until for one in report.realised] == begins
    before = set(log.loc[log["day"] < pd.Timestamp(CUTOFF), "customer"])
    for one in report.realised:
        part = log[(log["day"] >= pd.Timestamp(CUTOFF)) & (log["day"] < pd.Timestamp(one.until))]
        assert part["customer"].isin(before).all() and one.newcomers == 0
        assert round(100 * one.realised) == part["cents"].sum()
        assert one.buyers == part.loc[part["cents"] > 0, "customer"].nunique()


def test_the_expected_part_is_the_score_for_its_days(work: Workspace, bundle: Bundle, report: Report) -> None:
    expected = [one.expected for one in report.realised]
    assert expected == sorted(expected)
    for one in (report.realised[1], report.realised[-1]):
        scored = score_customers(
            bundle, open_dataset(work, "cdnow"), cutoff=CUTOFF, terms=Terms(one.days), progress=NoProgress()
        )
        assert one.expected == pytest.approx(scored["predicted_clv"].sum())
        came = net_value(open_dataset(work, "cdnow"), CUTOFF, CUTOFF + timedelta(one.days))
        value = scored["customer_id"].map(came).fillna(0)
        inside = (value > scored["clv_p10"] + 1e-9) & (value <= scored["clv_p90"] + 1e-9)
        nothing = 1 - scored["p_purchase"]  # who bought nothing lies evenly below the chance of that
        by_chance = (0.9 / nothing).clip(upper=1) - (0.1 / nothing).clip(upper=1)
        inside = inside.where(value > 0, by_chance).astype(float)
        assert one.coverage == (pytest.approx(inside.mean()) if one.days == HORIZON_DAYS else None)


def test_newcomers_are_counted_apart(work: Workspace, bundle: Bundle, log: pd.DataFrame) -> None:
    dataset = open_dataset(work, "cdnow")
    cutoff = date(1997, 2, 1)
    scored = score_customers(bundle, dataset, cutoff=cutoff, terms=Terms(60), progress=NoProgress())
    found = realised(dataset, scored, cutoff, 60, None)
    part = log[(log["day"] >= pd.Timestamp(cutoff)) & (log["day"] < pd.Timestamp(found.until))]
    old = part["customer"].isin(log.loc[log["day"] < pd.Timestamp(cutoff), "customer"])
    assert round(100 * found.realised) == part.loc[old, "cents"].sum()
    assert round(100 * found.newcomers) == part.loc[~old, "cents"].sum() > 0


def test_buyers_are_those_whose_net_value_is_above_nothing(tmp_path: Path) -> None:
    """A purchase that goes back whole makes no buyer: the chance is that of a net value above 0."""
    rows = [("a", "2024-03-05", 10.0), ("b", "2024-03-05", 10.0), ("b", "2024-03-09", -10.0), ("c", "2024-03-06", 5.0)]
    rows += [(customer, "2024-02-01", 1.0) for customer in "abcd"]
    events = pd.DataFrame(rows, columns=["customer_id", "event_time", "amount"])
    events["event_time"] = pd.to_datetime(events["event_time"])
    events["event_type"] = np.where(events["amount"] < 0, "return", "purchase")
    scored = pd.DataFrame({"customer_id": list("abcd"), "p_purchase": 0.5, "predicted_clv": 5.0})
    scored = scored.assign(clv_p10=0.0, clv_p50=0.0, clv_p90=20.0)
    found = realised(stored(events, tmp_path), scored, date(2024, 3, 1), 30, None)
    assert (found.buyers, found.buyers_expected, found.realised) == (2, 2.0, 15.0)


def test_tiers_hold_everybody_once_and_sum_to_the_whole(report: Report) -> None:
    last = report.realised[-1]
    assert sum(tier.realised for tier in report.tiers) == pytest.approx(last.realised, abs=0.05)
    assert sum(tier.expected for tier in report.tiers) == pytest.approx(last.expected)
    assert all(sum(tier.now) == tier.customers for tier in report.tiers)
    assert sum(tier.customers for tier in report.tiers) == 23_570


def test_a_tier_brought_what_its_customers_spent(
    work: Workspace, bundle: Bundle, report: Report, log: pd.DataFrame
) -> None:
    """A tenth of the customers are the first tier, the next two tenths the second, and so on (design's 10, 30, 60%)."""
    dataset = open_dataset(work, "cdnow")
    scored = score_customers(bundle, dataset, cutoff=CUTOFF, terms=Terms(HORIZON_DAYS), progress=NoProgress())
    until = pd.Timestamp(CUTOFF) + pd.Timedelta(days=HORIZON_DAYS)
    came = log[(log["day"] >= pd.Timestamp(CUTOFF)) & (log["day"] < until)].groupby("customer")["cents"].sum()
    tier = DEFAULT_SCHEME.tier_of(scored["predicted_clv"].to_numpy())
    cents = scored["customer_id"].map(came).fillna(0).groupby(tier).sum()
    assert [round(100 * one.realised) for one in report.tiers] == cents.tolist()
    assert cents[1] > cents[4], "the first tier brings more than the last"


def test_a_kept_report_comes_back_as_it_was(work: Workspace, report: Report) -> None:
    (folder,) = work.datasets.glob("*/made/*/*/monitoring")
    again = Report.load(folder)
    assert again is not None and again.to_json("zh") == report.to_json("zh")
    pd.testing.assert_frame_equal(again.check_table(), report.check_table(), check_dtype=False)
    assert report.about.reference == ReferenceFacts("training", "1997-01-01", 9)


def scored_by_a_true_model(customers: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    chance, mean = random.uniform(0.2, 0.8, customers), random.gamma(2, 20, customers)
    frame = pd.DataFrame({"customer_id": np.arange(customers).astype(str), "p_purchase": chance})
    actual = np.where(random.random(customers) < chance, random.exponential(mean), 0.0)
    return frame.assign(predicted_clv=chance * mean, clv_p10=0.0, clv_p90=3 * mean), actual


def test_chances_of_sums_are_even_where_the_model_holds_and_small_where_the_level_is_off() -> None:
    past = (scored_by_a_true_model(2000, seed) for seed in range(8))
    shared = SharedError.of([frame.assign(actual=actual) for frame, actual in past])
    assert shared is not None
    draws = [scored_by_a_true_model(2000, 100 + seed) for seed in range(100)]
    chances = [chance_of(frame, float(actual.sum()), shared) for frame, actual in draws]
    assert np.mean(np.array(chances) < 0.05) <= 0.05
    frame, actual = draws[0]
    assert chance_of(frame, 1.6 * float(actual.sum()), shared) < 0.01
    assert stats.kstest(chances, "uniform").statistic < 0.5


def test_movement_is_counted_by_the_bounds_of_the_cutoff() -> None:
    then = pd.DataFrame({"customer_id": list("abcdefghij"), "predicted_clv": np.arange(10, 0, -1.0), "p_purchase": 0.5})
    now = pd.DataFrame({"customer_id": [*"bcdefghija", "new"], "predicted_clv": [*np.arange(10, 0, -1.0), 99.0]})
    tiers = tiers_since(then, then, np.zeros(10), now, None)
    assert [tier.customers for tier in tiers] == [1, 2, 3, 4]
    assert tiers[0].now == [0, 0, 0, 1] and tiers[1].now == [1, 1, 0, 0]
    assert [tier.newcomers for tier in tiers] == [1, 0, 0, 0]


def test_predictions_are_followed_by_the_month_or_for_short_horizons_by_the_week() -> None:
    assert matured(CUTOFF, 182, date(1998, 7, 1)) == [31, 61, 92, 123, 151, 182]
    assert matured(CUTOFF, 182, date(1997, 12, 15)) == [31, 61, 75]
    assert matured(CUTOFF, 42, date(1998, 7, 1)) == [28, 35, 42]
    assert matured(CUTOFF, 182, date(1997, 10, 20)) == []

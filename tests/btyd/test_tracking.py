"""What models expect beside what came, against lifetimes, the paper's table, and formulas written out here."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import beta, betainc, gammaln

from clv_core import (
    BGBB,
    BGNBD,
    CovariateModel,
    ParetoNBD,
    calibration_holdout,
    holdout_by_frequency,
    purchase_tracking,
    purchases_by_frequency,
    summary_from_events,
)
from clv_core.errors import UsageError
from tests.btyd.test_btyd_lifetimes import purchases

WEEKS, DAYS = BGNBD(0.243, 4.414, 0.793, 2.426), BGNBD(0.243, 4.414 * 7, 0.793, 2.426)
PARETO = ParetoNBD(0.553, 10.578, 0.606, 11.669)
NAMED = {"customer": "id", "time": "date"}


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """Return a tenth of the log, as the sample of the papers is."""
    rows = purchases("cdnow_master")
    return rows[rows["id"].astype(int) % 10 == 0].reset_index(drop=True)


def of_lifetimes(lifetimes: ModuleType, model: BGNBD) -> Any:
    fitter = lifetimes.BetaGeoFitter()
    fitter.params_ = {name: getattr(model, name) for name in model.NAMES}
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


@pytest.mark.filterwarnings("ignore")
def test_cumulative_purchases_are_those_of_lifetimes(cdnow: pd.DataFrame, lifetimes: ModuleType) -> None:
    """But for what came: lifetimes sets the purchases before a day beside those expected up to its end."""
    ours = purchase_tracking(DAYS, cdnow, every="day", **NAMED)
    theirs = lifetimes.utils.expected_cumulative_transactions(of_lifetimes(lifetimes, DAYS), cdnow, "date", "id", 200)
    np.testing.assert_allclose(ours["expected_cumulative"].iloc[1:201], theirs["predicted"], rtol=1e-9)
    np.testing.assert_array_equal(ours["actual_cumulative"].iloc[:200], theirs["actual"])


def test_what_came_is_all_repeat_purchases_and_periods_add_up(cdnow: pd.DataFrame) -> None:
    by_day = purchase_tracking(WEEKS, cdnow, every="day", unit="week", **NAMED)
    assert by_day["actual_cumulative"].iloc[-1] == summary_from_events(cdnow, **NAMED)["frequency"].sum()
    for every, step in (("week", 7), ("month", None)):
        table = purchase_tracking(WEEKS, cdnow, every=every, unit="week", **NAMED)
        if step:
            assert (np.diff(table.index) == np.timedelta64(step, "D")).all()
        pd.testing.assert_frame_equal(table.iloc[:, 2:], by_day.loc[table.index].iloc[:, 2:], check_freq=False)
        np.testing.assert_allclose(table[["actual", "expected"]].cumsum(), table.iloc[:, 2:])
        assert by_day.index[-1] - table.index[-1] < pd.Timedelta(days=31)


def test_a_period_that_is_not_over_is_left_out(cdnow: pd.DataFrame) -> None:
    days = [purchase_tracking(WEEKS, cdnow, unit="week", end=end, **NAMED) for end in ("1997-01-14", "1997-01-20")]
    assert [table.index[-1] for table in days] == [pd.Timestamp("1997-01-14")] * 2
    assert purchase_tracking(WEEKS, cdnow.iloc[:0], **NAMED).empty


def test_opportunities_are_counted_in_whole_months(cdnow: pd.DataFrame) -> None:
    model = BGBB(1.204, 0.750, 0.657, 2.783)
    table = purchase_tracking(model, cdnow, every="month", unit="month", grain="month", **NAMED)
    first = cdnow.groupby("id")["date"].min().dt.month
    assert table.index[6] == pd.Timestamp("1997-07-31")
    expected = [model.expected_purchases(7 - month) for month in first]
    assert table["expected_cumulative"].iloc[6] == pytest.approx(sum(expected))


def test_customers_by_frequency_are_those_of_the_paper(sample: pd.DataFrame) -> None:
    """Figure 2 of Fader, Hardie, Lee 2005 has the actual ones; those expected are equation 8, written out."""
    table = purchases_by_frequency(WEEKS, sample["frequency"], sample["T"])
    assert table["actual"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    t, share = sample["T"].to_numpy(), 1 - alpha / (alpha + sample["T"].to_numpy())
    for n in range(7):
        exactly = np.exp(gammaln(r + n) - gammaln(r) - gammaln(n + 1)) * (1 - share) ** r * share**n
        left = beta(a + 1, b + n - 1) / beta(a, b) * betainc(n, r, share) if n else 0 * t
        assert table["expected"][n] == pytest.approx((beta(a, b + n) / beta(a, b) * exactly + left).sum(), rel=1e-9)
    assert table["expected"].sum() == pytest.approx(len(sample)) == table["actual"].sum()


def test_rows_with_weights_count_as_many_customers(sample: pd.DataFrame) -> None:
    rows = sample[["frequency", "T"]].value_counts().rename("weights").reset_index()
    few = purchases_by_frequency(PARETO, *rows.to_numpy().T, max_frequency=3)
    pd.testing.assert_frame_equal(
        few, purchases_by_frequency(PARETO, sample["frequency"], sample["T"], max_frequency=3)
    )


def test_customers_with_covariates_are_expected_each_by_her_own(sample: pd.DataFrame) -> None:
    some = sample.head(200)
    online = np.arange(200) % 2
    model = CovariateModel(WEEKS, buying={"online": 0.5}, leaving={})
    both = purchases_by_frequency(model.of(buying={"online": online}), some["frequency"], some["T"])
    halves = []
    for kind in (0, 1):
        x, age = some.loc[online == kind, ["frequency", "T"]].to_numpy().T
        halves.append(purchases_by_frequency(model.of(buying={"online": [kind]}), x, age))
    pd.testing.assert_frame_equal(both, halves[0] + halves[1])
    with pytest.raises(UsageError, match="differ by customer"):
        purchase_tracking(model.of(buying={"online": online}), pd.DataFrame(), **NAMED)


def test_the_holdout_is_that_of_lifetimes_predictions(cdnow: pd.DataFrame, lifetimes: ModuleType) -> None:
    table = calibration_holdout(cdnow, "1997-09-30", end="1998-06-30", unit="week", **NAMED)
    ours = holdout_by_frequency(WEEKS, table, max_frequency=4)
    before = (table[f"{name}_cal"] for name in ("frequency", "recency", "T"))
    expected = of_lifetimes(lifetimes, WEEKS).predict(39, *before)
    by = table.assign(expected=expected, group=table["frequency_cal"].clip(upper=4)).groupby("group")
    np.testing.assert_allclose(ours["expected"], by["expected"].mean(), rtol=1e-6)
    np.testing.assert_allclose(ours["actual"], by["frequency_holdout"].mean())
    assert ours["customers"].tolist() == by.size().tolist() and ours["customers"].sum() == len(table)
    assert np.isnan(holdout_by_frequency(WEEKS, table.head(1), max_frequency=4)["actual"]).sum() == 4
    with pytest.raises(UsageError, match="duration_holdout"):
        holdout_by_frequency(WEEKS, table.drop(columns="duration_holdout"))

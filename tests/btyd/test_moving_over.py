"""The page on moving over: its code runs, and gives what lifetimes gives step by step."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.btyd.test_btyd_lifetimes import purchases

PAGE = Path(__file__).resolve().parents[2] / "assets" / "docs" / "from-lifetimes.md"


@pytest.mark.filterwarnings("ignore")
def test_each_step_gives_what_lifetimes_gives(
    lifetimes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a figure is written
    known: dict[str, Any] = {"purchases": purchases("cdnow_master")}
    for code in re.findall(r"```python\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(code, known)
    ours, counts, spend = known["customers"], known["counts"], known["spend"]
    theirs = lifetimes.utils.summary_data_from_transaction_data(known["purchases"], "id", "date", "value")
    for name in ("frequency", "recency", "T", "monetary_value"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9)
    rfm = theirs["frequency"], theirs["recency"], theirs["T"]
    fitter, values = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    fitter.params_ = {name: getattr(counts, name) for name in counts.NAMES}
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time  # what its fit does
    values.params_ = {"p": spend.p, "q": spend.q, "v": spend.gamma}
    expected = fitter.conditional_expected_number_of_purchases_up_to_time(90, *rfm)
    np.testing.assert_allclose(ours["purchases"], expected, rtol=1e-6)
    np.testing.assert_allclose(ours["alive"], fitter.conditional_probability_alive(*rfm), rtol=1e-6)
    by_days = fitter.expected_number_of_purchases_up_to_time(np.array([30, 60, 90]))
    np.testing.assert_allclose(known["new"], by_days, rtol=1e-6)
    value = values.customer_lifetime_value(
        fitter, *rfm, theirs["monetary_value"], time=12, discount_rate=0.01, freq="D"
    )
    np.testing.assert_allclose(ours["value"], value, rtol=1e-6)
    draws_what_lifetimes_draws(known, lifetimes)


def draws_what_lifetimes_draws(known: dict[str, Any], lifetimes: ModuleType) -> None:
    """Compare figures with lifetimes' tables behind its own; of a matrix with its formula at some cells."""
    past, table = known["past"], known["table"]
    fitter = lifetimes.BetaGeoFitter()
    fitter.params_ = {name: getattr(past, name) for name in past.NAMES}
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    expected, alive, cumulative, incremental, by_frequency, holdout, history = (one.data for one in known["figures"])
    for x, recency in ((1, 7), (5, 200), (20, 270)):
        assert expected[0].z[recency, x] == pytest.approx(fitter.predict(30, x, recency, 270), rel=1e-6)
        chance = fitter.conditional_probability_alive(x, recency, 270)
        assert alive[0].z[recency, x] == pytest.approx(float(np.squeeze(chance)), rel=1e-6)
    theirs = lifetimes.utils.expected_cumulative_transactions(fitter, known["purchases"], "date", "id", 300)[
        "predicted"
    ]
    by_week = theirs.iloc[5::7]  # its first row is the second day
    np.testing.assert_allclose(cumulative[1].y[: len(by_week)], by_week, rtol=1e-6)
    np.testing.assert_allclose(incremental[1].y[1 : len(by_week)], np.diff(by_week), rtol=1e-6)
    counts = table["frequency_cal"].clip(upper=7).value_counts().sort_index()
    assert by_frequency[0].y.tolist() == counts.tolist()
    once = [fitter.probability_of_n_purchases_up_to_time(age, 1) for age in table["T_cal"]]
    assert by_frequency[1].y[1] == pytest.approx(float(np.sum(once)), rel=1e-6)
    ahead = fitter.predict(table["duration_holdout"], table["frequency_cal"], table["recency_cal"], table["T_cal"])
    means = pd.DataFrame({"came": table["frequency_holdout"], "ahead": ahead}).groupby(table["frequency_cal"]).mean()
    np.testing.assert_allclose(holdout[0].y[:7], means["came"].iloc[:7])
    np.testing.assert_allclose(holdout[1].y[:7], means["ahead"].iloc[:7], rtol=1e-6)
    days = (known["dates"] - known["dates"].min()).dt.days
    last = fitter.conditional_probability_alive(days.nunique() - 1, days.max(), len(history[0].y) - 1)
    assert history[0].y[-1] == pytest.approx(float(np.squeeze(last)), rel=1e-6)
    assert len(history[1].x) == days.nunique() > 1 and Path("matrix.html").stat().st_size > 1e6

"""Wrong inputs: each an error of ours that names the row or the argument, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core import (
    BGBB,
    BGNBD,
    MBGNBD,
    CovariateModel,
    GammaGamma,
    ParetoNBD,
    calibration_holdout,
    lifetime_value,
    summary_from_events,
)
from clv_core.errors import ClvError

X, LAST, AGE = [0, 2, 1], [0, 30, 5], [38, 38, 20]
BG, SPEND = BGNBD(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44)
DAYS = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-31"])
EVENTS = pd.DataFrame({"customer_id": ["a", "a", "b"], "event_time": DAYS, "amount": [1.0, 2.0, 3.0]})

WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a missing count": (lambda: BGNBD.fit([0, np.nan, 1], LAST, AGE), "frequency is missing or not finite in row 1"),
    "a missing recency": (lambda: MBGNBD.fit(X, [0, 30, None], AGE), "recency is missing or not finite in row 2"),
    "a missing age": (lambda: ParetoNBD.fit(X, LAST, pd.Series([38, pd.NA, 20], dtype="Int64")), "T .* in row 1"),
    "an infinite age": (lambda: ParetoNBD.fit(X, LAST, [38, 38, np.inf]), "T .* row 2"),
    "recency above T": (lambda: BGNBD.fit(X, [0, 39, 5], AGE), "row 1 .*recency 39.* above T 38"),
    "frequency without recency": (lambda: BGNBD.fit(X, [0, 0, 5], AGE), "Row 1 .*2.* repeat purchases but recency 0"),
    "recency without frequency": (lambda: BGNBD.fit([0, 0, 1], LAST, AGE), "Row 1 .*recency 30.* no repeat purchase"),
    "a negative count": (lambda: BGNBD.fit([0, -2, 1], LAST, AGE), "frequency is −2.* in row 1"),
    "a negative age": (lambda: BGNBD.fit(X, LAST, [-38, 38, 20]), "T is −38.* in row 0"),
    "half a purchase": (lambda: BGNBD.fit([0, 2.5, 1], LAST, AGE), "frequency is 2.5 in row 1"),
    "columns of two lengths": (lambda: BGNBD.fit([0, 2], LAST, AGE), "frequency 2, recency 3, T 3"),
    "texts": (lambda: BGNBD.fit(["0", "2", "1"], LAST, AGE), "frequency is no number"),
    "dates": (lambda: BGNBD.fit(X, LAST, DAYS), "T is no number"),
    "a table": (lambda: BGNBD.fit(np.zeros((3, 2)), LAST, AGE), "frequency is no number"),
    "weights of another length": (lambda: BGNBD.fit(X, LAST, AGE, [1, 2]), "frequency 3, weights 2"),
    "a negative weight": (lambda: BGNBD.fit(X, LAST, AGE, [1, -1, 1]), "weights is −1.* in row 1"),
    "a negative horizon": (lambda: BG.expected_purchases(-1, X, LAST, AGE), "horizon is −1.* in row 0"),
    "no horizon": (lambda: BG.expected_purchases(None, X, LAST, AGE), "horizon is missing"),
    "a missing horizon": (lambda: BG.p_purchase(np.nan, X, LAST, AGE), "horizon is missing"),
    "a horizon too many": (lambda: BG.expected_purchases([1, 2], X, LAST, AGE), "length: 3, 3, 3, 2"),
    "a known customer of no kind": (lambda: BG.p_alive(2, 0, 38), "Row 0 .*recency 0"),
    "half a purchase to come": (lambda: BG.p_purchases(0.5, 39), "n is 0.5 in row 0"),
    "half a step": (lambda: BG.discounted_purchases(1.5, *X), "steps is 1.5"),
    "a negative rate": (lambda: BG.discounted_purchases(12, 0, 0, 5, rate=-0.1), "rate is −0.1"),
    "a level above 1": (lambda: BG.parameter_intervals(X, LAST, AGE, level=95), "level was 95"),
    "a figure without an interval": (
        lambda: BG.interval("fit", X, LAST, AGE, covariance=pd.DataFrame(np.eye(4))),
        "figure was fit; choose from: expected_purchases",
    ),
    "half an opportunity": (lambda: BGBB.fit(X, [0, 29.5, 5], AGE), "recency is 29.5 in row 1"),
    "more purchases than opportunities": (
        lambda: BGBB.fit([0, 31, 1], LAST, AGE),
        "Row 1 .*31.* in 30.* opportunities",
    ),
    "half a period ahead": (
        lambda: BGBB(1.2, 0.75, 0.66, 2.8).expected_purchases(2.5, X, LAST, AGE),
        "horizon is 2.5 in row 0",
    ),
    "a mean that is missing": (lambda: GammaGamma.fit(X, [0, np.nan, 5.0]), "monetary_value .* in row 1"),
    "a mean too few": (lambda: GammaGamma.fit(X, [0, 4.0]), "frequency 3, monetary_value 2"),
    "a mean too few of a value": (lambda: lifetime_value(BG, SPEND, X, LAST, AGE, [0, 4.0]), "monetary_value 2"),
    "no margin": (lambda: lifetime_value(BG, SPEND, X, LAST, AGE, [0, 4, 3], margin=np.nan), "margin is missing"),
    "a covariate that is missing": (
        lambda: CovariateModel.fit(BGNBD, X, LAST, AGE, buying={"online": [0, np.nan, 1]}),
        "buying.online is missing or not finite in row 1",
    ),
    "a covariate of texts": (
        lambda: CovariateModel.fit(BGNBD, X, LAST, AGE, leaving={"shop": ["a", "b", "a"]}),
        "leaving.shop is no number",
    ),
    "a covariate too short": (
        lambda: CovariateModel.fit(BGNBD, X, LAST, AGE, buying={"online": [0, 1]}),
        "frequency 3, buying.online 2",
    ),
    "covariates without names": (
        lambda: CovariateModel.fit(BGNBD, X, LAST, AGE, buying=[[1], [2]]),
        "buying is no table",
    ),
    "an unknown covariate": (
        lambda: CovariateModel(BG, {"online": 0.5}, {}).of(buying={"age": [1]}),
        "buying lacks the covariate online",
    ),
    "a kind that is none": (lambda: CovariateModel.fit(GammaGamma, X, LAST, AGE), "kind was .*GammaGamma"),
    "purchases that are no table": (lambda: summary_from_events([1, 2]), "events is no table"),
    "a column that is not there": (lambda: summary_from_events(EVENTS, amount="price"), "Columns needed: .*price"),
    "a purchase without a customer": (
        lambda: summary_from_events(EVENTS.assign(customer_id=["a", None, "b"])),
        "customer_id is missing or not finite in row 1",
    ),
    "a purchase without a time": (
        lambda: summary_from_events(EVENTS.assign(event_time=["2024-01-01", "soon", "2024-01-05"])),
        "event_time holds no date in row 1",
    ),
    "times that are numbers": (lambda: summary_from_events(EVENTS.assign(event_time=[1, 2, 3])), "event_time holds no"),
    "a purchase without an amount": (
        lambda: summary_from_events(EVENTS.assign(amount=[1.0, np.nan, 3.0]), amount="amount"),
        "amount is missing or not finite in row 1",
    ),
    "an unknown unit": (
        lambda: summary_from_events(EVENTS, unit="year"),
        "unit was year; choose from: day, week, month",
    ),
    "an end that is no day": (lambda: summary_from_events(EVENTS, end="soon"), "end was soon"),
    "a holdout after the log": (lambda: calibration_holdout(EVENTS, "2024-02-01"), "2024-02-01 leaves nothing"),
    "a calibration before the log": (lambda: calibration_holdout(EVENTS, "2023-01-01"), "2023-01-01 leaves nothing"),
}


def test_there_are_many() -> None:
    assert len(WRONG) >= 30


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_an_error_that_says_where(name: str) -> None:
    call, said = WRONG[name]
    with pytest.raises(ClvError, match=said) as caught:
        call()
    assert caught.value.exit_code == 2 and "{" not in caught.value.message("zh")


def test_one_time_buyers_need_no_mean() -> None:
    assert GammaGamma.fit([0, 1, 2, 3], [np.nan, 4.0, 5.0, 7.0]) == GammaGamma.fit([1, 2, 3], [4.0, 5.0, 7.0])

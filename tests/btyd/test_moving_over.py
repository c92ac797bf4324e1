"""The page on moving over: its code runs, and gives what lifetimes gives step by step."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.btyd.test_btyd_lifetimes import purchases

PAGE = Path(__file__).resolve().parents[2] / "assets" / "docs" / "from-lifetimes.md"


@pytest.mark.filterwarnings("ignore")
def test_each_step_gives_what_lifetimes_gives(lifetimes: ModuleType) -> None:
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

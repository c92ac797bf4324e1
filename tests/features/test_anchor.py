"""BG/NBD and Gamma-Gamma fits against published figures, and on logs that have no maximum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv_core.btyd import BGNBD, GammaGamma
from clv_core.features.anchor import Anchor


@pytest.fixture(scope="module")
def master(cdnow: pd.DataFrame) -> pd.DataFrame:
    """All CDNOW customers with a positive purchase day, summarised at 1997-12-31."""
    cutoff = pd.Timestamp("1997-12-31")
    log = cdnow[cdnow["event_time"] < cutoff].rename(columns={"event_time": "date", "amount": "dollar_value"})
    days = log.groupby(["customer_id", "date"])["dollar_value"].sum()
    days = days[days > 0].reset_index()
    by = days.groupby("customer_id")
    first, last, count = by["date"].min(), by["date"].max(), by.size() - 1
    mean = (by["dollar_value"].sum() - by["dollar_value"].first()) / count.where(count > 0)
    return pd.DataFrame(
        {
            "frequency": count.astype(float),
            "recency": (last - first).dt.days.astype(float),
            "T": (cutoff - first).dt.days.astype(float),
            "monetary_value": mean,
        }
    )


def test_bgnbd_gives_the_published_cdnow_parameters(sample: pd.DataFrame) -> None:
    model = BGNBD.fit(sample["frequency"], sample["recency"], sample["T"])
    assert model.converged
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert {name: round(getattr(model, name), 3) for name in published} == published
    assert model.log_likelihood(sample["frequency"], sample["recency"], sample["T"]) == pytest.approx(-9582.4, abs=0.05)


def test_gamma_gamma_gives_the_published_cdnow_parameters(sample: pd.DataFrame) -> None:
    model = GammaGamma.fit(sample["frequency"], sample["monetary_value"])
    assert model.converged
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)


def test_all_cdnow_customers_together_are_worth_what_the_published_model_says(master: pd.DataFrame) -> None:
    assert len(master) > 23_000
    anchor = Anchor.fit(master)
    value = anchor.value(master, 182)
    assert anchor.counts.converged and anchor.spend.converged
    assert value.sum() == pytest.approx(459_377, rel=1e-3)


def test_fit_does_not_depend_on_row_order(master: pd.DataFrame) -> None:
    part = master.head(3000)
    shuffled = part.sample(frac=1, random_state=3)
    assert Anchor.fit(part) == Anchor.fit(shuffled)


def test_fit_finds_the_parameters_that_made_the_log() -> None:
    rng = np.random.default_rng(5)
    n, (r, alpha, a, b) = 60_000, (0.8, 25.0, 1.2, 4.0)
    rate = rng.gamma(r, 1 / alpha, n)
    leave = rng.beta(a, b, n)
    age = rng.integers(100, 400, n).astype(float)
    x, last, now, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, bool)
    while alive.any():
        now = now + rng.exponential(1 / np.maximum(rate, 1e-12))
        alive &= now < age
        x, last = np.where(alive, x + 1, x), np.where(alive, now, last)
        alive &= rng.random(n) > leave
    model = BGNBD.fit(x, last, age)
    assert model.converged
    assert (model.r, model.alpha, model.a / (model.a + model.b)) == pytest.approx((r, alpha, a / (a + b)), rel=0.06)


ONE_TIME = pd.DataFrame({"frequency": [0.0] * 40, "recency": 0.0, "T": 90.0, "monetary_value": np.nan})
HARD = {
    "all one-time buyers": ONE_TIME,
    "one customer": ONE_TIME.head(1),
    "nobody": ONE_TIME.head(0),
    "never-buyers only": ONE_TIME.assign(T=np.nan, recency=np.nan),
    "first purchase today": ONE_TIME.assign(T=0.0),
    "constant spend": pd.DataFrame({"frequency": [1.0, 2, 3] * 9, "recency": 50.0, "T": 90.0, "monetary_value": 20.0}),
    "daily clockwork": pd.DataFrame({"frequency": [364.0] * 30, "recency": 364.0, "T": 365.0, "monetary_value": 5.0}),
    "one whale": pd.DataFrame(
        {"frequency": [1.0] * 30 + [900], "recency": [20.0] * 30 + [999], "T": 1e3, "monetary_value": [1] * 30 + [1e7]}
    ),
    "heavy tail": pd.DataFrame(
        {"frequency": 1.0, "recency": 10.0, "T": 90.0, "monetary_value": (1 / (1 - np.arange(1, 1000) / 1000)) ** 2.0}
    ),
}


@pytest.mark.parametrize("rfm", HARD.values(), ids=HARD.keys())
def test_hard_logs_get_a_finite_answer_and_say_so(rfm: pd.DataFrame) -> None:
    anchor = Anchor.fit(rfm)
    for values in (anchor.value(rfm, 3650), anchor.p_alive(rfm), anchor.expected_spend(rfm), anchor.p_purchase(rfm, 9)):
        assert np.isfinite(values).all() and (values >= 0).all()
    assert not (anchor.counts.converged and anchor.spend.converged)
    assert np.isfinite(list(anchor.to_json()["counts"].values())).all()


def population_mean(spend: GammaGamma) -> float:
    """Return the mean order value of a Gamma-Gamma population, Fader and Hardie 2013."""
    return spend.p * spend.gamma / (spend.q - 1)


def test_level_of_hard_spend_stays_at_the_observed_mean() -> None:
    for name in ("constant spend", "heavy tail"):
        rfm = HARD[name]
        spend = Anchor.fit(rfm).spend
        assert not spend.converged and spend.q > 1
        assert population_mean(spend) == pytest.approx(rfm["monetary_value"].mean(), rel=1e-6)


def test_log_without_repeat_purchase_values_orders_at_their_mean() -> None:
    rfm = ONE_TIME.assign(net_value=30.0, purchase_days=1.0)
    np.testing.assert_allclose(Anchor.fit(rfm).expected_spend(rfm), 30.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400), st.floats(0.01, 1e8)), max_size=12
    )
)
def test_any_small_log_is_fitted(rows: list[tuple[int, int, int, float]]) -> None:
    made = [(x if b > 0 else 0, b if x else 0, b + c, m) for x, b, c, m in rows]
    rfm = pd.DataFrame(made, columns=["frequency", "recency", "T", "monetary_value"], dtype=float)
    anchor = Anchor.fit(rfm)
    value = anchor.value(rfm, 365)
    assert np.isfinite(value).all() and (value >= 0).all()
    assert anchor.spend.q > 1


def test_never_buyers_count_for_nothing_and_get_the_population_mean(master: pd.DataFrame) -> None:
    part = master.head(500)
    never = pd.DataFrame({"frequency": [0.0], "recency": np.nan, "T": np.nan, "monetary_value": np.nan})
    both = pd.concat([part, never])
    anchor = Anchor.fit(both)
    assert anchor == Anchor.fit(part)
    assert anchor.expected_count(both, 182)[-1] == anchor.p_alive(both)[-1] == anchor.value(both, 182)[-1] == 0
    assert anchor.expected_spend(both)[-1] == pytest.approx(population_mean(anchor.spend))


def test_anchor_survives_json(master: pd.DataFrame) -> None:
    anchor = Anchor.fit(master.head(300))
    assert Anchor.from_json(anchor.to_json()) == anchor

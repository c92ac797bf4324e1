"""Pareto/NBD against the published figures, its defining integrals, and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

from clv_core.btyd import ParetoNBD

CDNOW = ParetoNBD(0.553, 10.578, 0.606, 11.669)
X, LAST, AGE = (g.ravel() for g in np.meshgrid([0.0, 1, 2, 7, 29], [3.0, 10.0, 30.0], [30.0, 38.86]))
LAST = np.where(X == 0, 0.0, LAST)


def test_gives_the_published_cdnow_parameters(sample: pd.DataFrame) -> None:
    rows = sample["frequency"], sample["recency"], sample["T"]
    model = ParetoNBD.fit(*rows)
    assert model.converged
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx((0.553, 10.578, 0.606, 11.669), abs=2e-3)
    assert model.log_likelihood(*rows) == pytest.approx(-9595.0, abs=0.05)


@pytest.mark.parametrize("model", [CDNOW, ParetoNBD(5.0, 0.01, 0.2, 900.0), ParetoNBD(0.05, 900.0, 3.0, 0.01)])
@pytest.mark.parametrize(("x", "last", "age"), [(0, 0.0, 300.0), (3, 100.0, 300.0), (800, 290.0, 300.0)])
def test_alive_equals_its_defining_integral(model: ParetoNBD, x: int, last: float, age: float) -> None:
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta

    def log_left(t: float) -> float:
        return np.log(s) - (r + x) * np.log(alpha + t) - (s + 1) * np.log(beta + t)

    top = log_left(last)
    cuts = last + np.concatenate([[0], np.geomspace(1e-7, 1, 30)]) * (age - last)
    pieces = (
        integrate.quad(lambda t: np.exp(log_left(t) - top), low, high, epsabs=0)[0]
        for low, high in zip(cuts[:-1], cuts[1:], strict=True)
    )
    stayed = np.exp(-(r + x) * np.log(alpha + age) - s * np.log(beta + age) - top)
    assert model.p_alive([x], [last], [age])[0] == pytest.approx(stayed / (stayed + sum(pieces)), rel=1e-8)


def test_predictions_equal_simulated_futures() -> None:
    rng = np.random.default_rng(1)
    x, last, age, horizon, n = 3.0, 200.0, 250.0, 182.0, 400_000
    model = ParetoNBD(0.6, 30.0, 1.0, 200.0)
    rate, leave = rng.gamma(model.r + x, 1 / (model.alpha + age), n), rng.gamma(model.s, 1 / (model.beta + age), n)
    alive = rng.random(n) < model.p_alive([x], [last], [age])[0]
    count = np.where(alive, rng.poisson(rate * np.minimum(rng.exponential(1 / leave), horizon)), 0)
    error = count.std() / np.sqrt(n)
    assert model.expected_purchases(horizon, [x], [last], [age])[0] == pytest.approx(count.mean(), abs=4 * error)
    assert model.p_purchase(horizon, [x], [last], [age])[0] == pytest.approx((count > 0).mean(), abs=4 * 0.5 / n**0.5)


@pytest.mark.parametrize(
    "rows",
    [([], [], []), ([0.0] * 9, [0.0] * 9, [90.0] * 9), ([364.0] * 9, [364.0] * 9, [365.0] * 9), ([0.0], [0.0], [0.0])],
    ids=["nobody", "one-time buyers", "daily clockwork", "first purchase today"],
)
def test_hard_logs_get_a_finite_answer_and_say_so(rows: tuple[list[float], ...]) -> None:
    model = ParetoNBD.fit(*rows)
    assert not model.converged
    for values in (model.expected_purchases(3650, *rows), model.p_alive(*rows), model.p_purchase(365, *rows)):
        assert np.isfinite(values).all() and (values >= 0).all()
    assert ParetoNBD.from_json(model.to_json()) == model

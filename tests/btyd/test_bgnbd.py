"""BG/NBD predictions against hyp2f1, the defining integrals, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from clv_core.btyd import BGNBD
from clv_core.btyd.bgnbd import beta_nodes

CDNOW = BGNBD(0.243, 4.414, 0.793, 2.426)
X, LAST, AGE = (g.ravel() for g in np.meshgrid([0.0, 1, 2, 7, 29], [3.0, 10.0, 30.0], [30.0, 38.86]))
LAST = np.where(X == 0, 0.0, LAST)


def test_the_paper_s_example_customer() -> None:
    """Fader, Hardie, Lee 2005: x = 2, t_x = 30.43, T = 38.86 buys 1.226 times in the next 39 weeks."""
    assert CDNOW.expected_purchases(39, [2], [30.43], [38.86])[0] == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("horizon", [1.0, 39.0, 400.0])
@pytest.mark.parametrize("model", [CDNOW, BGNBD(3.0, 40.0, 5.0, 50.0), BGNBD(0.1, 200.0, 0.2, 0.3)])
def test_expected_purchases_equal_the_paper_s_hypergeometric_form(model: BGNBD, horizon: float) -> None:
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    z = horizon / (alpha + AGE + horizon)
    form = special.hyp2f1(r + X, b + X, a + b + X - 1, z) * (1 - z) ** (r + X)
    expected = (a + b + X - 1) / (a - 1) * (1 - form) * model.p_alive(X, LAST, AGE)
    np.testing.assert_allclose(model.expected_purchases(horizon, X, LAST, AGE), expected, rtol=2e-8)


@pytest.mark.parametrize(
    ("model", "x"), [(CDNOW, 5), (BGNBD(2.0, 10.0, 1.0, 0.5), 0), (BGNBD(0.3, 9.0, 0.05, 4.0), 3), (CDNOW, 600)]
)
def test_expected_purchases_equal_their_defining_integral(model: BGNBD, x: int) -> None:
    """Also where the 2F1 form fails: at a = 1 exactly, and at a large count."""
    age, horizon = 300.0, 182.0

    def purchases(logit: float) -> float:
        p, shape = special.expit(logit), model.r + x
        density = np.exp(model.a * special.log_expit(logit) + (model.b + x) * special.log_expit(-logit))
        return -np.expm1(-shape * np.log1p(p * horizon / (model.alpha + age))) / p * density

    cuts = [-700, -100, -30, -15, -8, -4, -2, 0, 2, 5, 15, 60]
    pieces = (integrate.quad(purchases, low, high, limit=200)[0] for low, high in zip(cuts[:-1], cuts[1:], strict=True))
    last = age if x else 0.0
    expected = sum(pieces) / special.beta(model.a, model.b + x) * model.p_alive([x], [last], [age])[0]
    assert model.expected_purchases(horizon, [x], [last], [age])[0] == pytest.approx(expected, rel=1e-6)


def test_predictions_equal_simulated_futures() -> None:
    rng = np.random.default_rng(1)
    x, last, age, horizon, n = 3.0, 200.0, 250.0, 182.0, 400_000
    model = BGNBD(0.6, 30.0, 0.8, 2.5)
    rate, leave = rng.gamma(model.r + x, 1 / (model.alpha + age), n), rng.beta(model.a, model.b + x, n)
    alive = rng.random(n) < model.p_alive([x], [last], [age])[0]
    count = np.where(alive, np.minimum(rng.poisson(rate * horizon), rng.geometric(leave)), 0)
    error = count.std() / np.sqrt(n)
    assert model.expected_purchases(horizon, [x], [last], [age])[0] == pytest.approx(count.mean(), abs=4 * error)
    assert model.p_purchase(horizon, [x], [last], [age])[0] == pytest.approx((count > 0).mean(), abs=4 * 0.5 / n**0.5)


def test_predictions_rise_with_the_horizon_and_stay_below_the_rate() -> None:
    horizons = [1, 7, 30, 182, 365, 3650]
    values = np.array([CDNOW.expected_purchases(h, X, LAST, AGE) for h in horizons])
    assert (np.diff(values, axis=0) > 0).all()
    assert (values <= np.outer(horizons, (CDNOW.r + X) / (CDNOW.alpha + AGE))).all()
    chance = np.array([CDNOW.p_purchase(h, X, LAST, AGE) for h in horizons])
    assert (np.diff(chance, axis=0) >= 0).all() and (chance <= values).all() and (chance <= 1).all()


@pytest.mark.parametrize(("a", "b"), [(0.7, 2.4), (0.01, 0.5), (1.0, 1.0), (400.0, 3000.0)])
def test_nodes_reproduce_the_moments_of_the_beta_density(a: float, b: float) -> None:
    nodes, weights = beta_nodes(a, np.array([b]))
    for power in (0, 1, 2, 5):
        moment = stats.beta.moment(power, a, b) if power else 1
        assert np.sum(weights * nodes**power) == pytest.approx(moment, rel=1e-10)

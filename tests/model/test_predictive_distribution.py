"""One law for each customer: what is nothing, the mean, and quantiles, held against draws and integrals."""

from __future__ import annotations

import numpy as np
import pytest

from clv_core.btyd import BGNBD, GammaGamma, ParetoNBD
from clv_core.model.predictive_distribution import (
    SIZE,
    LearnedShapes,
    PredictiveDistribution,
    TabulatedShape,
    compound_shape,
    table_of,
)

# In days: CDNOW's sample, Fader, Hardie, Lee 2005 and Fader, Hardie 2013.
COUNTS = {"bgnbd": BGNBD(0.243, 30.9, 0.793, 2.426), "paretonbd": ParetoNBD(0.553, 74.0, 0.606, 81.7)}
SPEND = GammaGamma(6.25, 3.74, 15.44)


def drawn(counts: BGNBD | ParetoNBD, x: float, last: float, age: float, days: float, mean: float) -> np.ndarray:
    """Values of customers of one past, each life drawn day by day from the model's own story."""
    size, random = 300_000, np.random.default_rng(7)
    rate = random.gamma(counts.r + x, 1 / (counts.alpha + age), size)
    if isinstance(counts, BGNBD):
        leaves_after = random.geometric(random.beta(counts.a, counts.b + x, size))
        purchases = np.minimum(random.poisson(rate * days), leaves_after)
    else:
        leaving = random.gamma(counts.s, 1 / (counts.beta + age), size)
        purchases = random.poisson(rate * np.minimum(random.exponential(1 / leaving), days))
    there = random.random(size) < counts.p_alive([x], [last], [age])[0]
    worth = random.gamma(SPEND.p * x + SPEND.q, 1 / (SPEND.gamma + x * mean), size)
    spent = random.gamma(np.maximum(SPEND.p * purchases, 1e-9)) / worth
    return np.where(there & (purchases > 0), spent, 0.0)


@pytest.mark.parametrize("model", COUNTS)
@pytest.mark.parametrize(("x", "last", "age", "days"), [(0, 0, 200, 180), (3, 225, 250, 180), (9, 240, 270, 730)])
def test_the_compound_law_is_that_of_lives_drawn_from_the_model(
    model: str, x: float, last: float, age: float, days: float
) -> None:
    counts, mean = COUNTS[model], 35.0
    past = [np.array([float(value)]) for value in (x, last, age)]
    expected = counts.expected_purchases(days, *past) * SPEND.expected_spend(past[0], np.array([mean]))
    shape = compound_shape(counts, SPEND, past[0], past[2], days)
    law = PredictiveDistribution(counts.p_purchase(days, *past), expected, shape)
    lives = drawn(counts, x, last, age, days, mean)
    assert law.chance[0] == pytest.approx((lives > 0).mean(), abs=0.004)
    assert law.mean[0] == pytest.approx(lives.mean(), rel=0.02)
    for q in (0.3, 0.5, 0.8, 0.9, 0.95, 0.99):
        said = law.quantile(np.array([[q]]))[0, 0]
        assert said == pytest.approx(np.quantile(lives, q), rel=0.06, abs=0.5), q


def test_a_quantile_is_nothing_exactly_where_that_much_of_the_chance_is_nothing() -> None:
    chance = np.array([0.0, 0.05, 0.101, 0.2, 0.5, 0.51, 0.899, 0.95, 1.0])
    table = table_of(np.random.default_rng(0).gamma(2.0, size=999))
    shape = TabulatedShape.one_each(table[None], np.zeros(len(chance), np.intp))
    law = PredictiveDistribution(chance, 10 * chance, shape)
    found = law.predictions()
    for q, values in ((0.1, found.clv_p10), (0.5, found.clv_p50), (0.9, found.clv_p90)):
        np.testing.assert_array_equal(values > 0, chance > 1 - q)
    levels = (np.arange(200_000) + 0.5)[:, None] / 200_000
    np.testing.assert_allclose(law.quantile(levels).mean(0), law.mean, rtol=1e-4)


def test_what_is_beyond_the_largest_value_is_cut_in_ranges_alone() -> None:
    shape = TabulatedShape.one_each(np.linspace(0, 2, SIZE)[None], np.zeros(1, np.intp))
    law = PredictiveDistribution(np.ones(1), np.array([10.0]), shape, largest=12.0)
    found = law.predictions()
    assert found.clv_p90[0] == 12.0 and found.predicted_clv[0] == 10.0
    assert found.clv_p50[0] == pytest.approx(10.0, rel=1e-9)


def test_learned_shapes_are_those_of_the_buyers_of_each_bin() -> None:
    random, size = np.random.default_rng(3), 40_000
    predicted, chance = random.lognormal(3, 1, size), np.full(size, 0.4)
    wide = predicted > np.median(predicted)  # large customers vary more
    ratio = np.where(wide, random.gamma(0.5, 2, size), random.gamma(4, 0.25, size))
    actual = np.where(random.random(size) < chance, predicted / chance * ratio, 0.0)
    shapes = LearnedShapes.fit(predicted, chance, 1.3 * actual)  # all 30% above what was said: level, not shape
    from scipy.stats import gamma

    for value, law in (
        (np.quantile(predicted, 0.9), gamma(0.5, scale=2)),
        (np.quantile(predicted, 0.1), gamma(4, scale=0.25)),
    ):
        level = np.array([[0.1], [0.5], [0.9]])
        np.testing.assert_allclose(
            shapes.of(np.array([value])).ratio(level)[:, 0], law.ppf(level[:, 0]), rtol=0.12, atol=0.02
        )


def test_shapes_survive_nobody_few_and_equal_ones() -> None:
    nothing = LearnedShapes.fit(np.zeros(5), np.zeros(5), np.zeros(5))
    few = LearnedShapes.fit(np.full(3, 10.0), np.full(3, 0.5), np.array([0.0, 20.0, 0.0]))
    equal = LearnedShapes.fit(np.full(5000, 10.0), np.full(5000, 0.5), np.full(5000, 20.0))
    for shapes in (nothing, few, equal):
        ratio = shapes.of(np.array([0.0, 1.0, 1e6])).ratio(np.array([[0.1], [0.5], [0.9]]))
        np.testing.assert_allclose(ratio, 1.0)
    mixed = np.concatenate([np.full(5000, 10.0), np.linspace(1, 9, 200)])
    shapes = LearnedShapes.fit(mixed, np.full(len(mixed), 0.5), 2 * mixed)
    np.testing.assert_allclose(shapes.ratios.mean(axis=1), 1.0)
    again = LearnedShapes.from_state(shapes.state())
    np.testing.assert_array_equal(again.ratios, shapes.ratios)
    with pytest.raises(ValueError, match="shapes of"):
        LearnedShapes.from_state({**shapes.state(), "ratios": shapes.ratios[:, 1:]})

"""What the errors of tiers share, against many logs of the same truth, and the interval of a sum against drawn ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv_core.strategy.pricing.poisson import Estimate, fit_fixed_effects_poisson
from clv_core.strategy.pricing.price_responses import Responses, shared_errors
from clv_core.strategy.pricing.price_rule import Rule, correlation, what_if
from tests.strategy.pricing.test_pricing import responses

__all__ = ["responses"]


def estimates(shared: float, seed: int) -> dict[int, Estimate]:
    """Two tiers' responses to the same prices; ``shared`` is what moves the sales of both in a product's week."""
    rng = np.random.default_rng(seed)
    product, period = (side.ravel() for side in np.indices((25, 20)))
    price, surprise = rng.normal(0, 0.2, len(product)), shared * rng.normal(0, 1, len(product))
    level = rng.normal(2.5, 0.5, 25)[product] + surprise
    found = {}
    for tier, elasticity in ((1, -2.0), (2, -1.0)):
        pieces = rng.poisson(np.exp(level + elasticity * price)).astype(float)
        measured = fit_fixed_effects_poisson(pieces, price, product, period)
        assert measured is not None
        found[tier] = measured
    return found


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_sums_and_differences_of_responses_scatter_as_their_shared_errors_say(shared: float) -> None:
    runs = [estimates(shared, seed) for seed in range(120)]
    off = np.array([[run[1].value + 2.0, run[2].value + 1.0] for run in runs])
    said = []
    for run in runs:
        rows = pd.DataFrame(shared_errors("tea", {tier: {"elasticity": found} for tier, found in run.items()}))
        errors = np.array([run[1].error, run[2].error])
        alike = correlation(rows, "tea", "elasticity", [1, 2])
        said.append([errors @ alike @ errors, (errors * [1, -1]) @ alike @ (errors * [1, -1])])
    happened = np.var(off[:, 0] + off[:, 1]), np.var(off[:, 0] - off[:, 1])
    assert np.mean(said, axis=0) == pytest.approx(happened, rel=0.35)
    if shared:
        assert happened[0] > 5 * happened[1]


def test_one_response_that_stands_for_two_tiers_is_off_in_one_direction(responses: Responses) -> None:
    borrowed = replace(responses, table=responses.table[responses.table["tier"] == 0])
    rule = Rule({1: -0.05, 2: 0.1}, 0.4)
    found = what_if(borrowed, rule)
    rng = np.random.default_rng(5)
    draws = np.zeros(20_000)
    for row in borrowed.table.to_dict("records"):
        elasticity = row["elasticity"] + row["error"] * rng.standard_t(row["products"] - 1, len(draws))
        for tier, change in rule.changes.items():
            mine = found.cells[(found.cells["category"] == row["category"]) & (found.cells["tier"] == tier)]
            draws += float(mine["base"].iloc[0]) * ((1 + change) ** (1 + elasticity) - 1)
    low, high = np.quantile(draws, [0.05, 0.95])
    assert found.revenue.high - found.revenue.low == pytest.approx(high - low, rel=0.06)

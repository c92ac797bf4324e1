"""AlsFactors: factors rank what a customer bought, and like-minded customers bought, above the rest."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from clv_core.strategy.recommend.collaborative import MIN_CATALOGUE, AlsFactors, fit_als


def two_camps() -> sparse.csr_array:
    """400 customers of two camps buy 12 of their camp's half of the products."""
    rng = np.random.default_rng(5)
    half = MIN_CATALOGUE // 2
    bought = np.zeros((400, 2 * half), np.float32)
    for customer in range(400):
        bought[customer, half * (customer % 2) + rng.choice(half, 12, replace=False)] = 1
    return sparse.csr_array(bought)


def test_the_own_camp_is_proposed_and_exact_fits_agree_with_the_proposed() -> None:
    bought = two_camps()
    taste = fit_als(bought)
    assert isinstance(taste, AlsFactors)
    rows = np.array([0, 1, -1])
    found = taste.propose(rows)
    half = MIN_CATALOGUE // 2
    top = found.toarray()[:2].argsort(axis=1)[:, -20:]
    assert (top[0] < half).mean() > 0.9 and (top[1] >= half).mean() > 0.9
    assert found[[2]].nnz == taste.propose(rows[2:]).nnz == 0
    row, product = found.nonzero()
    assert np.allclose(taste.fit(rows[row], product), found.toarray()[row, product], atol=1e-5)


def test_small_shops_have_no_factors() -> None:
    assert fit_als(two_camps()[:100]) is None and fit_als(two_camps()[:, :50]) is None

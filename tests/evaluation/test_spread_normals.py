"""Evenly spread normals: those of scipy, to the last digit, which takes half a second to import."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from clv_core.evaluation.spread_normals import DIRECTIONS, spread_normals


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (1024, 3), (8192, 0)])
def test_the_draws_are_those_of_scipy(count: int, seed: int) -> None:
    theirs = qmc.MultivariateNormalQMC(np.zeros(len(DIRECTIONS)), rng=np.random.default_rng(seed))
    assert np.array_equal(spread_normals(count, np.random.default_rng(seed)), theirs.random(count))

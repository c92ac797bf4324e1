"""Whether categories answer prices differently, against draws of categories that all answer alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.strategy.pricing.price_responses import differ_significantly


def measured(elasticity: np.ndarray, products: int, rng: np.random.Generator) -> pd.DataFrame:
    """Responses as they are measured on so many products: off by chance, by an error that is known by chance too."""
    off = rng.normal(0, 0.5, len(elasticity))
    error = 0.5 * np.sqrt(rng.chisquare(products - 1, len(elasticity)) / (products - 1))
    return pd.DataFrame({"elasticity": elasticity + off, "error": error, "products": products})


@pytest.mark.examples(1)
@pytest.mark.parametrize("categories", [2, 5, 15])
def test_equal_categories_are_told_apart_no_more_often_than_one_time_in_ten(categories: int) -> None:
    rng = np.random.default_rng(3)
    equal = np.full(categories, -1.2)
    wrongly = np.mean([differ_significantly(measured(equal, 25, rng)) for _ in range(300)])
    assert wrongly <= 0.1 + 2 * np.sqrt(0.09 / 300)


def test_categories_that_answer_differently_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    different = np.array([-4.5, *np.full(13, -1.2), 1.0])
    assert np.mean([differ_significantly(measured(different, 25, rng)) for _ in range(100)]) > 0.9

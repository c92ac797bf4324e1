"""The best simple model beside a model, and the level in words."""

from __future__ import annotations

import pandas as pd
import pytest

from clv_core.evaluation.beside import best_baseline, level_of, rows_of

MEASURED = {"naive": {"gini": 0.4, "bias": -0.05, "mae": 9.0}, "bgnbd": {"gini": 0.5, "bias": 0.3, "mae": 9.0}}


@pytest.mark.parametrize(("metric", "best"), [("gini", "bgnbd"), ("bias", "naive"), ("mae", "bgnbd"), ("auc", "")])
def test_the_best_simple_model_is_higher_lower_or_nearer_zero_as_the_metric_asks(metric: str, best: str) -> None:
    assert best_baseline(MEASURED, metric) == best
    assert best_baseline(dict(reversed(MEASURED.items())), metric) == best


def test_where_one_simple_model_was_measured_it_is_the_best_and_other_models_are_none() -> None:
    assert best_baseline({"naive": MEASURED["naive"], "lightgbm": {"gini": 0.9}}, "gini") == "naive"
    assert best_baseline({}, "gini") == ""


def test_rows_of_two_models_stand_in_one_order_of_customers() -> None:
    holdout = pd.DataFrame(
        {"customer_id": ["b", "a", "a", "b"], "model": ["x", "x", "y", "y"], "predicted_clv": [2.0, 1.0, 3.0, 4.0]}
    )
    assert rows_of(holdout, "x")["predicted_clv"].tolist() == [1.0, 2.0]
    assert rows_of(holdout, "y")["predicted_clv"].tolist() == [3.0, 4.0]
    assert rows_of(holdout, "").empty


@pytest.mark.parametrize(("bias", "level"), [(0.0049, "exact"), (-0.0049, "exact"), (0.005, "high"), (-0.2, "low")])
def test_a_total_that_is_off_by_what_rounds_to_nothing_was_met(bias: float, level: str) -> None:
    assert level_of(bias) == level

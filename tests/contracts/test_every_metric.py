"""Every row of ``METRICS``: a value that is known, a direction that holds, a range, and texts wherever it is used."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from clv_core.deployment.model_record import SHARES, SIGNED
from clv_core.evaluation.metrics import METRICS, Role, format_metric, with_role
from clv_core.i18n import LANGUAGES, catalogue
from clv_core.model.predictions import Predictions
from clv_core.monitoring.retraining import MATERIAL
from tests.evaluation.test_metrics import zero_inflated

METRIC = pytest.mark.parametrize("name", METRICS)

ACTUAL = np.array([0, 0, 0, 0, 0, 0, 5.0, 15, 20, 60])
TEN = Predictions(
    p_purchase=np.array([0.05, 0.1, 0.2, 0.3, 0.2, 0.6, 0.4, 0.7, 0.8, 0.9]),
    predicted_clv=np.array([1.0, 2, 3, 4, 3, 12, 10, 12, 16, 50]),
    clv_p10=np.array([0.0, 0, 0, 0, 0, 0, 1, 4, 18, 30]),
    clv_p50=np.array([0.0, 0, 0, 0, 0, 6, 0, 9, 15, 40]),
    clv_p90=np.array([0.0, 4, 8, 11, 9, 30, 4, 28, 40, 55]),
)
"""Ten customers: four bought, one of those who did not was thought to."""

KNOWN = {
    "mse": (1 + 4 + 9 + 16 + 9 + 144 + 25 + 9 + 16 + 100) / 10,
    "rmse": 33.3**0.5,
    "mae": (1 + 2 + 3 + 4 + 3 + 12 + 5 + 3 + 4 + 10) / 10,
    "mae_median": (6 + 5 + 6 + 5 + 20) / 10,
    "bias": 113 / 100 - 1,
    "spearman": 0.8091046592687189,  # scipy's mean over the orders of equal predictions
    "gini": 0.745 / 0.77,
    "capture10": 60 / 100,
    "decile_mape": (10 / 60 + 4 / 20 + 4.5 / 7.5 + 4.5 / 7.5 + 5 / 5) / 5,
    "auc": 23 / 24,
    "brier": 1.0425 / 10,
    "accuracy": 8 / 10,
    "precision": 3 / 4,
    "recall": 3 / 4,
    "f1": 3 / 4,
    "coverage80": (0.8 / 0.95 + (1 - 0.1 / 0.9) + 2 * (1 - 0.1 / 0.8) + (1 - 0.1 / 0.7) + (1 - 0.1 / 0.4) + 0 + 2) / 10,
    "width80": (0 + 4 + 8 + 11 + 9 + 30 + 3 + 24 + 22 + 25) / 10,
    "coverage80_top": 1 / 2,
    "pit10": (0.1 / 0.95 + 0.1 / 0.9 + 2 * 0.1 / 0.8 + 0.1 / 0.7 + 0.1 / 0.4) / 10,
    "pit50": (0.5 / 0.95 + 0.5 / 0.9 + 2 * 0.5 / 0.8 + 0.5 / 0.7 + 1) / 10,
    "pit90": (0.9 / 0.95 + 1 + 1 + 1 + 1 + 1 + 0 + 1 + 1 + 0) / 10,
}
"""Of these ten, by hand and by other libraries."""


@METRIC
def test_its_value_of_ten_customers_is_known(name: str) -> None:
    assert METRICS[name].value(ACTUAL, TEN) == pytest.approx(KNOWN[name], rel=1e-9)


def changed(predictions: Predictions, **by: float) -> Predictions:
    """Return predictions of which some figures are multiplied."""
    return replace(predictions, **{field: getattr(predictions, field) * factor for field, factor in by.items()})


def worse(right: Predictions) -> dict[str, Predictions]:
    """Return predictions that are worse than the true distributions, each in another way."""
    order = np.random.default_rng(5).permutation(len(right))
    money = {"predicted_clv": 2.0, "clv_p10": 2.0, "clv_p50": 2.0, "clv_p90": 2.0}
    return {
        "of others": Predictions(*(getattr(right, field.name)[order] for field in fields(Predictions))),
        "twice as high": changed(right, **money),
        "wide": changed(right, clv_p10=0.1, clv_p50=1.6, clv_p90=3.0),
        "narrow": changed(right, clv_p10=9.0, clv_p50=0.6, clv_p90=0.3),
        "sure of nobody": replace(right, p_purchase=0.5 + 0.02 * (right.p_purchase - 0.5)),
    }


@METRIC
def test_what_is_true_is_never_beaten_by_predictions_of_others_and_beats_what_is_worse(name: str) -> None:
    actual, right = zero_inflated(4000, 7)
    metric = METRICS[name]

    def value(predictions: Predictions) -> NDArray[np.float64]:
        return np.array(metric.value(actual, predictions))

    advantages = {how: float(metric.advantage(value(right), value(one))) for how, one in worse(right).items()}
    noise = 0.02 if metric.unit in ("share", "score") else 1e-9
    if metric.better != "goal":  # intervals that are right hold more than 80% of those who buy nothing
        assert advantages["of others"] >= -noise, "the direction"
    assert max(advantages.values()) > noise, "it notices nothing"


@METRIC
def test_its_range_is_that_of_which_archives_are_checked(name: str) -> None:
    actual, right = zero_inflated(400, 8)
    turned = replace(right, predicted_clv=-right.predicted_clv, p_purchase=1 - right.p_purchase)
    low = changed(right, predicted_clv=0.1)
    values = [
        METRICS[name].value(outcome, one)
        for outcome in (actual, actual - 5.0 * (actual == 0))
        for one in (right, turned, low, *worse(right).values())
    ]
    found = [value for value in values if np.isfinite(value)]
    assert found and (min(found) >= 0 or name in SIGNED), "below zero: SIGNED"
    assert max(found) <= 1 or name not in SHARES
    assert not set(SIGNED) & set(SHARES) and {*SIGNED, *SHARES} <= set(METRICS)


@METRIC
def test_its_unit_is_known_and_its_value_can_be_said(name: str) -> None:
    metric = METRICS[name]
    assert metric.id == name and metric.unit in ("score", "share", "money", "money_squared")
    assert metric.better == "goal" or metric.goal == 0.0
    for language in LANGUAGES:
        said = format_metric(name, 0.25, "EUR", language)
        assert {"share": "%", "score": "0.250"}.get(metric.unit, "EUR") in said
        assert len(catalogue(language)[f"metric.{name}.meaning"]) > 10


@METRIC
def test_where_it_is_used_it_has_what_is_said_of_it_there(name: str) -> None:
    metric = METRICS[name]
    needed = {
        "verdicts": [f"verdict.{name}.{outcome}" for outcome in ("beats", "loses", "ties")],
        "versions": [f"models.compare.better.{name}"],
    }
    if metric.better == "zero":
        needed["verdicts"].append(f"verdict.{name}.once")
    for language in LANGUAGES:
        keys = [key for role in metric.roles for key in needed.get(role, ())]
        assert [key for key in keys if not catalogue(language).get(key)] == []
    assert ("retraining" in metric.roles) == (name in MATERIAL)


@pytest.mark.parametrize("role", get_args(Role))
def test_metrics_of_a_role_have_places_of_their_own(role: Role) -> None:
    names = with_role(role)
    places = [METRICS[name].roles[role] for name in names]
    assert names[0] == "gini" and places == sorted(set(places))

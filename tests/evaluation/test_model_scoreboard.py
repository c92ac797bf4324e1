"""The best simple model beside a model, and the level in words."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation import model_scoreboard
from clv_core.evaluation.bootstrap import Bootstrap
from clv_core.evaluation.metrics import METRICS, evaluate
from clv_core.evaluation.model_scoreboard import advantages_of, best_baseline, both_figures, in_order, level_of

MEASURED = {"naive": {"gini": 0.4, "bias": -0.05, "mae": 9.0}, "bgnbd": {"gini": 0.5, "bias": 0.3, "mae": 9.0}}


@pytest.mark.parametrize(("metric", "best"), [("gini", "bgnbd"), ("bias", "naive"), ("mae", "bgnbd"), ("auc", "")])
def test_the_best_simple_model_is_higher_lower_or_nearer_zero_as_the_metric_asks(metric: str, best: str) -> None:
    assert best_baseline(MEASURED, metric) == best
    assert best_baseline(dict(reversed(MEASURED.items())), metric) == best
    assert not best or best_baseline(MEASURED, metric, model=best) not in {best, ""}  # nothing is held against itself
    assert best_baseline({"naive": MEASURED["naive"], "lightgbm": {"gini": 0.9}}, "gini") == "naive"


def test_rows_of_two_models_stand_in_one_order_of_customers() -> None:
    ours = pd.DataFrame({"customer_id": ["b", "a"], "predicted_clv": [2.0, 1.0]})
    theirs = pd.DataFrame({"customer_id": ["a", "b"], "predicted_clv": [3.0, 4.0]}, index=[7, 9])
    assert in_order(ours)["predicted_clv"].tolist() == [1.0, 2.0]
    assert in_order(theirs)["predicted_clv"].tolist() == [3.0, 4.0] and in_order(theirs).index.tolist() == [0, 1]
    assert in_order(ours.head(0)).empty


@pytest.mark.parametrize(
    ("bias", "level"),
    [(0.0049, "exact"), (-0.0049, "exact"), (0.005, "high"), (-0.2, "low"), (None, "none")],
)
def test_a_total_that_is_off_by_what_rounds_to_nothing_was_met(bias: float | None, level: str) -> None:
    assert level_of(bias) == level


def test_of_a_total_below_nothing_no_error_is_measured() -> None:
    half = dict.fromkeys(("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90"), [0.5] * 3)
    assert "bias" not in evaluate([-5.0, 0.0, 3.0], pd.DataFrame(half))


def both(noise: float, customers: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A model that knows values up to some noise, beside one that knows them up to more or less of it."""
    random = np.random.default_rng(1)
    actual = np.where(random.random(customers) < 0.4, random.gamma(1, 50, customers), 0.0)
    frames = []
    for spread in (noise, 1.0):
        mean = (actual + 5) * np.exp(random.normal(0, spread, customers))
        frame = pd.DataFrame({"customer_id": np.arange(customers).astype(str), "predicted_clv": mean, "actual": actual})
        frames.append(in_order(frame.assign(p_purchase=0.4, clv_p10=0.0, clv_p50=0.0, clv_p90=3 * mean)))
    return frames[0], frames[1]


def figures_of(*rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """What training would have written down of both."""
    return both_figures(*(evaluate(part["actual"], part) for part in rows), ("gini", "mae"))


@pytest.mark.parametrize(("noise", "standing"), [(0.2, "ahead"), (1.0, "level_with"), (3.0, "behind")])
def test_a_model_is_ahead_or_behind_only_where_resamples_agree(noise: float, standing: str) -> None:
    rows = both(noise)
    found = advantages_of(*rows, figures_of(*rows))
    assert model_scoreboard.standing_of(found["gini"]) == standing
    ours, theirs = (METRICS["gini"].value(part["actual"], part) for part in rows)
    assert found["gini"].value == pytest.approx(ours - theirs)
    assert found["gini"].low < found["gini"].value < found["gini"].high
    errors = [(part["actual"] - part["predicted_clv"]).abs().mean() for part in rows]
    assert found["mae"].value == pytest.approx(errors[1] - errors[0])


def test_of_the_total_of_one_span_and_of_what_is_not_there_nothing_is_said() -> None:
    ours, theirs = both(0.2)
    assert advantages_of(ours, theirs, {"bias": (0.1, 0.2)}) == {} and model_scoreboard.standing_of(None) == "beside"
    assert advantages_of(ours, theirs.head(0), figures_of(ours, theirs)) == {}
    assert advantages_of(ours, theirs, both_figures({"gini": 0.3}, {"mae": 2.0}, ("gini", "mae"))) == {}
    assert advantages_of(ours.assign(actual=0.0), theirs.assign(actual=0.0), {"gini": (0.3, 0.2)}) == {}


@pytest.mark.parametrize("customers", [400, 60_000], ids=["all are drawn from", "a sample is drawn from"])
def test_an_advantage_is_that_of_a_bootstrap_of_everybody(customers: int) -> None:
    rows = both(0.6, customers)
    named = [part.assign(model=name, origin="o") for name, part in zip("ab", rows, strict=True)]
    numbered = pd.concat([part.assign(customer_id=np.arange(len(part))) for part in named])
    slow = Bootstrap.of(numbered, ("gini", "mae"), resamples=model_scoreboard.RESAMPLES)
    found = advantages_of(*rows, figures_of(*rows))
    for metric in ("gini", "mae"):
        wanted = slow.advantage("a", "b", metric)
        assert astuple(found[metric]) == pytest.approx(astuple(wanted), abs=1e-12)

"""The part that changes an effect is found where one was planted, and none is where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.explain.dependence import dependence, explainable, rank_correlation
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.whatif import against, typical
from tests.evaluation.explain.conftest import explanation_of

PARTS = ("spend", "views", "carts", "country")


def planted(kind: str, size: int = 300) -> Explanation:
    rng = np.random.default_rng(5)
    spend, views, carts = rng.gamma(2, 20, size), rng.normal(size=size), rng.normal(size=size)
    country = np.array(["DE", "FR", "IT"], object)[rng.integers(0, 3, size)]
    effect = {
        "alone": spend / 10,
        "slope": spend / 10 * (1 + 0.8 * views),
        "falling": -spend / 10 + 0.3 * carts * np.sign(spend - 30),
    }[kind] + rng.normal(0, 0.2, size)
    values = np.column_stack([effect, views, 0.1 * carts, (country == "FR") * 2.0 - 0.5])
    readings = pd.DataFrame(dict(zip(PARTS, (spend, views, carts, country), strict=True)))
    return explanation_of(values, PARTS, 5.0, readings=readings)


@pytest.mark.parametrize(("kind", "other"), [("alone", None), ("slope", "views"), ("falling", "carts")])
def test_the_interacting_part_is_found(kind: str, other: str | None) -> None:
    found = dependence(planted(kind), "spend")
    assert found.other == other
    assert found.strength > 0.1 if other else found.strength == 0 and found.points["other"].isna().all()
    assert np.sign(found.direction) == (-1 if kind == "falling" else 1)


def test_both_ends_are_the_means_of_the_thirds() -> None:
    explanation = planted("alone")
    found = dependence(explanation, "spend")
    spend, effect = explanation.readings["spend"], explanation.values[:, 0]
    low, high = spend.quantile([1 / 3, 2 / 3])
    assert (found.low_reading, found.high_reading) == (pytest.approx(low), pytest.approx(high))
    assert found.low == pytest.approx(effect[spend <= low].mean())
    assert found.high == pytest.approx(effect[spend >= high].mean())


def test_texts_are_compared_by_their_means_and_the_unknown_are_left_out() -> None:
    explanation = planted("alone")
    explanation.readings.loc[:9, "country"] = None
    found = dependence(explanation, "country")
    assert len(found.points) == 290 and found.high_reading == "FR" and found.high == pytest.approx(1.5)
    assert found.direction == 0 and found.low == pytest.approx(-0.5)
    explanation.readings["carts"] = 1.0
    assert explainable(explanation) == ["spend", "country", "views"], "what all share is not offered"


def test_differences_of_groups_add_up_to_that_of_their_predictions() -> None:
    explanation = planted("slope")
    these = explanation.predicted > np.quantile(explanation.predicted, 0.9)
    rows = against(explanation, these, ~these)
    gap = explanation.predicted[these].mean() - explanation.predicted[~these].mean()
    assert rows["difference"].sum() == pytest.approx(gap)
    assert rows["difference"].abs().is_monotonic_decreasing and rows["part"].iloc[0] == "spend"
    spend = rows.set_index("part").loc["spend"]
    assert spend["reading_these"] == pytest.approx(explanation.readings["spend"][these].median())
    assert typical(pd.Series(["a", "b", "b", None])) == "b" and typical(pd.Series([np.nan])) is None


def test_a_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    reading, effect = pd.Series(rng.integers(0, 9, 200)), pd.Series(rng.normal(size=200))
    assert rank_correlation(reading, effect) == pytest.approx(reading.corr(effect, method="spearman"), abs=1e-14)
    assert np.isnan(rank_correlation(reading * 0, effect))

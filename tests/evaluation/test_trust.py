"""The verdict by the rules of design section 6, item 10, and reasons that say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation import trust as module
from clv_core.evaluation.bootstrap import Estimate
from clv_core.evaluation.trust import REASONS, Evidence, judge, judge_holdout, unvalidated
from clv_core.i18n import LANGUAGES

GOOD = Evidence(
    origin="1997-12-31",
    horizon_days=182,
    customers=23_000,
    buyers=3_500,
    predicted_total=470_000.0,
    actual_total=480_000.0,
    gini=Estimate(0.76, 0.74, 0.78),
    coverage=0.83,
    over_reference=Estimate(0.03, 0.02, 0.04),
)
CASES = [
    ({}, "trusted", {"ranking_holds", "ranking_beats_bgnbd", "level_holds", "intervals_hold"}),
    ({"over_reference": None}, "trusted", {"ranking_holds", "level_holds"}),
    ({"over_reference": Estimate(0.0, -0.01, 0.01)}, "trusted", {"ranking_ties_bgnbd"}),
    ({"buyers": 99}, "not_trusted", {"too_few_buyers", "ranking_holds"}),
    ({"buyers": 100}, "caution", {"small_sample"}),
    ({"gini": Estimate(0.3, 0.1, 0.5)}, "not_trusted", {"ranking_near_chance"}),
    ({"gini": Estimate(0.3, 0.11, 0.5)}, "trusted", {"ranking_holds"}),
    ({"gini": None, "buyers": 0, "actual_total": 0.0}, "not_trusted", {"too_few_buyers", "no_total"}),
    ({"predicted_total": 480_000 * 2.02}, "not_trusted", {"level_far_too_high"}),
    ({"predicted_total": 480_000 / 2.02}, "not_trusted", {"level_far_too_low"}),
    ({"predicted_total": 480_000 * 1.9}, "caution", {"level_too_high"}),
    ({"predicted_total": 480_000 * 0.7}, "caution", {"level_too_low"}),
    ({"predicted_total": 480_000 * 1.2}, "trusted", {"level_holds"}),
    ({"over_reference": Estimate(-0.03, -0.04, -0.02)}, "caution", {"ranking_below_bgnbd"}),
    ({"coverage": 0.6}, "caution", {"intervals_too_narrow"}),
    ({"coverage": 0.95}, "trusted", {"level_holds"}),
    ({"gini": Estimate(0.99, 0.985, 0.995)}, "caution", {"ranking_too_good"}),
]


def _codes(trust: module.Trust) -> list[str]:
    return [reason.code.removeprefix("reason.") for reason in trust.reasons]


@pytest.mark.parametrize(("change", "verdict", "reasons"), CASES)
def test_verdict_and_reasons(change: dict[str, object], verdict: str, reasons: set[str]) -> None:
    trust = judge(replace(GOOD, **change))
    assert trust.verdict == verdict
    assert reasons <= set(_codes(trust))


@pytest.mark.parametrize(("change", "verdict", "reasons"), CASES)
def test_reasons_come_by_weight_and_speak_each_language(
    change: dict[str, object], verdict: str, reasons: set[str]
) -> None:
    trust = judge(replace(GOOD, **change))
    kinds = [REASONS[code] for code in _codes(trust)]
    assert kinds == sorted(kinds, key=["refuses", "cautions", "supports"].index)
    for reason in trust.reasons:
        json.dumps(reason.params, allow_nan=False)
        assert all("{" not in reason.text(language) for language in LANGUAGES)


def test_cases_reach_every_reason() -> None:
    reached = {code for change, *_ in CASES for code in _codes(judge(replace(GOOD, **change)))}
    assert reached | set(_codes(unvalidated())) == set(REASONS)


def test_no_complete_origin_is_caution_and_says_unvalidated() -> None:
    trust = unvalidated()
    assert (trust.verdict, _codes(trust)) == ("caution", ["unvalidated"])


def test_holdout_of_a_good_model_is_trusted(predictions: pd.DataFrame) -> None:
    ours = predictions[predictions["model"] == "hybrid"]
    scale = ours["actual"].sum() / ours["predicted_clv"].sum()
    level = predictions.assign(predicted_clv=predictions["predicted_clv"] * scale)
    trust = judge_holdout(level, resamples=200)
    assert trust.verdict == "trusted"
    assert {"ranking_beats_bgnbd", "level_holds"} <= set(_codes(trust))


def test_spend_independent_of_any_past_is_not_trusted(make: Callable[..., pd.DataFrame]) -> None:
    noise = make(3000)
    rng = np.random.default_rng(0)
    shuffled = dict(zip(noise["customer_id"].unique(), rng.permutation(noise["actual"][:3000]), strict=True))
    trust = judge_holdout(noise.assign(actual=noise["customer_id"].map(shuffled)), "hybrid", resamples=200)
    assert trust.verdict == "not_trusted" and "ranking_near_chance" in _codes(trust)


def test_only_the_latest_origin_counts(make: Callable[..., pd.DataFrame]) -> None:
    early, late = make(1500, 1), make(1500, 1, level=4.0, origin="1998-07-01")
    trust = judge_holdout(pd.concat([late, early]), "hybrid", resamples=100)
    assert "level_far_too_high" in _codes(trust)


def test_the_reference_itself_can_be_judged(predictions: pd.DataFrame) -> None:
    trust = judge_holdout(predictions, "bgnbd", resamples=100)
    assert not any("bgnbd" in code for code in _codes(trust))

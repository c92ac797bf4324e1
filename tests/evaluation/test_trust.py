"""The verdict by its rules, and reasons that say so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Estimate
from clv_core.evaluation.calibration import TENTH_TOLERANCE, Groups, Intervals
from clv_core.evaluation.change import Change
from clv_core.evaluation.evidence import (
    LEVEL_TOLERANCE,
    Evidence,
    Held,
    LogFacts,
    Rolling,
    Silence,
    gather,
    share_inside,
)
from clv_core.evaluation.trust import MAX_REASONS, REASONS, Trust, grade, judge
from clv_core.i18n import LANGUAGES, has
from tests.evaluation.conftest import lognormal_shop

HELD = Held(
    origin="1997-12-31",
    customers=23_000,
    buyers=3_500,
    predicted_total=470_000.0,
    actual_total=480_000.0,
    gini=Estimate(0.76, 0.74, 0.78),
    inside=0.81,
    over_reference=Estimate(0.03, 0.02, 0.04),
    intervals=Intervals(3_000, 0.2, 0.2, 0.01, 0.65, 0.65, 0.01, 1.0, 23_000, 0.1, 0.5, 0.9),
    groups=Groups(3_500.0, 40.0, 0.0, 1, 0.0, 0.0),
)
LOG = LogFacts(days=730, customers=23_000, buyers=9_000, loyal=2_000, quiet_days=0)
GOOD = Evidence(182, HELD, LOG)
LESS = Change("1998-01-01", 182, 0.5, 0.9, purchases_changed=True, order_value_changed=False, earlier=8)
ORDERS = {"purchases_changed": False, "order_value_changed": True}
RARE = {"above": 0.0, "above_right": 0.0, "above_noise": 0.0}
STEADY = Rolling(3, level_off=0, below_reference=0, over_reference=Estimate(0.02, 0.01, 0.03), overlap=0.9)


def held(**change: object) -> Evidence:
    return replace(GOOD, held=replace(HELD, **change))


def seen(**change: object) -> Evidence:
    return held(intervals=replace(HELD.intervals, **change))


def grouped(**change: object) -> Evidence:
    return held(groups=replace(HELD.groups, **change))


def log(**change: int) -> Evidence:
    return replace(GOOD, log=replace(LOG, **change))


def changed(evidence: Evidence = GOOD, **change: float) -> Evidence:
    return replace(evidence, change=replace(LESS, **change))


def rolling(**change: object) -> Evidence:
    return replace(GOOD, rolling=replace(STEADY, **change))


CASES: list[tuple[Evidence, str, set[str]]] = [
    (GOOD, "trusted", {"ranking_holds", "ranking_beats_bgnbd", "level_holds", "intervals_honest"}),
    (held(over_reference=None), "trusted", {"ranking_holds", "level_holds"}),
    (held(over_reference=Estimate(0.0, -0.01, 0.01)), "trusted", {"ranking_ties_bgnbd"}),
    (held(buyers=99), "not_trusted", {"too_few_buyers", "ranking_holds"}),
    (held(buyers=100), "caution", {"small_sample"}),
    (held(gini=Estimate(0.3, 0.1, 0.5)), "not_trusted", {"ranking_near_chance"}),
    (held(gini=Estimate(0.3, 0.11, 0.5)), "trusted", {"ranking_holds"}),
    (held(gini=None, buyers=0, actual_total=0.0), "not_trusted", {"too_few_buyers", "no_total"}),
    (held(predicted_total=480_000 * 2.02), "not_trusted", {"level_far_too_high"}),
    (held(predicted_total=480_000 / 2.02), "not_trusted", {"level_far_too_low"}),
    (held(predicted_total=480_000 * 1.9), "caution", {"level_too_high"}),
    (held(predicted_total=480_000 * 0.7), "caution", {"level_too_low"}),
    (held(predicted_total=480_000 * 1.2), "trusted", {"level_holds"}),
    (held(over_reference=Estimate(-0.03, -0.04, -0.02)), "caution", {"ranking_below_bgnbd"}),
    (held(inside=0.6), "caution", {"intervals_too_narrow"}),
    (held(inside=0.72), "trusted", {"level_holds"}),
    (held(inside=0.95), "caution", {"intervals_too_wide"}),
    (seen(outside=0.35, over=1.8), "caution", {"intervals_narrow"}),
    (seen(outside=0.1), "caution", {"intervals_wide"}),
    (seen(above=0.85), "caution", {"intervals_low"}),
    (seen(above=0.3), "caution", {"intervals_high"}),
    (seen(pit50=0.65), "caution", {"intervals_high"}),
    (seen(pit10=0.17), "caution", {"intervals_too_narrow"}),
    (seen(pit90=0.83), "caution", {"intervals_too_narrow"}),
    (seen(pit90=0.83, outside=0.23), "caution", {"intervals_narrow"}),
    (seen(**RARE), "trusted", {"intervals_honest_rare"}),
    (seen(pit50=0.65, **RARE), "caution", {"intervals_high_rare"}),
    (seen(pit50=0.35, **RARE), "caution", {"intervals_low_rare"}),
    (seen(outside=0.235), "trusted", {"level_holds"}),  # not honest for sure, and not wrong for sure
    (held(intervals=None), "trusted", {"intervals_hold"}),
    (held(intervals=None, inside=0.6), "caution", {"intervals_too_narrow"}),
    (held(intervals=None, inside=0.72), "trusted", {"level_holds"}),
    (held(intervals=None, inside=0.95), "caution", {"intervals_too_wide"}),
    (grouped(buyers_expected=4_000.0), "caution", {"chances_too_high"}),
    (grouped(buyers_expected=3_000.0), "caution", {"chances_too_low"}),
    (grouped(buyers_expected=4_000.0, buyers_noise=200.0), "trusted", {"level_holds"}),
    (grouped(tenths_off=0.09, worst=8, worst_predicted=900.0, worst_actual=90.0), "caution", {"tenths_off"}),
    (held(gini=Estimate(0.99, 0.985, 0.995)), "caution", {"ranking_too_good"}),
    (replace(GOOD, held=None), "caution", {"unvalidated"}),
    (replace(GOOD, held=None, untrained=True), "caution", {"untrained"}),
    (replace(GOOD, untrained=True), "trusted", {"ranking_holds"}),
    (log(days=454), "caution", {"horizon_too_long"}),
    (log(days=455), "trusted", {"level_holds"}),
    (replace(log(days=179), horizon_days=30), "caution", {"short_history"}),
    (log(buyers=499, customers=900), "caution", {"few_known_buyers"}),
    (log(loyal=29), "caution", {"few_loyal_customers"}),
    (log(quiet_days=31), "caution", {"data_stale"}),
    (log(buyers=1_100), "caution", {"mostly_visitors"}),
    (log(top_share=0.24), "trusted", {"level_holds"}),
    (log(top_share=0.26), "caution", {"one_customer"}),
    (replace(GOOD, silence=Silence(243, 0.3)), "caution", {"beyond_windows"}),
    (changed(), "caution", {"fewer_purchases"}),
    (changed(purchases=1.6), "caution", {"more_purchases"}),
    (changed(order_value=0.6, **ORDERS), "caution", {"smaller_orders"}),
    (changed(order_value=1.6, **ORDERS), "caution", {"larger_orders"}),
    (changed(order_value=0.6, order_value_changed=True), "caution", {"fewer_purchases", "smaller_orders"}),
    (changed(held(predicted_total=480_000 * 2.02)), "not_trusted", {"regime_change", "level_far_too_high"}),
    (changed(held(predicted_total=480_000 / 2.02)), "not_trusted", {"fewer_purchases", "level_far_too_low"}),
    (rolling(), "trusted", {"origins_hold"}),
    (rolling(level_off=1), "trusted", {"level_holds"}),
    (rolling(level_off=2), "caution", {"level_off_often"}),
    (rolling(below_reference=2, over_reference=Estimate(-0.02, -0.03, -0.01)), "caution", {"ranking_below_often"}),
    (rolling(below_reference=2, over_reference=Estimate(-0.02, -0.03, 0.01)), "trusted", {"level_holds"}),
    (rolling(overlap=0.5), "caution", {"ranking_unstable"}),
]


def _codes(trust: Trust) -> list[str]:
    return [reason.code.removeprefix("reason.") for reason in trust.reasons]


def test_an_order_that_was_below_bgnbds_at_half_the_origins_was_not_the_better_one_at_most() -> None:
    half, fewer = (_codes(judge(rolling(origins=4, below_reference=below))) for below in (2, 1))
    assert "origins_hold" not in half and "origins_hold" in fewer


@pytest.mark.parametrize("language", LANGUAGES)
def test_shares_of_visitors_and_of_the_tolerance_are_said(language: str) -> None:
    visited = log(customers=1_000_000, buyers=4_000)
    said = {one.code.removeprefix("reason."): one.text(language) for one in judge(visited).reasons}
    assert "99.6%" in said["mostly_visitors"] and "100%" not in said["mostly_visitors"]
    assert f"{LEVEL_TOLERANCE:.0%}" in said["level_holds"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_intervals_bears_out_the_claim(language: str) -> None:
    """Of logs in which nobody is likely to buy, and of intervals that only all customers show to be wrong."""
    for evidence in (seen(**RARE), seen(pit50=0.65, **RARE), seen(pit50=0.35, **RARE)):
        said = next(one.text(language) for one in judge(evidence).reasons if "intervals" in one.code)
        assert not re.search(r"(?<!\d)0%", said), said
    for change in ({"pit90": 0.83, "outside": 0.18}, {"pit10": 0.04, "pit90": 0.96, "outside": 0.21}):
        said = next(one.text(language) for one in judge(seen(**change)).reasons if "intervals" in one.code)
        assert f"{change['outside']:.0%}" not in said, said


@pytest.mark.parametrize(("evidence", "verdict", "reasons"), CASES)
def test_verdict_and_reasons_of_evidence_that_was_kept(evidence: Evidence, verdict: str, reasons: set[str]) -> None:
    """Reasons come by weight, what refuses first and what supports last, and speak each language."""
    again = Evidence.from_json(json.loads(json.dumps(evidence.to_json(), allow_nan=False)))
    assert again == evidence
    trust = judge(again)
    assert trust.verdict == verdict and reasons <= set(_codes(trust))
    kinds = [REASONS[code] for code in _codes(trust)]
    assert kinds == sorted(kinds, key=["refuses", "cautions", "supports"].index)
    assert _codes(trust) == sorted(_codes(trust), key=list(REASONS).index)
    for reason in trust.reasons:
        json.dumps(reason.params, allow_nan=False)
        assert all("{" not in reason.text(language) for language in LANGUAGES)


BOUNDS: list[tuple[Evidence, Evidence, str]] = [
    (held(buyers=100), held(buyers=99), "too_few_buyers"),
    (held(buyers=300), held(buyers=299), "small_sample"),
    (held(gini=Estimate(0.2, 0.101, 0.3)), held(gini=Estimate(0.2, 0.1, 0.3)), "ranking_near_chance"),
    (held(gini=Estimate(0.98, 0.97, 0.99)), held(gini=Estimate(0.981, 0.97, 0.99)), "ranking_too_good"),
    (held(over_reference=Estimate(0.03, 0.0, 0.06)), held(over_reference=Estimate(0.03, 0.001, 0.06)),
     "ranking_beats_bgnbd"),
    (held(over_reference=Estimate(-0.03, -0.06, 0.0)), held(over_reference=Estimate(-0.03, -0.06, -0.001)),
     "ranking_below_bgnbd"),
    (held(predicted_total=600_000.0), held(predicted_total=600_001.0), "level_too_high"),  # a quarter
    (held(predicted_total=360_000.0), held(predicted_total=359_999.0), "level_too_low"),
    (held(predicted_total=966_000.0), held(predicted_total=967_000.0), "level_far_too_high"),  # e^.7 is 2.0138
    (held(predicted_total=239_000.0), held(predicted_total=238_000.0), "level_far_too_low"),
    (held(intervals=None, inside=0.7), held(intervals=None, inside=0.699), "intervals_too_narrow"),
    (held(intervals=None, inside=0.9), held(intervals=None, inside=0.901), "intervals_too_wide"),
    (held(intervals=None, inside=0.749), held(intervals=None, inside=0.75), "intervals_hold"),
    (held(intervals=None, inside=0.851), held(intervals=None, inside=0.85), "intervals_hold"),
    (grouped(tenths_off=TENTH_TOLERANCE), grouped(tenths_off=TENTH_TOLERANCE + 1e-6), "tenths_off"),
    (log(days=455), log(days=454), "horizon_too_long"),
    (replace(log(days=180), horizon_days=30), replace(log(days=179), horizon_days=30), "short_history"),
    (log(buyers=500, customers=900), log(buyers=499, customers=900), "few_known_buyers"),
    (log(loyal=30), log(loyal=29), "few_loyal_customers"),
    (log(quiet_days=30), log(quiet_days=31), "data_stale"),
    (log(buyers=1_151), log(buyers=1_149), "mostly_visitors"),
    (log(top_share=0.25), log(top_share=0.251), "one_customer"),
    (replace(GOOD, silence=Silence(243, 0.25)), replace(GOOD, silence=Silence(243, 0.251)), "beyond_windows"),
    (rolling(overlap=0.6), rolling(overlap=0.599), "ranking_unstable"),
    (rolling(origins=4, level_off=2), rolling(origins=4, level_off=3), "level_off_often"),
    (rolling(origins=4, below_reference=2), rolling(origins=4, below_reference=1), "origins_hold"),
]  # fmt: skip
"""Evidence at which a reason is not given yet, and the next at which it is."""


@pytest.mark.parametrize(("at", "beyond", "code"), BOUNDS)
def test_a_reason_is_given_from_its_bound_on(at: Evidence, beyond: Evidence, code: str) -> None:
    assert code not in _codes(judge(at)) and code in _codes(judge(beyond))


def test_cases_reach_every_reason() -> None:
    assert {code for evidence, *_ in CASES for code in _codes(judge(evidence))} == set(REASONS)


def test_whatever_refuses_has_a_short_name_for_the_acknowledgement() -> None:
    refusing = [code for code, kind in REASONS.items() if kind == "refuses"]
    assert all(has(f"trust.because.{code}", language) for code in refusing for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("total", [0.0, 480_000 / 3, 480_000 * 0.7, 480_000, 480_000 * 1.4, 480_000 * 3])
def test_totals_are_said_in_the_currency_of_the_log(total: float, language: str) -> None:
    evidence = held(predicted_total=total, buyers=900)
    said = [reason for reason in judge(replace(evidence, currency="EUR")).reasons if "predicted" in reason.params]
    assert [reason.params["currency"] for reason in said] == ["EUR"]
    assert f"{total:,.0f} EUR" in said[0].text(language) and "480,000 EUR" in said[0].text(language)
    before = {name: value for name, value in said[0].params.items() if name != "currency"}
    nameless = next(reason for reason in judge(evidence).reasons if "predicted" in reason.params)
    assert Message(said[0].code, before).text(language) == nameless.text(language)
    assert nameless.text(language) == said[0].text(language).replace(" EUR", "")


def test_a_change_is_the_headline_only_where_it_explains_the_level() -> None:
    broke = judge(changed(held(predicted_total=480_000 * 2.02)))
    said = broke.reasons[0].text()
    assert _codes(broke)[0] == "regime_change" and "1998-01-01" in said and "50%" in said and "90%" in said
    assert "regime_change" not in _codes(judge(changed(held(predicted_total=480_000 / 2.02))))


def test_no_more_reasons_than_a_person_reads_and_the_strongest_stay() -> None:
    everything = Evidence(
        182,
        replace(HELD, buyers=150, over_reference=Estimate(-0.03, -0.04, -0.02), inside=0.6, predicted_total=700_000.0),
        LogFacts(days=170, customers=9_000, buyers=200, loyal=3, quiet_days=60),
        replace(LESS, order_value=0.6, order_value_changed=True),
        replace(STEADY, level_off=3, overlap=0.3),
    )
    trust = judge(everything)
    assert len(trust.reasons) == MAX_REASONS
    assert _codes(trust)[:3] == ["data_stale", "fewer_purchases", "smaller_orders"]
    assert all(REASONS[code] == "cautions" for code in _codes(trust))


def test_a_tie_keeps_the_interval_that_holds_zero_and_a_win_how_much_better_it_is() -> None:
    tie, win, loss = (
        next(one.params for one in judge(held(over_reference=over)).reasons if one.code.endswith("_bgnbd"))
        for over in (Estimate(0.005, -0.002, 0.012), Estimate(0.03, 0.02, 0.04), Estimate(-0.03, -0.04, -0.02))
    )
    assert (tie["low"], tie["high"]) == (-0.002, 0.012)
    assert (win["low"], win["high"]) == (loss["low"], loss["high"]) == (0.02, 0.04)


def test_too_long_a_horizon_names_the_longest_that_would_not_be() -> None:
    reason = next(one for one in judge(log(days=400)).reasons if one.code == "reason.horizon_too_long")
    assert reason.params["longest"] == 160
    assert "horizon_too_long" not in _codes(judge(replace(log(days=400), horizon_days=160)))


def test_rolling_origins_are_counted_from_a_backtest() -> None:
    simple, advantage = {"gini": 0.6, "bias": 0.1}, {"value": 0.03, "low": 0.01, "high": 0.05}
    metrics: dict[str, Any] = {
        "2023-01-01": {"hybrid": {"gini": 0.7, "bias": 0.3}, "bgnbd": simple},
        "2023-07-01": {"hybrid": {"gini": 0.5, "bias": -0.26}, "bgnbd": simple},
        "2024-01-01": {"hybrid": {"gini": 0.7, "bias": 0.2}, "bgnbd": simple},
    }
    record = {
        "metrics": metrics,
        "verdicts": [{"model": "hybrid", "other": "bgnbd", "metric": "gini", "advantage": advantage}],
        "stability": [{"model": "hybrid", "between": "seeds", "overlap": 0.85}],
    }
    found = Rolling.of(record, "hybrid")
    assert found == Rolling(3, 2, 1, Estimate(0.03, 0.01, 0.05), 0.85)
    assert Rolling.of(record, "bgnbd") == Rolling(3, 0, 0)
    assert Rolling.of({**record, "metrics": dict(list(metrics.items())[:1])}, "hybrid") is None
    unknown = {"2024-07-01": {"hybrid": {"gini": 0.5}, "bgnbd": {"gini": 0.6}}}
    assert Rolling.of({**record, "metrics": {**metrics, **unknown}}, "hybrid") == found


def test_zeros_count_as_inside_by_their_chance() -> None:
    frame = lognormal_shop(40_000, 0)
    assert share_inside(frame) == pytest.approx(0.8, abs=0.01)
    assert frame["actual"].between(frame["clv_p10"], frame["clv_p90"]).mean() > 0.87
    assert share_inside(frame.assign(clv_p90=frame["clv_p90"] / 8)) < 0.75
    assert share_inside(frame.assign(p_purchase=frame["p_purchase"] / 5, clv_p90=0.0)) < 0.75
    buyers = frame[frame["actual"] > 0].assign(p_purchase=0.99, clv_p10=0.0)
    assert share_inside(buyers.assign(clv_p90=1e9)) > 0.9


def test_holdout_of_a_good_model_is_trusted_but_for_its_intervals(predictions: pd.DataFrame) -> None:
    ours = predictions[predictions["model"] == "hybrid"]
    scale = ours["actual"].sum() / ours["predicted_clv"].sum()
    level = predictions.assign(predicted_clv=predictions["predicted_clv"] * scale)
    trust = judge(gather(level, resamples=200))
    assert {"ranking_beats_bgnbd", "level_holds"} <= set(_codes(trust))
    assert all(REASONS[code] == "supports" for code in _codes(trust) if not code.startswith("intervals"))


def test_spend_independent_of_any_past_is_not_trusted(make: Callable[..., pd.DataFrame]) -> None:
    noise = make(3000)
    rng = np.random.default_rng(0)
    shuffled = dict(zip(noise["customer_id"].unique(), rng.permutation(noise["actual"][:3000]), strict=True))
    trust = judge(gather(noise.assign(actual=noise["customer_id"].map(shuffled)), "hybrid", resamples=200))
    assert trust.verdict == "not_trusted" and "ranking_near_chance" in _codes(trust)


def test_only_the_latest_origin_counts(make: Callable[..., pd.DataFrame]) -> None:
    early, late = make(1500, 1), make(1500, 1, level=4.0, origin="1998-07-01")
    found = gather(pd.concat([late, early]), "hybrid", resamples=100)
    assert found.held is not None and found.held.origin == "1998-07-01"
    assert "level_far_too_high" in _codes(judge(found))


def test_the_reference_itself_can_be_judged(predictions: pd.DataFrame) -> None:
    trust = judge(gather(predictions, "bgnbd", resamples=100))
    assert not any("bgnbd" in code for code in _codes(trust))


@pytest.mark.parametrize(
    ("held", "grades"),
    [
        ({}, {"ranking": "good", "total": "good", "probability": "good"}),
        ({"predicted_total": 388_800.0}, {"ranking": "good", "total": "fair", "probability": "good"}),  # -19%
        ({"predicted_total": 336_000.0}, {"ranking": "good", "total": "poor", "probability": "good"}),  # -30%
        ({"gini": Estimate(0.1, 0.05, 0.15)}, {"ranking": "poor", "total": "good", "probability": "good"}),
        (
            {"over_reference": Estimate(-0.03, -0.04, -0.02)},
            {"ranking": "fair", "total": "good", "probability": "good"},
        ),
        (
            {"groups": Groups(4_500.0, 40.0, 0.0, 1, 0.0, 0.0)},
            {"ranking": "good", "total": "good", "probability": "fair"},
        ),
        ({"groups": None, "actual_total": 0.0}, {"ranking": "good", "total": "poor"}),
    ],
)
def test_ranking_total_and_probability_are_graded_each_by_itself(held: dict[str, Any], grades: dict[str, str]) -> None:
    assert grade(replace(GOOD, held=replace(HELD, **held))) == grades
    assert grade(Evidence(182)) == {}

"""Alerts, lights and advice: one alert for a change, one light for a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import Message
from clv_core.i18n import LANGUAGES, translate
from clv_core.monitoring.alerts import DATA, LIGHTS, PREDICTIONS, REALISED, Acknowledgement, alert_of, alerts_of
from clv_core.monitoring.drift.distances import psi
from clv_core.monitoring.drift.feature_histograms import (
    FeatureHistograms,
    check_customers,
    choose_bins,
    make_histograms,
)
from clv_core.monitoring.drift.periods import Check
from clv_core.monitoring.health import assess_health, recommend
from clv_core.monitoring.monitoring_report import judge
from clv_core.monitoring.realized.realized_value import Realised, Tier, outside
from clv_core.strategy.segments import tier_names
from tests.manifests import report_facts


def check(chunk: int, test: str, subject: str, value: str = "", *, found: float = 2.0, alert: bool = True) -> Check:
    span = (f"2024-{chunk + 1:02}-01", f"2024-{chunk + 2:02}-01")
    params = {"median": 2.0, "before": 1.0, "share": 0.5, "before_": 0.1}
    return Check(chunk, test, subject, value, found, 1.0, 0.5, 1.5, 0.0, alert, {**params}, *span)


def test_a_change_that_goes_on_is_one_alert_and_one_that_comes_back_is_another() -> None:
    found = alerts_of([check(0, "share", "returns"), check(1, "share", "returns"), check(3, "share", "returns")])
    assert [(alert.begin, alert.end) for alert in found] == [("2024-01-01", "2024-03-01"), ("2024-04-01", "2024-05-01")]
    longer = alerts_of([check(chunk, "share", "returns") for chunk in (0, 1, 2)])
    assert longer[0].id == found[0].id != found[1].id


@pytest.mark.parametrize(
    ("lang", "begins"), [("en", "1 Jan 2024 to 29 Feb 2024: "), ("zh", "2024年1月1日至2024年2月29日：")]
)
def test_the_last_day_of_a_span_is_the_last_one_whose_events_were_looked_at(lang: str, begins: str) -> None:
    (alert,) = alerts_of([check(0, "share", "returns"), check(1, "share", "returns")])
    looked_at = pd.date_range(alert.begin, alert.end, inclusive="left")
    assert (looked_at[0], looked_at[-1]) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-29"))
    assert alert.text(lang).startswith(begins)


def test_a_change_older_than_what_is_looked_at_stays_the_same_alert_month_after_month() -> None:
    def months(*alerts: bool, first: int) -> list[Check]:
        return [check(first + number, "level", "predicted_clv", alert=alert) for number, alert in enumerate(alerts)]

    one, next_month, younger = (
        alerts_of(months(True, True, True, first=1)),
        alerts_of(months(True, True, True, first=2)),
        alerts_of(months(False, True, True, first=1)),
    )
    assert [len(found) for found in (one, next_month, younger)] == [1, 1, 1]
    assert one[0].begin != next_month[0].begin and one[0].id == next_month[0].id
    assert younger[0].begin == next_month[0].begin and younger[0].id != next_month[0].id


@pytest.mark.parametrize(
    ("end", "lang", "begins"),
    [
        ("2025-01-24", "en", "24 Jan 2025: "),
        ("2025-01-24", "zh", "2025年1月24日："),
        ("2025-02-24", "en", "24 Jan 2025 to 24 Feb 2025: "),
        ("2025-02-24", "zh", "2025年1月24日至2025年2月24日："),
    ],
)
def test_an_alert_of_one_day_names_it_once(end: str, lang: str, begins: str) -> None:
    figures = {"index": 0.5, "limit": 0.25}
    assert alert_of(PREDICTIONS, "p_purchase_shape", "", figures, "2025-01-24", end).text(lang).startswith(begins)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_events_and_columns_are_called_as_everywhere_and_names_from_data_stay(lang: str) -> None:
    said = {
        "lost_event_type": ("rating", translate("event.rating", lang)),
        "gaps_other_rose": ("session_id", translate("canonical.session_id", lang)),
        "new_channel": ("rating", "rating"),
        "new_event_type": ("wishlist", "wishlist"),
    }
    for code, (value, name) in said.items():
        figures = {"value": value, "found": "5%", "usual": "1%"}
        assert name in alert_of(PREDICTIONS, code, "", figures, "2025-01-24", "2025-01-24").text(lang), code


def test_what_another_alert_implies_is_not_said_twice() -> None:
    lost = check(0, "lost", "event_type", "rating", found=0.0)
    volume, other = (check(0, "volume", "event_type", value, found=0.5) for value in ("rating", "view"))
    mix, price, shape = check(0, "psi", "event_type", "x"), check(0, "level", "amount"), check(0, "ks", "amount")
    found = alerts_of([lost, volume, other, mix, price, shape, check(0, "level", "orders", alert=False)])
    assert {alert.code for alert in found} == {"lost_event_type", "events_fell", "price_amount_rose"}
    assert {alert.params["value"] for alert in found if alert.code == "events_fell"} == {"view"}
    assert alerts_of([shape])[0].code == "shape_amount"


def test_an_event_type_that_fell_is_an_alert_though_the_mix_shifted_by_it_and_another_type_was_lost() -> None:
    fell, mix = check(0, "volume", "event_type", "view", found=0.5), check(0, "psi", "event_type", "view")
    assert [alert.code for alert in alerts_of([mix, fell])] == ["events_fell"]
    assert [alert.code for alert in alerts_of([mix, check(0, "volume", "event_type", "cart")])] == [
        "events_rose", "mix_event_type",
    ]  # fmt: skip
    lost = check(0, "lost", "event_type", "rating", found=0.0)
    assert {alert.code for alert in alerts_of([mix, fell, lost])} == {"events_fell", "lost_event_type"}


def test_a_value_of_another_column_that_is_called_like_an_event_type_hides_nothing() -> None:
    fell = check(0, "volume", "event_type", "view", found=0.5)
    assert {alert.code for alert in alerts_of([check(0, "new", "channel", "view"), fell])} == {
        "new_channel", "events_fell",
    }  # fmt: skip


def test_returns_are_one_alert_with_how_many_there_are_and_the_mix_that_shifted_by_them() -> None:
    rate, count, mix = (
        check(0, "share", "returns"),
        check(0, "volume", "event_type", "return"),
        check(0, "psi", "event_type", "return"),
    )
    assert [alert.code for alert in alerts_of([rate, count, mix])] == ["returns_rose"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("currency", ["EUR", ""])
def test_amounts_have_their_currency_where_it_has_a_name_and_nothing_else_has(lang: str, currency: str) -> None:
    amounts = [check(0, "level", subject) for subject in ("predicted_clv", "amount", "unit_price")]
    shapes = [check(0, "ks", "amount"), check(0, "ks", "unit_price")]
    said = [alert.text(lang) for alert in [*alerts_of(amounts, currency), *alerts_of(shapes, currency)]]
    assert [text.count(" EUR") for text in said] == [2 if currency else 0] * 5
    counted = alerts_of(
        [check(0, "level", "orders"), check(0, "share", "returns"), check(0, "volume", "customer")], "EUR"
    )
    assert len(counted) == 3 and not any("EUR" in alert.text(lang) for alert in counted)


def test_features_that_drift_together_are_one_alert_that_names_the_strongest() -> None:
    names = ("frequency", "recency", "T", "monetary_value")
    found = alerts_of([check(0, "sight", name, found=place + 2.0) for place, name in enumerate(names)])
    (alert,) = found
    assert alert.light == PREDICTIONS and not alert.grave and alert.params["count"] == 4
    assert alert.params["features"] == ["monetary_value", "T", "recency"]
    assert "4 model features" in alert.text("en")


@pytest.mark.parametrize(
    ("light", "code", "action"),
    [
        (DATA, "lost_event_type", "investigate"),
        (DATA, "price_amount_rose", "retrain"),
        (PREDICTIONS, "features", "retrain"),
        (PREDICTIONS, "predicted_fell", "retrain"),
        (REALISED, "realised_fell", "retrain"),
        (REALISED, "coverage", "investigate"),
    ],
)
def test_advice_follows_from_lights_until_alerts_are_acknowledged(light: str, code: str, action: str) -> None:
    alert = alert_of(light, code, "", {}, "2024-01-01", "2024-02-01")
    lights = assess_health([alert], {})
    assert [one.question for one in lights if one.colour != "green"] == [light]
    assert recommend(lights).action == action
    seen = replace(alert, acknowledged=Acknowledgement("ann", "2024-02-02"))
    assert {one.colour for one in assess_health([seen], {})} == {"green"}
    assert [one.why for one in assess_health([seen], {}) if one.question == seen.light] == [
        Message("light.seen", {"n": 1})
    ]
    assert recommend(assess_health([seen], {})).action == "keep"


def test_broken_data_comes_before_everything_else_and_what_is_unknown_is_said() -> None:
    grave = [
        alert_of(one, code, "", {}, "a", "b") for one, code in ((DATA, "lost_channel"), (REALISED, "realised_fell"))
    ]
    assert recommend(assess_health(grave, {})).why.code == "recommend.investigate.data"
    why = Message("light.early", {"until": "2024-03-01"})
    assert recommend(assess_health([], dict.fromkeys(LIGHTS, why))).why.code == "recommend.keep.early"
    assert recommend(assess_health([], {REALISED: why})).why.code == "recommend.keep.partly"


@pytest.mark.parametrize(
    ("as_of", "acknowledged", "action", "code"),
    [
        ("2024-10-29", False, "keep", "recommend.keep.wait"),
        ("2024-10-30", False, "retrain", "recommend.retrain.data"),  # the test begins the day after the first change
        ("2024-10-29", True, "keep", "recommend.keep"),
    ],
)
def test_a_change_of_the_data_is_retrained_once_a_candidate_can_be_tested_on_it(
    as_of: str, acknowledged: bool, action: str, code: str
) -> None:
    seen = Acknowledgement("ann", "2024-10-29") if acknowledged else Acknowledgement()
    changes = [
        replace(alert_of(DATA, name, "", {}, begin, "2024-09-01"), acknowledged=seen)
        for name, begin in (("new_channel", "2024-08-15"), ("price_amount_rose", "2024-07-31"))
    ]
    _, advice = judge(report_facts(horizon_days=90, as_of=as_of), changes, {}, [], [])
    assert (advice.action, advice.why.code) == (action, code)
    if code == "recommend.keep.wait":
        assert advice.to_wait and "2024-10-30" in advice.why.text("en")


@pytest.mark.parametrize(("value", "code"), [(60.0, "below"), (100.0, None), (140.0, "above")])
def test_a_sum_outside_its_interval_is_no_green_light_though_it_is_no_alert(value: float, code: str | None) -> None:
    came = [Realised("2024-03-01", 30, value, 0.0, 100.0, 80.0, 120.0, 0.1, 0.8, 5, 5.0)]
    lights = {light.question: light for light in assess_health([], {}, outside(came))}
    assert lights["realised"].colour == ("green" if code is None else "amber")
    assert recommend(list(lights.values())).why.code == ("recommend.keep" if code is None else "recommend.keep.outside")
    if code is not None:
        assert lights["realised"].why == Message(f"light.realised.{code}", {"change": "40%", "until": "2024-03-01"})
        told = alert_of(REALISED, "coverage", "", {}, "2024-01-01", "2024-03-01")
        seen = [replace(told, acknowledged=Acknowledgement("a", "b"))]
        assert {light.colour for light in assess_health(seen, {}, outside(came))} == {"green"}


def tier(number: int, expected: float, realised: float, low: float | None, high: float | None) -> Tier:
    return Tier(number, 10, expected, realised, low, high, [10, 0, 0, 0], 0)


WITHIN = Realised("2024-03-01", 30, 200.0, 0.0, 230.0, 195.0, 289.0, 0.3, 0.8, 5, 5.0)
TOP, HIGH, LOW = tier(1, 127.0, 101.0, 105.0, 153.0), tier(2, 77.0, 77.0, 62.0, 96.0), tier(4, 2.0, 22.0, 0.5, 10.0)


@pytest.mark.parametrize(
    ("total", "tiers", "code", "number"),
    [
        (WITHIN, [TOP, HIGH, LOW], "tier.below", 1),
        (WITHIN, [HIGH, LOW], None, None),  # what is outside has a hundredth of the expected value
        (WITHIN, [HIGH, tier(3, 24.0, 40.0, 17.0, 33.0)], "tier.above", 3),
        (WITHIN, [HIGH, tier(3, 24.0, 40.0, None, None)], None, None),  # a range that nobody knows
        (WITHIN, [TOP, tier(2, 77.0, 120.0, 62.0, 96.0)], "tier.above", 2),  # 24 outside, and 4
        (replace(WITHIN, realised=190.0), [TOP], "below", None),  # 5 outside, and 4
        (replace(WITHIN, realised=194.0), [TOP], "tier.below", 1),
    ],
)
def test_whether_revenue_matches_follows_the_worst_sum_that_matters(
    total: Realised, tiers: list[Tier], code: str | None, number: int | None
) -> None:
    light = next(one for one in assess_health([], {}, outside([total], tiers, "EUR")) if one.question == REALISED)
    assert (light.colour, light.why.code) == (
        ("green", "light.realised.green") if code is None else ("amber", f"light.realised.{code}")
    )
    assert light.why.params.get("tier") == number
    if number is not None:
        assert "2024-03-01" in light.to_json()["message"] and "EUR" in light.to_json()["message"]
        for language in LANGUAGES:
            assert light.named(language).text(language).startswith(tier_names(4, language)[number - 1])
        names = ["Gold", "Silver", "Bronze", "Tin"]
        assert light.named("en", names).params["tier"] == names[number - 1]


@pytest.mark.parametrize(("expected", "code"), [(10.0, "tier.below"), (9.9, None)])
def test_a_tier_matters_from_a_tenth_of_the_expected_value_on(expected: float, code: str | None) -> None:
    tiers = [tier(1, 100.0 - expected, 90.0, 70.0, 110.0), tier(2, expected, 1.0, 5.0, 15.0)]
    why = outside([replace(WITHIN, realised=230.0)], tiers).get(REALISED)
    assert (why and why.code) == (code and f"light.realised.{code}")


def sight(day: str, counts: list[int], mean: float) -> FeatureHistograms:
    return FeatureHistograms(
        day, sum(counts), {"frequency": counts, "net_value_365d": counts, "predicted_clv": counts}, mean, 0.3
    )


def test_customers_drift_where_they_leave_what_the_reference_itself_shows() -> None:
    known = [sight("2024-06-01", [500, 500], 10.0), sight("2024-05-01", [480, 520], 10.2)]
    same, moved = sight("2024-07-01", [510, 490], 10.1), sight("2024-07-01", [900, 100], 5.0)
    begin = date(2024, 1, 1)
    assert not [one for one in check_customers(date(2024, 6, 1), begin, known, [same]) if one.alert]
    found = [one for one in check_customers(date(2024, 6, 1), begin, known, [moved]) if one.alert]
    assert {(one.test, one.subject) for one in found} == {
        ("sight", "frequency"), ("sight", "predicted_clv"), ("level", "predicted_clv"),
    }  # fmt: skip
    assert {alert.code for alert in alerts_of(found)} == {"features", "predicted_fell"}


def test_predictions_that_many_share_may_move_a_little_without_jumping_over_an_edge() -> None:
    predicted = np.repeat([0.99, 5.0], [9000, 1000])
    seen = pd.DataFrame({"predicted_clv": predicted, "p_purchase": 0.3 + 0.0 * predicted})
    seen.loc[0, "p_purchase"] = 0.4
    bins = choose_bins(seen)
    then, now, far = (
        make_histograms(seen.assign(predicted_clv=factor * predicted), bins, date(2024, 1, 1))
        for factor in (1.0, 1.03, 4.0)
    )
    assert sum(then.counts["predicted_clv"]) == pytest.approx(10_000, abs=5)

    def moved(later: FeatureHistograms) -> float:
        return psi(*(np.array(one.counts["predicted_clv"], float) for one in (later, then)))

    assert moved(now) < 0.2 < 1 < moved(far)
    assert now.predicted_mean == pytest.approx(1.03 * predicted.mean())

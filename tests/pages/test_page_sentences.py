"""What pages say of budgets, segments, reasons and months agrees with the figures that they say it of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment.terms import Terms
from clv_core.i18n import LANGUAGES, say_day, say_money, translate
from clv_core.monitoring.realized.realized_value import Tier
from clv_core.strategy.plans.allocation import Curve
from clv_core.strategy.plans.budget_plan import BudgetPlan, make_plan
from clv_core.strategy.plans.offers import Offer
from pages.ui import session, tiers
from pages.ui.budget import planning
from pages.ui.explain.groups import bars_message
from pages.ui.monitor import realised
from tests.manifests import report_facts


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The language of the page."""
    monkeypatch.setattr(session, "language", lambda: str(request.param))
    return str(request.param)


def plan_of(values: list[float], offer: str, budget: float) -> BudgetPlan:
    people = pd.DataFrame({"customer_id": [*"abc"[: len(values)]], "predicted_clv": values, "tier": 1})
    return make_plan(people, 1, [Offer.parse(offer)], budget)


def headline(plan: BudgetPlan, budget: float, currency: str = "EUR", margin_rate: float = 1.0) -> str:
    terms = Terms(90, margin_rate=margin_rate)
    scored, segments = SimpleNamespace(terms=terms), SimpleNamespace(names=("Top",))
    ground: Any = SimpleNamespace(currency=currency, scored=scored, segments=segments)
    return planning.headline(plan, budget, ground)


def test_the_headline_of_a_budget_names_the_currency_and_says_that_a_gain_without_a_margin_is_revenue(
    lang: str,
) -> None:
    plan = plan_of([300.0, 200.0, 100.0], "name=Mail,cost=1,effect=5%", 2.0)
    of_margin = headline(plan, 2.0, margin_rate=0.3)
    assert of_margin.count("EUR") == 4  # the budget, the gain, a further one, and what that brings
    assert headline(plan, 2.0, "", 0.3) == of_margin.replace(" EUR", ""), "without a name it is left out"
    revenue = {"en": "more revenue", "zh": "收入"}[lang]
    assert revenue in headline(plan, 2.0) and revenue not in of_margin


def test_what_comes_next_is_said_as_a_rate_since_a_further_unit_may_not_find_so_much_to_do(lang: str) -> None:
    plan, more = (plan_of([50_000.0, 43_000.0], "name=Mail,cost=0.4,effect=1%", budget) for budget in (0.4, 1.4))
    left = 0.01 * 43_000 - 0.4  # all that any further money can bring: one mail to one customer
    assert more.allocation.gain - plan.allocation.gain == pytest.approx(left)
    rate = say_money(left / 0.4, "EUR", lang, 2)
    said = {"en": f"{rate} net per 1 EUR", "zh": f"每投入 1 EUR 净赚 {rate}"}
    assert said[lang] in headline(plan, 0.4, margin_rate=0.3).replace("\\", "")


@pytest.mark.parametrize("most", (0.4304, 11.01, 125.6, 404.2, 2152.0, 98_765.0, 1_234_567.0, 3.3e8))
def test_the_end_of_the_slider_is_named_as_it_stands_there(
    lang: str, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, top, _ = planning.slider_scale(most, None)
    assert top >= most and float(f"{top:.3g}") == pytest.approx(top, rel=1e-12)
    drawn: list[str] = []
    monkeypatch.setattr(planning, "_curve", lambda *_: Curve(np.array([0.0, most]), np.array([0.0, most])))
    monkeypatch.setattr(planning.widgets, "chart", lambda chart, _: drawn.append(chart.message))
    ground: Any = SimpleNamespace(currency="EUR", mark="", scored=SimpleNamespace(terms=Terms(90)))
    planning._curve_chart(ground, plan_of([20 * most], "name=Mail,cost=1,effect=5%", 2.0))
    assert say_money(top, "EUR", lang) in drawn[0]


def card(**known: float) -> str:
    """Return what the card of a segment of a hundred customers says of it."""
    usual = {"customers": 100, "share_of_value": 0.2, "value_sum": 47.0, "value_sum_low": 0.0, "value_sum_high": 109.0,
             "value_mean": 0.5, "p_purchase_mean": 0.99, "days_since_last_median": 354.0, "buyers": 60}  # fmt: skip
    return tiers._facts({**usual, **known}, "EUR", ranged=bool(known.get("ranged", True)))


def test_a_card_dates_the_last_purchase_of_buyers_and_only_where_they_are_not_the_exception(lang: str) -> None:
    assert translate("segments.card.last", lang, days="354") in card(buyers=60) and "354" not in card(buyers=15)


def test_a_card_of_too_few_expected_buyers_says_so_in_place_of_a_range(lang: str) -> None:
    few = translate("segments.too_few", lang)
    said = card(p_purchase_mean=0.04, value_sum_high=float("nan"))
    assert few in said and "109 EUR" not in said
    said = card(p_purchase_mean=0.06)
    assert few not in said and "109 EUR" in said
    assert few not in card(p_purchase_mean=0.04, ranged=False), "a first look has no range for any tier"


def test_the_chance_to_buy_is_rounded_and_not_cut_off() -> None:
    assert tiers.columns("EUR")["p_purchase"]["type_config"]["format"] == "%.0f%%"


def test_who_is_still_in_the_top_tier_is_dated_by_the_month_that_was_looked_at(lang: str) -> None:
    top = Tier(1, 113, 4988.1, 5597.12, 3854.0, 6339.0, [59, 47, 6, 1], 1)
    about = {"cutoff": "2024-09-01", "as_of": "2024-12-22", "currency": "EUR"}
    report: Any = SimpleNamespace(tiers=[top], about=report_facts(**about))
    firsts = pd.date_range("2024-09-02", "2024-12-22", freq="MS")  # months that are over when the log ends
    said, day = realised.moved(report)
    assert day == say_day(firsts[-1].date(), lang) and day in said
    assert "52%" in said and "today" not in said and "如今" not in said


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ((6.0, 4.0), "60%"),
        ((-6.0, -4.0), "60%"),
        ((-6.0, 5.0, 5.0, 4.0), None),  # works against a difference of 8
        ((6.0, -5.0), None),  # six times the whole
        ((6.0, -6.0), None),
    ],
)
def test_a_reason_that_works_against_a_difference_makes_no_share_of_it(
    differences: tuple[float, ...], said: str | None
) -> None:
    parts = ["anchor", "timing", "basket", "spend"][: len(differences)]
    message = bars_message(pd.DataFrame({"part": parts, "difference": differences}), "Top value", "Low value")
    assert (f"{said} of the difference" in message) if said else "%" not in message

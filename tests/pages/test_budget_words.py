"""What the headline of the budget says of its amounts: the currency, and whether they are revenue."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment.terms import Terms
from clv_core.i18n import LANGUAGES, say_money, translate
from clv_core.strategy.plans.allocation import Curve
from clv_core.strategy.plans.budget_plan import make_plan
from clv_core.strategy.plans.offers import Offer
from pages.ui import saying, widgets
from pages.ui.budget import slider


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    language = str(request.param)
    monkeypatch.setattr(slider, "t", lambda key, **params: translate(key, language, **params))
    monkeypatch.setattr(slider, "money", lambda value, unit, digits=3: say_money(value, unit, language, digits))
    monkeypatch.setattr(saying, "unit", lambda currency: currency or translate("unit.currency", language))
    monkeypatch.setattr(widgets, "plain", str)
    return language


def said(currency: str, margin_rate: float) -> str:
    people = pd.DataFrame({"customer_id": ["a", "b", "c"], "predicted_clv": [300.0, 200.0, 100.0], "tier": 1})
    plan = make_plan(people, 1, [Offer.parse("name=Mail,cost=1,effect=5%")], 2.0)
    segments = SimpleNamespace(names=("Top",))
    ground = SimpleNamespace(currency=currency, terms=Terms(90, margin_rate=margin_rate), segments=segments)
    return slider.headline(plan, 2.0, ground)  # type: ignore[arg-type]


def test_the_headline_names_the_currency_of_each_amount_or_that_it_has_none(lang: str) -> None:
    assert said("EUR", 0.3).count("EUR") == 4  # the budget, the gain, a further one, and what that brings
    assert translate("unit.currency", lang) in said("", 0.3) and translate("unit.currency", lang) not in said(
        "EUR", 0.3
    )


def test_the_headline_says_that_the_gain_is_revenue_while_no_margin_is_given(lang: str) -> None:
    word = translate("budget.gain.revenue", lang, gain="23 EUR")
    assert word in said("EUR", 1.0) and word.removeprefix("23 EUR") not in said("EUR", 0.3)


def test_what_comes_next_is_said_as_a_rate_since_a_further_unit_may_not_find_so_much_to_do(lang: str) -> None:
    people = pd.DataFrame({"customer_id": ["a", "b"], "predicted_clv": [50_000.0, 43_000.0], "tier": 1})
    offers = [Offer.parse("name=Mail,cost=0.4,effect=1%")]
    plan, more = make_plan(people, 1, offers, 0.4), make_plan(people, 1, offers, 1.4)
    left = 0.01 * 43_000 - 0.4  # all that any further money can bring: one mail to one customer
    assert more.allocation.gain - plan.allocation.gain == pytest.approx(left)
    ground = SimpleNamespace(currency="EUR", terms=Terms(90), segments=SimpleNamespace(names=("Top",)))
    finding = slider.headline(plan, 0.4, ground)  # type: ignore[arg-type]
    rate = say_money(left / 0.4, "EUR", lang, 2)
    assert {"en": f"brings {rate} after its cost for every 1 EUR spent", "zh": f"每投入 1 EUR 净赚 {rate}"}[
        lang
    ] in finding


@pytest.mark.parametrize("most", (0.4304, 11.01, 125.6, 404.2, 2152.0, 98_765.0, 1_234_567.0, 3.3e8))
def test_the_end_of_the_slider_is_named_as_it_stands_there(lang: str, most: float) -> None:
    people = pd.DataFrame({"customer_id": ["a"], "predicted_clv": [20 * most], "tier": 1})
    plan = make_plan(people, 1, [Offer.parse("name=Mail,cost=1,effect=5%")], 2.0)
    _, top, _ = slider.scale(most, None)
    assert top >= most and float(f"{top:.3g}") == pytest.approx(top, rel=1e-12)
    drawn: list[str] = []
    found = Curve(np.array([0.0, most]), np.array([0.0, most]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slider, "_curve", lambda *_: found)
        patch.setattr(slider.widgets, "chart", lambda chart, _: drawn.append(chart.message))
        patch.setattr(slider, "percent", str)
        ground = SimpleNamespace(currency="EUR", mark="")
        slider.curve(ground, plan)  # type: ignore[arg-type]
    assert say_money(top, "EUR", lang) in drawn[0]

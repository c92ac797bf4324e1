"""What cards and columns of the segments page say of a segment agrees with who is in it."""

from __future__ import annotations

import pytest

from clv_core.i18n import LANGUAGES, translate
from pages.ui import tiers


def facts(buyers: int, monkeypatch: pytest.MonkeyPatch, lang: str) -> str:
    monkeypatch.setattr(tiers, "t", lambda key, **params: translate(key, lang, **params))
    row = {"customers": 100, "share_of_value": 0.2, "value_sum": 50.0, "value_sum_low": None, "value_sum_high": None,
           "value_mean": 0.5, "p_purchase_mean": 0.99, "days_since_last_median": 354.0, "buyers": buyers}  # fmt: skip
    return tiers._facts(row, "EUR", ranged=True)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_dates_the_last_purchase_of_buyers_and_only_where_they_are_not_the_exception(
    monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    assert translate("segments.card.last", lang, days="354") in facts(60, monkeypatch, lang)
    assert "354" not in facts(15, monkeypatch, lang)


def test_the_chance_to_buy_is_rounded_and_not_cut_off() -> None:
    assert tiers.columns("EUR")["p_purchase"]["type_config"]["format"] == "%.0f%%"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_of_too_few_expected_buyers_says_so_in_place_of_a_range(
    monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setattr(tiers, "t", lambda key, **params: translate(key, lang, **params))
    monkeypatch.setattr(tiers, "money", lambda value, currency="": f"{value:.0f} {currency}")
    said = []
    for chance, ranged in ((0.04, True), (0.06, True), (0.04, False)):
        row = {"customers": 100, "share_of_value": 0.2, "value_sum": 47.0, "value_sum_low": 0.0,
               "value_sum_high": 109.0 if chance > 0.05 else float("nan"), "value_mean": 0.5, "p_purchase_mean": chance,
               "days_since_last_median": 3.0, "buyers": 60}  # fmt: skip
        said.append(tiers._facts(row, "EUR", ranged=ranged))
    assert translate("segments.too_few", lang) in said[0] and "109 EUR" not in said[0]
    assert translate("segments.too_few", lang) not in said[1] and "109 EUR" in said[1]
    assert translate("segments.too_few", lang) not in said[2], "a first look has no range for any tier"

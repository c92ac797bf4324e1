"""What cards and columns of the segments page say of a segment agrees with who is in it."""

from __future__ import annotations

import pandas as pd
import pytest

from clv_core.i18n import LANGUAGES, translate
from pages.ui import tiers


def facts(buyers: int, monkeypatch: pytest.MonkeyPatch, lang: str) -> str:
    monkeypatch.setattr(tiers, "t", lambda key, **params: translate(key, lang, **params))
    row = {"customers": 100, "share_of_value": 0.2, "value_sum": 50.0, "value_sum_low": None, "value_sum_high": None,
           "value_mean": 0.5, "p_purchase_mean": 0.99, "days_since_last_median": 354.0, "buyers": buyers}  # fmt: skip
    return tiers._facts(next(pd.DataFrame([row]).itertuples()), "EUR")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_dates_the_last_purchase_of_buyers_and_only_where_they_are_not_the_exception(
    monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    assert translate("segments.card.last", lang, days="354") in facts(60, monkeypatch, lang)
    assert "354" not in facts(15, monkeypatch, lang)


def test_the_chance_to_buy_is_rounded_and_not_cut_off() -> None:
    assert tiers.columns()["p_purchase"]["type_config"]["format"] == "%.0f%%"

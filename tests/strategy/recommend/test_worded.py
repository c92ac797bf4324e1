"""Why a product is recommended is said as it was counted: by the same customers, whether or not in one order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.i18n import LANGUAGES, translate
from clv_core.strategy.recommend.recommendations import reason

SAMPLE = Path(__file__).resolve().parents[3] / "tests" / "sample.csv"


@pytest.mark.parametrize("language", LANGUAGES)
def test_products_of_the_same_customers_are_not_said_to_be_bought_together(language: str) -> None:
    events = pd.read_csv(SAMPLE, parse_dates=["event_time"])
    rows = events[(events["event_type"] == "purchase") & events["product_id"].isin(["P088", "P089"])]
    by_customer = rows.groupby("customer_id")["product_id"].nunique()
    by_day = rows.groupby(["customer_id", rows["event_time"].dt.normalize()])["product_id"].nunique()
    assert (by_customer == 2).sum() == 6 and (by_day == 2).sum() == 0  # never in one order: six customers have both
    told = {"en": "also bought by customers of p088", "zh": "买过 p088 的用户也会买"}[language]
    for why in ("together", "popular"):
        assert told in reason(why, "P088", 0, language).lower()
    assert {"en": "customers", "zh": "用户"}[language] in translate("header.bought_together_with", language).lower()

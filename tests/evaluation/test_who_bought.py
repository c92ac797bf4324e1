"""Who counts as a buyer is said as it is counted: an order that was sent back whole is none, though it was placed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from clv_core.errors import Message
from clv_core.i18n import LANGUAGES, translate
from clv_core.upkeep.demo import SAMPLE, SHIPPED
from clv_core.workspace import read_json

SENT_BACK = {"en": "net of returns", "zh": "退货"}


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    model = read_json(SHIPPED / "record.json")["models"][-1]
    found: dict[str, Any] = read_json(SHIPPED / "workspace" / "models" / model / "bundle.json")
    return found


@pytest.fixture(scope="module")
def came(record: dict[str, Any]) -> pd.DataFrame:
    """What the customers of the sample's holdout did in it, counted from the raw file: ``orders`` and ``net``."""
    events = pd.read_parquet(SAMPLE)
    start = pd.Timestamp(record["holdout"]["cutoff"])
    end = start + pd.Timedelta(days=record["horizon_days"])
    known = events.loc[events["event_time"] < start, "customer_id"].unique()
    inside = events[(events["event_time"] >= start) & (events["event_time"] < end)]
    money = inside[inside["event_type"].isin(["purchase", "return"])]
    found = pd.DataFrame(index=pd.Index(known))
    found["orders"] = inside[inside["event_type"] == "purchase"].groupby("customer_id").size()
    found["net"] = money.groupby("customer_id")["amount"].sum().round(6)
    return found.fillna(0.0)


def test_buyers_of_the_holdout_are_those_who_kept_something(record: dict[str, Any], came: pd.DataFrame) -> None:
    held = record["holdout"]
    assert held["customers"] == len(came) and held["buyers"] == int((came["net"] > 0).sum())
    assert held["buyers"] < int((came["orders"] > 0).sum())  # some sent all back, and had bought


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_that_counts_who_bought_says_net_of_returns(language: str) -> None:
    counts = {"buyers": 175, "customers": 1611, "origin": "2024-10-02", "horizon": 90, "needed": 100}
    for code in ("small_sample", "too_few_buyers"):
        assert SENT_BACK[language] in Message(f"reason.{code}", counts).display(language), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_who_sent_an_order_back_is_said_to_have_bought_nothing(language: str) -> None:
    for key in ("evaluate.values", "evaluate.scatter"):
        assert SENT_BACK[language] in translate(key, language, share="89%")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_days_after_a_cutoff_begin_with_its_own(language: str) -> None:
    said = Message("reason.small_sample", {"buyers": 175, "origin": "2024-10-02", "horizon": 90})
    expected = {"en": "in 90 days from 2 Oct 2024", "zh": "从 2024年10月2日起，90 天内"}
    assert expected[language] in said.display(language)

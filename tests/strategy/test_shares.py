"""Shares in conditions: what people write in percent is kept as rules have it, and said in percent again."""

from __future__ import annotations

import re

import pytest

from clv_core.errors import UsageError
from clv_core.features.behaviour import FEATURES
from clv_core.i18n import translate
from clv_core.strategy.segments.segment_rules import OPERATORS, Condition, as_percent, from_percent, is_share


@pytest.mark.parametrize(
    ("written", "kept"),
    [("50%", "0.5"), ("50 %", "0.5"), ("50％", "0.5"), ("50", "0.5"), ("0.5%", "0.005"), ("1%", "0.01"),
     ("29", "0.29"), ("0", "0"), ("100", "1"), ("12.5", "0.125"), ("33.3", "0.333"), ("-20%", "-0.2")],
)  # fmt: skip
def test_percentages_are_kept_as_shares(written: str, kept: str) -> None:
    assert from_percent("p_purchase", ">=", (written,)) == (kept,)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_example_of_the_page_without_rules_is_one_that_is_understood(language: str) -> None:
    (written,) = re.findall(r"\d[\d.]*%?", translate("rules.empty", language).rstrip(".。"))
    assert from_percent("p_purchase", ">=", (written,)) == ("0.5",)


@pytest.mark.parametrize("written", ["0.5", "1", "0.05"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_a_share_for_some_and_a_percentage_for_others_is_asked_about(written: str, language: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_percent("discount_share", "<", (written,))
    said = caught.value.message(language)
    assert f"{100 * float(written):g}%" in said and f"{float(written):g}%" in said


@pytest.mark.parametrize("column", ["p_purchase", *(name for name, one in FEATURES.items() if one.unit == "share")])
@pytest.mark.parametrize("percent", ["7%", "29%", "57%", "99.9%", "0.1%"])
def test_what_is_said_and_written_again_is_the_same_rule(column: str, percent: str) -> None:
    condition = Condition(column, ">=", from_percent(column, ">=", (percent,)))
    assert as_percent(condition) == (percent,)
    assert Condition.parse(str(condition)) == condition


@pytest.mark.parametrize("operator", OPERATORS)
def test_other_columns_are_left_alone(operator: str) -> None:
    for column in ("views_90d", "historic_value", "country", "planet", "view_to_cart"):
        assert not is_share(column) and from_percent(column, operator, ("0.5",)) == ("0.5",)
        assert as_percent(Condition(column, operator, ("0.5",))) == ("0.5",)


def test_a_column_of_ones_own_is_never_a_share() -> None:
    assert is_share("discount_share") and not is_share("discount_share", ["discount_share"])
    assert from_percent("discount_share", "=", ("0.5",), ["discount_share"]) == ("0.5",)


def test_what_is_no_number_is_left_to_the_condition() -> None:
    assert from_percent("p_purchase", ">=", ("much",)) == ("much",)
    assert as_percent(Condition("p_purchase", ">=", ("much",))) == ("much",)

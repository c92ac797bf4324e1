"""The card's two sentences name what moves a prediction, and nothing that does not."""

from __future__ import annotations

import pandas as pd
import pytest

from clv_core.i18n import LANGUAGES, translate
from clv_core.strategy.customer.customer_card import explain_value
from tests.evaluation.explain.test_sentences import explanation


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("second", "named"), [(0.0, False), (0.4, False), (12.0, True), (-12.0, True)])
def test_a_second_reason_is_named_only_where_it_moves_something(language: str, second: float, named: bool) -> None:
    people = pd.DataFrame({"customer_id": ["C0"], "predicted_clv": [119.0 + second]})
    found = explain_value(people, 0, explanation((79.0, second, 0.0)), currency="", language=language)
    assert translate("feature_group.recent_spend", language) in found.sentences[1]
    assert ("silence" in found.sentences[1]) == named


@pytest.mark.parametrize(
    ("language", "first_one", "sent_back"), [("en", "first one", "all returned"), ("zh", "首单", "退回")]
)
def test_who_sent_an_order_back_is_not_asked_for_a_first_one(language: str, first_one: str, sent_back: str) -> None:
    said = translate("card.action.never", language)  # for all who have kept nothing, those who ordered among them
    assert first_one not in said and sent_back in said

"""The sentences say the numbers of the explanation, in both languages, and never more than they should."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.explain import sentences
from clv_core.evaluation.explain.checks import Faithfulness, Stability
from clv_core.evaluation.explain.explanation import ANSWERS, CHANCE, Explanation
from clv_core.evaluation.explain.sentences import level, listed, move, of_customer, of_faithfulness, of_stability
from clv_core.evaluation.explain.whatif import against
from clv_core.features.behaviour import FEATURES
from clv_core.features.labels import label
from clv_core.i18n import LANGUAGES, translate
from tests.evaluation.explain.conftest import explanation_of

PARTS = ("recent_spend", "silence", "views")


def explanation(*rows: tuple[float, float, float], answer: str = "predicted_clv", base: float = 40.0) -> Explanation:
    readings = pd.DataFrame({"recent_spend": [210.0] * len(rows), "silence": 8.0, "views": np.nan})
    representatives = ("net_value_90d", "days_since_last", "views_30d")
    known = {"representatives": representatives, "readings": readings, "answer": answer}
    found = explanation_of(np.array(rows), PARTS, base, **known)
    return replace(found, customer_ids=tuple(name.upper() for name in found.customer_ids))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("effects", [(60.0, 20.0, -15.0), (-20.0, -9.0, 1.0), (0.1, 0.1, -0.1), (50.0, 0.0, 0.0)])
def test_two_sentences_of_any_customer(language: str, answer: str, effects: tuple[float, float, float]) -> None:
    scale, base = (0.01, 0.4) if answer == CHANCE else (1.0, 40.0)
    found = explanation(tuple(scale * effect for effect in effects), answer=answer, base=base)  # type: ignore[arg-type]
    said = of_customer(found, "C0", 90, currency="EUR", language=language)
    assert len(said) == 2 and all(sentence.endswith("." if language == "en" else "。") for sentence in said)
    assert "C0" in said[0] and level(found.predicted[0], answer, "EUR", language) in said[0]
    assert level(base, answer, "EUR", language) in said[0] and "90" in said[0]
    assert translate("feature_group.recent_spend", language).lower() in said[1].lower()
    assert not re.search(r"why\.|\{|nan", "".join(said))


def test_the_reason_against_is_named_where_it_weighs() -> None:
    weighs = of_customer(explanation((60, 20, -15)), "C0", 90, currency="EUR")[1]
    assert "+60 EUR" in weighs and "+20 EUR" in weighs and "offset by" in weighs and "−15 EUR" in weighs
    assert "210" in weighs and "unknown" in weighs
    slight = of_customer(explanation((60, 20, -2)), "C0", 90, currency="EUR")[1]
    assert "offset" not in slight
    alone = of_customer(explanation((60, 1, 0)), "C0", 90, currency="EUR")[1]
    assert alone.startswith("Main reason:") and "+1 EUR" not in alone
    lower = of_customer(explanation((-30, 3, -6)), "C0", 90, currency="EUR")
    assert "33 EUR below" in lower[0] and lower[1].index("−30 EUR") < lower[1].index("−6 EUR")


def test_amounts_and_chances_are_said_in_their_own_way() -> None:
    assert (level(0.234, CHANCE, "EUR"), level(0.0123, CHANCE, "EUR")) == ("23%", "1.2%")
    assert (level(0.0002, CHANCE, "EUR"), level(0.9966, CHANCE, "EUR")) == ("0.02%", "99.7%")  # neither 0 nor certain
    assert move(-0.045, CHANCE, "EUR", sign=True) == "−4.5 percentage points"
    assert move(1234.5, "predicted_clv", "EUR", "en", sign=True) == "+1,234 EUR"
    assert move(0.045, CHANCE, "", "zh") == "4.5 个百分点"


def test_groups_are_compared_in_words() -> None:
    found = explanation((60, 20, 0), (40, 10, 0), (-20, -5, 0), (-10, -3, 0))
    these = np.array([True, True, False, False])
    rows = against(found, these, ~these)
    means = (float(found.predicted[these].mean()), float(found.predicted[~these].mean()))
    said = sentences.of_groups(rows, ("Top", "Low"), means, "predicted_clv", "EUR", "en")
    assert said[0] == "Top: 105 EUR per customer, 84 EUR more than Low with 21 EUR"
    assert len(said) == 3 and "+65 EUR" in said[1] and "+19 EUR" in said[2], "what makes no difference is not named"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_difference_names_each_feature_without_saying_a_word_twice(language: str) -> None:
    about = {"name": "Rhythm", "effect": "+1", "these": "2", "those": "1"}
    features = [sentences.lowered(label(name, language), language) for name in FEATURES]
    said = [translate("why.groups.part", language, feature=feature, **about) for feature in features]
    assert [text for text in said if re.search(r"\b(\w+) \1\b", text, re.IGNORECASE)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_checks_are_said_as_they_came_out(language: str) -> None:
    passed = Faithfulness(100, (1, 3), (9.0, 20.0), (2.0, 5.0), (6.0, 12.0))
    failed = Faithfulness(100, (1, 3), (9.0, 20.0), (8.0, 19.0), (-1.0, -2.0))
    none = Faithfulness(0, (), (), (), ())
    texts = [of_faithfulness(one, "predicted_clv", "EUR", language) for one in (passed, failed, none)]
    assert len(set(texts)) == 3 and "20 EUR" in texts[0] and "5 EUR" in texts[0] and "19 EUR" in texts[1]
    steady, shaky = (of_stability(Stability(a, 0.9, a, same), language) for a, same in ((0.95, 5), (0.4, 3)))
    assert steady != shaky and "0.95" in steady and "0.90" in steady and "0.40" in shaky


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_failed_is_what_is_spoken_of(language: str) -> None:
    failed = Faithfulness(100, (1, 3, 5), (9.0, 20.0, 30.0), (8.0, 5.0, 6.0), (-1.0, 12.0, 20.0))
    said = of_faithfulness(failed, "predicted_clv", "EUR", language)
    assert "9 EUR" in said and "8 EUR" in said and "20 EUR" not in said, "20 against 5 is surely more"
    apart = of_stability(Stability(0.6, 0.5, 1.0, 5), language)
    assert "0.60" in apart and "1.00" not in apart, "an order that is the same is no reason to doubt it"


def test_names_are_listed_as_in_a_sentence() -> None:
    assert listed(["a"]) == "a" and listed(["a", "b"]) == "a and b" and listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["甲", "乙", "丙"], "zh") == "甲、乙和丙"


@pytest.mark.parametrize(("language", "said"), [("en", "8 d"), ("zh", "8 天")])
def test_a_reading_in_days_has_its_unit(language: str, said: str) -> None:
    _, why = of_customer(explanation((5.0, 60.0, -1.0)), "C0", 90, currency="EUR", language=language)
    assert sentences.reading(8.0, language, "days_since_last") == said and said in why
    assert sentences.reading(8.0, language) == sentences.reading(8.0, language, "purchases_90d") == "8"
    assert sentences.reading(1234.0, language, "net_value_90d", "EUR") == "1,234 EUR"
    assert sentences.reading(0.25, language, next(n for n, f in FEATURES.items() if f.unit == "share")) == "25%"


@pytest.mark.parametrize(
    ("language", "all_of_them", "one"), [("en", "all purchases", "a purchase is worth"), ("zh", "合计", "购买时的价值")]
)
def test_what_a_buyer_is_worth_is_said_of_all_purchases_of_the_horizon_not_of_one(
    language: str, all_of_them: str, one: str
) -> None:
    for effect in (60.0, -20.0, 0.1):  # an order of hers is worth much less than all that she buys in the horizon
        found = explanation((effect, 0.0, 0.0), answer="value_if_bought")
        assert all_of_them in of_customer(found, "C0", 90, currency="EUR", language=language)[0]
    for way in ("up", "both"):
        assert one not in translate(f"why.swarm.{way}.value_if_bought", language, up="A", down="b")

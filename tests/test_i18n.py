"""How numbers are said: what is not nothing is not said to be."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from clv_core import i18n
from clv_core.errors import Message
from clv_core.i18n import LANGUAGES, say_count, say_money, say_number, say_share, say_span, translate


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [
        (0.0, 0, "0%"),
        (1.0, 0, "100%"),
        (0.236, 0, "24%"),
        (0.236, 1, "23.6%"),
        (0.004, 0, "0.4%"),
        (0.0004, 0, "0.04%"),
        (-0.004, 0, "−0.4%"),
        (0.9968, 0, "99.7%"),
        (0.999, 1, "99.9%"),
        (1.3, 0, "130%"),
        (1 - 1e-9, 0, "100%"),
        (1e-9, 0, "0%"),
        (float("nan"), 0, "–"),
    ],
)
def test_a_small_share_is_not_said_to_be_none_nor_a_large_one_to_be_all(share: float, digits: int, said: str) -> None:
    assert say_share(share, digits) == said


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0, "0", "0"),
        (477_123, "477,000", "47.7万"),
        (2_512_345, "2.51 million", "251万"),
        (1.2345e9, "1.23 billion", "12.3亿"),
        (999_999, "1 million", "100万"),
        (9_999, "10,000", "1万"),
        (-94.23, "−94.2", "−94.2"),
        (-2_512_345, "−2.51 million", "−251万"),
        (2.28e-06, "0", "0"),
        (0.000712, "0.000712", "0.000712"),
    ],
)
def test_large_numbers_have_the_units_of_the_language(value: float, english: str, chinese: str) -> None:
    assert (say_number(value), say_number(value, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("amount", "said"), [(0.718, "0.72 EUR"), (0.0456, "0.046 EUR"), (1.234, "1.23 EUR"), (-0.718, "−0.72 EUR")]
)
def test_amounts_below_one_have_no_thousandths(amount: float, said: str) -> None:
    assert say_money(amount, "EUR") == said


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_counts_agree_with_a_table_beside_them_below_a_hundred_thousand(lang: str) -> None:
    assert [say_count(many, lang) for many in (0, 7, 3334, 99_999)] == ["0", "7", "3,334", "99,999"]
    assert say_count(1_234_567, lang) == say_number(1_234_567, lang)


BELOW_ZERO = {"low": -0.0021, "high": np.float64(-1234.5), "id": "-a", "n": -3}


@pytest.mark.parametrize(
    ("lang", "template", "figures", "said"),
    [
        # Chinese leaves no space behind a figure that ends in Chinese, and one before a figure that does not
        ("zh", "共 {n} 次购买", {"n": "1.86万"}, "共 1.86万次购买"),
        ("en", "共 {n} 次购买", {"n": "1.86万"}, "共 1.86万 次购买"),
        ("zh", "不超过 {n} 时平均", {"n": "120 天"}, "不超过 120 天时平均"),
        ("zh", "在 {n} 前后", {"n": "2026年10月28日"}, "在 2026年10月28日前后"),
        ("zh", "未来 {n:,} 天", {"n": 1820}, "未来 1,820 天"),
        ("zh", "数据集 {n} 的品类", {"n": "有赞订单"}, "数据集 有赞订单 的品类"),
        ("zh", "{n} 天，共 {n!s} 天", {"n": "3"}, "3 天，共 3 天"),
        ("zh", "{n} CNY", {"n": "1.86万"}, "1.86万 CNY"),
        ("zh", "{n} 到 {n}", {"n": "1.86万"}, "1.86万到1.86万"),
        ("zh", "{n} 到 {n}", {"n": "1,900"}, "1,900 到 1,900"),
        ("zh", "{{n}} {n} 元", {"n": "−2亿"}, "{n} −2亿元"),
        ("zh", "{a} 至 {b}", {"a": "2024年1月1日", "b": "2024年3月1日"}, "2024年1月1日至2024年3月1日"),
        ("zh", "自 {a} 起 {b} 天的购买", {"a": "2024年12月1日", "b": "30"}, "自 2024年12月1日起 30 天的购买"),
        ("zh", "到 {a} 带来 {b}", {"a": "2024年12月1日", "b": "129 USD"}, "到 2024年12月1日带来 129 USD"),
        # one thing is said in the singular
        ("en", "{n:,} {n:row is|rows are} of guests", {"n": 1}, "1 row is of guests"),
        ("en", "{n:,} {n:row is|rows are} of guests", {"n": np.int64(2)}, "2 rows are of guests"),
        ("en", "**{n:,}** {n:customer|customers}, {m} {m:day|days} ago", {"n": 1, "m": "1.5 million"},
         "**1** customer, 1.5 million days ago"),
        ("en", "every {n:,.0f} {n:day|days}", {"n": 0.97}, "every 1 day"),
        *(("en", "{n:day|days}", {"n": one}, "days") for one in (0, 21, -1, "1.5 million", "-1", "21")),
        # a miss that is not nothing is not said to be
        ("en", "off by {off:.0%}, {n:.1%} of {all:.0%}", {"off": 0.00175, "n": 0.5, "all": 1},
         "off by 0.2%, 50.0% of 100%"),
        # numbers have a real minus sign, and ids keep their hyphen
        *((lang, "{low:+.3f} 到 {high:+,.2f} {id}，{n:>4}", BELOW_ZERO, "−0.002 到 −1,234.50 -a，  −3")
          for lang in LANGUAGES),
    ],
)  # fmt: skip
def test_figures_stand_in_a_sentence_as_its_language_has_them(
    monkeypatch: pytest.MonkeyPatch, lang: str, template: str, figures: dict[str, object], said: str
) -> None:
    monkeypatch.setattr(i18n, "catalogue", lambda language: {"key": template})
    assert translate("key", lang, **figures) == said


def test_a_list_in_a_sentence_is_parted_as_the_language_does_it() -> None:
    said = {"file": "may.csv", "columns": ["Farbe", "Größe, cm"]}
    message = Message("warning.columns_missing", said)
    assert "Farbe, Größe, cm" in message.text("en") and "Farbe、Größe, cm" in message.text("zh")
    assert message.to_json("zh")["params"] == said


def test_a_span_is_as_short_as_the_language_writes_it() -> None:
    first, last = date(2024, 1, 1), date(2024, 12, 28)
    assert say_span(first, last, "en") == "1 Jan – 28 Dec 2024"
    assert say_span(first, last, "zh") == "2024/1/1 – 2024/12/28"
    assert say_span(date(2023, 1, 1), last, "en") == "1 Jan 2023 – 28 Dec 2024"

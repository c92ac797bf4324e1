"""How numbers are said: what is not nothing is not said to be."""

from __future__ import annotations

import pytest

from clv_core.i18n import say_number, say_share


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [
        (0.0, 0, "0%"),
        (1.0, 0, "100%"),
        (0.236, 0, "24%"),
        (0.236, 1, "23.6%"),
        (0.004, 0, "0.4%"),
        (0.0004, 0, "0.04%"),
        (-0.004, 0, "-0.4%"),
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
    ],
)
def test_large_numbers_have_the_units_of_the_language(value: float, english: str, chinese: str) -> None:
    assert (say_number(value), say_number(value, "zh")) == (english, chinese)

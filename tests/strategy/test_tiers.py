import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.errors import NotEnoughData, Refused, UsageError
from clv_core.strategy.segments import assign_tiers
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers, tier_names

SCHEMES = ["quantile:10,30,60", "share:50,80,95", "thresholds:500,100", "quantile:50", "thresholds:0"]


def scored(values: list[float]) -> pd.DataFrame:
    values = np.asarray(values, float)
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(len(values))], "predicted_clv": values})


def tiers(values: list[float], scheme: str) -> list[int]:
    return assign_tiers(scored(values), ValueTiers.parse(scheme))["tier"].tolist()


@pytest.mark.parametrize(
    ("scheme", "values", "expected"),
    [
        ("quantile:10,30,60", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [4, 4, 4, 4, 3, 3, 3, 2, 2, 1]),
        ("share:50,80,95", [30, 9, 50, 7, 4], [2, 3, 1, 3, 4]),  # the first alone holds 50, two 80, four 96 of 100
        ("share:50", [60, 40], [1, 2]),  # who straddles a share belongs to the higher tier
        ("share:50", [40, 35, 25], [1, 1, 2]),
        ("thresholds:500,100", [500, 499.99, 100, 99.99, 0], [1, 2, 2, 3, 3]),  # the smallest values of their tiers
        ("quantile:10,30,60", [9, 5, 5, 5, 5, 5, 5, 5, 1, 1], [1, 2, 2, 2, 2, 2, 2, 2, 4, 4]),  # equals stay together
        ("share:50,80", [7] * 20, [1] * 20),
    ],
)
def test_tiers_are_cut_from_the_top(scheme: str, values: list[float], expected: list[int]) -> None:
    assert tiers(values, scheme) == expected


@given(
    values=st.lists(st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6)), min_size=1, max_size=60),
    scheme=st.sampled_from(SCHEMES),
)
def test_tiers_follow_value_never_split_ties_and_keep_their_bounds(values: list[float], scheme: str) -> None:
    parsed = ValueTiers.parse(scheme)
    if parsed.method == "share" and sum(values) == 0:
        with pytest.raises(Refused, match="share"):
            assign_tiers(scored(values), parsed)
        return
    tier = np.array(tiers(values, scheme))
    value = np.array(values)
    assert ((tier >= 1) & (tier <= parsed.tiers)).all()
    higher = value[:, None] > value
    assert (tier[:, None] <= tier)[higher].all()
    assert (tier[:, None] == tier)[value[:, None] == value].all()
    if parsed.method == "quantile":
        ahead = np.array([(value > one).mean() * 100 for one in value])
        expected = [1 + sum(percent >= cut - 1e-9 for cut in parsed.cuts) for percent in ahead]
        assert tier.tolist() == expected
    order = np.random.default_rng(0).permutation(len(value))
    assert tiers(value[order], scheme) == tier[order].tolist()


@pytest.mark.parametrize("scheme", [*SCHEMES, "quantile:12.5,99.9", "thresholds:10,-5"])
def test_a_scheme_and_its_text_are_the_same(scheme: str) -> None:
    assert str(ValueTiers.parse(scheme)) == scheme


def test_a_kind_alone_means_its_usual_cuts() -> None:
    assert ValueTiers.parse(" Quantile ") == DEFAULT_SCHEME == ValueTiers("quantile", (10, 30, 60))
    assert ValueTiers.parse("share").cuts == (50, 80, 95)


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("scheme_kind", ["deciles:10"]),
        ("scheme_text", ["quantile:", "quantile:a,b", "thresholds"]),
        ("scheme_percents", ["quantile:30,10", "quantile:0,50", "share:50,100", "quantile:nan"]),
        ("scheme_thresholds", ["thresholds:100,500", "thresholds:100,100", "thresholds:inf"]),
        ("scheme_count", ["quantile:" + ",".join(str(i) for i in range(1, 25))]),
    ],
)
def test_a_scheme_that_makes_no_sense_is_refused_in_words(code: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(UsageError) as caught:
            ValueTiers.parse(text)
        assert caught.value.code == code, text
        assert caught.value.message("en") and caught.value.message("zh")


def test_unusable_scores_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        tiers([1, np.nan, np.inf], "quantile")
    assert caught.value.params == {"rows": 2}
    with pytest.raises(NotEnoughData):
        tiers([], "quantile")


def test_tiers_have_names_in_both_languages() -> None:
    for count in range(2, 9):
        for language in ("en", "zh"):
            names = tier_names(count, language)
            assert len(set(names)) == count and all(names)
    assert tier_names(4) == ["Top value", "High value", "Medium value", "Low value"]

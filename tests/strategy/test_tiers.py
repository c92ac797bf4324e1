import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.errors import NotEnoughData, Refused, UsageError
from clv_core.strategy.segments import assign
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme, tier_names

SCHEMES = ["quantile:10,30,60", "share:50,80,95", "thresholds:500,100", "quantile:50", "thresholds:0"]


def scored(values: list[float]) -> pd.DataFrame:
    values = np.asarray(values, float)
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(len(values))], "predicted_clv": values})


def tiers(values: list[float], scheme: str) -> list[int]:
    return assign(scored(values), Scheme.parse(scheme))["tier"].tolist()


def test_quantiles_cut_cumulative_percents_of_customers_highest_first() -> None:
    assert tiers([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "quantile:10,30,60") == [4, 4, 4, 4, 3, 3, 3, 2, 2, 1]


def test_shares_cut_cumulative_percents_of_value() -> None:
    # 50 of 100 is held by the first alone; 50 + 30 by two; 96 by four.
    assert tiers([30, 9, 50, 7, 4], "share:50,80,95") == [2, 3, 1, 3, 4]


def test_the_customer_who_straddles_a_share_belongs_to_the_higher_tier() -> None:
    assert tiers([60, 40], "share:50") == [1, 2]
    assert tiers([40, 35, 25], "share:50") == [1, 1, 2]


def test_thresholds_are_the_smallest_value_of_their_tier() -> None:
    assert tiers([500, 499.99, 100, 99.99, 0], "thresholds:500,100") == [1, 2, 2, 3, 3]


def test_equal_values_go_whole_into_the_tier_of_their_first() -> None:
    assert tiers([9, 5, 5, 5, 5, 5, 5, 5, 1, 1], "quantile:10,30,60") == [1, 2, 2, 2, 2, 2, 2, 2, 4, 4]
    assert tiers([7] * 20, "share:50,80") == [1] * 20


@given(
    values=st.lists(st.one_of(st.integers(0, 5).map(float), st.floats(0, 1e6)), min_size=1, max_size=60),
    scheme=st.sampled_from(SCHEMES),
)
def test_tiers_follow_value_never_split_ties_and_keep_their_bounds(values: list[float], scheme: str) -> None:
    parsed = Scheme.parse(scheme)
    if parsed.kind == "share" and sum(values) == 0:
        with pytest.raises(Refused, match="share"):
            assign(scored(values), parsed)
        return
    tier = np.array(tiers(values, scheme))
    value = np.array(values)
    assert ((tier >= 1) & (tier <= parsed.tiers)).all()
    higher = value[:, None] > value
    assert (tier[:, None] <= tier)[higher].all()
    assert (tier[:, None] == tier)[value[:, None] == value].all()
    if parsed.kind == "quantile":
        ahead = np.array([(value > one).mean() * 100 for one in value])
        expected = [1 + sum(percent >= cut - 1e-9 for cut in parsed.cuts) for percent in ahead]
        assert tier.tolist() == expected
    order = np.random.default_rng(0).permutation(len(value))
    assert tiers(value[order], scheme) == tier[order].tolist()


@pytest.mark.parametrize("scheme", [*SCHEMES, "quantile:12.5,99.9", "thresholds:10,-5"])
def test_a_scheme_and_its_text_are_the_same(scheme: str) -> None:
    assert str(Scheme.parse(scheme)) == scheme


def test_a_kind_alone_means_its_usual_cuts() -> None:
    assert Scheme.parse(" Quantile ") == DEFAULT_SCHEME == Scheme("quantile", (10, 30, 60))
    assert Scheme.parse("share").cuts == (50, 80, 95)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("deciles:10", "scheme_kind"),
        ("quantile:", "scheme_text"),
        ("quantile:a,b", "scheme_text"),
        ("thresholds", "scheme_text"),
        ("quantile:30,10", "scheme_percents"),
        ("quantile:0,50", "scheme_percents"),
        ("share:50,100", "scheme_percents"),
        ("quantile:nan", "scheme_percents"),
        ("thresholds:100,500", "scheme_thresholds"),
        ("thresholds:inf", "scheme_thresholds"),
        ("quantile:" + ",".join(str(i) for i in range(1, 25)), "scheme_count"),
    ],
)
def test_a_scheme_that_makes_no_sense_is_refused_in_words(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        Scheme.parse(text)
    assert caught.value.code == code
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
    assert tier_names(4) == ["Top value", "High value", "Middle value", "Low value"]


@pytest.mark.parametrize("distinct", [1, 2, 5, 1000])
def test_percents_of_customers_go_by_the_place_of_the_first_among_equals(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    scheme = Scheme("quantile", (10.0, 100 / 3, 60.0, 99.9))
    for size in [*range(1, 40), 997, 1000]:
        value = rng.integers(0, distinct, size) / 3 - 1
        falling = np.sort(-value)
        percent = np.arange(size) * 100 / size
        first = np.searchsorted(falling, -value, side="left")
        by_place = 1 + np.searchsorted(scheme.cuts, percent[first], side="right")
        assert scheme.tier_of(value).tolist() == by_place.tolist()

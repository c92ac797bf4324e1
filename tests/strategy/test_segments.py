from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.errors import UsageError
from clv_core.evaluation.levels import SharedError
from clv_core.strategy.purchase_history import with_history
from clv_core.strategy.segments import assign_tiers, table, total
from clv_core.strategy.segments.segment_rules import OPERATORS, SINGLE, Condition, select
from clv_core.strategy.segments.value_tiers import ValueTiers, tier_names


@pytest.fixture
def customers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 4000
    scored = pd.DataFrame(
        {
            "customer_id": [f"c{i:05}" for i in range(n)],
            "predicted_clv": rng.lognormal(3, 1.4, n).round(1) * (rng.random(n) < 0.7),
            "p_purchase": rng.random(n),
            "country": rng.choice(["Germany", "France", "中国"], n),
        }
    )
    history = pd.DataFrame(
        {
            "customer_id": scored["customer_id"].sample(3000, random_state=1).to_numpy(),
            "last_purchase": np.datetime64("1998-06-30", "s") - rng.integers(0, 500, 3000) * np.timedelta64(86400, "s"),
            "purchase_days": rng.integers(1, 9, 3000),
            "historic_value": rng.lognormal(4, 1, 3000),
        }
    )
    return with_history(scored, history, date(1998, 7, 1))


@pytest.mark.parametrize("scheme", ["quantile:10,30,60", "share:50,80,95", "thresholds:100,20"])
def test_the_table_says_what_sql_says(customers: pd.DataFrame, scheme: str) -> None:
    parsed = ValueTiers.parse(scheme)
    tiered = assign_tiers(customers, parsed)
    ours = table(tiered, tier_names(parsed.tiers))
    theirs = duckdb.sql(
        """select tier, count(*) customers, count(*) / sum(count(*)) over () share_of_customers,
        avg(predicted_clv) value_mean, sum(predicted_clv) value_sum, min(predicted_clv) value_min,
        max(predicted_clv) value_max, sum(predicted_clv) / sum(sum(predicted_clv)) over () share_of_value,
        avg(p_purchase) p_purchase_mean,
        avg(historic_value) historic_value_mean, sum(historic_value) historic_value_sum,
        count(last_purchase) buyers, median(nullif(days_since_last, 'nan'::double)) days_since_last_median
        from tiered group by tier order by tier"""
    ).df()
    for column in theirs.columns:
        np.testing.assert_allclose(
            ours[column].to_numpy(float), theirs[column].to_numpy(float), rtol=1e-9, err_msg=column
        )
    middle = duckdb.sql("select quantile_disc(last_purchase, 0.5) m from tiered group by tier order by tier").df()["m"]
    assert (ours["last_purchase_median"].to_numpy() == middle.to_numpy().astype("datetime64[s]")).all()


def test_an_empty_tier_keeps_its_row(customers: pd.DataFrame) -> None:
    rows = table(assign_tiers(customers, ValueTiers.parse("thresholds:1e9,20")), tier_names(3, "zh"))
    assert rows["customers"].tolist()[0] == 0
    assert rows["customers"].sum() == len(customers)
    assert np.isnan(rows["value_mean"][0]) and pd.isna(rows["last_purchase_median"][0])
    assert rows["name"].tolist() == ["顶级价值用户", "中等价值用户", "低价值用户"]


def test_sums_of_tiers_carry_intervals_where_an_origin_is_known(customers: pd.DataFrame) -> None:
    tiered = assign_tiers(customers)
    past = customers.assign(actual=customers["predicted_clv"] * 0.9)
    shared = SharedError.of([past])
    rows = table(tiered, tier_names(4), shared)
    assert (rows["value_sum_low"] < rows["value_sum"]).all() and (rows["value_sum"] < rows["value_sum_high"]).all()
    top = total(tiered, shared, tiered["tier"] == 1)
    assert (top.value, top.low, top.high) == tuple(rows.loc[0, ["value_sum", "value_sum_low", "value_sum_high"]])
    everyone = total(tiered, shared)
    assert everyone.value == pytest.approx(rows["value_sum"].sum()) and everyone.origins == 1
    assert everyone.low is not None and everyone.low > rows["value_sum_low"].sum()
    unknown = table(tiered, tier_names(4))
    assert unknown["value_sum_low"].isna().all() and total(tiered, None).low is None


def test_conditions_hold_together_as_in_sql(customers: pd.DataFrame) -> None:
    tiered = assign_tiers(customers)
    asked = ["1,2", "p_purchase>=0.5", "days_since_last<120", "country=Germany,中国", "last_purchase>1998-03-15"]
    ours = select(tiered, [Condition.parse(text) for text in asked])
    theirs = duckdb.sql(
        """select customer_id from tiered where tier in (1, 2) and p_purchase >= .5 and days_since_last < 120
        and country in ('Germany', '中国') and last_purchase > '1998-03-15' order by customer_id"""
    ).df()
    assert ours["customer_id"].tolist() == theirs["customer_id"].tolist()
    assert 0 < len(ours) < len(tiered)


def test_contains_is_a_condition_in_any_case_and_takes_commas_as_they_are(customers: pd.DataFrame) -> None:
    named = customers.assign(customer_id="Web," + customers["customer_id"])
    assert Condition.parse("customer_id~WEB,C0001").holds(named).sum() == 10
    assert Condition.parse("customer_id~c0001").holds(customers).sum() == 10
    assert not Condition.parse("customer_id~.").holds(customers).any()
    assert not Condition("country", "~", ("nan",)).holds(customers.assign(country=None)).any()


def test_of_who_never_bought_no_day_is_known_and_an_unknown_value_fulfils_only_unequal(customers: pd.DataFrame) -> None:
    since = customers["days_since_last"]
    never = customers[since.isna()]
    assert len(never) == never["last_purchase"].isna().sum() == customers["last_purchase"].isna().sum() == 1000
    assert never["historic_value"].eq(0).all() and never["purchase_days"].eq(0).all()
    assert Condition.parse("days_since_last>=0").holds(customers).sum() == since.notna().sum()
    assert Condition.parse("days_since_last<=9999").holds(customers).sum() == since.notna().sum()
    assert Condition.parse("days_since_last!=0").holds(customers)[since.isna()].all()


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("condition_text", ["", "p_purchase"]),
        ("condition_column", ["planet=Mars"]),
        ("condition_value", ["p_purchase>=high", "last_purchase>soon", "last_purchase=NaT"]),
        ("condition_value", ["days_since_last=nan", "days_since_last!=nan"]),
        ("condition_order", ["country>=Germany"]),
    ],
)
def test_a_condition_without_sense_is_refused(customers: pd.DataFrame, code: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(UsageError) as caught:
            Condition.parse(text).holds(customers)
        assert caught.value.code == code, text
        assert caught.value.message("en") and caught.value.message("zh")


def test_a_condition_and_its_text_are_the_same() -> None:
    for text in ("tier=1,2", "p_purchase>=0.5", "country!=France", "a b<3", "customer_id~a,b", 'size=5",7'):
        assert str(Condition.parse(text)) == text
    assert str(Condition.parse(" 3 ")) == "tier=3"


def test_a_value_with_a_comma_and_a_column_with_an_operator_stand_in_quotes(customers: pd.DataFrame) -> None:
    bought = customers.assign(**{"a<b": 1, "category": ["Food, drinks", 'The "old" one'] * (len(customers) // 2)})
    half, text = len(customers) // 2, 'category="Food, drinks",Toys'
    assert Condition.parse(text).values == ("Food, drinks", "Toys") and str(Condition.parse(text)) == text
    assert Condition.parse(text).holds(bought).sum() == half
    assert Condition.parse('category="The ""old"" one"').holds(bought).sum() == half
    assert Condition.parse('"a<b">=1').holds(bought).all()


@given(
    st.text(max_size=12),
    st.sampled_from(OPERATORS),
    st.lists(st.one_of(st.text(max_size=12), st.text(' ",=ab\n', max_size=6)), min_size=1, max_size=4),
)
def test_whatever_a_condition_says_its_text_says_too(column: str, operator: str, values: list[str]) -> None:
    condition = Condition(column, operator, tuple(values[:1] if operator in SINGLE else values))
    assert Condition.parse(str(condition)) == condition


def test_sums_that_fewer_than_five_are_expected_to_buy_for_have_no_interval(customers: pd.DataFrame) -> None:
    tiered = assign_tiers(customers, ValueTiers.parse("quantile:50"))
    chance = np.where(tiered["tier"] == 1, 6.0, 4.0) / tiered.groupby("tier")["p_purchase"].transform("size")
    shared = SharedError.of([customers.assign(actual=customers["predicted_clv"])])
    assert shared is not None
    known = tiered.assign(p_purchase=chance, clv_p10=0.0, clv_p50=0.0, clv_p90=2 * tiered["predicted_clv"])
    rows = table(known, ["top", "rest"], shared)
    assert rows["value_sum_low"].notna().tolist() == rows["value_sum_high"].notna().tolist() == [True, False]
    assert rows["buyers_expected"].tolist() == pytest.approx([6, 4])
    few = total(known, shared, known["tier"] == 2)
    assert (few.low, few.high) == (None, None) and few.value == pytest.approx(rows["value_sum"][1])

"""Each scheme puts customers where an independent reading of its rule puts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from clv_core.errors import ClvError, Message
from clv_core.i18n import LANGUAGES
from clv_core.strategy.segments import assign_tiers
from clv_core.strategy.segments.rfm_and_quadrant import GRID, MIN_CHANCE, Quadrant, Rfm, grid
from clv_core.strategy.segments.segment_rules import OTHERS, Condition, Rule, Rules
from clv_core.strategy.segments.segmentation import Assignment, Segmentation
from clv_core.strategy.segments.value_tiers import CostTiers, ValueTiers


def keys(scheme: Segmentation, customers: pd.DataFrame) -> list[str]:
    placed = scheme.fit(customers).place(customers)
    return [placed.segments[place].key for place in placed.where]


@pytest.mark.parametrize("text", ["quantile:10,30,60", "share:50,80,95", "thresholds:60,10"])
def test_value_tiers_are_those_of_the_commands(customers: pd.DataFrame, text: str) -> None:
    scheme = ValueTiers.parse(text)
    assert keys(scheme, customers) == assign_tiers(customers, scheme)["tier"].astype("str").tolist()


def test_cost_tiers_count_how_many_times_the_cost_comes_back(customers: pd.DataFrame) -> None:
    theirs = duckdb.sql(
        "select case when predicted_clv >= 4 * 7.5 then '1' when predicted_clv >= 7.5 then '2' else '3' end k"
        " from customers"
    ).df()["k"]
    assert keys(CostTiers.parse("7.5:4,1"), customers) == theirs.tolist()


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("", "predicted_clv / greatest(p_purchase, 0.05)"),
        ("by=predicted", "predicted_clv"),
        ("by=historic", "historic_value"),
    ],
)
def test_quadrants_are_cut_at_the_averages_unless_told(customers: pd.DataFrame, asked: str, value: str) -> None:
    sql = f"""select case when p >= {{p}} then case when v >= {{v}} then 'protect' else 'grow' end
        else case when v >= {{v}} then 'win_back' else 'let_go' end end k
        from (select p_purchase p, {value} v from customers)"""
    means = {"p": "(select avg(p_purchase) from customers)", "v": f"(select avg({value}) from customers)"}
    assert keys(Quadrant.parse(asked), customers) == duckdb.sql(sql.format(**means)).df()["k"].tolist()
    told = Quadrant.parse(",".join(filter(None, ["value=30", "p=0.2", asked])))
    assert keys(told, customers) == duckdb.sql(sql.format(p=0.2, v=30)).df()["k"].tolist()


def test_a_quadrant_keeps_its_cuts_for_another_day(customers: pd.DataFrame) -> None:
    fitted = Quadrant().fit(customers)
    poorer = customers.assign(p_purchase=customers["p_purchase"] / 2, predicted_clv=customers["predicted_clv"] / 2)
    before, after = (np.isin(fitted.place(frame).where, [0, 1]).mean() for frame in (customers, poorer))
    assert after < before / 2
    likely = customers["p_purchase"] >= 2 * MIN_CHANCE
    assert keys(Quadrant(), poorer[likely]) == keys(Quadrant(), customers[likely])


def test_rfm_scores_say_how_many_fifths_of_buyers_are_worse(customers: pd.DataFrame) -> None:
    ours = pd.DataFrame(Rfm().fit(customers).scores(customers).T, columns=["r", "f", "m"])
    theirs = duckdb.sql(
        """with b as (select *, count(*) over () n from customers where purchase_days > 0)
        select customer_id,
        1 + least(4, floor(5 * (rank() over (order by days_since_last desc) - 1) / n))::int r,
        1 + least(4, floor(5 * (rank() over (order by purchase_days) - 1) / n))::int f,
        1 + least(4, floor(5 * (rank() over (order by historic_value) - 1) / n))::int m from b"""
    ).df()
    expected = theirs.set_index("customer_id").reindex(customers["customer_id"]).fillna(0).astype(int)
    pd.testing.assert_frame_equal(ours.reset_index(drop=True), expected.reset_index(drop=True), check_dtype=False)


def test_rfm_never_parts_customers_who_are_alike_and_names_their_cell(customers: pd.DataFrame) -> None:
    fitted = Rfm().fit(customers)
    recency, frequency, monetary = fitted.scores(customers)
    once = customers["purchase_days"].to_numpy() == 1
    assert set(frequency[once]) == {1}
    placed = fitted.place(customers)
    named = [placed.segments[place].key for place in placed.where]
    expected = [
        "never_bought" if not r else GRID[r - 1][int(np.floor((f + m) / 2 + 0.5)) - 1]
        for r, f, m in zip(recency, frequency, monetary, strict=True)
    ]
    assert named == expected
    best = customers.loc[(recency == 5) & (frequency == 5) & (monetary == 5)]
    assert len(best) and fitted.cells(best).eq("555").all()
    assert grid(fitted, customers).sum() == (customers["purchase_days"] > 0).sum()


def test_rfm_of_customers_who_never_bought_has_one_segment(customers: pd.DataFrame) -> None:
    nobody = customers.assign(purchase_days=0, historic_value=0.0, days_since_last=np.nan)
    assert set(keys(Rfm(), nobody)) == {"never_bought"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_sent_all_back_is_not_said_never_to_have_bought(customers: pd.DataFrame, language: str) -> None:
    # A purchase that was given back or given away leaves no purchase day.
    returned = customers.head(1).assign(purchase_days=0, historic_value=0.0, days_since_last=np.nan)
    placed = Rfm().fit(customers).place(returned)
    segment = placed.segments[placed.where[0]]
    said = f"{segment.name(language)} {segment.description(language)}"
    assert not any(word in said for word in ("ever bought", "ooked", "first order", "从未", "浏览", "首单"))


RULES = Rules(
    "mine",
    (
        Rule("Big", (Condition.parse("predicted_clv>=40"),)),
        Rule("Likely in China", (Condition.parse("p_purchase>0.3"), Condition.parse("country=中国"))),
        Rule("Silent", (Condition.parse("days_since_last>300"),)),
    ),
)
CASES = "predicted_clv >= 40", "p_purchase > 0.3 and country = '中国'", "coalesce(days_since_last, 0) > 300"


def test_the_first_rule_that_holds_decides(customers: pd.DataFrame) -> None:
    frame = customers.assign(days_since_last=customers["days_since_last"].fillna(-1))
    cases = " ".join(f"when {case} then '{number}'" for number, case in enumerate(CASES, 1))
    theirs = duckdb.query_df(frame, "people", f"select case {cases} else 'others' end k from people").df()["k"]
    assert keys(RULES, customers) == theirs.tolist()


def test_overlapping_rules_hold_each_for_itself(customers: pd.DataFrame) -> None:
    frame = customers.assign(days_since_last=customers["days_since_last"].fillna(-1))
    rules = Rules("mine", RULES.rules, True)
    assert Rules.from_json(rules.to_json()) == rules and str(rules) == "rules:mine"
    placed = rules.fit(customers).place(customers)
    assert placed.inside is not None
    for number, case in enumerate(CASES):
        theirs = duckdb.query_df(frame, "people", f"select ({case}) h from people").df()["h"].to_numpy(bool)
        assert (placed.inside[number] == theirs).all()
        assert (placed.chosen([number]) == theirs).all()
    assert (placed.inside[3] == ~placed.inside[:3].any(axis=0)).all() and placed.segments[3].key == OTHERS
    place, segment = placed.members()
    assert len(place) == placed.inside.sum() and placed.inside[segment, place].all()


def test_a_condition_more_belongs_to_its_segment_or_makes_one() -> None:
    condition = Condition.parse("tier=1")
    longer = RULES.with_condition("Silent", condition)
    assert [len(rule.conditions) for rule in longer.rules] == [1, 2, 2] and longer.rules[:2] == RULES.rules[:2]
    assert RULES.with_condition("New", condition).rules == (*RULES.rules, Rule("New", (condition,)))


def test_a_customer_put_in_by_hand_is_there_whatever_the_rules_say(customers: pd.DataFrame) -> None:
    before = keys(RULES, customers)
    big, other = (customers["customer_id"].iloc[before.index(key)] for key in ("1", OTHERS))
    rules = RULES.with_customer("Silent", big).with_customer("Friends", other).with_customer("Friends", big)
    changed = dict(zip(customers["customer_id"], before, strict=True)) | {big: "4", other: "4"}
    assert keys(rules, customers) == list(changed.values())
    overlapping = Rules("mine", RULES.rules, True).with_customer("Silent", big).place(customers)
    assert overlapping.inside is not None
    here = customers["customer_id"].eq(big).to_numpy().argmax()
    assert overlapping.inside[:4, here].tolist()[::2] == [True, True] and not overlapping.inside[3, here]
    assert Rules.from_json(rules.to_json()) == rules
    nobody = rules.without_customer(big).without_customer(other, "Friends")
    assert keys(nobody, customers) == before and Rules.from_json(nobody.to_json()) == nobody


@pytest.mark.parametrize(
    ("make", "code", "values"),
    [
        (CostTiers.parse, "scheme_cost", ["0", "5:1,3", "five"]),
        (Quadrant.parse, "scheme_quadrant", ["p=2", "by=mood", "q=1", "value=much"]),
        (Rules.from_json, "rules_form", [{"segments": "a"}, [1], None]),
        (Rules.from_json, "rules_count", [{"segments": []}]),
        (Rules.from_json, "rules_incomplete", [{"segments": [{"name": " ", "rules": ["tier=1"]}]}]),
        (Rules.from_json, "rules_incomplete", [{"segments": [{"name": "a", "rules": []}]}]),
        (Rules.from_json, "rules_twice", [{"segments": [{"name": "a", "rules": ["tier=1"]}] * 2}]),
        (Rules.from_json, "condition_text", [{"segments": [{"name": "a", "rules": ["tier"]}]}]),
    ],
)
def test_what_makes_no_segments_is_refused(make: Callable[[Any], object], code: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(ClvError) as error:
            make(value)
        assert error.value.code == code and error.value.message("zh") != error.value.message("en"), value


@pytest.mark.parametrize(
    "scheme", [CostTiers(2.0, (10.0, 3.0)), CostTiers(2.0, (2.0, 0.5)), CostTiers(2.0), CostTiers(2.0, (1.0,))], ids=str
)
def test_what_is_said_of_a_cost_tier_holds_for_each_of_its_customers(scheme: CostTiers) -> None:
    value = np.arange(0, 30, 0.1)
    where = scheme.place(pd.DataFrame({"predicted_clv": value})).where
    for tier, segment in enumerate(scheme.segments):
        covered = value[where == tier] >= scheme.cost
        expected = "worth" if covered.all() else "some_worth" if covered.any() else "not_worth"
        assert isinstance(segment.about, Message) and segment.about.code == f"segment.cost.{expected}"


@pytest.mark.parametrize("scheme", [CostTiers(5.0), Quadrant(), Rfm(), RULES], ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_segments_have_names_and_descriptions(customers: pd.DataFrame, scheme: Segmentation, language: str) -> None:
    placed: Assignment = scheme.fit(customers).place(customers)
    names = [one.name(language) for one in placed.segments]
    assert len(set(names)) == len(names) and all(names)
    assert scheme is RULES or all(one.description(language) for one in placed.segments)

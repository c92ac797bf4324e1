"""Acquisition economics: what new customers cost and are worth by group, from customers with known answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.customers.roles import Roles
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.terms import Terms
from clv_core.errors import NeedsAnswer, NotEnoughData, Refused, UsageError
from clv_core.evaluation.levels import SharedError, fifth_of
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.acquisition import (
    NewCustomers,
    Question,
    Spend,
    acquisition_report,
    load_new_customers,
    report_table,
)
from clv_core.strategy.acquisition.customer_origins import load_origins
from clv_core.strategy.acquisition.payback import Curves
from clv_core.strategy.acquisition.read_spend import read_spend
from clv_core.strategy.activation import export
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.purchase_history import purchase_history
from clv_core.workspace import Workspace
from tests.conftest import Clv
from tests.strategy.lists import digest, read

DAY = np.timedelta64(1, "D")
QUARTER = "month,channel,spend\n" + "".join(
    f"2024-0{month},search,1000\n2024-0{month},ads,3000\n" for month in (1, 2, 3)
)
"""A customer of search costs 30, one of ads 90: a hundred each are won in these months."""


def customers(channels: list[str | None], value: list[float], predicted: list[float]) -> NewCustomers:
    """Return customers won one a day from 2024-01-01 on, who spent their value on the day that they came."""
    count = len(channels)
    random = np.random.default_rng(0)
    past = pd.DataFrame({"p_purchase": 0.5, "predicted_clv": random.gamma(2, 10, 500)})
    past = past.assign(actual=np.where(random.uniform(size=500) < 0.5, 2 * past["predicted_clv"], 0.0))
    acquired = np.datetime64("2024-01-01") + np.arange(count) % 90 * DAY
    return NewCustomers(
        log_start=date(2024, 1, 1),
        as_of=date(2024, 7, 1),
        currency="EUR",
        terms=Terms(91),
        origin={
            "channel": pd.Categorical(channels),
            "cohort": pd.Categorical(acquired.astype("datetime64[M]").astype(str)),
        },
        acquired=acquired,
        bought=np.array(value) > 0,
        orders=(np.array(value) > 0).astype(np.int64),
        value_so_far=np.array(value, float),
        predicted=np.array(predicted, float),
        p_purchase=np.full(count, 0.5),
        fifth=fifth_of(np.array(predicted, float)),
        spent_row=np.arange(count),
        spent_month=np.zeros(count, np.int64),
        spent=np.array(value, float),
        shared=SharedError.of([past]),
    )


@pytest.fixture
def people() -> NewCustomers:
    """Return 300 customers: search spends most, ads half of it, and the origin of some is not known."""
    random = np.random.default_rng(1)
    channels = (["search", "ads", None] * 100)[:300]
    level = {"search": 60.0, "ads": 30.0, None: 45.0}
    value = [level[channel] * random.uniform(0.5, 1.5) for channel in channels]
    return customers(channels, value, [0.2 * own for own in value])


def spend(tmp_path: Path, text: str, name: str = "spend.csv") -> Spend:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_spend(path)


def test_sums_over_groups_are_those_of_all_customers_and_of_the_spend_table(people: NewCustomers, tmp_path: Path):
    table = spend(
        tmp_path,
        "date,channel,spend\n2023-12-31,search,7.77\n2024-01-10,search,1000.01\n2024-02-01,ads,500.02\n"
        "2024-02-15,tv,33.33\n2024-03-01,ads,250.10\n2024-08-01,ads,9.99\n",
    )
    report = acquisition_report(people, table, Question())
    totals, groups = report.totals, report.groups
    assert groups["spend"].sum() == pytest.approx(totals.spend, abs=0.005)
    assert totals.spend + totals.spend_outside == pytest.approx(1801.22, abs=0.005)
    assert totals.spend_outside == pytest.approx(17.76, abs=0.005)
    assert groups["predicted"].sum() + totals.predicted_outside == pytest.approx(people.predicted.sum(), abs=0.005)
    assert groups["value_so_far"].sum() + totals.value_so_far_outside == pytest.approx(people.value_so_far.sum())
    assert report.cohorts["spend"].sum() == pytest.approx(totals.spend, abs=0.005)
    assert report.cohorts["customers"].sum() == totals.customers == groups["customers"].sum()
    codes = {warning.code for warning in report.warnings}
    assert {"warning.acquisition_spend_outside", "warning.acquisition_not_causal"} <= codes
    assert report.periods["spend"].sum() == pytest.approx(totals.spend, abs=0.005)


def test_who_is_expected_never_to_buy_again_is_a_share_of_those_who_bought_once_or_more() -> None:
    """Of five who bought, three once: .9, .6 and .6 of them stay away. Five others have not bought at all."""
    people = replace(
        customers(["ads"] * 10 + ["search"] * 2, [*[20.0] * 5, *[0.0] * 5, 0.0, 0.0], [1.0] * 12),
        orders=np.array([1, 1, 1, 2, 3, *[0] * 7]),
        p_purchase=np.array([0.1, 0.4, 0.4, 0.2, 0.3, *[0.05] * 7]),
    )
    groups = acquisition_report(people, None, Question()).groups.set_index("group")
    assert groups.loc["ads", "never_again"] == pytest.approx((0.9 + 0.6 + 0.6) / 5)
    assert np.isnan(groups.loc["search", "never_again"]), "nobody bought"


def test_the_curve_of_all_is_after_the_margin_of_their_money(people: NewCustomers) -> None:
    """Search brings more than ads: its margin counts for more than that of ads."""
    plain, after = (
        acquisition_report(people, None, Question(margins=margins)) for margins in ({}, {"search": 0.8, "ads": 0.2})
    )
    worth = (plain.groups["value_so_far"] + plain.groups["predicted"]).groupby(plain.groups["group"]).sum()
    margin = (0.8 * worth["search"] + 0.2 * worth["ads"] + worth[""]) / worth.sum()
    first, other = (one.curves[one.curves["kind"] == "all"]["value"].to_numpy() for one in (plain, after))
    assert len(first) and other == pytest.approx(margin * first) and margin > 0.67


def test_a_customer_costs_what_was_spent_in_the_days_that_the_table_is_about(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, "date,channel,spend\n2024-01-11,search,100\n2024-01-31,search,100\n")
    row = acquisition_report(people, table, Question()).groups.set_index("group").loc["search"]
    days = (people.acquired >= np.datetime64("2024-01-11")) & (people.acquired <= np.datetime64("2024-01-31"))
    won = int((days & (people.origin["channel"] == "search")).sum())
    assert (row["customers"], row["cac"]) == (won, pytest.approx(200 / won)) and 0 < won < 50


def test_who_came_and_has_not_bought_cost_as_much_as_who_has(tmp_path: Path) -> None:
    people = customers(["ads"] * 31, [*[20.0] * 10, *[0.0] * 21], [1.0] * 31)
    report = acquisition_report(people, spend(tmp_path, "month,channel,spend\n2024-01,ads,80\n"), Question())
    row = report.groups.set_index("group").loc["ads"]
    assert (row["customers"], row["buyers"], row["cac"]) == (31, 10, pytest.approx(80 / 31))


def test_a_cost_is_paid_back_in_the_month_in_which_it_is_met() -> None:
    value = np.array([[10.0, 20.0, 30.0]])
    curves = Curves(value, value[:, None], np.ones((1, 3)), np.ones((1, 3), np.int64))
    months = [curves.payback(np.array([cost]))[0][0] for cost in (0.0, 9.5, 10.0, 10.5, 20.0, 30.0, 30.5)]
    assert months == [0, 1, 1, 2, 2, 3, np.inf]


def test_a_channel_in_one_table_and_not_in_the_other_is_named(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, "month,channel,spend\n2024-01,Search,100\n2024-02,search,0\n2024-03,TV,50\n")
    report = acquisition_report(people, table, Question())
    rows = report.groups.set_index("group")
    assert rows.loc["search", "spend"] == 100  # spelled otherwise, and the same channel
    assert rows.loc["TV", "customers"] == 0 and np.isinf(rows.loc["TV", "cac"])
    said = {warning.code: warning.params for warning in report.warnings}
    assert said["warning.acquisition_no_customers"] == {"groups": ["TV"], "amount": 50.0}
    assert said["warning.acquisition_no_spend"] == {"groups": ["ads"]}
    unknown = report.groups[report.groups["kind"] == "unknown"]
    assert unknown["customers"].tolist() == [100] and unknown["rank"].isna().all()


def test_a_channels_customers_count_on_the_days_of_its_own_spend(people: NewCustomers, tmp_path: Path):
    months = ["2024-01,search,100", "2024-02,search,100", "2024-03,search,100", "2024-03,ads,330"]
    report = acquisition_report(people, spend(tmp_path, "\n".join(["month,channel,spend", *months])), Question())
    rows = report.groups.set_index(report.groups["group"].where(report.groups["kind"] == "named", "unknown"))
    channel, day = np.asarray(people.origin["channel"], object), people.acquired
    of_ads = int(((channel == "ads") & (day >= np.datetime64("2024-03-01"))).sum())
    assert 0 < of_ads < 100 and rows.loc["ads", "customers"] == of_ads
    assert rows.loc["ads", "cac"] == pytest.approx(330 / of_ads) and rows.loc["search", "cac"] == 3
    assert rows.loc["unknown", "customers"] == 100  # of no channel: they count on all days of the table
    totals = report.totals
    assert totals.customers == 200 + of_ads and totals.customers + totals.customers_outside == len(people)
    assert report.cohorts["customers"].sum() == report.periods["customers"].sum() == totals.customers
    assert report.spend_days.to_dict("records") == [
        {"channel": "ads", "first": "2024-03-01", "last": "2024-03-31"},
        {"channel": "search", "first": "2024-01-01", "last": "2024-03-31"},
    ]
    said = {warning.code: warning.params for warning in report.warnings}
    assert said["warning.acquisition_channel_days"] == {"count": 1, "channels": ["ads (2024-03-01 – 2024-03-31)"]}
    assert said["warning.acquisition_outside"]["customers"] == 100 - of_ads
    by_month = acquisition_report(
        people, spend(tmp_path, "\n".join(["month,channel,spend", *months])), Question(("cohort",))
    )
    assert by_month.totals == totals  # whatever they are grouped by


def test_a_month_without_a_row_of_a_channel_is_a_month_of_unknown_cost(people: NewCustomers, tmp_path: Path):
    days = ["2024-01-01,search,40", "2024-01-20,search,60", "2024-03-02,search,100", "2024-03-09,search,0"]
    weeks = ["2024-01-01,ads,9", "2024-02-29,ads,9", "2024-03-31,ads,9"]
    table = spend(tmp_path, "\n".join(["date,channel,spend", *days, *weeks]))
    report = acquisition_report(people, table, Question())
    channel, day = np.asarray(people.origin["channel"], object), people.acquired.astype(str)
    january = (day >= "2024-01-01") & (day <= "2024-01-20")
    march = (day >= "2024-03-02") & (day <= "2024-03-09")
    rows = report.groups.set_index("group")
    assert rows.loc["search", "customers"] == ((channel == "search") & (january | march)).sum()
    assert rows.loc["ads", "customers"] == 100  # days without spend within its months are days


def test_spend_in_another_currency_is_refused_with_both_named(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, "date,channel,spend,currency\n2024-01-01,search,100,USD\n")
    with pytest.raises(Refused) as error:
        acquisition_report(people, table, Question())
    assert error.value.params["spend"] == "USD" and error.value.params["log"] == "EUR"
    with pytest.raises(Refused) as several:
        spend(tmp_path, "date,channel,spend,currency\n2024-01-01,search,100,USD\n2024-01-02,search,1,EUR\n")
    assert several.value.code == "spend_currencies"


def test_a_refund_lowers_the_value_of_its_group(people: NewCustomers):
    refunded = replace(people, value_so_far=people.value_so_far - np.where(np.arange(300) == 0, 40.0, 0.0))
    before, after = (
        acquisition_report(one, None, Question()).groups.set_index("group").loc["search", "value_so_far"]
        for one in (people, refunded)
    )
    assert before - after == pytest.approx(40.0)


def test_a_small_group_is_drawn_to_the_mean_and_not_ranked():
    random = np.random.default_rng(2)
    channels = ["search"] * 400 + ["ads"] * 400 + ["radio"] * 4
    value = [*random.gamma(1, 40, 400), *random.gamma(1, 38, 400), *[90.0] * 4]
    report = acquisition_report(customers(channels, value, [1.0] * 804), None, Question())
    rows = report.groups.set_index("group")
    radio = rows.loc["radio"]
    assert radio["ltv"] < 0.7 * radio["ltv_own"] and radio["own_weight"] < rows.loc["search", "own_weight"]
    assert not radio["enough"] and pd.isna(radio["rank"]) and rows["rank"].max() == 2
    assert rows.loc["search", "ltv"] == pytest.approx(rows.loc["search", "ltv_own"], rel=0.05)


def test_payback_is_the_month_in_which_the_cost_came_back(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, QUARTER)
    rows = acquisition_report(people, table, Question()).groups.set_index("group")
    assert rows.loc["search", "payback_month"] == 1  # 30 each, of about 60 spent on the first day
    assert rows.loc["search", "payback_observed"]
    assert np.isinf(rows.loc["ads", "payback_month"])  # 90 each, and about 36 to come in all
    assert rows.loc["search", "ratio"] == pytest.approx(rows.loc["search", "ltv"] / 30)
    assert rows.loc["ads", "p_above_one"] < 0.02 and rows.loc["search", "p_above_one"] == 1


def test_a_cost_is_paid_back_by_what_is_left_of_revenue(tmp_path: Path) -> None:
    """Each customer brings 10 in each of five months, and half of it is left: 18 is there in the fourth, not second."""
    count, months = 40, 5
    steady = replace(
        customers(["ads"] * count, [10.0 * months] * count, [1.0] * count),
        acquired=np.full(count, np.datetime64("2024-01-01")),
        origin={"channel": pd.Categorical(["ads"] * count), "cohort": pd.Categorical(["2024-01"] * count)},
        spent_row=np.repeat(np.arange(count), months),
        spent_month=np.tile(np.arange(months), count),
        spent=np.full(count * months, 10.0),
    )
    table = spend(tmp_path, f"month,channel,spend\n2024-01,ads,{18 * count}\n")
    (row,) = acquisition_report(steady, table, Question(margin_rate=0.5)).groups.to_dict("records")
    assert (row["cac"], row["payback_month"], row["payback_observed"]) == (18.0, 4, True)
    (row,) = acquisition_report(steady, table, Question(margins={"ads": 0.9})).groups.to_dict("records")
    assert row["payback_month"] == 2  # 9 a month


def test_the_most_that_may_be_spent_is_what_is_left_within_the_payback_months_to_the_cent(tmp_path: Path) -> None:
    """By hand: search brings 10 a month and ads 4, of which 50% and 25% are left; in three months 15.00 and 3.00."""
    count, months, channels = 40, 5, ["search"] * 40 + ["ads"] * 40
    monthly = np.repeat([10.0, 4.0], count)
    steady = replace(
        customers(channels, (monthly * months).tolist(), [1.0] * 2 * count),
        acquired=np.full(2 * count, np.datetime64("2024-01-01")),
        origin={"channel": pd.Categorical(channels), "cohort": pd.Categorical(["2024-01"] * 2 * count)},
        spent_row=np.repeat(np.arange(2 * count), months),
        spent_month=np.tile(np.arange(months), 2 * count),
        spent=np.repeat(monthly, months),
    )
    margins = {"search": 0.5, "ads": 0.25}
    rows = acquisition_report(steady, None, Question(margins=margins, payback_months=3)).groups.set_index("group")
    own = rows["own_weight"]  # the means are drawn towards that of all, which is 7 a month
    left = own * pd.Series({"search": 30.0, "ads": 12.0}) + (1 - own) * 21
    by_hand = (left * pd.Series(margins)).round(2)
    assert rows["max_spend"].round(2).to_dict() == by_hand.to_dict()
    assert by_hand["search"] == pytest.approx(15, rel=0.1) and by_hand["ads"] == pytest.approx(3, rel=0.2)
    assert (rows["max_spend_low"] <= rows["max_spend"]).all() and (rows["max_spend_low"] > 0).all()
    alone = acquisition_report(steady, None, Question(payback_months=60)).groups
    assert alone["max_spend"].isna().all() and alone["max_spend_low"].isna().all()  # no curve goes so far
    unknown = acquisition_report(replace(steady, shared=None), None, Question(payback_months=3)).groups
    assert unknown["max_spend"].notna().all() and unknown["max_spend_low"].isna().all()
    assert report_table(acquisition_report(steady, None, Question())).columns[-2:].tolist() == [
        "max_spend",
        "max_spend_low",
    ]


def test_a_margin_scales_worth_and_not_cost(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, QUARTER)
    whole, half = (
        acquisition_report(people, table, Question(margin_rate=0.5, margins=margins)).groups.set_index("group")
        for margins in ({"search": 1.0}, {})
    )
    assert half.loc["search", "ltv"] == pytest.approx(whole.loc["search", "ltv"] / 2)
    assert half.loc["ads", "ltv"] == whole.loc["ads", "ltv"]
    assert half.loc["search", "cac"] == whole.loc["search", "cac"]
    assert half.loc["search", "max_cac"] == pytest.approx(half.loc["search", "ltv"] / 3)


def test_a_dimension_that_the_log_does_not_know_is_named(people: NewCustomers):
    with pytest.raises(UsageError) as error:
        acquisition_report(people, None, Question(by=("campaign",)))
    assert error.value.params["by"] == "campaign" and "channel" in error.value.params["known"]
    with pytest.raises(UsageError) as margin:
        acquisition_report(people, None, Question(margins={"serach": 0.4}))
    assert margin.value.params["groups"] == ["serach"]


def test_spend_of_days_without_a_new_customer_is_refused_in_words(people: NewCustomers, tmp_path: Path):
    table = spend(tmp_path, "date,channel,spend\n2024-06-01,search,3000\n2024-06-02,search,3000\n")
    with pytest.raises(NotEnoughData) as error:
        acquisition_report(people, table, Question(by=("cohort",)))
    assert error.value.params == {"first": "2024-06-01", "last": "2024-06-02"}


def test_exports_of_ad_platforms_are_known_and_every_row_is_accounted_for(tmp_path: Path):
    google = spend(
        tmp_path,
        'Campaign report\n"1 January 2024 - 31 January 2024"\nDay,Campaign,Currency code,Cost\n'
        '2024-01-01,Brand,EUR,"1,234.50"\n2024-01-02,Brand,EUR,100.25\n2024-01-03,,EUR,x\n'
        'Total: Account,,EUR,"1,334.75"\n',
    )
    assert (google.recipe, google.currency, google.total) == ("Google Ads", "EUR", 1334.75)
    assert google.rows_read == 4 and len(google.rows) == 2
    assert {problem.reason: problem.examples[0][0] for problem in google.problems} == {
        "spend_bad_amount": 6,
        "spend_total": 7,
    }
    meta = spend(
        tmp_path,
        "Campaign name,Amount spent (USD),Reporting starts,Reporting ends\nA,70,2024-01-01,2024-01-07\n",
    )
    assert (meta.recipe, meta.currency, meta.rows["days"].tolist()) == ("Meta Ads", "USD", [7])
    tiktok = spend(tmp_path, "By Day,Campaign name,Cost,Currency\n2024-01-01,A,5,GBP\n2024-01-02,A,6,GBP\n")
    assert (tiktok.recipe, tiktok.currency, tiktok.total) == ("TikTok Ads", "GBP", 11)


def test_weeks_and_months_are_spread_over_their_days(tmp_path: Path):
    weeks = spend(tmp_path, "周;渠道;花费\n2024-W05;搜索;1.234,50 €\n2024-W06;搜索;99,00 €\n")
    months, outside = weeks.by_month(date(2024, 1, 1), date(2024, 12, 1))
    assert months["amount"].tolist() == pytest.approx([1234.5 * 3 / 7, 1234.5 * 4 / 7 + 99]) and outside == 0
    by_month = spend(tmp_path, "month,channel,spend\n2024-01,search,310\n2024-02,search,29\n")
    cells, outside = by_month.by_month(date(2024, 1, 2), date(2024, 2, 2))
    assert cells["amount"].tolist() == pytest.approx([300, 1]) and outside == pytest.approx(38)


def test_a_table_without_a_channel_asks_for_one(tmp_path: Path):
    with pytest.raises(NeedsAnswer) as error:
        spend(tmp_path, "date,spend\n2024-01-01,5\n")
    assert error.value.params["missing"] == ["channel"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with a simulated shop with channels, its spend, and a customers table."""
    folder = tmp_path_factory.mktemp("acquisition")
    made = simulate("browsing", SimulationPlan(700, 400, 5, 91, channels=True))
    events, _ = made.write(folder)
    workspace = Workspace(folder / "workspace")
    said = {"mapping": {}, "timezone": "Europe/Berlin", "currency": "EUR"}
    ingest(workspace, events, "shop", progress=NoProgress(), **said)
    pipeline.train(workspace, "shop", TrainConfig(horizon_days=60, model="bgnbd", processes=1), progress=NoProgress())
    return workspace


@pytest.fixture
def workspace(shop: Workspace) -> Workspace:
    return shop


@pytest.fixture
def scored(shop: Workspace) -> Scored:
    (model,) = (path.name for path in shop.models.iterdir())
    return Scored.open(shop, "shop", model)


def test_the_origin_is_that_of_the_first_event_and_the_first_order(scored: Scored):
    found = load_new_customers(scored, NoProgress())
    rows = duckdb.sql(f"SELECT * FROM '{scored.dataset.events_path}'").df()
    rows["day"] = rows["event_time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.tz_localize(None)
    rows = rows.sort_values(["day", "product_id"], kind="stable")
    ids = scored.scores(NoProgress())["customer_id"]
    seen = rows.groupby("customer_id").first().reindex(ids)
    assert (found.acquired == seen["day"].to_numpy("datetime64[D]")).all()
    assert (np.asarray(found.origin["channel"]) == seen["channel"].to_numpy()).all()
    orders = rows[rows["event_type"] == "purchase"]
    bought = orders.groupby("customer_id").first().reindex(ids)
    product = pd.Series(np.asarray(found.origin["product"], object))
    assert product.fillna("").tolist() == bought["product_id"].fillna("").tolist()
    history = purchase_history(scored.dataset, scored.as_of)["historic_value"].sum()
    assert found.value_so_far.sum() == pytest.approx(history) == pytest.approx(found.spent.sum())
    assert found.predicted.sum() == pytest.approx(scored.scores(NoProgress())["predicted_clv"].sum())
    assert set(found.dimensions) == {"channel", "country", "product", "category", "discount", "cohort"}


def test_the_command_gives_the_figures_of_the_report(clv: Clv, scored: Scored, tmp_path: Path):
    spend_file = scored.workspace.root.parent / "spend.csv"
    words = ["acquire", "shop", "--model", scored.model.id, "--spend", str(spend_file), "--margin-rate", "0.5"]
    answer = clv(*words, "--out", str(tmp_path / "groups.csv"))
    report = acquisition_report(
        load_new_customers(scored, NoProgress()), read_spend(spend_file), Question(margin_rate=0.5)
    )
    assert [row["group"] for row in answer["groups"]] == report.groups["group"].tolist()
    assert answer["groups"][0]["ltv"] == pytest.approx(report.groups["ltv"][0], abs=0.01)
    assert answer["totals"]["spend"] == pytest.approx(pd.read_csv(spend_file)["spend"].sum(), abs=0.01)
    direct = next(row for row in answer["groups"] if row["group"] == "direct")
    assert direct["spend"] == 0 and direct["ratio"] is None and direct["payback"] == "observed"
    assert answer["spend_tables"][0]["rows_read"] == answer["spend_tables"][0]["rows_kept"]
    assert len(pd.read_csv(tmp_path / "groups.csv")) == answer["rows"] == 8
    assert "acquisition_not_causal" in {warning["code"] for warning in answer["warnings"]}


def test_each_of_several_spend_tables_has_its_own_channel(clv: Clv, scored: Scored, tmp_path: Path):
    whole = pd.read_csv(scored.workspace.root.parent / "spend.csv")
    words, paths, sums = ["acquire", "shop", "--model", scored.model.id], {}, {}
    for name in ("paid_search", "social_ads"):
        own = whole[whole["channel"] == name]
        paths[name], sums[name] = tmp_path / f"{name}.csv", own["spend"].sum()
        own[["date", "spend"]].to_csv(paths[name], index=False)
    paths["all"] = tmp_path / "others.csv"
    whole[~whole["channel"].isin(sums)].to_csv(paths["all"], index=False)
    files = [word for path in paths.values() for word in ("--spend", str(path))]
    apart = clv(
        *words, *files, "--spend-channel", "paid_search", "--spend-channel", "social_ads", "--spend-channel", ""
    )
    together = clv(*words, "--spend", str(scored.workspace.root.parent / "spend.csv"))
    figures = ("group", "customers", "spend", "cac")
    assert [[row[key] for key in figures] for row in apart["groups"]] == [
        [row[key] for key in figures] for row in together["groups"]
    ]
    assert [list(table["channels"]) for table in apart["spend_tables"][:2]] == [["paid_search"], ["social_ads"]]
    assert sum(table["total"] for table in apart["spend_tables"]) == pytest.approx(whole["spend"].sum(), abs=0.02)
    two = clv(*words, *files, "--spend-channel", "paid_search", "--spend-channel", "social_ads", code=2)["error"]
    assert two["code"] == "spend_channels" and two["params"] == {"channels": 2, "files": 3}
    one = clv(*words, *files, "--spend-channel", "paid_search", code=2)["error"]
    assert one["code"] == "spend_channel_own" and one["params"]["file"] == "others.csv"
    both = clv(*words, *files[:4], "--spend-channel", "paid_search")  # two files of one platform
    spent = {row["group"]: row["spend"] for row in both["groups"]}
    assert spent["paid_search"] == pytest.approx(sum(sums.values()), abs=0.02) and spent["social_ads"] == 0
    all_rows = clv(*words, *files[4:], "--spend-channel", "paid_search")
    assert "spend_channel" in {warning["code"] for warning in all_rows["warnings"]}  # replaces the column's names


def people_of(scored: Scored) -> pd.DataFrame:
    ids = scored.scores(NoProgress())["customer_id"]
    table = pd.DataFrame({"customer_id": ids, "gclid": "Cj" + ids, "fbclid": "", "email": ids.str.lower() + "@x.org"})
    return table.assign(consent=np.where(np.arange(len(ids)) % 10 == 0, "no", "yes"))


def test_conversion_values_are_read_back_and_hold_new_and_willing_customers_alone(scored: Scored, tmp_path: Path):
    people = people_of(scored)
    orders = duckdb.sql(
        f"SELECT customer_id, min(event_time) AS first FROM '{scored.dataset.events_path}'"
        " WHERE event_type = 'purchase' GROUP BY 1"
    ).df()
    new = orders[orders["first"] >= pd.Timestamp(scored.as_of) - pd.Timedelta(days=90)].set_index("customer_id")
    refused = set(people.loc[people["consent"] == "no", "customer_id"]) & set(new.index)
    stopped = sorted(set(new.index) - refused)[0]
    SuppressionList.of(scored.workspace).add([stopped])
    files = {
        name: export(
            scored,
            tmp_path / f"{name}.csv",
            format=name,
            contacts=Contacts(people),
            margin_rate=0.5,
            progress=NoProgress(),
        ).files[0]
        for name in ("google_conversions", "meta_events")
    }
    google = read(files["google_conversions"])
    assert {row["Google Click ID"][2:] for row in google} == set(new.index) - refused - {stopped}
    scores = scored.scores(NoProgress()).set_index("customer_id")["predicted_clv"]
    spent = purchase_history(scored.dataset, scored.as_of).set_index("customer_id")["historic_value"]
    for row in google:
        customer = row["Google Click ID"][2:]
        expected = max(0.0, 0.5 * (spent[customer] + scores[customer]))
        assert float(row["Conversion Value"]) == pytest.approx(expected, abs=0.006)
        assert pd.Timestamp(row["Conversion Time"]) == new.loc[customer, "first"].tz_localize("UTC")
        assert row["Conversion Currency"] == "EUR"
    meta = {row["email"]: row for row in read(files["meta_events"])}
    assert digest(f"{stopped.lower()}@x.org") not in meta
    assert set(meta) <= {digest(f"{customer.lower()}@x.org") for customer in set(new.index) - refused}
    assert all(
        pd.Timestamp(row["event_time"]) >= pd.Timestamp(scored.as_of, tz="UTC") - pd.Timedelta(days=62)
        for row in meta.values()
    )


def test_the_simulated_channels_are_worth_what_their_customers_come_to_spend():
    plan = SimulationPlan(4_000, 500, 3, 91, channels=True)
    made = simulate("browsing", plan)
    assert made.channels is not None and made.spend is not None
    money = made.events[made.events["amount"].notna()].groupby("customer_id")["amount"].sum()
    first = made.events.groupby("customer_id")[["event_time", "channel"]].first()
    won = first[(first["event_time"] >= "2023-02-01") & (first["event_time"] < pd.Timestamp(plan.cutoff))]
    value = money.reindex(won.index).fillna(0.0).groupby(won["channel"])
    truth = made.channels.set_index("channel")
    error = (value.mean() - truth["value"]) / value.sem()
    assert error.abs().max() < 4 and value.size().equals(truth["customers"].sort_index().astype("int64"))
    orders = made.events[made.events["event_type"] == "purchase"].groupby("customer_id")["order_id"].nunique()
    once = (orders == 1).groupby(first["channel"].reindex(orders.index)).mean()
    assert once["affiliate"] > once.drop("affiliate").max()  # won by discounts, and do not come back
    assert simulate("browsing", replace(plan, channels=False)).events["channel"].nunique() == 5
    renewals = simulate("subscription", replace(plan, customers=1_000))
    assert renewals.channels is not None and set(renewals.events["channel"]) == set(truth.index)


def test_what_a_customers_table_states_of_an_origin_counts_before_the_log(tmp_path: Path):
    log = tmp_path / "log.csv"
    log.write_text(
        "customer_id,event_time,amount,channel,utm_campaign\nann,2024-03-05,10,search,spring\n"
        "ann,2024-05-05,20,email,\nben,2024-03-07,5,,\ncid,2024-04-01,7,social,\n"
    )
    people = tmp_path / "people.csv"
    people.write_text(
        "customer_id,acquired_on,acquisition_channel,email\nann,2024-02-01,Radio,a@x.org\n"
        "ben,,Fair,b@x.org\ncid,2024-09-09,,c@x.org\n"
    )
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, log, "small", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
    before = open_dataset(workspace, "small")
    scores = tmp_path / "scores-20240506.parquet"
    pd.DataFrame({"customer_id": ["cid", "ann", "ben"]}).to_parquet(scores)
    asked = SimpleNamespace(dataset=before, as_of=date(2024, 5, 6), trained=SimpleNamespace(scores_path=scores))
    rows = load_origins(cast("Scored", asked), NoProgress()).to_pandas()
    assert rows["channel"].tolist()[:2] == ["social", "search"] and rows["channel"].isna()[2]
    add_customers(workspace, "small", people, Roles(), progress=NoProgress())
    dataset = open_dataset(workspace, "small")
    asked.dataset = dataset
    rows = load_origins(cast("Scored", asked), NoProgress()).to_pandas()
    assert rows["acquired"].astype(str).tolist() == ["2024-04-01", "2024-02-01", "2024-03-07"]
    assert rows["channel"].tolist() == ["social", "Radio", "Fair"]
    assert rows["campaign"].tolist()[1] == "spring" and rows["campaign"].isna().tolist() == [True, False, True]
    assert [[(one["month"], one["value"]) for one in own] for own in rows["months"]] == [
        [(0, 7.0)],
        [(1, 10.0), (3, 20.0)],
        [(0, 5.0)],
    ]
    assert dataset.manifest.customers_table is not None
    assert dataset.manifest.customers_table.attributes == ()  # no model reads them

"""Attributes that hold the future are refused, by name and by evidence; honest ones are not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.manifest import Attribute, Roles
from clv_core.collection.store.version_store import Dataset, list_datasets, open_dataset, restore
from clv_core.errors import Refused
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers, remove_customers
from clv_core.preprocessing.leaks import accepted_notes, judge, refuse_leaks, says_leak, spans
from clv_core.workspace import Workspace

CUSTOMERS, DAYS = 2000, 720
START = date(2022, 1, 1)
CHANNELS = {"search": 0.5, "social": 0.8, "friends": 1.2, "store": 2.2}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, pd.DataFrame]:
    """Customers who join over two years and buy at a rate that their channel multiplies, and what is known of them."""
    draw = np.random.default_rng(5)
    channel = draw.choice(list(CHANNELS), CUSTOMERS)
    rate = draw.gamma(0.8, 1.25, CUSTOMERS) / 45 * np.array([CHANNELS[name] for name in channel])
    joined = draw.uniform(0, 0.8 * DAYS, CUSTOMERS)
    left = np.minimum(joined + draw.exponential(500, CUSTOMERS), DAYS)
    buys = 1 + draw.poisson(rate * (left - joined))
    who = np.repeat(np.arange(CUSTOMERS), buys)
    day = np.floor(joined[who] + draw.random(len(who)) * (left - joined)[who]).astype(int)
    amount = np.exp(draw.normal(3.5, 0.6, CUSTOMERS)[who] + draw.normal(0, 0.4, len(who))).round(2)
    ids = np.array([f"{number:05d}" for number in range(CUSTOMERS)])
    times = [START + timedelta(int(one)) for one in day]
    log = pd.DataFrame({"customer_id": ids[who], "event_time": times, "amount": amount})
    folder = tmp_path_factory.mktemp("leaks")
    log.to_csv(folder / "log.csv", index=False)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log.csv", "shop", date_order="ymd", duplicates="keep")
    by_customer = log.assign(day=day).groupby("customer_id")
    total = by_customer["amount"].sum().reindex(ids).to_numpy()
    early = log[day < 180].groupby("customer_id")["amount"].sum().reindex(ids).fillna(0).to_numpy()
    known = pd.DataFrame(
        {
            "customer_id": ids,
            "age": draw.integers(18, 80, CUSTOMERS),
            "country": draw.choice(["DE", "FR", "IT"], CUSTOMERS),
            "channel": channel,
            "hint": (np.log(rate) + draw.normal(0, 1.2, CUSTOMERS)).round(3),
            "lifetime_spend": total.round(2),
            "score_x": total.round(2),
            "score_y": (total * np.exp(draw.normal(0, 0.3, CUSTOMERS))).round(2),
            "colour": pd.cut(total, [-1, *np.quantile(total, [0.6, 0.9]), 1e12], labels=["grey", "blue", "gold"]),
            "answer": by_customer["day"].max().reindex(ids).to_numpy(),
            "early": early.round(2),
        }
    )
    return workspace, known


def table(shop: tuple[Workspace, pd.DataFrame], folder: Path, *columns: str) -> tuple[Dataset, Path, list[Attribute]]:
    """Write some columns as a customers table, and return them as attributes."""
    workspace, known = shop
    frame = known[["customer_id", *columns]]
    frame = frame.assign(colour=frame["colour"].astype(str)) if "colour" in columns else frame
    frame.to_parquet(folder / "customers.parquet", index=False)
    kinds = ["number" if frame[column].dtype.kind in "if" else "text" for column in columns]
    attributes = [Attribute(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return open_dataset(workspace, "shop"), folder / "customers.parquet", attributes


@pytest.mark.parametrize(
    ("columns", "measured"),
    [
        (("score_x", "score_y", "colour", "answer"), {"score_x", "score_y", "colour", "answer"}),
        pytest.param(
            ("age", "country", "channel", "hint"), set(), marks=pytest.mark.slow
        ),  # known beforehand, though channels move spending
    ],
    ids=["leaks whatever they are called", "honest ones"],
)
def test_a_leak_is_measured_and_what_is_known_beforehand_passes(
    shop: tuple[Workspace, pd.DataFrame], tmp_path: Path, columns: tuple[str, ...], measured: set[str]
) -> None:
    mean = shop[1].groupby("channel")["lifetime_spend"].mean()
    assert mean["store"] > 2 * mean["search"]
    found = judge(*table(shop, tmp_path, *columns), NoProgress())
    assert (found.named, {item.column for item in found.measured}, found.notes) == ((), measured, ())
    for exact in (item for item in found.measured if item.column == "score_x"):
        assert exact.share > 0.5 and exact.low > 0.4


def test_a_dated_attribute_is_judged_by_what_was_known_before(
    shop: tuple[Workspace, pd.DataFrame], tmp_path: Path
) -> None:
    workspace, known = shop
    total = known["lifetime_spend"]
    early = known[["customer_id"]].assign(total_spent=known["early"], since=date(2022, 6, 30))
    late = early.assign(total_spent=total, since=date(2023, 12, 31))
    pd.concat([early, late]).to_parquet(tmp_path / "honest.parquet", index=False)
    late.assign(since=START).to_parquet(tmp_path / "backdated.parquet", index=False)
    attributes = [Attribute("total_spent", "number", "since")]
    dataset = open_dataset(workspace, "shop")
    assert judge(dataset, tmp_path / "honest.parquet", attributes, NoProgress()).columns == ()
    backdated = judge(dataset, tmp_path / "backdated.parquet", attributes, NoProgress())
    assert backdated.named == () and [item.column for item in backdated.measured] == ["total_spent"]


def test_the_spans_are_the_last_two_quarters_of_the_log(shop: tuple[Workspace, pd.DataFrame]) -> None:
    dataset = open_dataset(shop[0], "shop")
    (first, middle), (again, end) = spans(dataset)
    assert middle == again and end == dataset.log_end
    assert abs((first - dataset.log_start) - (end - first)) <= timedelta(1)


@pytest.mark.parametrize(
    "name",
    """lifetime_spend LTV clv predicted_clv total_spent TotalSpend orders_count n_orders numberOfOrders last_order_date
    lastPurchaseDate days_since_last_order rfm_score customer_segment tier loyalty_tier churned avg_order_value
    spend_to_date 累计消费金额 消费总额 購買次數 最近购买时间 最后下单日期 客单价 用户分层 会员等级 流失标签""".split(),
)
def test_names_of_totals_and_labels_are_known(name: str) -> None:
    assert says_leak(name)


@pytest.mark.parametrize(
    "name",
    """age income country gender kids_count household_size marital_status channel signup_date city_tier age_segment
    last_name first_name net_worth income_level 年龄 性别 注册渠道 城市等级 收入 出生日期 注册时间""".split(),
)
def test_names_of_honest_attributes_are_left_alone(name: str) -> None:
    assert not says_leak(name)


@pytest.fixture
def file(shop: tuple[Workspace, pd.DataFrame], tmp_path: Path) -> Path:
    shop[1].to_csv(tmp_path / "customers.csv", index=False)
    return tmp_path / "customers.csv"


@pytest.mark.parametrize(
    ("columns", "code", "said"),
    [
        (("age", "lifetime_spend"), "leaks_by_name", ("lifetime_spend",)),
        (("age", "score_y"), "leaks_by_evidence", ("score_y (", "%")),
        (("lifetime_spend", "score_x"), "leaks_both", ("lifetime_spend", "score_x (", "%")),
    ],
)
def test_a_planted_lifetime_spend_is_refused_with_the_reason(
    shop: tuple[Workspace, pd.DataFrame], file: Path, columns: tuple[str, ...], code: str, said: tuple[str, ...]
) -> None:
    workspace, before = shop[0], open_dataset(shop[0], "shop").version
    with pytest.raises(Refused) as refused:
        add_customers(workspace, "shop", file, Roles(static=columns), progress=NoProgress())
    assert refused.value.code == code
    for language in LANGUAGES:
        assert all(part in refused.value.message(language) for part in said)
    assert open_dataset(workspace, "shop").version == before
    assert [item.name for item in list_datasets(workspace)] == ["shop"]


def test_an_accepted_leak_is_recorded_and_warned_of(shop: tuple[Workspace, pd.DataFrame], file: Path) -> None:
    workspace = shop[0]
    before = open_dataset(workspace, "shop")
    roles = Roles(static=("age", "lifetime_spend", "score_x"))
    made = add_customers(workspace, "shop", file, roles, accept=("LIFETIME_SPEND", "score_x"), progress=NoProgress())
    try:
        assert made.customers_table is not None and made.customers_table.accepted == ("lifetime_spend", "score_x")
        codes = [item.code for item in made.customers_table.warnings]
        assert codes[:2] == ["warning.leaks_accepted_by_name", "warning.leaks_accepted_by_evidence"]
        assert made.version != before.version and made.parent == before.version
        removed = remove_customers(workspace, "shop")
        assert removed.customers_table is None and not open_dataset(workspace, "shop").customers_path.exists()
        assert restore(workspace, "shop", made.version).customers_path.exists()
    finally:
        restore(workspace, "shop", before.version)


@pytest.mark.parametrize(("days", "customers", "code"), [(30, 400, "leaks_log_too_short"), (200, 40, "leaks_too_few")])
def test_a_log_that_cannot_tell_says_so_and_names_are_asked_about(
    tmp_path: Path, days: int, customers: int, code: str
) -> None:
    draw = np.random.default_rng(1)
    who = draw.integers(0, customers, 2000)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, days, 2000), "D")
    log = pd.DataFrame({"customer_id": who, "event_time": times.strftime("%Y-%m-%d"), "amount": 5})
    log.to_csv(tmp_path / "log.csv", index=False)
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "small", duplicates="keep")
    frame = pd.DataFrame({"customer_id": range(customers), "age": 1.0, "tier": "a", "since": date(2024, 1, 2)})
    frame.to_parquet(tmp_path / "customers.parquet", index=False)
    attributes = [Attribute("age", "number"), Attribute("tier", "text", "since")]
    found = judge(open_dataset(workspace, "small"), tmp_path / "customers.parquet", attributes, NoProgress())
    assert found.untested == ("tier",) and [note.code for note in found.notes] == [f"warning.{code}"]
    with pytest.raises(Refused) as refused:
        refuse_leaks(found, attributes, [])
    assert refused.value.code == "leaks_untested" and "--dated" not in refused.value.message()
    assert "--accept tier" in refused.value.message("zh") and refuse_leaks(found, attributes, ["tier"]) == ("tier",)
    codes = [note.code for note in accepted_notes(found, ["tier"])]
    assert codes == [f"warning.{code}", "warning.leaks_accepted_by_name"]

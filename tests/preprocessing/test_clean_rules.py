"""Cleaning rules against an independent pandas computation; nothing is lost, everything can be undone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Manifest, derive, open_dataset, versions
from clv_core.errors import Refused, UsageError
from clv_core.i18n import LANGUAGES, translate
from clv_core.preprocessing.clean import RULES, clean, effects
from clv_core.preprocessing.clean_effects import Effect
from clv_core.preprocessing.clean_rules import SERVICE_WORDS
from clv_core.workspace import Workspace
from tests.manifests import customers_table

pytestmark = pytest.mark.first(6)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def shop() -> pd.DataFrame:
    """A year of a shop with everything that the rules look for, each planted once or a few times."""
    rng = np.random.default_rng(4)
    rows: list[tuple[str, str, str, str, str, str, str]] = []
    for i in range(600):
        day = pd.Timestamp("2024-01-01") + pd.Timedelta(minutes=int(rng.integers(1, 500_000)))
        price = f"{math.exp(rng.normal(3, 0.8)):.2f}"
        kind = "purchase" if i % 3 else "view"
        amount = price if kind == "purchase" else ""
        rows.append((f"c{i % 60}", f"{day}", kind, amount, f"o{i}", f"p{i % 9}", f"c{i % 60}@mail.com"))
    rows += [
        ("c1", "2024-05-01 10:00:00", "purchase", "250000.00", "o-typo", "p1", "c1@mail.com"),
        ("c1", "2024-05-01 11:00:00", "return", "-250000.00", "o-typo", "p1", "c1@mail.com"),
        ("test_7", "2024-05-02 10:00:00", "purchase", "10.00", "o-a", "p1", "x@mail.com"),
        ("c2", "2024-05-02 10:00:00", "purchase", "10.00", "o-b", "p1", "demo@shop.com"),
        ("测试账号", "2024-05-02 10:00:00", "purchase", "10.00", "o-c", "p1", "y@mail.com"),
        ("contestant", "2024-05-02 10:00:00", "purchase", "11.00", "o-d", "p1", "greatest@mail.com"),
        ("c3", "2024-05-03 10:00:00", "purchase", "0.00", "o-e", "p1", "c3@mail.com"),
        ("c3", "2024-05-03 10:00:00", "purchase", "0.01", "o-e2", "p1", "c3@mail.com"),
        ("c3", "2024-05-03 10:00:00", "purchase", "0.00", "o-f", "gift", "c3@mail.com"),
        ("c3", "2024-05-03 10:00:00", "purchase", "30.00", "o-f", "p1", "c3@mail.com"),
        ("c4", "2024-05-04 10:00:00", "purchase", "5.00", "o-g", "Shipping fee", "c4@mail.com"),
        ("c4", "2024-05-04 10:00:00", "purchase", "5.00", "o-g", "运费", "c4@mail.com"),
        ("c4", "2024-05-04 10:00:00", "purchase", "18.00", "o-g", "POST", "c4@mail.com"),
        ("c4", "2024-05-04 10:00:00", "purchase", "9.00", "o-g", "POSTER", "c4@mail.com"),
    ]
    for second in range(90):
        time, product = f"2024-06-01 10:00:{second % 60:02}", f"p{second % 9}"
        kind, amount = ("purchase", "2.00") if second % 50 == 0 else ("view", "")
        rows.append(("crawler", time, "view", "", "", product, ""))
        rows.append(("fan", time, kind, amount, "", product, "fan@mail.com"))
    rows += [rows[5], rows[5], rows[7]]
    names = ["customer_id", "event_time", "event_type", "amount", "order_id", "product_id", "email"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture
def raw(workspace: Workspace, tmp_path: Path) -> Manifest:
    shop().to_csv(tmp_path / "log.csv", index=False)
    return ingest(workspace, tmp_path / "log.csv", "shop", duplicates="keep")


def stored(workspace: Workspace) -> pd.DataFrame:
    return pd.read_parquet(open_dataset(workspace, "shop").events_path)


def expected() -> dict[str, pd.Series]:
    """Which rows each rule takes, told by pandas alone."""
    log = shop()
    amount = pd.to_numeric(log["amount"])
    bought, money = log["event_type"].eq("purchase"), log["event_type"].isin(["purchase", "return"])
    size = np.log(amount.abs().where(money & amount.ne(0)))
    middle = size.median()
    spread = max(1.4826 * (size - middle).abs().median(), 0.25)
    key = log["order_id"].where(log["order_id"].ne(""), log["customer_id"] + log["event_time"])
    total = amount.where(bought).groupby(key).transform("sum")
    minute = log.groupby(["customer_id", log["event_time"].str[:16]])["event_time"].transform("size")
    sales = bought.groupby(log["customer_id"]).transform("sum")
    events = log.groupby("customer_id")["amount"].transform("size")
    bots = (minute.gt(60) & (sales * 100 < events)).groupby(log["customer_id"]).transform("max")
    test = log["customer_id"].isin(["test_7", "测试账号"]) | log["email"].eq("demo@shop.com")
    return {
        "repeated": log.duplicated(),
        "test_ids": test,
        "tiny_orders": bought & total.le(0.01),
        "zero_price": bought & amount.eq(0),
        "outliers": size.gt(middle + 6 * spread),
        "bots_minute": bots,
        "bots_hour": log["customer_id"].eq("nobody"),
        "bots_day": log["customer_id"].eq("nobody"),
        "services": log["product_id"].isin(["Shipping fee", "运费", "POST"]),
    }


def test_every_rule_says_what_it_would_change(workspace: Workspace, raw: Manifest) -> None:
    log, wanted = shop(), expected()
    money = pd.to_numeric(log["amount"]).where(log["event_type"].isin(["purchase", "return"]), 0)
    found = {item.rule: item for item in effects(open_dataset(workspace, "shop"))}
    assert list(found) == list(RULES) == list(wanted)
    for key, rows in wanted.items():
        item, taken = found[key], log[rows]
        lost = set(taken["customer_id"]) - set(log[~rows]["customer_id"])
        counts = (len(taken), taken["customer_id"].nunique(), len(lost), taken["event_type"].eq("purchase").sum())
        assert (item.rows, item.customers, item.customers_lost, item.purchases) == counts, key
        assert item.net_revenue == pytest.approx(money[rows].sum(), abs=0.005), key
        assert len(item.examples) == min(3, len(taken)) and not item.on, key
        shown = {(row["customer_id"], row["event_time"]) for row in item.examples}
        assert shown <= set(zip(taken["customer_id"], taken["event_time"], strict=True)), key
    planted = [key for key in RULES if key not in ("bots_hour", "bots_day")]
    assert all(found[key].rows for key in planted)
    assert open_dataset(workspace, "shop").manifest == raw


@pytest.mark.examples(3)
@pytest.mark.parametrize("key", RULES)
def test_a_rule_takes_what_it_said_and_nothing_is_lost(workspace: Workspace, raw: Manifest, key: str) -> None:
    log, rows = shop(), expected()[key]
    manifest = clean(workspace, "shop", {key: None})
    assert manifest.rows_read == manifest.rows_kept + manifest.rows_set_aside + manifest.rows_duplicate == raw.rows_read
    assert (manifest.rows_kept, manifest.rows_set_aside) == (int((~rows).sum()), int(rows.sum()))
    assert (manifest.made, manifest.raw_version, manifest.parent) == ("clean", raw.version, raw.version)
    assert manifest.rules == {key: RULES[key].limit} and manifest.version != raw.version
    aside = pd.read_parquet(open_dataset(workspace, "shop").rejected_path)
    assert len(aside) == manifest.rows_set_aside and set(aside["reason"]) <= {f"rule_{key}"}
    columns = ["customer_id", "event_time", "event_type", "order_id", "product_id", "email"]
    gone = aside[columns].fillna("").sort_values(columns).reset_index(drop=True)
    wanted = log[rows][columns].sort_values(columns).reset_index(drop=True)
    assert gone.to_dict("records") == wanted.to_dict("records")
    assert pd.to_numeric(aside["amount"]).sum() == pytest.approx(pd.to_numeric(log[rows]["amount"]).sum())
    assert len(stored(workspace)) == manifest.rows_kept
    assert stored(workspace)["customer_id"].nunique() == manifest.customers


def test_rules_together_take_each_row_once_and_are_undone(workspace: Workspace, raw: Manifest) -> None:
    wanted = expected()
    chosen: Mapping[str, float | None] = {"services": None, "zero_price": None, "tiny_orders": 0.01}
    any_of = wanted["services"] | wanted["zero_price"] | wanted["tiny_orders"]
    first = clean(workspace, "shop", chosen)
    assert first.rows_set_aside == any_of.sum() and list(first.rules) == ["tiny_orders", "zero_price", "services"]
    said = {item.code: item.params["rows"] for item in first.warnings if item.code.startswith("warning.rule_")}
    assert sum(said.values()) == any_of.sum() and list(said) == [f"warning.rule_{key}" for key in first.rules]
    second = clean(workspace, "shop", {"outliers": 8})
    assert (second.raw_version, second.parent) == (raw.version, first.version)
    assert second.rows_set_aside == wanted["outliers"].sum()
    assert [item.rule for item in effects(open_dataset(workspace, "shop")) if item.on] == ["outliers"]
    assert clean(workspace, "shop", chosen).version == first.version
    assert clean(workspace, "shop", {}) == raw
    assert open_dataset(workspace, "shop").version == raw.version
    assert len(stored(workspace)) == raw.rows_kept
    assert {item.version for item in versions(workspace, "shop")} == {raw.version, first.version, second.version}


def test_a_limit_moves_what_is_taken(workspace: Workspace, raw: Manifest) -> None:
    dataset = open_dataset(workspace, "shop")

    def found(rule: str, limit: float) -> Effect:
        return next(item for item in effects(dataset, limits={rule: limit}) if item.rule == rule)

    rows = [found("outliers", limit).rows for limit in (2, 3, 6, 60)]
    assert rows == sorted(rows, reverse=True) and rows[0] > rows[2] > rows[3] == 0
    tiny = found("tiny_orders", 10)
    assert tiny.limit == 10 and tiny.rows > expected()["tiny_orders"].sum()


def rows_taken(
    workspace: Workspace, frame: pd.DataFrame, limits: dict[str, float], zone: str = "UTC"
) -> dict[str, int]:
    """Return how many rows each rule takes of a frame."""
    frame.to_csv(workspace.root.parent / "log.csv", index=False)
    ingest(workspace, workspace.root.parent / "log.csv", "shop", duplicates="keep", timezone=zone)
    return {item.rule: item.rows for item in effects(open_dataset(workspace, "shop"), limits=limits) if item.rows}


def test_a_large_customer_is_no_outlier(workspace: Workspace) -> None:
    """A wholesaler who buys 40 times what others do, often, is who the forecast is for."""
    rng = np.random.default_rng(2)
    rows = [(f"c{i % 90}", math.exp(rng.normal(3, 1.0))) for i in range(900)]
    rows += [("whale", 40 * math.exp(rng.normal(3, 0.3))) for _ in range(50)]
    frame = pd.DataFrame(rows, columns=["customer_id", "amount"])
    frame["event_time"] = pd.date_range("2024-01-01", periods=950, freq="min")
    assert rows_taken(workspace, frame, {}) == {}


MIDNIGHTS = {"repeated": 699, "bots_day": 700}
AUTUMN = pd.date_range("2024-10-27T00:00:01Z", periods=799, freq="9s").strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("times", "buys", "zone", "limits", "taken"),
    [
        (["2024-03-01"] * 700, "2024-03-02", "Asia/Shanghai", {"bots_day": 600}, MIDNIGHTS),
        # 2:00 to 3:00 in Berlin, twice
        (AUTUMN, "2024-03-02T10:00:00Z", "Europe/Berlin", {"bots_hour": 400, "bots_day": 700}, {"bots_day": 799}),
    ],
    ids=["midnights tell nothing of minutes", "the hour that comes twice in autumn is two hours"],
)
def test_events_are_counted_by_the_minutes_hours_and_days_of_the_shop(
    workspace: Workspace, times: list[str], buys: str, zone: str, limits: dict[str, float], taken: dict[str, int]
) -> None:
    views = pd.DataFrame({"customer_id": "busy", "event_time": times, "event_type": "view"})
    bought = {"customer_id": ["a", "b"], "event_time": buys, "event_type": "purchase", "amount": [5, 6]}
    assert rows_taken(workspace, pd.concat([views, pd.DataFrame(bought)]), limits, zone) == taken


def test_too_little_left_is_refused_and_nothing_changes(workspace: Workspace, tmp_path: Path) -> None:
    lines = ["customer_id,event_time,amount", "test,2024-01-01,5", "test-2,2024-01-02,6", "ann,2024-01-03,7"]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    raw = ingest(workspace, tmp_path / "log.csv", "shop")
    with pytest.raises(Refused) as caught:
        clean(workspace, "shop", {"test_ids": None})
    assert caught.value.code == "clean_leaves_nothing" and "test_ids" in caught.value.message()
    with pytest.raises(Refused):
        clean(workspace, "shop", {"tiny_orders": 100})
    assert open_dataset(workspace, "shop").manifest == raw
    assert [path.name for path in workspace.datasets.iterdir()] == ["shop"]
    assert len(versions(workspace, "shop")) == 1


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"whales": None}, "clean_rule"),
        ({"outliers": 0.5}, "clean_limit"),
        ({"outliers": math.nan}, "clean_limit"),
        ({"bots_day": math.inf}, "clean_limit"),
        ({"repeated": 3.0}, "clean_no_limit"),
    ],
)
def test_rules_that_make_no_sense_are_bad_usage(
    workspace: Workspace, raw: Manifest, rules: dict[str, float | None], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        clean(workspace, "shop", rules)
    assert caught.value.code == code and len({caught.value.message(language) for language in LANGUAGES}) == 2
    assert open_dataset(workspace, "shop").manifest == raw


def test_a_customers_table_comes_along(workspace: Workspace, raw: Manifest, tmp_path: Path) -> None:
    table = tmp_path / "customers.parquet"
    pd.DataFrame({"customer_id": ["c1", "test_7", "stranger"], "city": ["A", "B", "C"]}).to_parquet(table)
    content = table.read_bytes()
    about = customers_table(file="crm.csv", rows=3, customers=3, matched=2)
    dataset = open_dataset(workspace, "shop")
    facts = replace(raw, version="0" * 12, customers_table=about, made="customers")
    derive(dataset, facts, customers=table)
    cleaned = clean(workspace, "shop", {"test_ids": None})
    assert cleaned.customers_table == replace(about, matched=1)
    assert open_dataset(workspace, "shop").customers_path.read_bytes() == content
    assert clean(workspace, "shop", {}) == facts
    # A table that came after the cleaning stays when the cleaning is undone.
    derive(dataset, raw)
    bare = clean(workspace, "shop", {"test_ids": None})
    table.write_bytes(content)
    late = replace(bare, version="1" * 12, customers_table=about, parent=bare.version)
    derive(open_dataset(workspace, "shop"), late, customers=table)
    undone = clean(workspace, "shop", {})
    assert undone.customers_table == about and undone.rules == {} and undone.raw_version == ""
    assert undone.rows_kept == raw.rows_kept and len(stored(workspace)) == raw.rows_kept
    assert open_dataset(workspace, "shop").customers_path.read_bytes() == content


def test_every_rule_has_its_words() -> None:
    for rule in RULES.values():
        keys = [f"clean.{rule.id}.title", f"clean.{rule.id}.why", f"reason.rule_{rule.id}"]
        keys += [f"clean.unit.{rule.unit}"] if rule.limit is not None else []
        for key in keys:
            assert translate(key, "en") != translate(key, "zh"), key
    assert "customers" in translate("clean.outliers.why", "en") and "用户" in translate("clean.outliers.why", "zh")
    assert all(len(word) > 1 for word in SERVICE_WORDS)

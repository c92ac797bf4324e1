"""Logs of behaviour that tell of one order in several events: placed, then paid. Its money counts once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.check import check_file
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import Manifest
from clv_core.workspace import Workspace
from tests.collection.small_logs import read as read_log

pytestmark = pytest.mark.first(2)

START = datetime(2024, 1, 1)


def orders(many: int = 60, seed: int = 1) -> pd.DataFrame:
    """Orders of some customers: each customer's amounts differ."""
    luck = np.random.default_rng(seed)
    hours = luck.permutation(many) * 7
    return pd.DataFrame(
        {
            "user_id": [f"u{one}" for one in luck.integers(0, 12, many)],
            "time": [START + timedelta(hours=int(hour)) for hour in hours],
            "order_id": [f"o{seed}-{number}" for number in range(many)],
            "amount": luck.integers(500, 9000, many) / 100,
        }
    )


def steps(sold: pd.DataFrame, names: tuple[str, ...], *, paid: float = 1.0, ids: bool = True) -> pd.DataFrame:
    """A log with a view and an event of each name for each order; the last ones only for a share of the orders."""
    parts = [sold.assign(event="view", amount=None, order_id=None)]
    for at, name in enumerate(names):
        some = sold if at == 0 else sold.head(round(paid * len(sold)))
        parts.append(some.assign(event=name, time=some["time"] + timedelta(minutes=1 + at)))
    log = pd.concat(parts).sort_values("time", kind="stable")
    return log if ids else log.drop(columns="order_id")


def read(folder: Path, log: pd.DataFrame, **said: Any) -> tuple[Manifest, pd.DataFrame]:
    log.to_csv(folder / "log.csv", index=False)
    return read_log(folder / "log.csv", **said)[:2]


def codes(facts: Manifest) -> list[str]:
    return [one.code for one in facts.warnings]


@pytest.mark.examples(2)
@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "names", [("下单", "支付"), ("place_order", "order_paid"), ("checkout", "Purchase", "order_completed")]
)
def test_an_order_that_is_placed_and_paid_is_one_purchase(tmp_path: Path, names: tuple[str, ...], ids: bool) -> None:
    sold = orders()
    facts, events = read(tmp_path, steps(sold, names, ids=ids))
    assert facts.net_revenue == pytest.approx(sold["amount"].sum()) and facts.purchases == len(sold)
    assert codes(facts) == ["warning.order_steps.purchase"]
    assert facts.warnings[0].params["kept"] == names[1] and facts.warnings[0].params["orders"] == len(sold)
    assert set(names) - {names[1]} < set(events["event_type"])  # what was done stays


def test_a_checkout_without_an_order_id_is_a_step_of_the_purchase_that_has_one(tmp_path: Path) -> None:
    sold = orders()
    log = steps(sold, ("checkout", "purchase"), paid=0.8)
    log.loc[log["event"] == "checkout", "order_id"] = None
    facts, _ = read(tmp_path, log)
    assert facts.net_revenue == pytest.approx(sold["amount"].head(48).sum())


def test_what_was_placed_and_never_paid_is_no_purchase(tmp_path: Path) -> None:
    sold = orders()
    facts, _ = read(tmp_path, steps(sold, ("下单", "支付"), paid=0.75))
    assert facts.net_revenue == pytest.approx(sold["amount"].head(45).sum())


def test_where_few_orders_have_a_payment_the_orders_count(tmp_path: Path) -> None:
    sold = orders()
    facts, _ = read(tmp_path, steps(sold, ("下单", "支付"), paid=0.3))
    assert facts.net_revenue == pytest.approx(sold["amount"].sum())
    assert facts.warnings[0].params["kept"] == "下单"


@pytest.mark.parametrize("ids", [True, False])
def test_names_that_are_written_as_one_likes_all_count(tmp_path: Path, ids: bool) -> None:
    sold = orders(120).assign(event=[("buy", "purchase")[at % 2] for at in range(120)])
    log = sold if ids else sold.drop(columns="order_id")
    facts, _ = read(tmp_path, log)
    assert facts.net_revenue == pytest.approx(sold["amount"].sum()) and codes(facts) == []


def test_the_same_coffee_each_day_under_two_names_all_counts(tmp_path: Path) -> None:
    luck = np.random.default_rng(3)
    days = pd.DataFrame({"user_id": np.repeat([f"u{one}" for one in range(8)], 40), "day": np.tile(range(40), 8)})
    names = np.array(["order", "payment"])[luck.integers(0, 2, len(days))]
    log = days.assign(time=[START + timedelta(days=int(day)) for day in days["day"]], event=names, amount=4.5)
    facts, _ = read(tmp_path, log.drop(columns="day"))
    assert facts.net_revenue == pytest.approx(4.5 * len(days)) and codes(facts) == ["warning.constant_amount"]


def test_lines_of_one_order_under_two_names_all_count(tmp_path: Path) -> None:
    sold = orders()
    lines = pd.concat([sold.assign(event="buy"), sold.assign(event="purchase", amount=sold["amount"] / 2 + 1)])
    facts, _ = read(tmp_path, lines)
    assert facts.net_revenue == pytest.approx(lines["amount"].sum(), abs=0.5)


@pytest.mark.parametrize("names", [("退货", "退款"), ("order_cancelled", "refund")])
def test_a_return_that_is_told_in_two_steps_is_taken_off_once(tmp_path: Path, names: tuple[str, str]) -> None:
    sold = orders()
    back = sold.head(20)
    steps_back = [back.assign(event=name, time=back["time"] + timedelta(days=1 + at)) for at, name in enumerate(names)]
    facts, _ = read(tmp_path, pd.concat([steps(sold, ("purchase",)), *steps_back]))
    assert facts.net_revenue == pytest.approx(sold["amount"].sum() - back["amount"].sum())
    assert codes(facts) == ["warning.order_steps.return"] and facts.warnings[0].params["kept"] == names[1]


@pytest.mark.parametrize("placed", ["下单", "提交订单"])
def test_what_is_cancelled_before_it_is_paid_gives_nothing_back(tmp_path: Path, placed: str) -> None:
    sold = orders()
    paid = sold.head(42)
    log = pd.concat([steps(sold, (placed, "支付"), paid=0.7), sold.tail(18).assign(event="取消订单")])
    facts, _ = read(tmp_path, log)
    assert facts.net_revenue == pytest.approx(paid["amount"].sum())
    assert "warning.order_steps.unpaid" in codes(facts)


def test_what_is_cancelled_after_it_was_paid_is_taken_off(tmp_path: Path) -> None:
    sold = orders()
    log = pd.concat([steps(sold, ("下单", "支付")), sold.head(15).assign(event="取消订单")])
    facts, _ = read(tmp_path, log)
    assert facts.net_revenue == pytest.approx(sold["amount"].tail(45).sum())


def test_the_person_can_say_that_both_are_purchases(tmp_path: Path) -> None:
    sold = orders()
    facts, _ = read(tmp_path, steps(sold, ("下单", "支付")), events={"下单": "purchase"})
    assert facts.net_revenue == pytest.approx(2 * sold["amount"].sum()) and codes(facts) == []


def test_a_few_orders_of_next_month_are_read_as_those_before(tmp_path: Path) -> None:
    sold, later = orders(), orders(4, seed=2)
    later["time"] += timedelta(days=60)
    read(tmp_path, steps(sold, ("下单", "支付")))
    steps(later, ("下单", "支付")).to_csv(tmp_path / "next.csv", index=False)
    facts = append(Workspace(tmp_path / "ws"), "log", tmp_path / "next.csv")
    assert facts.net_revenue == pytest.approx(sold["amount"].sum() + later["amount"].sum())


def test_the_check_tells_what_each_name_is_taken_for_and_would_be_without_the_person(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    steps(orders(), ("下单", "支付")).to_csv(file, index=False)
    found = {one.name: (one.event_type, one.usual) for one in check_file(file).event_names}
    assert found == {"view": ("view", "view"), "下单": ("下单", "下单"), "支付": ("purchase", "purchase")}
    found = {one.name: (one.event_type, one.usual) for one in check_file(file, events={"下单": "purchase"}).event_names}
    assert found["下单"] == ("purchase", "下单")

"""Exports of shop systems from all over the world say who bought what, when, and what was paid in the end."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import Export, number, returned
from tests.collection.shop_exports import PART, REFUNDED, Order, orders
from tests.collection.shop_exports_asian import ASIAN, PRICES, whole
from tests.collection.shop_exports_asian import paid as paid_in_yen
from tests.collection.shop_exports_chinese import CHINESE
from tests.collection.shop_exports_western import WESTERN
from tests.collection.small_logs import put, warnings

pytestmark = pytest.mark.first(2)

EXPORTS = CHINESE | ASIAN | WESTERN


def read(folder: Path, export: Export, **options: object) -> tuple[Manifest, pd.DataFrame, list[Order]]:
    made, file, workspace = orders(), folder / "export.csv", Workspace(folder / "ws")
    export.write(file, made)
    manifest = ingest(workspace, file, "shop", **options)  # type: ignore[arg-type]
    return manifest, pd.read_parquet(open_dataset(workspace, "shop").events_path), made


@pytest.mark.examples(2)
@pytest.mark.parametrize("system", EXPORTS)
def test_an_export_says_who_bought_what_when_and_for_how_much(tmp_path: Path, system: str) -> None:
    export = EXPORTS[system]
    manifest, events, made = read(tmp_path, export)
    counted = [one for one in made if export.worth(one) > 0]
    wanted: dict[str, float] = defaultdict(float)
    for one in counted:
        wanted[export.who(one)] += export.worth(one)
    assert events.groupby("customer_id")["amount"].sum().to_dict() == pytest.approx(wanted, abs=0.03)
    assert manifest.net_revenue == pytest.approx(sum(wanted.values()), abs=0.02)
    form = "%Y-%m-%d %H:%M" if export.clock else "%Y-%m-%d"
    assert set(events["event_time"].dt.strftime(form)) == {one.time.strftime(form) for one in counted}
    assert events["order_id"].nunique() == len(counted)
    if export.products:
        assert set(events["product_id"]) == set(export.products) and events["quantity"].notna().all()
    assert manifest.currency == export.currency


@pytest.mark.slow
@pytest.mark.parametrize("system", ["shopware", "shopee_indonesian", "magento_items", "wix", "youzan", "toast"])
def test_next_months_export_is_read_as_the_first_one_was(tmp_path: Path, system: str) -> None:
    export, made = EXPORTS[system], sorted(orders(), key=lambda one: one.time)
    first, later, workspace = tmp_path / "first.csv", tmp_path / "later.csv", Workspace(tmp_path / "ws")
    export.write(first, made[:160])
    export.write(later, made[160:])
    ingest(workspace, first, "shop")
    manifest = append(workspace, "shop", later)
    assert manifest.net_revenue == pytest.approx(sum(map(export.worth, made)), abs=0.02)


@pytest.mark.parametrize(("system", "column"), [("douyin", "收件人手机号"), ("pinduoduo", "手机")])
def test_masked_contacts_are_nobodys_ids_and_are_asked_about(tmp_path: Path, system: str, column: str) -> None:
    plain = EXPORTS[system]

    def rows(one: Order) -> list[dict[str, object]]:
        return [{**row, column: f"138****{number(one):04}"} for row in plain.rows(one)]

    hidden = replace(plain, rows=rows)
    with pytest.raises(NeedsAnswer, match=column) as caught:
        read(tmp_path, hidden)
    assert caught.value.code == "customers_masked"
    manifest, _, _ = read(tmp_path, hidden, mapping={"customer_id": column})
    assert manifest.customers == 40


def test_a_file_without_buyers_is_asked_about_and_no_column_of_money_is_offered(tmp_path: Path) -> None:
    plain = EXPORTS["tmall_items"]

    def rows(one: Order) -> list[dict[str, object]]:
        return [{key: value for key, value in row.items() if key != "买家会员名"} for row in plain.rows(one)]

    with pytest.raises(NeedsAnswer) as caught:
        read(tmp_path, replace(plain, rows=rows))
    assert (caught.value.code, caught.value.params["guess"]) == ("missing_column", "COLUMN")


def test_a_state_of_one_product_takes_its_share_of_the_order_and_no_more(tmp_path: Path) -> None:
    plain = EXPORTS["cafe24"]

    def rows(one: Order) -> list[dict[str, object]]:
        came_back = [returned(one, place) for place in range(len(one.lines))]
        return [
            {**row, "주문상태": "반품완료" if gone and one.fate == PART else row["주문상태"]}
            for row, gone in zip(plain.rows(one), came_back, strict=True)
        ]

    manifest, events, made = read(tmp_path, replace(plain, rows=rows))
    lost = sum(
        PRICES[one.lines[0][0]] * one.lines[0][1] * paid_in_yen(one) / whole(one)
        for one in made
        if one.fate == PART and len(one.lines) > 1
    )
    assert lost > 0 and events["order_id"].nunique() == sum(plain.worth(one) > 0 for one in made)
    assert manifest.net_revenue == pytest.approx(sum(map(plain.worth, made)) - lost)


def test_an_order_whose_products_were_all_refunded_is_set_aside_whatever_its_state(tmp_path: Path) -> None:
    plain = EXPORTS["wechat_shop"]

    def rows(one: Order) -> list[dict[str, object]]:
        return [{**row, "订单状态": "已完成" if one.fate == REFUNDED else row["订单状态"]} for row in plain.rows(one)]

    manifest, events, made = read(tmp_path, replace(plain, rows=rows))
    assert manifest.net_revenue == pytest.approx(sum(map(plain.worth, made)), abs=0.02)
    assert events["order_id"].nunique() == sum(plain.worth(one) > 0 for one in made)


def test_states_in_numbers_are_named_and_read_as_the_person_says(tmp_path: Path) -> None:
    plain = EXPORTS["rakuten"]

    def rows(one: Order) -> list[dict[str, object]]:
        return [
            {**row, "ステータス": 900 if "キャンセル" in str(row["ステータス"]) else 500} for row in plain.rows(one)
        ]

    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, replace(plain, rows=rows))
    assert [word.split()[0] for word in asked.value.params["states"]] == ["500", "900"]
    manifest, _, made = read(tmp_path, replace(plain, rows=rows), states={"900": "cancelled"})
    assert manifest.net_revenue == sum(paid_in_yen(one) for one in made if plain.worth(one) > 0)


@pytest.mark.slow
def test_what_was_done_about_an_amount_or_a_customer_is_said(tmp_path: Path) -> None:
    codes = {
        "shopware": "second_states",
        "magento_items": "customer_by_email",
        "shopee_indonesian": "decimal_no_cents",
    }
    for system, code in codes.items():
        manifest, _, _ = read(tmp_path, EXPORTS[system])
        assert code in warnings(manifest), system


def test_a_discount_that_the_amount_does_not_know_of_is_said(tmp_path: Path) -> None:
    rows = [(f"c{i % 7}", f"2024-03-{i % 28 + 1:02}", 1 + i % 3, 10 + i, i % 4) for i in range(60)]
    lines = [f"{who},{day},{pieces},{price},{off},{pieces * price}" for who, day, pieces, price, off in rows]
    file = put(tmp_path, ["customer_id,order_date,quantity,unit_price,discount,item_total", *lines])
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, file, "shop")
    assert manifest.net_revenue == sum(pieces * price for *_, pieces, price, _ in rows)
    assert warnings(manifest)["discount_not_off"]["discount"] == "discount"
    manifest = ingest(workspace, file, "shop", mapping={"amount": ""})
    assert manifest.net_revenue == sum(pieces * price - off for *_, pieces, price, off in rows)

"""Times that end orders: cancelled_at, deleted_at and refunded_at are filled, or paid_at is blank."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest
from clv_core.errors import NeedsAnswer
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at
from tests.collection.shop_exports import CANCELLED, PART, REFUNDED, Order, _write, orders

pytestmark = pytest.mark.first(2)


def read(folder: Path, more: Callable[[Order], dict[str, Any]], **said: Any) -> tuple[Manifest, list[Order]]:
    """Read the orders as a shop's own database keeps them."""
    made, file = orders(), folder / "orders.csv"
    rows = [
        {"id": one.number + 1, "user_id": one.customer, "created_at": at(one), "total": one.total, **more(one)}
        for one in made
    ]
    _write(file, list(rows[0]), rows)
    return ingest(Workspace(folder / "ws"), file, "shop", **said), made


def codes(manifest: Manifest) -> list[str]:
    return [item["code"].removeprefix("warning.") for item in manifest.warnings]


def lasting(made: list[Order], *gone: str) -> float:
    return pytest.approx(sum(one.total for one in made if one.fate not in gone), abs=0.01)  # type: ignore[return-value]


@pytest.mark.examples(2)
@pytest.mark.parametrize("nothing", ["", "NULL", "0000-00-00 00:00:00"])
@pytest.mark.parametrize(
    "names", [("cancelled_at", "refunded_at"), ("Deleted At", "refund_time"), ("取消时间", "退款时间")]
)
def test_orders_with_a_time_of_their_end_are_no_sales(tmp_path: Path, names: tuple[str, str], nothing: str) -> None:
    def ends(one: Order) -> dict[str, Any]:
        return {
            name: at(one) if one.fate == fate else nothing
            for name, fate in zip(names, (CANCELLED, REFUNDED), strict=True)
        }

    manifest, made = read(tmp_path, ends)
    assert manifest.net_revenue == lasting(made, CANCELLED, REFUNDED)
    assert codes(manifest).count("ended_by_time") == 2 and "refund_columns_unused" not in codes(manifest)


def test_an_order_whose_time_of_payment_is_blank_was_never_paid(tmp_path: Path) -> None:
    manifest, made = read(tmp_path, lambda one: {"paid_at": "" if one.fate == CANCELLED else at(one)})
    assert manifest.net_revenue == lasting(made, CANCELLED) and "unpaid_by_time" in codes(manifest)


def test_a_subscription_that_ends_months_later_may_have_been_paid(tmp_path: Path) -> None:
    def ends(one: Order) -> dict[str, Any]:
        return {"cancelled_at": f"{one.time + timedelta(days=90):%Y-%m-%d}" if one.fate == CANCELLED else ""}

    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, ends)
    assert asked.value.code == "ended_late"
    manifest, made = read(tmp_path, ends, states={"cancelled_at": "sold"})
    assert manifest.net_revenue == lasting(made) and "ended_by_time" not in codes(manifest)


def test_the_person_may_say_that_they_are_sales(tmp_path: Path) -> None:
    manifest, made = read(
        tmp_path, lambda one: {"deleted_at": at(one) if one.fate == CANCELLED else ""}, mapping={"order_status": ""}
    )
    assert manifest.net_revenue == lasting(made)


def test_a_state_outranks_the_time_of_a_cancellation_but_not_of_a_deletion(tmp_path: Path) -> None:
    def row(one: Order) -> dict[str, Any]:
        word = "cancelled" if one.fate == CANCELLED else "complete"
        gone = at(one) if one.fate == REFUNDED else ""
        return {"status": word, "cancelled_at": at(one) if one.number % 3 == 0 else "", "deleted_at": gone}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == lasting(made, CANCELLED, REFUNDED)


def test_what_was_paid_back_outranks_the_time_when_it_was(tmp_path: Path) -> None:
    def row(one: Order) -> dict[str, Any]:
        return {"refund_amount": one.back or "", "refunded_at": at(one) if one.back else ""}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == pytest.approx(sum(one.total - one.back for one in made), abs=0.01)


def test_a_time_that_most_rows_have_ends_none_of_them(tmp_path: Path) -> None:
    manifest, made = read(tmp_path, lambda one: {"cancelled_at": at(one)})
    assert manifest.net_revenue == lasting(made)


def test_lines_of_an_order_that_was_paid_may_leave_the_time_blank(tmp_path: Path) -> None:
    file, lines = tmp_path / "lines.csv", ["order_id,user_id,created_at,product_id,amount,paid_at"]
    for day in range(1, 29):
        for line in (1, 2):
            paid = f"2024-01-{day:02} 10:05:00" if line == 1 else ""
            lines.append(f"o{day},u{day % 5},2024-01-{day:02} 10:00:00,p{line},{day + line},{paid}")
    file.write_text("\n".join(lines) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "lines")
    assert manifest.net_revenue == sum(2 * day + 3 for day in range(1, 29))


def test_next_months_orders_end_alike(tmp_path: Path) -> None:
    manifest, made = read(tmp_path, lambda one: {"deleted_at": at(one) if one.fate == CANCELLED else ""})
    later = tmp_path / "later.csv"
    rows = [
        ("n1", "user01@example.com", "2025-01-03 10:00:00", 20, ""),
        ("n2", "user02@example.com", "2025-01-04", 5, ""),
    ]
    text = "".join(",".join(map(str, row)) + "\n" for row in [*rows, ("n3", "x", "2025-01-05", 7, "2025-01-06")])
    later.write_text(f"id,user_id,created_at,total,deleted_at\n{text}")
    whole = append(Workspace(tmp_path / "ws"), "shop", later)
    assert whole.net_revenue == pytest.approx(manifest.net_revenue + 25)


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["refund_of_items", "money_back", "returned_amount", "credited"])
@pytest.mark.parametrize("nothing", ["", "0.00"])
def test_what_is_filled_beside_the_time_of_a_refund_alone_says_how_much_it_was(
    tmp_path: Path, column: str, nothing: str
) -> None:
    def row(one: Order) -> dict[str, Any]:
        return {column: one.back or nothing, "refunded_at": at(one) if one.back else ""}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == pytest.approx(sum(one.total - one.back for one in made), abs=0.01)
    assert manifest.mapping["refund"] == column


def test_a_column_of_money_that_is_filled_elsewhere_says_nothing_of_refunds(tmp_path: Path) -> None:
    def row(one: Order) -> dict[str, Any]:
        return {"shipping_paid": 4.9 + one.number % 7, "refunded_at": at(one) if one.fate == REFUNDED else ""}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == lasting(made, REFUNDED) and "refund" not in manifest.mapping


@pytest.mark.parametrize("words", [("refund_type", "full", "partial"), ("is_partial_refund", "false", "true")])
def test_a_time_of_a_refund_ends_no_order_where_a_word_says_that_it_was_of_a_part(
    tmp_path: Path, words: tuple[str, str, str]
) -> None:
    column, all_back, part = words

    def row(one: Order) -> dict[str, Any]:
        word = part if one.fate == PART else all_back if one.fate == REFUNDED else ""
        return {column: word, "refunded_at": at(one) if one.back else ""}

    manifest, made = read(tmp_path, row)
    assert manifest.net_revenue == lasting(made)
    assert {"refunds_partly", "refund_columns_unused"} <= set(codes(manifest)) and "refunded" not in codes(manifest)

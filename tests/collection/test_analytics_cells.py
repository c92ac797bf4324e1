"""Cells of web analytics: Adobe's products in one, and Matomo's numbers for orders, carts and goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collection.small_logs import day, read, write

pytestmark = pytest.mark.first(2)

HITS = "mcvisid,date_time,{events}{products}"


def strings(at: int) -> tuple[str, float]:
    """Return what the hit at a place says of one product or two, and what they came to."""
    paid = [round(5.25 + at, 2), 7.5][: 1 + at % 2]
    more = ["", ";event5=1|event6=2.5;eVar3=red"][at % 3 == 0]
    return ",".join(f"{'Shoes' * (at % 2)};SKU{at % 7};{1 + at % 2};{value:.2f}{more}" for value in paid), sum(paid)


@pytest.mark.examples(3)
@pytest.mark.parametrize("products", ["products", "product_list", "post_product_list"])
def test_the_products_of_a_hit_are_worth_their_prices_where_it_is_a_purchase(tmp_path: Path, products: str) -> None:
    kinds = ["1,200", "12,100=5", "2", "20,105"]
    file = write(
        tmp_path,
        HITS.format(events="event_list,", products=products),
        lambda at: (f"v{at % 20}", f"{day(at)} 10:00:00", f'"{kinds[at % 4]}"', f'"{strings(at)[0]}"'),
    )
    manifest, events, said = read(file)
    bought = range(0, 90, 4)
    assert manifest.net_revenue == pytest.approx(sum(strings(at)[1] for at in bought))
    assert manifest.event_types == {"purchase": 23, "cart": 23, "view": 44} and manifest.rows_set_aside == 0
    rows = events.query("event_type == 'purchase'")
    assert rows["quantity"].sum() == sum((1 + at % 2) ** 2 for at in bought)
    assert set(rows["product_id"].dropna()) == {f"SKU{at % 7}" for at in bought if at % 2 == 0}
    assert said["product_strings"]["by"] == "event_list"


def test_without_a_list_of_events_a_hit_with_an_order_is_the_purchase(tmp_path: Path) -> None:
    head = "post_visid_high,post_visid_low,date_time,purchaseid,post_product_list"
    file = write(
        tmp_path,
        head,
        lambda at: (
            10**18 + at % 20,
            7,
            f"{day(at)} 10:00:00",
            f"P{at}" * (at % 3 == 0),
            f'"{strings(at)[0] if at % 3 == 0 else ";SKU1;;"}"',
        ),
    )
    manifest, events, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sum(strings(at)[1] for at in range(0, 90, 3)))
    assert manifest.customers == 20 and f"{10**18}_7" in set(events["customer_id"])


def test_a_cell_of_semicolons_elsewhere_holds_no_products(tmp_path: Path) -> None:
    file = write(
        tmp_path, "customer_id,order_date,amount,products", lambda at: (f"c{at % 9}", day(at), 10, "red;blue;green")
    )
    manifest, _, said = read(file, duplicates="keep")
    assert manifest.mapping["amount"] == "amount" and "product_strings" not in said


@pytest.mark.parametrize("told", ["number", "word"])
def test_a_cart_that_was_left_behind_and_a_goal_are_no_purchases(tmp_path: Path, told: str) -> None:
    numbers, words = [0, -1, 3], ["ecommerceOrder", "ecommerceAbandonedCart", "goal"]
    file = write(
        tmp_path,
        f"idvisit,idvisitor,server_time,{'idgoal' if told == 'number' else 'type'},revenue",
        lambda at: (at, f"v{at % 11}", day(at), (numbers if told == "number" else words)[at % 3], 10 + at),
    )
    manifest, events, said = read(file)
    assert manifest.net_revenue == sum(10 + at for at in range(0, 90, 3)) and manifest.customers == 11
    assert manifest.event_types == {"purchase": 30, "cart": 30, "goal": 30}
    assert set(events["event_type"]) == set(manifest.event_types)
    assert ("goal_numbers" in said) == (told == "number")


def test_goals_are_sales_where_the_person_says_so(tmp_path: Path) -> None:
    file = write(
        tmp_path, "idvisitor,server_time,idgoal,revenue", lambda at: (f"v{at % 11}", day(at), at % 2 * 4 - 1, 10)
    )
    manifest, _, _ = read(file, events={"goal": "purchase"})
    assert manifest.net_revenue == 450

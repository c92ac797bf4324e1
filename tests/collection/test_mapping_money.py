"""What was paid is found, asked for, or plainly missing; and of several columns the better one is taken and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.proposals.choosing import choose
from clv_core.collection.mapping.proposals.propose import propose
from clv_core.collection.stored.store import Manifest
from clv_core.errors import Message, NeedsAnswer, Refused
from clv_core.workspace import Workspace


def read(folder: Path, text: str, **options: object) -> Manifest:
    file = folder / "log.csv"
    file.write_text(text, encoding="utf-8")
    return ingest(Workspace(folder / "ws"), file, "log", **options)  # type: ignore[arg-type]


def chosen(columns: dict[str, list[str]]) -> tuple[dict[str, str], tuple[Message, ...]]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return choose(propose(tuple(columns), rows, {}), "log.csv")


WHO = {
    "customer_id": [f"c{at % 7}" for at in range(30)],
    "order_date": [f"2024-03-{at % 28 + 1:02}" for at in range(30)],
}
PAID = [f"{at * 1.37 + 5:.2f}" for at in range(30)]


@pytest.mark.parametrize(
    "name",
    ["tran_amount", "total_paid", "用户实付金额(元)", "請求金額", "Purchase", "Gross Sales", "TotalDue", "amt",
     "total_amt", "price_paid", "Turnover"],
)  # fmt: skip
def test_usual_names_of_what_was_paid_are_known(name: str) -> None:
    assert chosen({**WHO, name: PAID})[0]["amount"] == name


def test_a_flag_is_no_amount() -> None:
    assert "amount" not in chosen({**WHO, "purchase": ["0", "1"] * 15, "price": PAID})[0]


def test_columns_of_numbers_are_asked_about_with_the_likeliest_first() -> None:
    pieces = [str(8 + at % 17) for at in range(30)]
    with pytest.raises(NeedsAnswer, match='hold numbers: column_4, column_3.*--map "amount=column_4"'):
        chosen({**WHO, "column_3": pieces, "column_4": PAID})
    with pytest.raises(NeedsAnswer, match='--map "amount=takings_sum"'):
        chosen({**WHO, "takings_sum": [str(int(float(paid))) for paid in PAID], "till": PAID})


@pytest.mark.parametrize(
    "columns",
    [
        {"item_id": [str(5155 + at) for at in range(30)], "column_4": ["pv", "buy", "cart"] * 10},
        {"asin": [f"B00{at}" for at in range(30)], "overall": ["1.0", "5.0", "3.5"] * 10},
        {"col": [f"{1 + at % 5}.0" for at in range(30)], "birth_year": [str(1960 + at) for at in range(30)]},
    ],
)
def test_a_log_of_views_or_ratings_is_refused_without_inviting_a_wrong_answer(columns: dict[str, list[str]]) -> None:
    with pytest.raises(Refused, match="holds no amounts") as caught:
        chosen({**WHO, **columns})
    assert not any(f"amount={column}" in caught.value.message() for column in columns)


def test_ids_are_not_added_up_as_money_where_the_person_says_so(tmp_path: Path) -> None:
    text = "timestamp,visitorid,event,transactionid\n" + "\n".join(
        f"2024-03-{at % 28 + 1:02},{at % 7},transaction,{9000 + at}" for at in range(30)
    )
    with pytest.raises(Refused, match="order_id") as caught:
        read(tmp_path, text, mapping={"amount": "transactionid"})
    assert caught.value.code == "amount_is_ids"


def test_all_that_is_missing_is_asked_for_at_once() -> None:
    columns = {"who": WHO["customer_id"], "seen": WHO["order_date"], "column_3": PAID}
    with pytest.raises(NeedsAnswer, match="customer_id, event_time, amount") as caught:
        chosen({**columns, "then": columns["seen"]})
    assert "--map customer_id=COLUMN --map event_time=COLUMN --map amount=column_3" in caught.value.message()


@pytest.mark.parametrize("name", ["Grand Total (Base)", "Order Total (USD)"])
def test_a_unit_in_brackets_does_not_make_a_total_worse_than_a_subtotal(name: str) -> None:
    found, notes = chosen({**WHO, "Subtotal": PAID, name: [f"{float(paid) + 5:.2f}" for paid in PAID]})
    assert found["amount"] == name
    assert [note.params["others"] for note in notes if note.code == "warning.one_of_several"] == [["Subtotal"]]


@pytest.mark.parametrize(
    ("canonical", "columns", "best"),
    [
        ("order_id", {"Transaction ID": "t{0}", "Order ID": "o{1}"}, "Order ID"),
        ("product_id", {"item_id": "{0}", "sku": "SKU-{1}"}, "sku"),
        ("category", {"category_id": "2053013555631882{1}", "category_code": "home.sofa"}, "category_code"),
    ],
)
def test_of_two_names_that_are_equally_good_the_telling_one_is_taken_and_the_other_named(
    canonical: str, columns: dict[str, str], best: str
) -> None:
    made = {name: [form.format(at, at // 2) for at in range(30)] for name, form in columns.items()}
    found, notes = chosen({**WHO, "amount": PAID, **made})
    (other,) = set(columns) - {best}
    assert found[canonical] == best
    assert {"canonical": canonical, "column": best, "others": [other]} in [note.params for note in notes]


@pytest.mark.parametrize(("of_line", "price"), [(True, "amount"), (False, "unit_price")])
def test_small_whole_amounts_beside_a_price_are_pieces(tmp_path: Path, of_line: bool, price: str) -> None:
    lines, total = ["TRANSACTION_DATE,CUSTOMER_ID,PRODUCT_ID,AMOUNT,SALES_PRICE"], 0
    for at in range(90):
        pieces, each = 1 + at % 3, 40 + at % 8
        total += pieces * each
        lines.append(f"2024-03-{at % 28 + 1:02},c{at % 9},p{at % 8},{pieces},{each * (pieces if of_line else 1)}")
    manifest = read(tmp_path, "\n".join(lines))
    assert manifest.net_revenue == total
    assert manifest.mapping["quantity"] == "AMOUNT" and manifest.mapping[price] == "SALES_PRICE"


def test_small_whole_amounts_are_asked_about_where_nothing_tells_what_the_price_is_of(tmp_path: Path) -> None:
    lines = ["order_date,customer_id,amount,sale_price"]
    lines += [f"2024-03-{at % 28 + 1:02},c{at % 9},{1 + at % 3},{40 + at % 8}" for at in range(90)]
    with pytest.raises(NeedsAnswer, match='--map quantity="amount"') as caught:
        read(tmp_path, "\n".join(lines))
    assert caught.value.code == "amount_of_pieces"
    assert read(tmp_path, "\n".join(lines), mapping={"amount": "amount"}).net_revenue == 180


def test_lines_of_orders_and_of_items_in_one_table_are_not_called_blank_in_every_row(tmp_path: Path) -> None:
    lines = ["Type,OrderDate,BuyerEmail,Name,Quantity,unit_price"]
    for at in range(20):
        lines += [f"order,2024-03-{at + 1:02},a{at % 7}@x.com,,,", f"lineItem,,,mug,2,{at + 5}"]
    with pytest.raises(Refused) as caught:
        read(tmp_path, "\n".join(lines))
    assert caught.value.code == "no_readable_amount" and "unit_price" in caught.value.message()

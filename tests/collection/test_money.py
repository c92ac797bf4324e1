"""What a log's rows are worth: orders and credit notes, numbers by their marks, discounts, currencies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.store.version_store import Manifest
from clv_core.errors import NeedsAnswer
from tests.collection.small_logs import read_lines, warnings


def read(folder: Path, head: str, lines: Sequence[str], **options: Any) -> Manifest:
    return read_lines(folder, [head, *lines], **options)[0]


@pytest.mark.examples(2)
@pytest.mark.parametrize(("letters", "returned"), [("W", 0), ("POS-", 0), ("C", 10), ("cn-", 10), ("CR", 10)])
def test_only_the_letters_of_a_credit_note_make_an_order_id_a_return(
    tmp_path: Path, letters: str, returned: int
) -> None:
    orders = [f"{10_000 + i}" for i in range(20)] + [f"{letters}{20_000 + i}" for i in range(10)]
    lines = [f"{order},c{i},2024-03-{i + 1:02},20" for i, order in enumerate(orders)]
    manifest = read(tmp_path, "order_no,customer,purchase_date,amount", lines)
    assert manifest.event_types.get("return", 0) == returned
    assert manifest.net_revenue == 20.0 * (30 - 2 * returned)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("prices", "options", "revenue", "code"),
    [
        (("0,05 €", "12,50 €"), {}, 1_000 * 0.05 + 1_500 * 12.5, "decimal_elsewhere_comma"),
        (("0.05", "12.50"), {}, 1 * 0.05 + 1.5 * 12.5, "decimal_elsewhere_point"),
        (("2", "3"), {"decimal": "point"}, 2 + 4.5, None),
        (("2", "3"), {"decimal": "comma"}, 2_000 + 4_500, None),
        (("0.05", "12.50"), {"decimal": "comma"}, 1_000 * 0.05 + 1_500 * 12.5, None),
    ],
)
def test_a_quantity_is_read_by_the_decimal_mark_of_the_file(
    tmp_path: Path, prices: tuple[str, str], options: dict[str, str], revenue: float, code: str | None
) -> None:
    lines = [f"c{i};2024-03-0{i + 1};{q};{p}" for i, (q, p) in enumerate(zip(("1.000", "1.500"), prices, strict=True))]
    manifest = read(tmp_path, "customer_id;date;Menge;unit_price", lines, mapping={"quantity": "Menge"}, **options)
    assert manifest.net_revenue == pytest.approx(revenue, abs=0.005)
    codes = {found for found in warnings(manifest) if "decimal_" in found and "decimal_comma" not in found}
    assert codes == ({code} if code else set())


@pytest.mark.examples(2)
@pytest.mark.parametrize("named", [0, 4, 20])
def test_repeated_purchases_are_asked_about_whether_or_not_rows_carry_an_order_id(tmp_path: Path, named: int) -> None:
    """Without a product, two equal lines of an order may be two items."""
    lines = [f"{f'o{i // 2}' if i < named else ''},c{i // 2},2024-03-01,10" for i in range(20)]
    with pytest.raises(NeedsAnswer, match=r"--keep-duplicates \(net revenue 200.00\)"):
        read(tmp_path, "order_id,customer_id,date,amount", lines)
    for answer, dropped in (("keep", 0), ("drop", 10)):
        manifest = read(tmp_path, "order_id,customer_id,date,amount", lines, duplicates=answer)
        assert manifest.rows_duplicate == dropped and manifest.purchases == 20 - dropped


DISCOUNTED = "order_no,customer,purchase_date,qty,unit_price,discount"


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("discount", "returned", "amount"),
    [("5", "5", 15), ("5", "-5", 15), ("-5", "5", 15), ("-5", "-5", 15), ("(5.00)", "5", 15), ("5", "0", 15)],
)
def test_a_discount_brings_purchases_and_returns_nearer_to_zero_whatever_its_sign(
    tmp_path: Path, discount: str, returned: str, amount: float
) -> None:
    lines = [f"{i},c{i},2024-03-{i + 1:02},1,20,{discount}" for i in range(9)]
    lines.append(f"9,c0,2024-03-20,-1,20,{returned}")
    manifest = read(tmp_path, DISCOUNTED, lines)
    assert manifest.net_revenue == 9 * amount - (20 - abs(float(returned)))
    assert manifest.event_types == {"purchase": 9, "return": 1}


def test_a_surcharge_among_discounts_is_added(tmp_path: Path) -> None:
    lines = [f"{i},c{i},2024-03-{i + 1:02},1,20,{'-2' if i == 0 else '5'}" for i in range(9)]
    assert read(tmp_path, DISCOUNTED, lines).net_revenue == 22 + 8 * 15


@pytest.mark.parametrize(("discount", "doubted"), [(20, True), (5, False)])
def test_discounts_that_leave_nothing_are_doubted(tmp_path: Path, discount: int, doubted: bool) -> None:
    lines = [f"{i},c{i},2024-03-{i + 1:02},1,{15 + i},{discount}" for i in range(9)]
    lines += [f"{i},c{i},2024-03-{i + 1:02},1,20,0" for i in range(9, 20)]  # without a discount: they do not count
    found = warnings(read(tmp_path, DISCOUNTED, lines))
    assert ("deep_discounts" in found) == doubted
    if doubted:
        assert found["deep_discounts"] == {"column": "discount", "rows": 6, "discounted": 9}


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("amounts", "currency", "kept", "codes"),
    [
        (("¥1200", "￥900"), "", "CNY", {"currency_marks", "currency_guessed"}),
        (("¥1200", "JPY 900"), "", "JPY", {"currency_marks"}),
        (("¥1200", "¥900"), "JPY", "JPY", {"currency_marks"}),
        (("¥1200", "¥900"), "EUR", "EUR", {"currency_marks", "currency_contradicted"}),
        (("$12", "$9"), "", "USD", {"currency_marks", "currency_guessed"}),
        (("EUR 12", "9 eur"), "", "EUR", {"currency_marks"}),
        (("£12", "9 €"), "", "", {"mixed_currency"}),
    ],
)
def test_the_currency_that_is_taken_is_named_and_doubted_where_the_file_leaves_doubt(
    tmp_path: Path, amounts: tuple[str, str], currency: str, kept: str, codes: set[str]
) -> None:
    lines = [f"c{i},2024-03-01,{amount}" for i, amount in enumerate(amounts)]
    manifest = read(tmp_path, "customer_id,event_time,amount", lines, currency=currency)
    found = warnings(manifest)
    assert manifest.currency == kept and codes <= set(found)
    assert all(code in codes for code in found if "currency" in code)
    assert all(params["currency"] == kept for code, params in found.items() if code.startswith("currency_"))


def test_a_currency_column_is_read_whatever_its_case_and_held_against_what_was_said(tmp_path: Path) -> None:
    header, lines = "customer_id,event_time,amount,currency", ["a,2024-03-01,1,EUR", "b,2024-03-02,2,eur"]
    manifest = read(tmp_path, header, lines)
    assert manifest.currency == "EUR" and not warnings(manifest)
    assert set(warnings(read(tmp_path, header, lines, currency="gbp"))) == {"currency_contradicted"}

"""Doubts that change the total by over 1% are asked, with what each reading makes of the revenue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import main
from clv_core.collection.check import check_file
from clv_core.collection.ingest import ingest
from clv_core.errors import NeedsAnswer
from clv_core.i18n import LANGUAGES
from clv_core.workspace import Workspace
from tests.collection.small_logs import ROWS, day, paid, put, read, write

HEAD = "customer_id,event_time,amount,order_id"
TOTAL = sum(map(paid, range(ROWS)))


def order(at: int, amount: object = None, *more: object) -> list[object]:
    return [f"c{at % 30}", f"{day(at)} 10:00:{at % 60:02}", paid(at) if amount is None else amount, f"O{at}", *more]


def asked(file: Path, **options: Any) -> tuple[str, dict[str, float | None]]:
    """Return the question that a file is read with, and the revenue of each option."""
    with pytest.raises(NeedsAnswer) as question:
        check_file(file, **options)
    return question.value.code, {one["option"]: one["net_revenue"] for one in question.value.params["readings"]}


def answered(file: Path, **options: Any) -> float:
    return check_file(file, **options).manifest.net_revenue


def test_a_point_that_may_mark_thousands_is_asked_with_both_sums(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: order(at, f"{1 + at % 9}.{100 + at}"))
    small = sum(float(f"{1 + at % 9}.{100 + at}") for at in range(ROWS))
    assert asked(file) == (
        "decimal_unsure_point",
        {"--decimal point": pytest.approx(small, abs=0.01), "--decimal comma": pytest.approx(1000 * small, abs=0.01)},
    )
    assert answered(file, decimal="comma") == pytest.approx(1000 * small)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_command_line_names_the_options_and_their_sums(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    file = write(tmp_path, HEAD + ",currency", lambda at: order(at, round(100 * paid(at)) + 1, "USD"))
    code = main(["ingest", str(file), "--name", "x", "--workspace", str(tmp_path / "ws"), "--lang", lang, "--quiet"])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert code == 3 and said["code"] == "maybe_cents"
    whole = 100 * TOTAL + ROWS
    assert [one["net_revenue"] for one in said["params"]["readings"]] == [whole, pytest.approx(whole / 100)]
    assert "--amount-unit minor" in said["message"] and f"{whole:,.2f}" in said["message"]


def test_one_amount_far_beyond_all_others_is_asked_about(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: order(at, 99999999 if at == 7 else None))
    code, sums = asked(file)
    rest = TOTAL - paid(7)
    assert code == "outlier" and sorted(sums.values()) == [rest, rest + 99999999]
    assert answered(file, max_amount=1000.0) == rest


def test_amounts_in_cents_from_one_row_on_are_asked_about(tmp_path: Path) -> None:
    late = ROWS // 2
    file = write(tmp_path, HEAD, lambda at: order(at, f"{paid(at):.2f}" if at < late else round(100 * paid(at)) + 1))
    assert asked(file)[0] == "cents_later"


def test_a_log_that_books_sales_below_zero_is_asked_about(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: order(at, -paid(at)))
    assert asked(file) == ("returns_mostly", {"--sign positive": -TOTAL, "--sign negative": TOTAL})
    assert answered(file, sign="negative") == TOTAL


def test_equal_lines_of_an_order_are_asked_about_where_they_matter(tmp_path: Path) -> None:
    head, doubled = HEAD + ",product_id", {3, 40, 70}
    file = write(tmp_path, head, lambda at: order(at, None, f"P{at}"))
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for at, line in enumerate(lines) for _ in range(1 + (at - 1 in doubled))) + "\n")
    more = sum(map(paid, doubled))
    assert asked(file) == ("duplicates_dropped", {"--drop-duplicates": TOTAL, "--keep-duplicates": TOTAL + more})


def test_a_file_that_stands_twice_in_itself_counts_once(tmp_path: Path) -> None:
    file = write(tmp_path, "customer_id,event_time,amount", lambda at: [f"c{at % 30}", day(at), paid(at)])
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, *lines]))
    assert answered(file) == TOTAL


def test_a_doubt_that_hardly_changes_the_total_is_a_warning(tmp_path: Path) -> None:
    file = write(tmp_path, "customer_id,event_time,amount", lambda at: [f"c{at % 30}", day(at), paid(at)])
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], *lines[1:]]) + "\n")
    _, events, said = read(file)
    assert "duplicates_kept" in said and events.amount.sum() == TOTAL + paid(0)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("name", "values", "taken_off"),
    [
        ("discount", ("0%", "10%"), lambda price, pieces: price * pieces * 0.1),
        ("discount", ("0", "0.25"), lambda price, pieces: price * pieces * 0.25),
        ("unit_discount", ("0", "1.5"), lambda price, pieces: pieces * 1.5),
        ("discount", ("0", "1.5"), lambda price, pieces: 1.5),
    ],
)
def test_discounts_are_taken_off_as_what_they_are(
    tmp_path: Path, name: str, values: tuple[str, str], taken_off: Any
) -> None:
    head = f"customer_id,event_time,unit_price,quantity,{name}"
    file = write(tmp_path, head, lambda at: [f"c{at % 9}", f"{day(at)} 10:00", paid(at), 1 + at % 3, values[at % 2]])
    off = sum(taken_off(paid(at), 1 + at % 3) for at in range(ROWS) if at % 2)
    assert answered(file) == pytest.approx(sum(paid(at) * (1 + at % 3) for at in range(ROWS)) - off, abs=0.01)
    manifest, events, _ = read(file)
    assert events.discount.sum() == pytest.approx(off, abs=0.01)


def test_discounts_that_look_like_percentages_are_asked_about(tmp_path: Path) -> None:
    head = "customer_id,event_time,unit_price,quantity,discount"
    file = write(tmp_path, head, lambda at: [f"c{at % 9}", f"{day(at)} 10:00", paid(at), 2, (0, 5, 10)[at % 3]])
    code, sums = asked(file)
    assert code == "maybe_percent"
    percent = sum(2 * paid(at) * (1 - (0, 5, 10)[at % 3] / 100) for at in range(ROWS))
    assert sums["--discount percent"] == pytest.approx(percent, abs=0.01)


def test_a_kind_of_row_that_nobody_knows_is_no_purchase_until_someone_says_so(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        return [*order(at)[:3], ("purchase", "blorp", "points_earned")[at % 3]]

    file = write(tmp_path, "customer_id,event_time,amount,type", row)
    sold = sum(paid(at) for at in range(0, ROWS, 3))
    more = sum(paid(at) for at in range(1, ROWS, 3))
    code, sums = asked(file)
    assert (code, list(sums.values())) == ("other_event_types", [sold, sold + more])
    assert answered(file, events={"blorp": "blorp"}) == sold
    assert answered(file, events={"blorp": "purchase"}) == sold + more


@pytest.mark.examples(2)
@pytest.mark.parametrize(("kind", "other"), [("消费", "充值"), ("purchase", "points_redeemed"), ("订单", "赠送")])
def test_points_and_top_ups_are_no_purchases(tmp_path: Path, kind: str, other: str) -> None:
    column = "类型" if kind != "purchase" else "type"
    file = write(
        tmp_path, f"customer_id,event_time,amount,{column}", lambda at: [*order(at)[:3], (kind, other)[at % 2]]
    )
    assert answered(file) == sum(paid(at) for at in range(0, ROWS, 2))


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("column", "off", "sold"),
    [
        ("test", "true", "false"),
        ("livemode", "false", "true"),
        ("return_date", "2024-12-01", ""),
        ("date_completed", "", "2024-12-01"),
        ("status", "authorized", "captured"),
    ],
)
def test_orders_that_are_no_revenue_do_not_count(tmp_path: Path, column: str, off: str, sold: str) -> None:
    file = write(tmp_path, f"{HEAD},{column}", lambda at: order(at, None, off if at % 6 == 0 else sold))
    assert answered(file) == sum(paid(at) for at in range(ROWS) if at % 6)


def test_orders_cancelled_long_after_they_were_made_are_asked_about(tmp_path: Path) -> None:
    file = write(tmp_path, f"{HEAD},cancelled_at", lambda at: order(at, None, "2025-12-01" if at % 6 == 0 else ""))
    sold = sum(paid(at) for at in range(ROWS) if at % 6)
    assert asked(file) == ("ended_late", {"--state=cancelled_at=sold": TOTAL, "--state=cancelled_at=cancelled": sold})
    assert answered(file, states={"cancelled_at": "cancelled"}) == sold


def test_amounts_of_an_unknown_name_in_refunded_orders_alone_are_asked_about(tmp_path: Path) -> None:
    back = {at: paid(at) / 4 for at in range(0, ROWS, 6)}
    file = write(
        tmp_path,
        f"{HEAD},refunded_at,money_back",
        lambda at: order(at, None, "2024-12-01" if at in back else "", f"{back[at]:.4f}" if at in back else ""),
    )
    kept, part = TOTAL - sum(map(paid, back)), TOTAL - sum(back.values())
    code, readings = asked(file)
    assert code == "refunded_in_part"
    assert readings == {"--map=refund=": pytest.approx(kept), "--map=refund=money_back": pytest.approx(part)}
    assert answered(file, mapping={"refund": "money_back"}) == pytest.approx(part)
    assert answered(file, mapping={"refund": ""}) == pytest.approx(kept)


def sent_again(folder: Path, more: str, again: Callable[[int], Sequence[object] | None]) -> Path:
    """Write events of orders with a column more; behind each stands what ``again`` makes of it: amount, clock, cell."""
    lines = [f"customer_id,event_time,amount,order_id,event_type,{more}"]
    for at in range(ROWS):
        rows = [(paid(at), f"{day(at)} 10:00:00", f"first{at}"), again(at)]
        lines += [f"c{at % 30},{row[1]},{row[0]},O{at},purchase,{row[2]}" for row in rows if row is not None]
    return put(folder, lines)


REPEATED = range(0, ROWS, 6)


def of_some(row: Callable[[int], Sequence[object]]) -> Callable[[int], Sequence[object] | None]:
    return lambda at: row(at) if at in REPEATED else None


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("more", "again"),
    [
        ("event_id", lambda at: (paid(at), f"{day(at)} 10:{at % 50 + 2}:00", f"again{at}")),
        ("page", lambda at: (paid(at), f"{day(at)} 22:00:00", f"first{at}")),
        ("received_at", lambda at: (paid(at), f"{day(at)} 10:00:00", f"{day(at)} 11:30:00")),
    ],
    ids=["id of the event", "reload", "processing time"],
)
def test_orders_that_stand_again_within_a_day_are_asked_about(tmp_path: Path, more: str, again: Any) -> None:
    file = sent_again(tmp_path, more, of_some(again))
    if more == "received_at":
        file.write_text(re.sub(r"first(\d+)", lambda found: f"{day(int(found[1]))} 10:00:01", file.read_text()))
    twice = TOTAL + sum(map(paid, REPEATED))
    assert asked(file) == ("repeated_orders", {"--keep-duplicates": twice, "--drop-duplicates": TOTAL})
    assert answered(file, duplicates="drop") == TOTAL and answered(file, duplicates="keep") == twice
    manifest, events, said = read(file, duplicates="drop")
    assert manifest.rows_duplicate == len(REPEATED) and set(events["event_time"].dt.hour) == {10}
    assert said["repeated_orders_dropped"] == {"rows": len(REPEATED), "orders": len(REPEATED)}


def test_a_repeated_order_of_several_lines_counts_each_line_as_often_as_it_stood(tmp_path: Path) -> None:
    lines = ["customer_id,event_time,order_id,event_type,amount"]
    for at in range(ROWS):
        halves = [paid(at) / 2] * 2 if at % 4 else [paid(at) - 5, 5]
        clocks = ("10:00:00", "10:07:00") if at in REPEATED else ("10:00:00",)
        lines += [f"c{at % 30},{day(at)} {clock},O{at},purchase,{half}" for clock in clocks for half in halves]
    file = put(tmp_path, [f"{line},{f'L{at}' if at else 'line_id'}" for at, line in enumerate(lines)])
    twice = TOTAL + sum(map(paid, REPEATED))
    assert asked(file) == ("repeated_orders", {"--keep-duplicates": twice, "--drop-duplicates": TOTAL})
    assert answered(file, duplicates="drop") == TOTAL


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("more", "again"),
    [
        ("line_id", lambda at: (paid(at), f"{day(at)} 10:00:00", f"again{at}")),
        ("shipment", lambda at: (paid(at), f"2025-{at % 9 + 1:02}-{at % 27 + 1:02} 10:00:00", f"again{at}")),
        ("variant", lambda at: (paid(at), f"{day(at)} 10:05:00", "SM"[at % 4 // 2])),
        ("payment", lambda at: (paid(at) / 3 if at % 4 else paid(at), f"{day(at)} 10:05:00", f"again{at}")),
    ],
    ids=["lines at one instant", "instalments", "another thing", "parts that mostly differ"],
)
def test_lines_parts_and_instalments_of_orders_are_not_asked_about(tmp_path: Path, more: str, again: Any) -> None:
    file = sent_again(tmp_path, more, of_some(again))
    assert answered(file) == pytest.approx(TOTAL + sum(again(at)[0] for at in REPEATED))


def test_orders_of_one_price_that_stand_again_are_not_asked_about(tmp_path: Path) -> None:
    file = sent_again(tmp_path, "ticket", of_some(lambda at: ("9.90", f"{day(at)} 10:05:00", f"again{at}")))
    file.write_text(re.sub(r",\d+\.5,", ",9.90,", file.read_text()))
    assert answered(file) == pytest.approx(9.9 * (ROWS + len(REPEATED)))


def test_a_few_repeated_orders_are_counted_and_said(tmp_path: Path) -> None:
    file = sent_again(
        tmp_path, "page", lambda at: (paid(at), f"{day(at)} 10:05:00", f"first{at}") if at in (0, 1, 2) else None
    )
    big = (
        file.read_text() + "c1,2024-05-05 10:00:00,99000,big,purchase,x\nc2,2024-05-06 10:00:00,98000,big2,purchase,y\n"
    )
    file.write_text(big)
    _, events, said = read(file)
    assert said["repeated_orders"] == {"rows": 3, "orders": 3} and len(events) == ROWS + 5


def test_exact_repetitions_and_repeated_orders_are_one_question_with_the_sums_of_its_answers(tmp_path: Path) -> None:
    file = sent_again(tmp_path, "page", of_some(lambda at: (paid(at), f"{day(at)} 10:05:00", f"first{at}")))
    lines = file.read_text().splitlines()
    exact = [line for line in lines if ",O1," in line or ",O2," in line or ",O3," in line]
    file.write_text("\n".join([*lines, *exact]) + "\n")
    more = sum(map(paid, (1, 2, 3)))
    every = TOTAL + sum(map(paid, REPEATED)) + more
    code, sums = asked(file)
    assert code in ("duplicates_dropped", "repeated_orders")
    assert sums == {"--keep-duplicates": every, "--drop-duplicates": TOTAL}
    assert answered(file, duplicates="drop") == TOTAL and answered(file, duplicates="keep") == every


def in_part(folder: Path, columns: str, row: Callable[[int, bool], Sequence[object]], word: str) -> Path:
    """Write orders of which a sixth is in a state, with columns more."""
    return write(
        folder,
        f"{HEAD},financial_status,{columns}",
        lambda at: order(at, None, word if at in REPEATED else "paid", *row(at, at in REPEATED)),
    )


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["partially_refunded", "Teilweise erstattet"])
def test_orders_refunded_in_part_are_asked_about_where_no_column_is_the_refund(tmp_path: Path, word: str) -> None:
    file = in_part(tmp_path / "left", "current_total", lambda at, part: [paid(at) - 5 if part else paid(at)], word)
    left = TOTAL - 5 * len(REPEATED)
    assert asked(file) == ("partly_refunded", {"--map=refund=": TOTAL, "--map=amount=current_total": left})
    assert answered(file, mapping={"amount": "current_total"}) == left
    assert answered(file, mapping={"refund": ""}) == TOTAL
    back = {at: at / 10 + 2.25 for at in REPEATED}
    file = in_part(tmp_path / "back", "sent_back", lambda at, part: [f"{back[at] if part else 0:.2f}"], word)
    left = pytest.approx(TOTAL - sum(back.values()))
    assert asked(file) == ("partly_refunded", {"--map=refund=": TOTAL, "--map=refund=sent_back": left})
    assert answered(file, mapping={"refund": "sent_back"}) == left


def test_orders_refunded_in_part_without_a_column_of_money_are_said(tmp_path: Path) -> None:
    _, _, said = read(in_part(tmp_path, "note", lambda at, part: ["x"], "partially_refunded"))
    assert said["partly_refunded_unknown"] == {
        "column": "financial_status",
        "word": "partially_refunded",
        "rows": len(REPEATED),
    }


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("columns", "row", "word"),
    [
        ("current_total", lambda at, part: [paid(at) - 5 if part else paid(at)], "partially_fulfilled"),
        ("refund_amount", lambda at, part: ["5.25" if part else "0.00"], "partially_refunded"),
        ("list_price", lambda at, part: [paid(at) + 5 if part else paid(at)], "partially_refunded"),
    ],
    ids=["another part", "a known refund", "what is left already"],
)
def test_what_is_known_of_refunds_in_part_is_not_asked_about(tmp_path: Path, columns: str, row: Any, word: str) -> None:
    _, _, said = read(in_part(tmp_path, columns, row, word))
    assert not {"partly_refunded", "partly_refunded_unknown"} & set(said)


def lines_with_discounts(folder: Path, column: str, *, of_order: bool) -> tuple[Path, float]:
    """Write orders of one to three products; a fourth has a discount, on each row: a tenth of it, or of the order."""
    rows, net = [f"customer_id,event_time,order_id,product_id,quantity,unit_price,{column}"], 0.0
    for at in range(120):
        prices = [round(paid(at) / (part + 1), 2) for part in range(at % 3 + 1)]
        share = 0.1 if at % 4 == 0 else 0.0
        offs = [round(share * (sum(prices) if of_order else price), 2) for price in prices]
        net += sum(prices) - (offs[0] if of_order else sum(offs))
        rows += [
            f"c{at % 9},{day(at)},O{at},P{part},1,{price},{off}"
            for part, (price, off) in enumerate(zip(prices, offs, strict=True))
        ]
    return put(folder, rows), net


def test_a_discount_under_an_unknown_name_is_asked_about(tmp_path: Path) -> None:
    file, net = lines_with_discounts(tmp_path, "promo_discount", of_order=False)
    code, readings = asked(file)
    assert code == "discount_unused" and readings["--map=discount=promo_discount"] == pytest.approx(net)
    assert answered(file, mapping={"discount": "promo_discount"}) == pytest.approx(net)


def test_a_discount_of_the_order_on_each_of_its_rows_is_asked_about(tmp_path: Path) -> None:
    file, net = lines_with_discounts(tmp_path, "discount", of_order=True)
    code, readings = asked(file)
    assert code == "discount_of_orders" and readings["--discount order"] == pytest.approx(net)
    assert answered(file, discount="order") == pytest.approx(net)
    with pytest.raises(NeedsAnswer, match="order_id"):
        read(file, mapping={"order_id": ""}, discount="order")


def test_parts_of_an_order_that_repeat_its_money_count_once(tmp_path: Path) -> None:
    rows = ["customer_id,event_time,amount,order_id,parent_order_id"]
    for at in range(ROWS):
        half = round(paid(at) / 2, 2)
        rows.append(",".join(map(str, [*order(at), ""])))
        parts = (half, round(paid(at) - half, 2)) if at % 2 else ()
        rows += [",".join(map(str, [*order(at, part)[:3], f"O{at}-{n}", f"O{at}"])) for n, part in enumerate(parts)]
    file = put(tmp_path, rows)
    assert answered(file) == pytest.approx(TOTAL)


def test_a_cost_beside_quantity_and_unit_price_is_not_what_was_paid(tmp_path: Path) -> None:
    head = "customer_id,event_time,quantity,unit_price,cost"
    file = write(tmp_path, head, lambda at: [f"c{at % 9}", f"{day(at)} 10:00", 2, paid(at), paid(at) / 4])
    assert answered(file) == 2 * TOTAL


def test_two_columns_that_may_be_the_amount_are_asked_about(tmp_path: Path) -> None:
    head = "customer_id,event_time,selling_value,value,order_id"
    file = write(tmp_path, head, lambda at: [*order(at)[:2], paid(at), paid(at) / 4, f"O{at}"])
    assert asked(file) == ("rival_amounts", {"--map=amount=value": TOTAL / 4, "--map=amount=selling_value": TOTAL})


def two_files(folder: Path, first: list[list[object]], second: list[list[object]]) -> list[Path]:
    paths = []
    for name, rows in (("a", first), ("b", second)):
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join([HEAD, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return paths


@pytest.mark.parametrize("named", [True, False])
def test_orders_that_a_second_file_has_by_day_only_count_once(tmp_path: Path, named: bool) -> None:
    orders = [[*order(at)[:3], f"O{at}" if named else ""] for at in range(ROWS)]
    by_day = [[row[0], str(row[1])[:10], *row[2:]] for row in orders[40:]]
    manifest = ingest(Workspace(tmp_path / "ws"), two_files(tmp_path, orders[:60], by_day), "x")
    assert (manifest.net_revenue, manifest.purchases) == (TOTAL, ROWS)


def test_orders_that_a_second_file_has_with_another_amount_are_asked_about(tmp_path: Path) -> None:
    orders = [order(at) for at in range(ROWS)]
    taxed = [[*row[:2], float(str(row[2])) + 5, row[3]] for row in orders[40:]]
    files, workspace = two_files(tmp_path, orders[:60], taxed), Workspace(tmp_path / "ws")
    with pytest.raises(NeedsAnswer) as question:
        ingest(workspace, files, "x")
    sums = {one["option"]: one["net_revenue"] for one in question.value.params["readings"]}
    replaced = TOTAL + 5 * (ROWS - 40)
    added = replaced + sum(map(paid, range(40, 60)))
    kept = added - sum(paid(at) + 5 for at in range(40, 60))
    assert sums == {"--overlap replace": replaced, "--overlap keep": kept, "--overlap add": added}
    for how in ("replace", "keep", "add"):
        assert ingest(workspace, files, how, overlap=how).net_revenue == sums[f"--overlap {how}"]


def test_amounts_with_an_exchange_rate_are_offered_converted(tmp_path: Path) -> None:
    rates = {"EUR": 1.0, "SEK": 0.09}
    file = write(
        tmp_path,
        f"{HEAD},currency,exchange_rate",
        lambda at: order(at, None, code := ("EUR", "SEK")[at % 2], rates[code]),
    )
    code, sums = asked(file)
    converted = sum(round(paid(at) * rates[("EUR", "SEK")[at % 2]], 6) for at in range(ROWS))
    assert code == "which_converted"
    assert sums["'--map=amount=amount * exchange_rate'"] == pytest.approx(converted, abs=0.01)

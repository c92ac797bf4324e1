"""Statements of ledgers, banks and services: what came in and went out in two columns, beside a word, or by a mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clv_core.collection.inspect import inspect_file
from clv_core.collection.merge.append import append
from clv_core.workspace import Workspace
from tests.collection.small_logs import ROWS, asked, day, paid, put, read, read_lines, refused, write

pytestmark = pytest.mark.first(6)

TWO_PLAIN = {
    "english": ("Paid Out", "Paid In"),
    "german": ("Ausgaben (EUR)", "Einnahmen (EUR)"),
    "chinese": ("支出（元）", "收入（元）"),
    "chinese with signs": ("支出（-元）", "收入（+元）"),
    "japanese": ("出金額", "入金額"),
    "service": ("Gross Debit (GC)", "Gross Credit (GC)"),
}
"""Names of two columns that say which side is the shop's."""
TWO_BOOKED = {
    "english": ("Debit", "Credit"),
    "german": ("Soll", "Haben"),
    "spanish": ("Debe", "Haber"),
    "italian": ("Dare", "Avere"),
    "russian": ("Дебет", "Кредит"),
    "chinese": ("借方金额", "贷方金额"),
}
"""Names that do not."""
MARK_PLAIN = {
    "dutch": ("Af Bij", "Af", "Bij"),
    "chinese": ("收/支", "支出", "收入"),
    "english": ("In/Out", "out", "in"),
}
MARK_BOOKED = {
    "short": ("DrCr", "DR", "CR"),
    "words": ("Debit/Credit", "Debit", "Credit"),
    "german": ("Soll/Haben-Kennzeichen", "S", "H"),
    "chinese": ("借贷方向", "借", "贷"),
    "russian": ("Дебет/Кредит", "Дебет", "Кредит"),
}
"""Name of one column beside the amount, and its words for what went out and what came in."""


def two_columns(folder: Path, out: str, into: str, *, minus: str = "", months: range = range(1, 7)) -> Path:
    """Write what 15 customers paid, and what some were given back."""
    lines = [f"customer_id,date,reference no,{out},{into},balance"]
    for month in months:
        for at in range(40):
            start = f"c{at % 15},2024-{month:02}-{at % 27 + 1:02}"
            lines.append(f"{start},r{month}{at},,{at * 7 + month}.{at + 10},1")
            lines += [f"{start},b{month}{at},{minus}{at + 3}.50,,1"] * (at % 8 == 0)
    return put(folder, lines)


def gain(*months: int) -> float:
    """Return what came in, less what went out."""
    cents = [100 * (at * 7 + month) + at + 10 for month in months for at in range(40)]
    back = [100 * (at + 3) + 50 for _ in months for at in range(0, 40, 8)]
    return (sum(cents) - sum(back)) / 100


YEAR = gain(*range(1, 7))


def marked(folder: Path, name: str, out: str, into: str, *, first: int = 0, other: str = "") -> tuple[Path, float]:
    lines, net = [f"customer_id,date,amount,{name}"], 0.0
    for at in range(first, first + 80):
        worth, when = at * 17 % 60 + 3.25, f"2024-{at // 27 % 12 + 1:02}-{at % 27 + 1:02}"
        word = out if at % 9 == 4 else other if other and at % 10 == 7 else into
        lines.append(f"c{at % 15},{when},{worth},{word}")
        net += {out: -worth, into: worth}.get(word, 0)
    return put(folder, lines, f"{first}.csv"), net


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", TWO_PLAIN.values(), ids=TWO_PLAIN)
@pytest.mark.parametrize("minus", ["", "-"])
def test_what_went_out_is_taken_off_what_came_in(tmp_path: Path, names: tuple[str, str], minus: str) -> None:
    manifest, events, _ = read(two_columns(tmp_path, *names, minus=minus))
    assert manifest.net_revenue == pytest.approx(YEAR, abs=1e-9)
    assert events["event_type"].value_counts().to_dict() == {"purchase": 240, "return": 30}
    assert list(events.columns)[-4:] == ["reference no", *names, "balance"]


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", TWO_BOOKED.values(), ids=TWO_BOOKED)
def test_a_debit_may_be_a_sale_or_none_so_that_it_is_asked(tmp_path: Path, names: tuple[str, str]) -> None:
    file, (out, into) = two_columns(tmp_path, *names), names
    question = asked(file)
    assert question.code == "which_side" and f"{into} - {out}" in question.message()
    for first, second, worth in ((into, out, YEAR), (out, into, -YEAR)):
        manifest, *_ = read(file, mapping={"amount": f"{first} - {second}"})
        assert manifest.net_revenue == pytest.approx(worth, abs=1e-9)


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", MARK_PLAIN.values(), ids=MARK_PLAIN)
@pytest.mark.parametrize("other", ["", "/"])
def test_what_a_word_beside_it_calls_out_is_taken_off(tmp_path: Path, names: tuple[str, str, str], other: str) -> None:
    file, net = marked(tmp_path, *names, other=other)
    assert read(file)[0].net_revenue == net


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", MARK_BOOKED.values(), ids=MARK_BOOKED)
def test_which_word_is_that_of_sales_is_asked_once(tmp_path: Path, names: tuple[str, str, str]) -> None:
    (file, net), (later, more) = marked(tmp_path, *names), marked(tmp_path, *names, first=80)
    _, out, into = names
    question = asked(file)
    assert question.code == "which_mark" and f"--event {into}=purchase" in question.message()
    assert read(file, events={into: "purchase", out: "return"})[0].net_revenue == net
    assert append(Workspace(tmp_path / "ws"), "log", later).net_revenue == net + more


def behind(folder: Path, mark: Callable[[int], str]) -> Path:
    """Write orders with a mark behind the amount."""
    head = "order_id,customer_id,order_date,amount"
    return write(folder, head, lambda at: [f"A{at}", f"C{at % 13}", day(at), f"{paid(at):.2f}{mark(at)}"])


@pytest.mark.examples(2)
@pytest.mark.parametrize("mark", ["*", " *", "**", "†", "¹", " ²"])
def test_marks_of_footnotes_are_no_part_of_an_amount(tmp_path: Path, mark: str) -> None:
    manifest, events, _ = read(behind(tmp_path, lambda at: mark if at % 9 == 0 else ""))
    assert len(events) == ROWS and manifest.net_revenue == pytest.approx(sum(map(paid, range(ROWS))))


@pytest.mark.parametrize("marks", [(" CR", " DR"), (" CR", " CR"), ("", "DR"), (" Dr.", " Cr.")])
def test_amounts_marked_as_credit_or_debit_are_refused(tmp_path: Path, marks: tuple[str, str]) -> None:
    refusal = refused(behind(tmp_path, lambda at: marks[at % 2]))
    assert refusal.code == "amount_sides" and "CR" in refusal.message()


def test_pieces_may_have_a_cross_behind_them(tmp_path: Path) -> None:
    head = "order_id,customer_id,order_date,quantity,unit_price"
    file = write(tmp_path, head, lambda at: [f"A{at}", f"C{at % 13}", day(at), f"{at % 3 + 1} x", paid(at)])
    assert read(file)[0].net_revenue == pytest.approx(sum((at % 3 + 1) * paid(at) for at in range(ROWS)))


def test_the_next_file_is_read_alike_though_nothing_went_out_in_it(tmp_path: Path) -> None:
    read(two_columns(tmp_path, "Debit", "Credit"), mapping={"amount": "Credit - Debit"})
    later = two_columns(tmp_path / "next", "Debit", "Credit", months=range(7, 9))
    put(later.parent, [line for line in later.read_text().splitlines() if not line.endswith(",,1")])
    manifest = append(Workspace(tmp_path / "ws"), "log", later)
    paid_in = sum(100 * (at * 7 + month) + at + 10 for month in (7, 8) for at in range(40)) / 100
    assert manifest.net_revenue == pytest.approx(YEAR + paid_in, abs=1e-9)


def test_a_row_that_fills_both_sides_is_set_aside(tmp_path: Path) -> None:
    file = two_columns(tmp_path, "Paid Out", "Paid In")
    with file.open("a") as more:
        more.write("c1,2024-06-28,x,5.00,7.00,1\n")
    manifest, *_ = read(file)
    assert manifest.net_revenue == pytest.approx(YEAR, abs=1e-9) and manifest.rows_set_aside == 1


def test_an_amount_beside_two_columns_stays_the_amount(tmp_path: Path) -> None:
    head = "customer_id,date,amount,debit,credit"
    file = write(tmp_path, head, lambda at: [f"c{at % 9}", day(at), f"{at + 1}.25", "", f"{at + 1}.25"])
    columns = {item.column: item.canonical for item in inspect_file(file).columns}
    assert columns["amount"] == "amount" and columns["credit - debit"] is None


def test_a_sale_and_the_refund_of_all_of_it_are_no_order_told_twice(tmp_path: Path) -> None:
    lines, net = ["order_id,customer_id,date,amount"], 0
    for at in range(90):
        lines.append(f"o{at},c{at % 20},2024-03-{at % 20 + 1:02},{at + 10}.00")
        lines += [f"o{at},c{at % 20},2024-03-{at % 20 + 3:02},-{at + 10}.00"] * (at % 7 == 0)
        net += (at + 10) * (at % 7 > 0)
    assert read_lines(tmp_path, lines)[0].net_revenue == net


@pytest.mark.parametrize("name", ["card type", "class"])
def test_the_same_words_of_another_column_are_none(tmp_path: Path, name: str) -> None:
    file, _ = marked(tmp_path, name, "Debit", "Credit")
    assert read(file)[0].net_revenue == sum(at * 17 % 60 + 3.25 for at in range(80))


def test_amounts_with_signs_say_it_themselves(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        return [f"c{at % 9}", day(at), *((at + 1, "CR") if at % 8 else (-5, "DR"))]

    manifest, *_ = read(write(tmp_path, "customer_id,date,amount,Dr/Cr", row))
    assert manifest.net_revenue == sum(at + 1 if at % 8 else -5 for at in range(ROWS))


@pytest.mark.examples(2)
@pytest.mark.parametrize(("name", "out", "into"), [("sign", "-", "+"), ("direction", "-1", "1"), ("方向", "-", "+")])
def test_a_sign_may_have_a_column_of_its_own(tmp_path: Path, name: str, out: str, into: str) -> None:
    file, net = marked(tmp_path, name, out, into)
    assert read(file)[0].net_revenue == net


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["Type", "Transaction Type", "Kind"])
@pytest.mark.parametrize(("out", "into"), [("Debit", "Credit"), ("DR", "CR"), ("Débit", "Crédit")])
def test_kinds_that_are_nothing_but_both_sides_are_asked_about(tmp_path: Path, name: str, out: str, into: str) -> None:
    """A wallet's statement: a credit is what came in, and not what was given back as in a list of sales."""
    lines, net = [f"Date,Customer ID,{name},Amount,Balance"], 0
    for at in range(60):
        back = at % 7 == 3
        net += -5 if back else at + 10
        lines.append(f"2024-{at % 9 + 1:02}-11,c{at % 9},{out if back else into},{5 if back else at + 10},{net}")
    file = put(tmp_path, lines)
    question = asked(file)
    assert question.code == "which_mark" and name in question.message()
    assert read(file, events={into: "purchase", out: "return"})[0].net_revenue == net

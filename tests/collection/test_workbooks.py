"""Workbooks of several sheets, and reports with titles, groups of columns and names in one row only."""

from __future__ import annotations

import base64
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.read.archives import unpack
from clv_core.collection.read.content import Content
from clv_core.collection.rows.remembered_settings import recall
from clv_core.errors import Refused, UsageError
from clv_core.workspace import Workspace
from tests.collection.small_logs import asked, day, paid, read, write

pytestmark = pytest.mark.first(13)

COLUMNS = ["customer_id", "order_date", "amount", "order_id"]

MONTHLY = 40


def paid_in(month: int, at: int) -> float:
    return 20.5 + month + at


def worth(*months: int) -> float:
    return sum(paid_in(month, at) for month in months for at in range(MONTHLY))


def orders(month: int) -> list[list[object]]:
    """Return the orders of a month."""
    days = (datetime(2023, month, at % 27 + 1, 10, at) for at in range(MONTHLY))
    return [[f"K{at % 14}", day, paid_in(month, at), f"O{month}{at:03}"] for at, day in enumerate(days)]


def book(folder: Path, sheets: dict[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> Path:
    """Write a workbook of sheets by title; those of ``hidden`` are not seen."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    folder.mkdir(exist_ok=True)
    made.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


@pytest.mark.examples(3)
@pytest.mark.parametrize("titles", [0, 1, 2])
def test_a_sheet_a_month_is_read_from_below_its_own_titles(tmp_path: Path, titles: int) -> None:
    months = {"January": 1, "February": 2, "March": 3}
    above = [["Sales of the month"], ["Printed by", "Ann"]][:titles]
    sheets = {title: [*above, [], COLUMNS, *orders(month)] for title, month in months.items()}
    manifest, _, said = read(book(tmp_path, sheets))
    assert manifest.net_revenue == pytest.approx(worth(1, 2, 3))
    assert (manifest.rows_read, manifest.rows_kept) == (3 * MONTHLY, 3 * MONTHLY)
    assert said["joined_sheets"] == {"sheets": list(months)}


def test_the_same_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    turned = [COLUMNS[::-1], *(row[::-1] for row in orders(2))]
    manifest, _, _ = read(book(tmp_path, {"A": [COLUMNS, *orders(1)], "B": turned}))
    assert manifest.net_revenue == pytest.approx(worth(1, 2)) and manifest.customers == 14


def test_the_table_is_found_behind_a_cover(tmp_path: Path) -> None:
    cover = [["Sales report"], ["Created by", "Ann"], ["Period", 2023]]
    products = [["product_id", "name", "colour"], ["P1", "Tea", "green"]]
    sheets = {"Cover": cover, "Products": products, "Data": [COLUMNS, *orders(1)]}
    manifest, _, said = read(book(tmp_path, sheets))
    assert manifest.net_revenue == pytest.approx(worth(1)) and manifest.rows_read == MONTHLY
    assert said["sheets_left_out"] == {"sheets": ["Cover", "Products"]}


def test_a_hidden_sheet_is_read_only_where_it_is_named(tmp_path: Path) -> None:
    file = book(tmp_path, {"Orders": [COLUMNS, *orders(1)], "old": [COLUMNS, *orders(2)]}, hidden=["old"])
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(worth(1)) and said["sheets_left_out"] == {"sheets": ["old"]}
    manifest, _, said = read(file, sheet="Old ")
    assert manifest.net_revenue == pytest.approx(worth(2)) and "sheets_left_out" not in said


def test_different_tables_of_sales_are_asked_about(tmp_path: Path) -> None:
    others = [[*COLUMNS, "reason"], *([*row, "broken"] for row in orders(2))]
    file = book(tmp_path, {"Sales": [COLUMNS, *orders(1)], "Returns": others})
    question = asked(file)
    assert question.code == "which_sheet" and question.params["sheets"] == ["Sales", "Returns"]
    assert "--sheet" in question.message()
    assert read(file, sheet="Returns")[0].net_revenue == pytest.approx(worth(2))
    with pytest.raises(UsageError, match="Sales, Returns"):
        read(file, sheet="Sale")


def test_the_sheet_is_not_remembered_for_the_next_file(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    ingest(workspace, book(tmp_path, {"May": [COLUMNS, *orders(5)]}), "shop", sheet="May", currency="EUR")
    assert recall(workspace, COLUMNS) == Answers(currency="EUR")


NAMES = ("Code", "Name", "Number", "Date", "Status", "Gross", "Discount")


def report(folder: Path, suffix: str, *above: tuple[str | None, ...], names: tuple[str, ...] = NAMES) -> Path:
    """Write 60 sales below a title, a date of printing, a blank row and the rows ``above`` the names."""
    sheet = openpyxl.Workbook().active
    for row in (("Monthly sales report",), ("Printed 2024-12-01",), (), *above, names):
        sheet.append([*row, *[None] * (len(names) - len(row))])
    for at in range(60):
        state, when = "Delivered" if at % 6 else "Cancelled", date(2024, at % 9 + 1, at % 28 + 1)
        sheet.append([f"K{at % 14:03}", f"Name {at % 14}", f"N{at:04}", when, state, 50 + at, 0])
    sheet.append(["Total", None, None, None, None, 99_999, None])
    file = folder / f"report{suffix}"
    if suffix == ".xlsx":
        sheet.parent.save(file)
    else:
        rows = sheet.iter_rows(values_only=True)
        file.write_text("\n".join(",".join("" if cell is None else f"{cell}" for cell in row) for row in rows) + "\n")
    return file


@pytest.mark.examples(3)
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("above", [(), (("Customer", None, "Order", None, None, "Money", None),)])
def test_titles_and_heads_of_groups_are_no_names_of_columns(
    tmp_path: Path, suffix: str, above: tuple[tuple[str | None, ...], ...]
) -> None:
    manifest, *_ = read(report(tmp_path, suffix, *above), mapping={"customer_id": "Code"})
    assert manifest.net_revenue == sum(50 + at for at in range(60) if at % 6)
    assert manifest.customers == 14 and manifest.rows_set_aside == 10 + 1
    assert list(manifest.mapping.values())[:3] == ["Code", "Date", "Gross"]


def test_a_name_that_is_blank_heads_no_group(tmp_path: Path) -> None:
    names = ("Customer", "", "Order", "Date", "Status", "Total", "Discount")
    manifest, *_ = read(report(tmp_path, ".csv", names=names), mapping={"customer_id": "Customer"})
    assert manifest.net_revenue == sum(50 + at for at in range(60) if at % 6)


OLD_BOOK = (
    "c-rk)Pe@cj82{$|+jVty-Bi*-Hc3r$A?r{Gx)zjBq}IjAKv&;}qPtsfSIjP1wx<w+PDK~N4qePHR#cEDI|N1@f*{bMI&>*8@SwiF`QF>j)fc!>g7"
    "JRKd^7XSH@}(r=I_4Ov-xvl4@>4@4H`g%6+H`-RXT<tE1B^Cmg_oCCSxZC-Nu$emJ=sZk>RQPm4nYApYM4PU{ab!3GflaIk*7L(MZU*i8w-i2r}M"
    ">dM4r86W}g}Tqve~c}aGY+(z;N**+uLNSaZS^=LcC&cbY<x%!Z~j?V~XRF;d9!6T~ko;0;k2rv0MzH*ZpwlW;ndV~F2te{lNfpNeoZ3;y~8qaTsd"
    "*~?`LiodBzpDCrdg{XAx>#%u3UJ=X;iv8cSV(U07d~6Rxq1euUrg6K{-Af_Y_8Sc5+s0O&^sAl)d^hPEt0XPTQoJK#S-9#8xCWUM56IfYzdA-ws~"
    "-4+&vJBN5dhlqgQnSM0uSKH5d=!nGg&|2O@E2QroNIUO7?A#eOdK;o`gG;@1NmC!Vz9#7&zl2c-&ml+LHE=D~KC?*Djmva2=FL7HLeiE+`C^TB`)"
    "S9uMroJ%D{3cRG6YV0L>jaYY3x`bo_4iV#u)<QFJY=msCQ)vaZbAa$RP`N6-2h)jfryiFkJ_V{UJ<&9OxnSa5U<}Ie;#09c|BXNmt6_I;b36$oV`"
    "d&nA4nFjJD!|^$Lzaq-llo53@%FMlQeSNJ1mtGOkWu}5p$x+#VoiOadGd6=r7(^FSJj}?W5m6H$KNSBff*XxRpYDoJp`?5{OAQnFL}AW>0mFE*MM"
    "#G0l{5D_4q1v|th;)fzI1#B?6vUo@CRVrtvXt#VULk_D5LHadxz`lpNf{YwUuL`+}Hxs^A?BwH}aX`_>gN!vMd(G6dSNhYSjN^Vt@Vp1%al(f+)#"
    "59O-O9qodOpYpURYFV+f)}Q^d-0O`jm_9QEG4(<-eHz|hdYbB3RYgVVZ(+E8#ZjL1EWVKm`^vLN0DMawE1_PWeh9!XOjOGry+{JIR2A73K5Jo7|L"
    "k<6oJf=Tx^4NlHUtC+OTyE`k;&Y(U<Z1#fKwXJ)R9$^!&Xolxh1bne_7?xBm-25;>U"
)
"""Six orders of three customers as Excel 97 writes them, and a hidden sheet."""


def test_a_workbook_of_excel_97_is_read_as_others_are(tmp_path: Path) -> None:
    file = tmp_path / "orders.xls"
    file.write_bytes(zlib.decompress(base64.b85decode(OLD_BOOK)))
    manifest, events, said = read(file)
    assert manifest.net_revenue == sum(20.25 + at for at in range(1, 7)) and manifest.customers == 3
    assert str(events["event_time"].max()).startswith("2023-06-11 10:06:00")
    assert said["sheets_left_out"] == {"sheets": ["notes"]} and "content" not in said


@pytest.mark.parametrize("suffix", [".xls", ".xlsx"])
def test_cells_that_lie_far_apart_cost_no_more_than_a_refusal(tmp_path: Path, suffix: str) -> None:
    """The library fills in every cell between them, and ends its process where memory does not suffice."""
    if suffix == ".xlsx":
        file = changed_book(tmp_path / "log.xlsx", ('r="D2"', 'r="XFD1048576"'))
    else:
        file = tmp_path / "log.xls"
        content = bytearray(zlib.decompress(base64.b85decode(OLD_BOOK)))
        place = content.index(bytes.fromhex("03020e000100")) + 4  # a number in row 1
        content[place : place + 4] = b"\xff\xff\xff\xff"
        file.write_bytes(content)
    with pytest.raises(Refused) as refused:
        unpack(file, Content.WORKBOOK, tmp_path)
    assert refused.value.code in ("old_workbook", "broken_workbook", "too_many_columns")


SHEET = "xl/worksheets/sheet1.xml"

CELLS = [["customer_id", "event_time", "amount", "note"], ["a", "2024-01-01", 1, "x"], ["b", "2024-01-02", 2, None]]

TEXT = "customer_id,event_time,amount,note\na,2024-01-01,1,x\nb,2024-01-02,2,\n"


def changed_book(path: Path, *changes: tuple[str, str]) -> Path:
    """Return a workbook of :data:`ROWS` whose sheet is changed by patterns and what takes their place."""
    plain, made = path.with_name("plain.xlsx"), Workbook()
    for row in CELLS:
        made.active.append(row)
    made.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name).decode()
            for pattern, instead in changes if name == SHEET else ():
                content, found = re.subn(pattern, instead, content)
                assert found, pattern
            target.writestr(name, content)
    return path


def text_of(path: Path) -> str:
    return unpack(path, Content.WORKBOOK, path.parent)[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("claim", ["A1:D3", "A1", "A1:B2", ""])
def test_no_cell_is_lost_to_a_size_that_is_too_small(tmp_path: Path, claim: str) -> None:
    """Writers that stream (Apache POI's, for one) say A1 before they know, and others say nothing."""
    path = changed_book(tmp_path / "log.xlsx", ('<dimension ref="A1:D3" ?/>', claim and f'<dimension ref="{claim}"/>'))
    assert text_of(path) == TEXT


@pytest.mark.timeout(60)
def test_a_size_that_is_too_large_costs_nothing(tmp_path: Path) -> None:
    """Filled in, the cells of the largest sheet take hours, from a file of 5 kB."""
    last = ('r="([A-D]?)3"', r'r="\g<1>1048576"')
    path = changed_book(tmp_path / "log.xlsx", ('ref="A1:D3"', 'ref="A1:XFD1048576"'), last)
    assert text_of(path) == TEXT


def test_a_row_wider_than_a_log_is_refused_before_all_are_made_as_wide(tmp_path: Path) -> None:
    path = changed_book(tmp_path / "log.xlsx", ('r="D2"', 'r="XFD2"'))
    with pytest.raises(Refused) as caught:
        text_of(path)
    assert caught.value.code == "too_many_columns" and caught.value.params["columns"] == 16_384


HEAD = "customer_id,order_date,amount,order_id,email"

START = date(2024, 1, 1)


def report_by_customer(file: Path, form: str, *, newest_first: bool = False) -> dict[str, float]:
    """Write the orders of 30 customers, each named in her first row; return what each paid."""
    lines, worth = [HEAD], dict[str, float]()
    for who in range(30):
        orders = [START + timedelta(days=7 * (who * 5 % 11) + 23 * at) for at in range(who % 4 + 1)]
        for at, when in enumerate(sorted(orders, reverse=newest_first)):
            amount = paid(3 * who + at)
            names = (f"K{who}", f"k{who}@x.example") if not at else ("", "")
            lines.append(f"{names[0]},{when:{form}},{amount},O{who}-{at},{names[1]}")
            worth[f"K{who}"] = worth.get(f"K{who}", 0) + amount
    file.write_text("\n".join(lines) + "\n")
    return worth


@pytest.mark.examples(2)
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_blank_ids_below_a_customer_are_hers(tmp_path: Path, form: str, newest_first: bool) -> None:
    worth = report_by_customer(tmp_path / "log.csv", form, newest_first=newest_first)
    manifest, events, said = read(tmp_path / "log.csv")
    assert events.groupby("customer_id")["amount"].sum().to_dict() == pytest.approx(worth)
    assert said["filled_down"] == {"column": "customer_id", "rows": len(events) - 30, "customers": 30}
    assert manifest.rows_set_aside == 0


def test_blank_ids_in_the_order_of_time_are_those_of_guests(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        return [f"K{at}" if at % 3 == 0 else "", START + timedelta(days=at), paid(at), f"O{at}", ""]

    manifest, _, said = read(write(tmp_path, HEAD, row))
    assert (manifest.rows_kept, manifest.rows_set_aside) == (30, 60) and "filled_down" not in said


def test_blank_ids_beside_customers_who_come_again_are_those_of_guests(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: [f"K{at % 20}" if at % 3 == 0 else "", day(at), paid(at), f"O{at}", ""])
    assert read(file)[0].rows_set_aside == 60

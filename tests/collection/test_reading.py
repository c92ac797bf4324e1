"""What becomes of every row, held against an independent reading of the same file."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace
from tests.collection.small_logs import put, warnings
from tests.collection.test_online_retail import HEADER, lines

pytestmark = pytest.mark.first(7)


def write(path: Path, rows: list[list[str]], **options: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, **options).writerows(rows)
    return path


def events_of(workspace: Workspace, name: str) -> pd.DataFrame:
    dataset = open_dataset(workspace, name)
    connection = ibis.duckdb.connect()
    try:
        return dataset.events(connection).to_pyarrow().to_pandas()
    finally:
        connection.disconnect()


def nothing_left(workspace: Workspace) -> bool:
    return not any(workspace.datasets.iterdir())


def test_cdnow_as_it_is(workspace: Workspace, cdnow_file: Path) -> None:
    manifest = ingest(workspace, cdnow_file, "cdnow")
    raw = [line.split() for line in cdnow_file.read_text().splitlines()[1:] if line.strip()]
    assert (manifest.rows_read, manifest.rows_kept) == (len(raw), 69_659)
    assert (manifest.rows_set_aside, manifest.rows_duplicate) == (0, 0)
    assert manifest.customers == len({row[0] for row in raw}) == 23_570
    assert Decimal(str(manifest.net_revenue)) == sum(Decimal(row[3]) for row in raw) == Decimal("2500315.63")
    assert manifest.log_end == "1998-07-01"
    repeats = sum(count - 1 for count in Counter(map(tuple, raw)).values())
    free = sum(Decimal(row[3]) == 0 for row in raw)
    zero = {"rows": free, "share": pytest.approx(free / len(raw))}
    assert warnings(manifest) == {"duplicates_kept": {"rows": repeats}, "zero_purchases": zero}
    assert (repeats, free) == (255, 80)
    dropped = ingest(workspace, cdnow_file, "cdnow", duplicates="drop")
    assert (dropped.rows_duplicate, dropped.rows_kept) == (255, 69_404)
    assert dropped.rows_read == dropped.rows_kept + dropped.rows_set_aside + dropped.rows_duplicate


def test_set_aside_rows_carry_their_line_and_reason(workspace: Workspace, tmp_path: Path) -> None:
    lines = ["customer_id,event_time,amount,note", 'a,2024-01-01,5,"two', 'lines"', "b,2024-01-02,6,x"]
    lines += ["c,2024-01-03,7", ",2024-01-04,8,x", "d,yesterday,9,x", "e,2024-01-05,free,x", "f,1970-01-01,3,x"]
    file = put(tmp_path, lines)
    manifest = ingest(workspace, file, "log")
    aside = pd.read_parquet(open_dataset(workspace, "log").rejected_path).set_index("line").sort_index()
    wanted = {5: "ragged", 6: "no_customer", 7: "bad_time", 8: "bad_amount", 9: "time_out_of_range"}
    assert aside.reason.to_dict() == wanted
    for line, reason in wanted.items():
        if reason != "ragged":
            assert aside.loc[line, "event_time"] == lines[line - 1].split(",")[1]
    assert aside.loc[7, "value"] == "yesterday"
    assert manifest.rows_read == 7 == manifest.rows_kept + manifest.rows_set_aside


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("times", "zone", "said"),
    [
        (["2024-01-15T03:00:00+01:00"] * 3, "UTC", ("days_of_utc_fixed", "+01:00", "Etc/GMT-1")),
        (
            ["2024-01-15T03:00:00+01:00", "2024-07-15T03:00:00+0200"],
            "UTC",
            ("days_of_utc_place", "+01:00", "Europe/Berlin"),
        ),
        (["2024-01-15T03:00:00+08:00"] * 3, "UTC", ("days_of_utc_fixed", "+08:00", "Etc/GMT-8")),
        (["2024-01-15T03:00:00+05:30"] * 3, "UTC", ("days_of_utc_fixed", "+05:30", "Asia/Kolkata")),
        (["2024-01-15T03:00:00+01:17"] * 3, "UTC", ("days_of_utc", "+01:17", None)),
        (["2024-01-15T03:00:00+08:00"] * 3, "Asia/Shanghai", None),
        (["2024-01-15T03:00:00Z", "2024-01-15T03:00:00+00:00", "2024-01-15T03:00:00+08:00"], "UTC", None),
    ],
)
def test_local_offsets_without_a_zone_are_said_to_make_days_of_utc_and_the_zone_has_them(
    workspace: Workspace, tmp_path: Path, times: list[str], zone: str, said: tuple[str, str, str | None] | None
) -> None:
    rows = [["customer_id", "event_time", "amount"], *[[f"c{i}", time, "1.5"] for i, time in enumerate(times)]]
    manifest = ingest(workspace, write(tmp_path / "log.csv", rows), "log", timezone=zone)
    found = [item for item in manifest.warnings if item.code.startswith("warning.days_of_utc")]
    expected = [] if said is None else [said]
    assert [
        (item.code.removeprefix("warning."), item.params["offset"], item.params.get("zone")) for item in found
    ] == expected
    for own in (item.params["zone"] for item in found if "zone" in item.params):  # its clock shows what the file shows
        local = [datetime.fromisoformat(time) for time in times]
        assert all(time.astimezone(ZoneInfo(own)).utcoffset() == time.utcoffset() for time in local)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("last", "said"),
    [
        (["1.23457E+11", "2024-01-31", "5"], {"warning.rounded_ids"}),
        (["1.2345678901234e+18", "2024-01-31", "5"], {"warning.rounded_ids"}),
        (["1.2E", "2024-01-31", "5"], set()),
        (["Total", "2024-01-31", "60.00"], {"warning.total_row"}),
        (["合计：", "2024-01-31", "60.00"], {"warning.total_row"}),
        (["Total", "2024-01-31", "30.00"], set()),
    ],
)
def test_customers_that_a_spreadsheet_made_are_warned_of(
    workspace: Workspace, tmp_path: Path, last: list[str], said: set[str]
) -> None:
    rows = [["customer_id", "event_time", "amount"], *[[f"c{i}", f"2024-01-0{i}", str(10 * i)] for i in (1, 2, 3)]]
    manifest = ingest(workspace, write(tmp_path / "log.csv", [*rows, last]), "log")
    assert {item.code for item in manifest.warnings} & {"warning.rounded_ids", "warning.total_row"} == said
    assert manifest.net_revenue == 60 + (float(last[2]) if "warning.total_row" not in said else 0)


@pytest.mark.examples(2)
@pytest.mark.parametrize(("all_too", "said"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("called", ["Summe {}", "Total {}:", "Итого за {}", "小计 {}"])
def test_totals_of_months_with_dates_of_their_own_are_left_out(
    workspace: Workspace, tmp_path: Path, called: str, all_too: bool, said: bool
) -> None:
    """As many months in rows of sums as in rows of sales; where they hold something else they are customers."""
    rows: list[list[str]] = [["customer_id", "event_time", "amount"]]
    for month in range(1, 7):
        rows += [[f"c{day}", f"2024-0{month}-{day:02}", f"{day}.5"] for day in (3, 5, 9)]
        rows.append([called.format(f"2024-0{month}"), f"2024-0{month}-28", "18.5" if said else "7.5"])
    rows += [[called.format("").strip(), "2024-06-28", str(6 * 18.5)]] * all_too
    manifest = ingest(workspace, write(tmp_path / "log.csv", rows), "log")
    found = [item.params for item in manifest.warnings if item.code == "warning.total_row"]
    assert [item["rows"] for item in found] == ([6 + all_too] if said else [])
    assert manifest.net_revenue == (6 * 18.5 if said else 6 * (18.5 + 7.5))


def test_times_follow_the_zone_of_the_log(workspace: Workspace, tmp_path: Path) -> None:
    rows = [["customer_id", "event_time", "amount"]]
    rows += [[f"c{i}", f"2024-0{i}-15 23:30:00", "1.50"] for i in (1, 7)] + [["z", "2024-07-15T23:30:00Z", "2"]]
    manifest = ingest(workspace, write(tmp_path / "log.csv", rows), "log", timezone="Europe/Berlin")
    stored = pd.read_parquet(open_dataset(workspace, "log").events_path).set_index("customer_id").event_time
    assert stored["c1"] == pd.Timestamp("2024-01-15 22:30") and stored["c7"] == pd.Timestamp("2024-07-15 21:30")
    assert stored["z"] == pd.Timestamp("2024-07-15 23:30")
    local = events_of(workspace, "log").set_index("customer_id").event_time
    assert local["c7"] == pd.Timestamp("2024-07-15 23:30") and local["z"] == pd.Timestamp("2024-07-16 01:30")
    assert manifest.log_end == "2024-07-17"
    assert "times_without_zone" in warnings(manifest)


def online_retail(rows: int) -> list[list[str]]:
    """Return rows whose texts are the same in every encoding."""
    return [HEADER, *(list(row) for row in lines(7, rows=rows) if row[2].isascii())]


def test_same_rows_in_any_order_are_the_same_version(workspace: Workspace, tmp_path: Path) -> None:
    def version(name: str, rows: list[list[str]], **options: str) -> str:
        return ingest(workspace, write(tmp_path / f"{name}.csv", rows, **options), name, duplicates="drop").version

    rows = online_retail(300)
    first = version("a", rows)
    random.Random(1).shuffle(tail := rows[1:])
    assert version("b", [rows[0], *tail], delimiter=";") == first
    next(row for row in tail if row[6])[5] = "9.99"
    assert version("c", rows) != first


def test_event_names_are_mapped_and_others_kept(workspace: Workspace, tmp_path: Path) -> None:
    kinds = dict.fromkeys(["购买", "浏览", "加购", "退款", "Add To Cart", "wishlist", "", "BUY"], "")
    kinds |= dict.fromkeys(["购买", "退款", "BUY"], "10.00")
    rows = [[f"u{i}", f"2024-03-0{i + 1} 10:00:00", *pair, "p"] for i, pair in enumerate(kinds.items())]
    rows = [["用户ID", "时间", "行为类型", "金额", "商品ID"], *rows]
    manifest = ingest(workspace, write(tmp_path / "log.csv", rows), "log", events={"wishlist": "view"})
    assert manifest.event_types == {"cart": 2, "purchase": 2, "view": 2, "return": 1, "unknown": 1}
    assert manifest.net_revenue == 10.0
    assert manifest.mapping["event_type"] == "行为类型"


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("rows", "options", "revenue"),
    [
        (["10,50", "1.234,00", "7"], {}, 1251.50),
        (["$1,234.50", "(4.50)", "2"], {}, 1232.00),
        (["1.234", "2.345", "5"], {"decimal": "point"}, 8.58),
        (["1.234", "2.345", "5"], {"decimal": "comma"}, 3584.00),
        (["１２．５", "1 000.25", "1e3"], {}, 2012.75),
    ],
)
def test_amounts_are_read_by_their_form(
    workspace: Workspace, tmp_path: Path, rows: list[str], options: dict[str, str], revenue: float
) -> None:
    table = [["customer_id", "event_time", "amount"], *[[f"c{i}", "2024-01-01", v] for i, v in enumerate(rows)]]
    manifest = ingest(workspace, write(tmp_path / "log.csv", table, delimiter=";"), "log", **options)
    assert manifest.net_revenue == pytest.approx(revenue, abs=0.005)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("times", "options", "code", "first"),
    [
        (["03/04/2024", "05/06/2024"], {}, "dates_ambiguous", None),
        (["03/04/2024", "05/06/2024"], {"date_order": "dmy"}, None, "2024-04-03"),
        (["03/04/2024", "25/06/2024"], {}, None, "2024-04-03"),
        (["03/04/2024", "06/25/2024"], {}, None, "2024-03-04"),
        (["25/04/2024", "06/25/2024"], {}, "dates_contradict", None),
        (["1704067200", "1704067200000"], {}, None, "2024-01-01"),
        (["45292", "45292.5"], {}, None, "2024-01-01"),
        (["2024年1月5日", "2024年1月6日 10:11:12"], {}, None, "2024-01-05"),
        (["20240105", "20240106"], {}, None, "2024-01-05"),
        (["２０２４－０１－０５", "２０２４／１／６　８：０５"], {}, None, "2024-01-05"),
        (["۲۰۲۴-۰۱-۰۵", "٢٠٢٤/٠١/٠٦"], {}, None, "2024-01-05"),
        (["5.1.24 10:00", "31.1.24"], {}, None, "2024-01-05"),
        (["5.1.24", "25.2.24"], {}, None, "2024-01-05"),
        (["20-03-01", "20-03-30"], {}, None, "2020-03-01"),
        (["24/1/5 8:05", "24/1/31"], {}, None, "2024-01-05"),
        (["20-03-01", "20-03-12"], {"date_order": "ymd"}, None, "2020-03-01"),
        (["20-03-01", "20-03-12"], {}, "dates_ambiguous_year", None),
        (["25.04.24", "26.04.24"], {}, None, "2024-04-25"),
        (["25-04-24", "26-04-24"], {}, "dates_ambiguous_year", None),
        (["20-03-30", "04/25/2024"], {}, "dates_contradict_year", None),
    ],
)
def test_times_are_read_by_their_form(
    workspace: Workspace, tmp_path: Path, times: list[str], options: dict[str, str], code: str | None, first: str | None
) -> None:
    table = [["customer_id", "event_time", "amount"], *[[f"c{i}", value, "1"] for i, value in enumerate(times)]]
    file = write(tmp_path / "log.csv", table)
    if code is not None:
        with pytest.raises(NeedsAnswer) as caught:
            ingest(workspace, file, "log", **options)
        assert caught.value.code == code and "--date-order" in caught.value.message()
        assert nothing_left(workspace)
        return
    assert ingest(workspace, file, "log", **options).log_start == first


HEADS = b"customer_id,event_time,amount"


@pytest.mark.examples(4)
@pytest.mark.parametrize(
    ("name", "content", "code", "word"),
    [
        ("zero.csv", b"", "empty_file", "0 bytes"),
        ("image.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "picture", "picture"),
        ("screenshot.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"text " * 900, "picture", "picture"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)) * 8, "picture", "picture"),
        ("phone.heic", b"\0\0\0\x18ftypheic" + bytes(range(256)) * 8, "picture", "picture"),
        ("program.csv", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8, "binary_file", "binary"),
        ("noise.csv", bytes(pow(3, step, 257) % 256 for step in range(600)), "binary_unknown", "unknown binary file"),
        ("header.csv", HEADS + b"\n", "no_rows", "no rows"),
        ("page.csv", b"<!DOCTYPE html><html></html>", "web_page", "HTML"),
        ("old.csv", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_workbook", ".xlsx"),
        ("noamount.csv", b"customer_id,event_time\na,2024-01-01\nb,2024-01-02\n", "no_amount", "--map amount"),
        ("views.csv", HEADS + b",type\na,2024-01-01,,view\nb,2024-01-02,,view\n", "no_purchases", "view"),
        ("one.csv", HEADS + b"\na,2024-01-01,1\na,2024-01-02,2\n", "one_customer", "customer"),
        ("words.csv", HEADS + b"\na,soon,1\nb,later,2\n", "no_readable_time", "event_time"),
        ("money.csv", HEADS + b"\na,2024-01-01,x\nb,2024-01-02,y\n", "no_readable_amount", "amount"),
        ("half.json", b'{"customer_id": "a", "event_time": "2024-01-01", "amount": 5', "broken_file", "JSON"),
        ("report.csv", b"<?xml version='1.0'?><rows><row/></rows>", "xml_file", "XML"),
        ("cut.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x4b\x4c", "truncated_archive", "ends early"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    workspace: Workspace, tmp_path: Path, name: str, content: bytes, code: str, word: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Refused) as caught:
        ingest(workspace, file, "log")
    error = caught.value
    assert (error.code, error.exit_code) == (code, 4)
    assert word in error.message() != error.message("zh") and nothing_left(workspace)


def test_a_failure_leaves_the_former_version(workspace: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path / "log.csv", online_retail(200))
    first = ingest(workspace, file, "log", duplicates="drop")
    file.write_text("customer_id,event_time\n")
    with pytest.raises(Refused):
        ingest(workspace, file, "log")
    assert open_dataset(workspace, "log").manifest == first
    assert sorted(path.name for path in workspace.datasets.iterdir()) == ["log"]


def test_a_price_beside_a_quantity_is_asked_or_proved(workspace: Workspace, tmp_path: Path) -> None:
    header = ["customer_id", "event_time", "product_id", "quantity", "price"]
    unsure = [header] + [[f"c{i}", "2024-01-01", f"p{i}", "2", "3.00"] for i in range(9)]
    with pytest.raises(NeedsAnswer) as caught:
        ingest(workspace, write(tmp_path / "a.csv", unsure), "log")
    assert "--map unit_price" in caught.value.message()
    each = [header] + [[f"c{i}", "2024-01-01", f"p{i % 9}", str(1 + i % 4), f"{3 + i % 9}.00"] for i in range(180)]
    manifest = ingest(workspace, write(tmp_path / "b.csv", each), "log", duplicates="keep")
    wanted = sum(int(row[3]) * Decimal(row[4]) for row in each[1:])
    assert Decimal(str(manifest.net_revenue)) == wanted
    assert "price_is_unit_price" in warnings(manifest)


def test_every_form_of_the_same_log_is_the_same_dataset(workspace: Workspace, tmp_path: Path) -> None:
    import gzip
    import json
    import zipfile

    from openpyxl import Workbook

    rows = online_retail(150)
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    plain = text.getvalue().encode()
    (tmp_path / "a.csv").write_bytes(plain)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(plain))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        half = plain.split(b"\r\n")
        archive.writestr("1.csv", b"\r\n".join(half[:80]))
        archive.writestr("2.csv", b"\r\n".join([half[0], *half[80:]]))
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    (tmp_path / "d.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    (tmp_path / "e.json").write_text(json.dumps(records))
    (tmp_path / "e2.json").write_text(json.dumps(records), encoding="utf-8-sig")
    (tmp_path / "e3.json").write_text(json.dumps(records), encoding="utf-16")
    frame = pd.DataFrame(records)
    frame.to_parquet(tmp_path / "f.parquet")
    (tmp_path / "g").mkdir()
    frame[:70].to_parquet(tmp_path / "g" / "1.parquet")
    frame[70:].to_parquet(tmp_path / "g" / "2.parquet")
    (tmp_path / "h.csv").write_bytes(plain.decode().encode("utf-16"))
    (tmp_path / "i.tsv").write_bytes(text.getvalue().replace("\r\n", "\r").encode("gb18030"))
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "j.xlsx")
    paths = [path for path in tmp_path.iterdir() if path.name != "workspace"]
    versions = {path.name: ingest(workspace, path, "log", duplicates="drop").version for path in paths}
    assert len(versions) == 12 and len(set(versions.values())) == 1, versions


def test_excel_dates_and_numbers_keep_their_meaning(workspace: Workspace, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    rows = (["customer_id", "event_time", "amount"], [7, datetime(2024, 3, 4, 5, 6, 7), 1.25], ["08", "2024-03-05", 3])
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "log.xlsx")
    manifest = ingest(workspace, tmp_path / "log.xlsx", "log")
    assert (manifest.first_event, manifest.net_revenue) == ("2024-03-04T05:06:07Z", 4.25)
    assert set(events_of(workspace, "log").customer_id) == {"7", "08"}


def test_parquet_types_survive(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "log.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 9007199254740993 + i AS customer_id, TIMESTAMP '2024-01-01 10:00:00' + INTERVAL (i) HOUR AS"
            f" event_time, (i * 0.1)::DECIMAL(10, 2) AS amount FROM range(1, 50) t(i)) TO '{file}'"
        )
    manifest = ingest(workspace, file, "log")
    assert manifest.net_revenue == 122.5 and manifest.customers == 49
    assert "9007199254740994" in set(events_of(workspace, "log").customer_id)

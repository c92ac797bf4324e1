"""Every export read back by readers that are not ours, with hostile text in every text column."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.errors import NeedsAnswer, UsageError
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import Exported, export, log_download, log_export, preview, write_rows
from clv_core.strategy.audiences.export_records import export_log, exported_files
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.list_files import write_csv
from clv_core.strategy.plans.offers import Effect, Offer
from clv_core.workspace import Workspace
from tests.strategy.lists import PAYLOADS, SIDE, TRIGGERS, digest, read, unescape

pytestmark = pytest.mark.first(8)

VECTOR = "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"
TEXTS = ("first_name", "last_name", "city", "state", "zip", "madid", "country")
HEADERS = {
    "google_customer_match": "Email,Phone,First Name,Last Name,Country,Zip",
    "meta_value_based": "email,phone,madid,fn,ln,ct,st,zip,country,value",
    "google_conversions": "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency",
    "meta_events": "email,phone,madid,fn,ln,ct,st,zip,country,fbc,event_name,event_time,value,currency",
    "tiktok": "Email_SHA256,Phone_SHA256,MAID",
    "klaviyo": "Email,Phone Number,First Name,Last Name,City,Country,Zip Code,customer_id,predicted_clv,clv_tier,"
    "Email Marketing Consent",
    "hubspot": "Email,First Name,Last Name,Phone Number,City,State/Region,Postal Code,Country/Region,customer_id,"
    "predicted_clv,clv_tier",
}
"""As the platforms' pages name them; ours are the properties at the end."""


@pytest.fixture
def scored() -> pd.DataFrame:
    ids = [f"{i:019}" for i in range(1200)]
    texts = [PAYLOADS[i % len(PAYLOADS)] for i in range(1200)]
    frame = pd.DataFrame({"customer_id": ids, "predicted_clv": 9.5, "tier": 1, "tier_name": texts, "note": texts})
    return frame.assign(converted_at=pd.Timestamp("1998-06-01"), conversion_value=9.5, conversion_currency="EUR")


@pytest.fixture
def people(scored: pd.DataFrame) -> pd.DataFrame:
    emails = [" Test@GMAIL.com ", *(f"p{i}@example.org" for i in range(1, 1200))]
    phones = [f"+86 138 {i:08}" for i in range(1200)]
    contact = {"customer_id": scored["customer_id"], "email": emails, "phone": phones, "consent": "yes"}
    contact["gclid"] = [f"Cj{i}" for i in range(1200)]
    return pd.DataFrame({**contact, **dict.fromkeys(TEXTS, scored["note"])})


def hashed(text: str) -> str:
    return digest(text.strip().lower()) if text.strip() else ""


BYTES = {
    "google_customer_match": ({"Zip": "zip"}, {"Email": "email", "First Name": "first_name", "Last Name": "last_name"}),
    "meta_value_based": ({"madid": "madid"}, {"email": "email"}),
    "google_conversions": ({"Google Click ID": "gclid"}, {}),
    "meta_events": ({"madid": "madid"}, {"email": "email"}),
    "tiktok": ({}, {"Email_SHA256": "email"}),
    "klaviyo": ({"First Name": "first_name", "City": "city", "Country": "country", "Zip Code": "zip"}, {}),
    "hubspot": ({"Last Name": "last_name", "State/Region": "state", "Postal Code": "zip"}, {}),
}
"""Columns of a platform's file that hold what we know as it is, and those that hold its hash."""


@pytest.mark.parametrize("format", HEADERS)
def test_headers_hashes_and_bytes(scored: pd.DataFrame, people: pd.DataFrame, format: str, tmp_path: Path) -> None:
    made = export(scored, format, tmp_path / "list.csv", side=SIDE, contacts=Contacts(people))
    assert made.files[0].read_bytes().split(b"\r\n")[0].decode() == HEADERS[format]
    rows, (plain, digests) = read(made.files[0]), BYTES[format]
    assert len(rows) == made.rows == 1200
    for column, source in plain.items():
        assert [row[column] for row in rows] == people[source].tolist()
    for column, source in digests.items():
        assert [row[column] for row in rows] == [hashed(text) for text in people[source]]
    if digests:
        assert VECTOR in rows[0].values()
    elif "customer_id" in HEADERS[format]:
        assert [row["customer_id"] for row in rows] == scored["customer_id"].tolist()


def test_spreadsheet_files_are_inert_in_every_text_column_and_recoverable(scored: pd.DataFrame, tmp_path: Path) -> None:
    rows = read(export(scored, "csv", tmp_path / "list.csv", side=SIDE).files[0], "utf-8-sig")
    book = openpyxl.load_workbook(export(scored, "xlsx", tmp_path / "list.xlsx", side=SIDE).files[0])
    cells = list(book["customers"].iter_rows(min_row=2))
    assert {cell.data_type for row in cells for cell in row} <= {"s", "n", "d"}
    for place, name in enumerate(("customer_id", "tier_name", "note")):
        column = [row[name] for row in rows]
        assert not any(text.startswith(TRIGGERS) for text in column)
        assert unescape(pd.Series(column)).tolist() == scored[name].tolist()
        position = list(scored.columns).index(name)
        shown = [str(row[position].value) for row in cells]
        assert not any(text.startswith(TRIGGERS) for text in shown), place
    assert [row[0].value for row in cells] == scored["customer_id"].tolist()


@pytest.mark.parametrize("format", ("csv", "xlsx"))
def test_spreadsheets_obey_stop_lists(scored: pd.DataFrame, people: pd.DataFrame, format: str, tmp_path: Path) -> None:
    contacts = Contacts(people, suppressed=["TEST@gmail.com ", scored["customer_id"][5]])
    made = export(scored, format, tmp_path / f"list.{format}", side=SIDE, contacts=contacts)
    assert made.left_out == {"suppressed": 2} and made.rows == 1198 and made.asked == 1200


@pytest.mark.examples(3)
@pytest.mark.parametrize("format", EXPORTS)
def test_a_preview_tells_the_list(scored: pd.DataFrame, people: pd.DataFrame, format: str, tmp_path: Path) -> None:
    people.loc[:99, "consent"] = "no"
    people.loc[100:149, ["email", "phone", "madid", "gclid"]] = ""
    contacts = Contacts(people, suppressed=["p200@example.org"])
    entry = EXPORTS[format]
    found = preview(scored, format, contacts)
    assert list(tmp_path.iterdir()) == []
    made = export(scored, format, tmp_path / f"list{entry.suffix}", side=SIDE, contacts=contacts)
    assert (found.rows, found.left_out, found.reach, found.asked) == (made.rows, made.left_out, made.reach, made.asked)
    expected = (1200 - 100 - 50 - 1) if entry.needs_contacts else 1199
    assert found.rows == expected and found.share_with_consent == pytest.approx(expected / 1200)
    if entry.needs_contacts:
        assert found.first is not None
        first = found.first.astype("str")
        if entry.header:
            assert first.to_dict("records") == read(made.files[0])[:5]
        else:
            assert first.iloc[:, 0].tolist() == made.files[0].read_text().split()[:5]


def test_a_preview_names_the_smallest_list(scored: pd.DataFrame, people: pd.DataFrame) -> None:
    enough, short = (preview(scored[:count], "meta_value_based", Contacts(people)) for count in (100, 99))
    assert enough.too_small is None and short.too_small is not None
    assert "100" in short.too_small.text("en") and "99" in short.too_small.text("zh")
    assert preview(scored[:0], "csv").share_with_consent == 0


def test_a_preview_asks_for_consent_and_contacts_as_the_export_does(scored: pd.DataFrame, people: pd.DataFrame) -> None:
    with pytest.raises(NeedsAnswer):
        preview(scored, "hubspot", Contacts(people.drop(columns="consent")))
    with pytest.raises(UsageError):
        preview(scored, "hubspot")


def test_a_table_counts_its_rows_and_its_different_customers(tmp_path: Path) -> None:
    work, rows = Workspace(tmp_path / "workspace"), pd.DataFrame({"customer_id": ["a", "a", "b", "c"], "rank": 1})
    rows.assign(event_time="1998-01-01", amount=2.0).to_csv(tmp_path / "log.csv", index=False)
    ingest(work, tmp_path / "log.csv", SIDE.dataset, duplicates="keep")
    made = write_rows(work, rows, tmp_path / "several.csv", SIDE)
    assert (made.rows, made.customers, made.asked) == (4, 3, 3)
    SuppressionList.of(work).add(["a"])
    made = write_rows(work, rows, tmp_path / "fewer.csv", SIDE)
    assert (made.rows, made.customers, made.left_out, made.asked) == (2, 2, {"suppressed": 1}, 3)
    made = write_rows(work, rows[["rank"]], tmp_path / "nobody.csv", SIDE)
    assert (made.rows, made.customers, made.asked) == (4, None, 4)
    assert [(entry.rows, entry.customers) for entry in export_log(work)] == [(4, None), (2, 2), (4, 3)]


@pytest.mark.parametrize(
    "segment", ("customer_id~anna b=1", "customer_id=anna,ben tier=1", "p_purchase>=0.5 customer_id!=anna")
)
def test_the_log_names_no_customer_that_was_searched_for(scored: pd.DataFrame, tmp_path: Path, segment: str) -> None:
    work, side = Workspace(tmp_path / "workspace"), replace(SIDE, segment=segment)
    made = export(scored, "csv", tmp_path / "list.csv", side=side)
    log_export(work, made, "csv", side)
    assert json.loads(made.side_file.read_text(encoding="utf-8"))["segment"] == segment
    said = export_log(work)[0].segment
    assert said.startswith(segment.partition("anna")[0]) and "anna" not in said and "ben" not in said


def test_no_list_stays_where_the_log_of_exports_cannot_be_written(scored: pd.DataFrame, tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    work.root.mkdir()
    (work.root / "exports").write_text("a file in the folder's place")
    made = export(scored, "csv", tmp_path / "list.csv", side=SIDE)
    assert all(file.exists() for file in (*made.files, made.side_file))
    with pytest.raises(UsageError):
        log_export(work, made, "csv", SIDE)
    assert not any(file.exists() for file in (*made.files, made.side_file))


def test_settings_are_in_side_file_and_workbook(scored: pd.DataFrame, tmp_path: Path) -> None:
    offer = Offer("礼品", 1.5, {1: Effect(0.05, "share"), 2: Effect(4.0, "money", 2.5, 5.5)}, capacity=1200)
    side = replace(SIDE, settings={"budget": 40.0, "offers": [offer.to_json()]})
    made = export(scored, "xlsx", tmp_path / "list.xlsx", side=side)
    assert json.loads(made.side_file.read_text(encoding="utf-8"))["settings"] == side.settings
    assert side.mark != SIDE.mark == replace(side, settings={}).mark
    said = about_of(made.files[0], "about")
    assert said["budget"] == 40 and said["horizon_days"] == 182 and said["lifetime"] == "no"
    assert said["offers"] == (
        "礼品: 1.5 per customer, effect 5% on tier 1, effect 4(2.5;5.5) on tier 2, up to 1,200 customers"
    )


def test_a_chinese_workbook_says_of_itself_no_word_of_a_program(scored: pd.DataFrame, tmp_path: Path) -> None:
    changes = [{"category": "茶", "tier": 2, "change": -0.05}]
    chosen = {"control_share": 0.1, "start": "2024-12-31", "listed": 7, "only_offer": "券", "group": "offer"}
    offers = [Offer("券", 2.0, {0: Effect(0.05, "share")}).to_json()]
    side = replace(SIDE, settings={"budget": 40.0, "offers": offers, "price_changes": changes, **chosen})
    made = export(scored, "xlsx", tmp_path / "list.xlsx", side=side, language="zh")
    said = about_of(made.files[0], "说明")
    assert all(re.search("[\u4e00-\u9fff]", name) for name in said), said
    assert said["优惠方案"] == "券：每人成本 2，效果 5%" and said["调价方案"] == "茶，第 2 层：−5.0%"
    assert said["终身价值"] == "否" and said["预算"] == 40 and said["对照组占比"] == 0.1
    assert said["筛选条件"] == SIDE.segment and "假设" not in said


def about_of(path: Path, sheet: str) -> dict[str, object]:
    """Return what a workbook says of itself, as openpyxl reads it."""
    return {str(row[0]): row[1] for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)}


def test_each_column_of_a_workbook_has_room_for_what_stands_in_it(scored: pd.DataFrame, tmp_path: Path) -> None:
    model = "a-shop-of-some-name-hybrid-20241231"
    made = export(scored.assign(model=model, note="字" * 90), "xlsx", tmp_path / "list.xlsx", side=SIDE)
    sheet = openpyxl.load_workbook(made.files[0])["customers"]
    widths = {cell.value: sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]}
    assert widths["model"] >= len(model) and 40 < max(widths.values()) < 60, widths


def test_the_log_reads_newest_first_and_knows_which_files_name_customers(scored: pd.DataFrame, tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    assert export_log(work) == []
    for name in ("one.csv", "two.csv"):
        log_export(work, export(scored, "csv", tmp_path / name, side=SIDE), "csv", SIDE)
    with (work.exports / "log.jsonl").open("a") as file:
        file.write('{"who": "some')  # a line that was cut off
    entries = export_log(work)
    assert [entry.files for entry in entries] == [["two.csv"], ["one.csv"]]
    assert (entries[0].rows, entries[0].customers) == (len(scored), len(scored))
    assert {"who", "made", "rows", "asked", "cutoff", "horizon_days", "model", "currency"} <= set(entries[0].to_json())
    write_csv(pd.DataFrame({"category": ["tea"], "elasticity": [-1.2]}), tmp_path / "prices.csv")
    log_export(work, Exported((tmp_path / "prices.csv",), tmp_path / "prices.csv.json", 1, None), "csv", SIDE)
    log_download(work, "card", SIDE, 1, 1)  # handed over without a file
    assert [entry.files for entry in export_log(work)] == [[], ["prices.csv"], ["two.csv"], ["one.csv"]]
    entry = export_log(work)[0]
    assert (entry.format, entry.customers, entry.folder) == ("card", 1, str(work.exports))
    every = [tmp_path / name for name in ("one.csv", "two.csv", "prices.csv")]
    assert exported_files(work, SIDE.dataset, ()) == every
    assert exported_files(work, SIDE.dataset, (), of_customers=True) == every[:2]

"""The upload page: questions with the control that settles them, checks by a run, several files, adding, memory."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import streamlit as st
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.check import check_file
from clv_core.collection.check_store import save_check
from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.questions import option_words
from clv_core.collection.remembered import remember
from clv_core.collection.stored.store import list_datasets
from clv_core.errors import NeedsAnswer
from clv_core.i18n import LANGUAGES, catalogue, translate
from clv_core.workspace import Workspace
from pages.ui import received
from pages.ui.upload import check, saved, set_aside, steps, uploading
from tests.pages.conftest import OPEN

LOG = "customer_id,date,amount\nA,2024-03-25,10\nB,2024-04-26,12.5\nA,2024-05-27,7\nC,2024-06-28,3\n"


def written(app: AppTest) -> str:
    kinds = ("header", "markdown", "caption", "info", "warning", "success", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def upload(app: AppTest, *contents: str) -> AppTest:
    files = [(f"log{number}.csv", content.encode(), "text/csv") for number, content in enumerate(contents)]
    app.file_uploader[0].set_value(files).run()
    return app


def last_args(root: Path, command: str) -> list[str]:
    return list(jobs.jobs(Workspace(root), command)[0].status()["args"])


@pytest.mark.parametrize(("asks", "order"), [("dates_ambiguous", "dmy"), ("dates_ambiguous_year", "ymd")])
def test_a_run_that_ends_with_a_question_shows_its_answers_and_starts_again(
    open_page: OPEN, tmp_path: Path, asks: str, order: str
) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    app.text_input(key="dataset_name").set_value("Shop 2024")
    app.form_submit_button[0].click().run()
    job = jobs.jobs(Workspace(tmp_path), "ingest")[0]
    jobs.finish(job.folder, "en", error=NeedsAnswer(asks, column="date", rows=40))
    app.run()
    assert not app.error
    app.button(key=f"answer_date_order_{order}").click().run()
    args = last_args(tmp_path, "ingest")
    assert args[: len(job.status()["args"])] == job.status()["args"]
    assert args[args.index("--date-order") + 1] == order and args[args.index("--name") + 1] == "Shop 2024"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_readings_that_change_the_total_are_offered_with_their_revenue(
    open_page: OPEN, tmp_path: Path, lang: str
) -> None:
    rows = "\n".join(f"c{n % 9},2024-03-{1 + n % 28:02},{1 + n % 9}.{100 + n}" for n in range(40))
    app = upload(open_page(tmp_path, "upload", lang=lang), f"customer_id,date,amount\n{rows}\n")
    total = sum(float(row.split(",")[2]) for row in rows.split("\n"))
    point, comma = app.button(key="answer_reading_0"), app.button(key="answer_reading_1")
    assert f"{total:,.2f}" in point.label and f"{1000 * total:,.2f}" in comma.label
    comma.click().run()
    assert app.session_state[uploading.ANSWERS]["decimal"] == "comma"
    assert not any(button.key == "answer_reading_0" for button in app.button)


def test_an_added_file_in_another_currency_is_asked_about(open_page: OPEN, with_dataset: Path) -> None:
    app = upload(open_page(with_dataset, "upload", lang="en"), LOG)
    app.segmented_control(key="save_way_new").set_value("add").run()
    app.form_submit_button[0].click().run()
    job = jobs.jobs(Workspace(with_dataset), "ingest")[0]
    jobs.finish(job.folder, "en", error=NeedsAnswer("currency_differs", file="x", found="USD", currency="EUR"))
    app.run()
    app.button(key="answer_currency_EUR").click().run()
    args = last_args(with_dataset, "ingest")
    assert "--append" in args and args[-2:] == ["--currency", "EUR"]
    jobs.update_status(jobs.jobs(Workspace(with_dataset), "ingest")[0].folder, state=jobs.CANCELLED)


@pytest.mark.parametrize("by", ("address", "offer"))
def test_the_question_of_a_run_survives_a_new_session(open_page: OPEN, tmp_path: Path, by: str) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    app.form_submit_button[0].click().run()
    job = jobs.jobs(Workspace(tmp_path), "ingest")[0]
    other = open_page(tmp_path, "upload", lang="zh", **({"run": job.id} if by == "address" else {}))
    jobs.finish(job.folder, "en", error=NeedsAnswer("dates_ambiguous", column="date", rows=40))
    other.run()
    if by == "offer":
        other.button(key=f"follow_{job.id}").click().run()
    other.button(key="answer_date_order_mdy").click().run()
    assert last_args(tmp_path, "ingest")[-2:] == ["--date-order", "mdy"]
    assert not any(button.key == f"follow_{job.id}" for button in open_page(tmp_path, "upload", lang="en").button)


def test_a_question_that_was_put_away_is_offered_to_nobody(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    app.form_submit_button[0].click().run()
    job = jobs.jobs(Workspace(tmp_path), "ingest")[0]
    jobs.finish(job.folder, "en", error=NeedsAnswer("dates_ambiguous", column="date", rows=40))
    other = open_page(tmp_path, "upload", lang="en")
    other.button(key=f"put_away_{job.id}").click().run()
    assert translate("waiting.asks", name="log0") not in written(other)
    assert app.run().button(key="answer_date_order_dmy")


@pytest.mark.parametrize(
    ("header", "canonical"), [("who,date,amount", "customer_id"), ("customer_id,date,foo", "amount")]
)
def test_a_column_that_is_not_recognised_is_chosen_from_a_list(
    open_page: OPEN, tmp_path: Path, header: str, canonical: str
) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG.replace("customer_id,date,amount", header))
    assert not app.error
    chosen = {"customer_id": "who", "amount": "foo"}[canonical]
    app.selectbox(key=f"answer_column_{canonical}").set_value(chosen)
    app.button(key=f"answer_use_{canonical}").click().run()
    assert not app.error
    assert "**4** rows read" in written(app)
    app.form_submit_button[0].click().run()
    args = last_args(tmp_path, "ingest")
    assert f"--map={canonical}={chosen}" in args


@pytest.mark.parametrize(
    ("header", "canonical", "wanted"),
    [("customer_id,Bestellt,amount", "event_time", "Bestellt"), ("id,date,amount", "customer_id", "id")],
)
def test_a_guess_that_is_confirmed_is_not_asked_about_again(
    open_page: OPEN, tmp_path: Path, header: str, canonical: str, wanted: str
) -> None:
    rows = [f"C{n},2024-03-{n % 28 + 1:02},{n + 1}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join([header, *rows]))
    app.selectbox(key=f"answer_column_{canonical}").set_value(wanted).run()
    app.button(key=f"answer_use_{canonical}").click().run()
    assert not app.error and "**30** rows read" in written(app)
    app.form_submit_button[0].click().run()
    assert f"--map={canonical}={wanted}" in last_args(tmp_path, "ingest")


def test_a_question_names_columns_in_words_and_offers_those_that_could_be_it(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"MP-{n},{n + 1}.5,C{n % 9},2024-03-{n % 28 + 1:02}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["zzz,zzzz,customer_id,date", *rows]))
    assert app.selectbox(key="answer_column_amount").value == "zzzz"
    rows = [f"C{n},D{n},2024-03-{n % 28 + 1:02}" for n in range(30)]
    app = upload(open_page(tmp_path / "other", "upload", lang="en"), "\n".join(["zz,zzz,date", *rows]))
    assert app.selectbox(key="answer_column_customer_id").value is None
    assert app.button(key="answer_use_customer_id").disabled
    assert translate("canonical.customer_id", "en") in written(app) and "customer_id" not in written(app)


def test_masked_customers_are_asked_for_and_neither_an_amount_nor_the_masked_is_offered(
    open_page: OPEN, tmp_path: Path
) -> None:
    rows = [f"{n},138****{1000 + n % 9},{5 + n % 3}.50,2024-03-{n % 28 + 1:02},{n % 2}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["order_id,手机,amount,date,zz", *rows]))
    assert "is masked" in written(app)
    assert app.selectbox(key="answer_column_customer_id").value == "zz"
    rows = [row.rpartition(",")[0] for row in rows]
    app = upload(open_page(tmp_path / "other", "upload", lang="en"), "\n".join(["order_id,手机,paid,date", *rows]))
    assert app.selectbox(key="answer_column_customer_id").value is None


def test_two_columns_of_one_meaning_are_told_apart_by_a_click(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n + 1},{2 * n + 1}" for n in range(30)]
    app = upload(
        open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,line_total,order_value", *rows])
    )
    app.selectbox(key="answer_column_amount").set_value("order_value")
    app.button(key="answer_use_amount").click().run()
    assert not app.error
    net = sum(2 * n + 1 for n in range(30))
    assert str(net) in {metric.value for metric in app.metric}
    app.form_submit_button[0].click().run()
    assert "--map=amount=order_value" in last_args(tmp_path, "ingest")


def test_a_price_is_said_to_be_of_a_piece_or_of_a_line(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},10,{n % 3 + 1}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,price,quantity", *rows]))
    app.button(key="answer_price_unit_price").click().run()
    assert not app.error
    assert str(10 * sum(n % 3 + 1 for n in range(30))) in {metric.value for metric in app.metric}


def test_a_column_that_is_named_anew_is_no_longer_what_it_was(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n + 1},{n % 3 + 1}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,price,quantity", *rows]))
    app.session_state[uploading.ANSWERS] = {"mapping": {"discount": "price"}}
    app.run()
    app.selectbox(key="answer_column_amount").set_value("price").run()
    app.button(key="answer_use_amount").click().run()
    assert not app.error
    assert app.session_state[uploading.ANSWERS]["mapping"] == {"amount": "price"}


def test_two_columns_cannot_be_given_one_meaning(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = st.data_editor

    def edited(table: pd.DataFrame, **options: Any) -> Any:
        amounts = table["column"].isin(["paid", "discount"])
        amount = translate("canonical.amount", "en")
        shown = table.assign(meaning=table["meaning"].mask(amounts, amount))
        edit(shown, **options)
        return shown

    monkeypatch.setattr(st, "data_editor", edited)
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n + 1},{n % 3 + 1}" for n in range(30)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,paid,discount", *rows]))
    assert "paid, discount" in app.error[0].value and not app.form_submit_button


@pytest.mark.parametrize("titles", [["Sales", "Returns"], ["Cover", "Sales"]])
def test_the_sheet_of_a_workbook_is_chosen(open_page: OPEN, tmp_path: Path, titles: list[str]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, title in enumerate(titles):
        names = [["Report", "2024"]] if title == "Cover" else [["customer_id", "date", "amount", *"ab"[:number]]]
        rows = [[f"C{n % 9}", f"2024-03-{n % 28 + 1:02}", n + number, *"ab"[:number]] for n in range(30)]
        sheet = book.create_sheet(title)
        for row in names + (rows if title != "Cover" else []):
            sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    app = open_page(tmp_path, "upload", lang="en")
    app.file_uploader[0].set_value([("shop.xlsx", made.getvalue(), "application/zip")]).run()
    assert [button.key for button in app.button if str(button.key).startswith("answer_sheet")] == (
        [f"answer_sheet_{title}" for title in titles] if "Cover" not in titles else []
    )
    picked = next(box for box in app.selectbox if str(box.key).startswith("upload_sheet"))
    assert picked.options[1:] == titles
    picked.set_value(titles[-1] if "Cover" in titles else titles[0]).run()
    assert not app.error and "**30** rows read" in written(app)
    app.form_submit_button[0].click().run()
    args = last_args(tmp_path, "ingest")
    assert args[args.index("--sheet") + 1] in titles


def test_names_that_are_purchases_are_chosen_from_those_in_the_file(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n},{('won', 'peeked')[n % 2]}" for n in range(40)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,amount,event", *rows]))
    app.multiselect(key="answer_purchases").set_value(["won"]).run()
    app.button(key="answer_use_purchases").click().run()
    assert not app.error
    app.form_submit_button[0].click().run()
    args = last_args(tmp_path, "ingest")
    assert "--event=won=purchase" in args


def test_kinds_that_were_understood_are_named_in_the_language_of_the_page(open_page: OPEN, tmp_path: Path) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n},{('won', 'refund')[n % 2]}" for n in range(40)]
    app = upload(open_page(tmp_path, "upload", lang="zh"), "\n".join(["customer_id,date,amount,event", *rows]))
    assert app.multiselect(key="answer_purchases") and "退货" in written(app) and "return" not in written(app)


def test_what_a_state_of_an_order_means_is_said_in_a_table_and_kept_for_the_run(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, said = st.data_editor, {}

    def edited(table: pd.DataFrame, **options: Any) -> Any:
        shown = edit(table, **options)
        if not options["key"].startswith("states_"):
            return shown
        said.update(zip(table["word"], table["meaning"], strict=True))
        taken_back = translate("look.states.refunded", "en")
        return table.assign(meaning=[taken_back if word == "odd" else was for word, was in said.items()])

    monkeypatch.setattr(st, "data_editor", edited)
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},10,{('paid', 'odd', 'void')[n % 3]}" for n in range(60)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,amount,order_status", *rows]))
    app.button(key="answer_reading_0").click().run()
    words = {"paid": "sold", "odd": "refunded", "void": "cancelled"}
    assert said == {word: translate(f"look.states.{meaning}", "en") for word, meaning in words.items()}
    assert "200" in {metric.value for metric in app.metric} and not app.error
    app.form_submit_button[0].click().run()
    assert "--state=odd=refunded" in last_args(tmp_path, "ingest")


def test_names_whose_amounts_are_below_zero_are_offered_as_returns(open_page: OPEN, tmp_path: Path) -> None:
    kinds = [("won", 20), ("peeked", 0), ("gave back", -5)]
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{kinds[n % 3][1]},{kinds[n % 3][0]}" for n in range(60)]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join(["customer_id,date,amount,event", *rows]))
    assert app.multiselect(key="answer_returns").value == ["gave back"]
    app.multiselect(key="answer_purchases").set_value(["won"]).run()
    app.button(key="answer_use_purchases").click().run()
    assert not app.error and str(20 * 15) in {metric.value for metric in app.metric}


def test_a_large_file_is_checked_by_a_run_and_can_be_saved_meanwhile(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "CHECKED_HERE_BYTES", 10)
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    check = jobs.jobs(Workspace(tmp_path), "check")[0]
    args = check.status()["args"]
    assert Path(args[1]).read_text() == LOG and app.form_submit_button
    out = Path(args[args.index("--out") + 1])
    out.mkdir()
    save_check(check_file(Path(args[1]), set_aside=out / "set_aside.parquet"), out)
    jobs.finish(check.folder, "en", result={})
    app.run()
    assert "**4** rows read" in written(app)


def test_saving_stops_the_check_that_still_runs(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "CHECKED_HERE_BYTES", 10)
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    app.form_submit_button[0].click().run()
    assert last_args(tmp_path, "ingest")[0] == "ingest"
    check, deadline = jobs.jobs(Workspace(tmp_path), "check")[0], time.monotonic() + 30
    while check.status()["state"] == jobs.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)  # it was told to stop, and stops a moment later
    assert check.status()["state"] != jobs.RUNNING


def test_several_files_become_one_dataset(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG, LOG.replace("2024", "2025"))
    assert [Path(option).name for option in app.selectbox(key="upload_which").options] == ["log0.csv", "log1.csv"]
    app.form_submit_button[0].click().run()
    args = last_args(tmp_path, "ingest")
    assert [Path(word).name for word in args[1:3]] == ["log0.csv", "log1.csv"] and args[3] == "--name"


BARE = LOG.partition("\n")[2]


def test_several_files_without_a_line_of_names_are_asked_about(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), BARE, BARE.replace("2024", "2025"))
    assert not app.error
    app.button(key="answer_header_False").click().run()
    assert app.selectbox(key="upload_which")
    assert all(button.key != "answer_header_False" for button in app.button)


def test_names_that_look_like_an_event_are_taken_for_names_at_a_press(open_page: OPEN, tmp_path: Path) -> None:
    rows = "".join(f"{place},k{place % 3},2024-0{1 + place % 4}-03,{10 + place}.5\n" for place in range(12))
    app = upload(open_page(tmp_path, "upload", lang="en"), f",asiakas_nro,milloin,paljonko\n{rows}")
    app.button(key="answer_header_True").click().run()
    assert all("answer_header" not in str(button.key) for button in app.button)
    assert any("milloin" in str(table.value) for table in app.dataframe) or "milloin" in written(app)


@pytest.mark.examples(2)
@pytest.mark.parametrize("at", (0, 1, 2))
def test_one_of_several_files_that_cannot_be_read_is_left_out(open_page: OPEN, tmp_path: Path, at: int) -> None:
    contents = [LOG, LOG.replace("2024", "2025")]
    contents.insert(at, "")
    app = upload(open_page(tmp_path, "upload", lang="en"), *contents)
    assert len(app.error) == 1 and f"log{at}" in app.error[0].value
    app.button(key="leave_out").click().run()
    assert not app.error
    app.form_submit_button[0].click().run()
    kept = [f"log{number}.csv" for number in range(3) if number != at]
    assert [Path(word).name for word in last_args(tmp_path, "ingest")[1:3]] == kept
    assert sorted(path.name for path in (tmp_path / "uploads").rglob("*.csv")) == kept


def test_a_file_without_names_beside_one_with_them_can_be_left_out(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG, BARE)
    assert app.button(key="answer_header_False")
    app.button(key="leave_out").click().run()
    assert not app.error and "**4** rows read" in written(app)


@pytest.mark.parametrize("workspace", ["with_model", "with_dataset"])
def test_who_added_a_file_to_a_dataset_with_a_model_is_led_to_what_it_says(
    open_page: OPEN, request: pytest.FixtureRequest, workspace: str
) -> None:
    root = request.getfixturevalue(workspace)
    name = list_datasets(Workspace(root))[0].name
    kept = {"dataset": name, "appended": 0, "warnings": []}
    app = open_page(root, "upload", lang="en", dataset=name)
    app.session_state[saved.SAVED] = kept
    app.run()
    trained = translate("saved.trained", "en") in written(app)
    assert trained == (workspace == "with_model")
    assert {"to_segments", "to_monitor"} <= {button.key for button in app.button} or not trained


def test_files_of_other_columns_are_pointed_out(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG, LOG.replace("amount", "total"))
    assert any("log1" in warning.value for warning in app.warning)


def test_a_file_can_be_added_to_a_dataset(open_page: OPEN, with_dataset: Path) -> None:
    app = upload(open_page(with_dataset, "upload", lang="en"), LOG)
    app.segmented_control(key="save_way_new").set_value("add").run()
    app.form_submit_button[0].click().run()
    args = last_args(with_dataset, "ingest")
    assert "--append" in args and args[args.index("--name") + 1] == "shop"
    jobs.update_status(jobs.jobs(Workspace(with_dataset), "ingest")[0].folder, state=jobs.CANCELLED)


REFUNDS = (
    "Order ID,Customer ID,Created,Line Total,Order Status\nA1,c1,2024-01-03,10,refunded\nA2,c2,2024-01-04,5,refunded"
)


def test_a_file_of_refunds_alone_can_be_added_where_there_is_a_dataset(open_page: OPEN, with_dataset: Path) -> None:
    app = upload(open_page(with_dataset, "upload", lang="en"), REFUNDS)
    assert not app.error and "2 of its 2 rows" in app.info[0].value
    app.form_submit_button[0].click().run()
    args = last_args(with_dataset, "ingest")
    assert "--append" in args and args[args.index("--name") + 1] == "shop"
    jobs.update_status(jobs.jobs(Workspace(with_dataset), "ingest")[0].folder, state=jobs.CANCELLED)


def test_a_file_of_refunds_alone_is_refused_where_there_is_no_dataset(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), REFUNDS)
    assert "cancelled or refunded" in app.error[0].value and not app.info
    assert "save" not in {button.form_id for button in app.button if button.form_id}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_who_added_refunds_is_told_what_went(open_page: OPEN, with_dataset: Path, lang: str) -> None:
    part = {"source": "refunds.csv", "rows_read": 2, "rows_overlap": 0}
    params = {"file": "refunds.csv", "orders": 2, "amount": 1234.5, "currency": "EUR"}
    warnings = [{"code": "orders_taken_out", "params": params}]
    app = open_page(with_dataset, "upload", lang=lang, dataset="shop")
    app.session_state[saved.SAVED] = {"dataset": "shop", "appended": 1, "warnings": warnings, "parts": [part]}
    app.run()
    assert "1,234.50 EUR" in app.warning[0].value


def test_next_months_file_of_the_same_columns_is_added_unless_the_person_says_otherwise(
    open_page: OPEN, tmp_path: Path
) -> None:
    first = tmp_path / "first.csv"
    first.write_text(LOG.replace("customer_id,date,amount", "Kundennummer,Bestelldatum,Betrag"))
    ingest(Workspace(tmp_path), first, "shop")
    alike = LOG.replace("customer_id,date,amount", "Betrag,Bestelldatum,Kundennummer").replace("2024", "2025")
    rows = [",".join(reversed(line.split(","))) for line in alike.splitlines()[1:]]
    app = upload(open_page(tmp_path, "upload", lang="en"), "\n".join([alike.splitlines()[0], *rows]))
    assert app.selectbox(key="add_to").value == "shop"
    other = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    assert other.segmented_control(key="save_way_new").value == "new"


def test_a_short_file_that_goes_on_with_a_dataset_is_not_said_to_be_useless(open_page: OPEN, tmp_path: Path) -> None:
    first = tmp_path / "first.csv"
    first.write_text(LOG)
    ingest(Workspace(tmp_path), first, "shop")
    week = "".join(f"c{n % 4},2025-03-{n % 5 + 1:02d},{n + 1}\n" for n in range(12))
    app = upload(open_page(tmp_path, "upload", lang="en"), f"{LOG.splitlines()[0]}\n{week}")
    assert app.selectbox(key="add_to").value == "shop" and not app.error
    assert translate("look.horizons.adds", "en", name="shop") in [one.value for one in app.info]
    other = f"{LOG.splitlines()[0]},shelf\n" + "".join(f"{row},1\n" for row in week.splitlines())
    alone = upload(open_page(tmp_path, "upload", lang="en"), other)
    assert translate("look.horizons.too_short", "en") in [one.value for one in alone.error]


def test_ids_are_replaced_where_it_was_asked_for(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="zh"), LOG)
    app.toggle(key="pseudonymise").set_value(True)
    app.form_submit_button[0].click().run()
    assert last_args(tmp_path, "ingest")[-1] == "--pseudonymise"


def test_what_was_said_about_a_file_of_this_shape_is_offered(open_page: OPEN, tmp_path: Path) -> None:
    log = LOG.replace("amount", "cash,till").replace("\n", ",1\n").replace("till,1", "till")
    remember(Workspace(tmp_path), ["customer_id", "date", "cash", "till"], Answers({"amount": "cash"}, currency="CHF"))
    app = upload(open_page(tmp_path, "upload", lang="en"), log)
    assert "cash = " in written(app) and "CHF" in written(app)
    app.button(key="recall_use").click().run()
    assert not app.error
    app.form_submit_button[0].click().run()
    args = last_args(tmp_path, "ingest")
    assert "--map=amount=cash" in args and args[args.index("--currency") + 1] == "CHF"


def test_what_was_said_is_taken_over_where_the_page_proposes_money_and_time_zone_by_itself(
    open_page: OPEN, tmp_path: Path
) -> None:
    rows = "".join(f"c{n % 9},{n % 12 + 1:02d}/{n % 11 + 1:02d}/2024,¥{n + 5}\n" for n in range(60))
    names = ["会员号", "下单时间", "金额"]
    said = Answers(date_order="dmy", currency="CNY", timezone="Asia/Shanghai")
    remember(Workspace(tmp_path), names, said)
    app = upload(open_page(tmp_path, "upload", lang="zh"), ",".join(names) + "\n" + rows)
    assert "日期顺序：日在前" in written(app)
    app.button(key="recall_use").click().run()
    assert app.selectbox(key="setting_upload_date_order_dmy").value == "dmy"
    assert not [button for button in app.button if button.key == "recall_use"]


def test_a_file_of_which_nothing_was_said_is_not_offered_to_be_read_so_again(open_page: OPEN, tmp_path: Path) -> None:
    remember(Workspace(tmp_path), LOG.splitlines()[0].split(","), Answers())
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    assert not [button for button in app.button if button.key == "recall_use"]


def test_the_look_names_the_gap_and_the_horizons(open_page: OPEN, tmp_path: Path) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG)
    said = written(app)
    assert "31 days" in said and "26 Mar 2024" in said  # 26 March to 25 April
    assert translate("look.horizons.unmeasured", days=60) in said  # 96 days: 28 to learn from, 60 to predict


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_would_make_the_figures_wrong_is_said_before_all_else_that_was_noticed(
    open_page: OPEN, tmp_path: Path, lang: str
) -> None:
    rows = (f"C{n % 9};{n % 28 + 1}.03.2024;{n},50;{'CHF' if n % 5 else 'EUR'}" for n in range(60))
    app = upload(open_page(tmp_path, "upload", lang=lang), "\n".join(["customer;date;amount;currency", *rows]))
    kinds = (":orange[:material/warning", ":gray[:material/info")
    marks = [one.value for one in app.markdown if one.value.startswith(kinds)]
    assert "CHF" in marks[0] and [mark.startswith(":orange") for mark in marks] == [True, *[False] * (len(marks) - 1)]
    assert len(marks) > 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_first_rows_bear_the_names_that_the_columns_were_read_as(
    open_page: OPEN, tmp_path: Path, lang: str
) -> None:
    rows = "\n".join(f"会员{n % 4},2024年3月{1 + n}日,购买,￥1,天猫,红色" for n in range(20))
    app = upload(open_page(tmp_path, "upload", lang=lang), f"会员编号,日期,行为类型,实付金额,渠道,颜色\n{rows}\n")
    (shown,) = [table for table in app.dataframe if "event_type" in table.value.columns]
    heads = {name: about.get("label") for name, about in json.loads(shown.proto.columns).items()}
    for name in ("customer_id", "event_time", "event_type", "amount", "channel"):
        assert heads[name] == translate(f"canonical.{name}", lang)
    assert heads["颜色"] == "颜色" and set(shown.value["event_type"]) == {translate("event.purchase", lang)}


@pytest.mark.parametrize(("word", "key"), [("view", "look.events.known"), ("blink", "look.events")])
def test_words_that_are_not_known_are_counted_where_there_are_some(
    open_page: OPEN, tmp_path: Path, word: str, key: str
) -> None:
    rows = "\n".join(f"C{n % 9},2024-03-{n % 28 + 1:02},{f'{word},' if n % 2 else f'purchase,{n}'}" for n in range(60))
    app = upload(open_page(tmp_path, "upload", lang="en"), f"customer_id,event_time,event_type,amount\n{rows}")
    assert translate(key, "en", names=2, unknown=1) in [one.label for one in app.expander]


def test_what_is_to_be_heeded_is_something_that_reading_says() -> None:
    assert set(catalogue("en")) >= check.HEEDED


def test_who_has_one_customer_only_is_told_why_that_is_too_few(open_page: OPEN, tmp_path: Path) -> None:
    rows = "\n".join(f"C1,2024-03-{day:02},5" for day in range(1, 20))
    app = upload(open_page(tmp_path, "upload", lang="en"), f"customer_id,event_time,amount\n{rows}")
    assert "needs many customers" in written(app) and "\\-\\-map" not in written(app) and "--map" not in written(app)


def test_an_upload_leaves_the_servers_memory_when_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = MemoryUploadedFileManager("/upload")
    record = UploadedFileRec("f1", "../odd name?.csv", "text/csv", b"x" * 10_000)
    manager.add_file("s1", record)
    context = type("Context", (), {"uploaded_file_mgr": manager, "session_id": "s1"})()
    monkeypatch.setattr(received, "get_script_run_ctx", lambda: context)
    file = UploadedFile(record, FileURLs())
    again = UploadedFile(record, FileURLs())
    paths = received.copy([file, again], tmp_path)
    assert [path.read_bytes() for path in paths] == [record.data] * 2
    assert len(set(paths)) == 2 and all(path.parent == tmp_path for path in paths)
    assert manager.get_files("s1", ["f1"]) == [] and file.closed


def test_folders_of_sessions_long_gone_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "log.csv").write_text("x")
    long_ago = time.time() - received.LEFT_AFTER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    received.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize(("ending", "packed"), [(".csv", None), (".csv.gz", "gzip")])
def test_rows_set_aside_come_as_a_file_with_line_and_reason(tmp_path: Path, ending: str, packed: str | None) -> None:
    rows = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n}" for n in range(40)] + [",2024-03-01,1", "C1,someday,2"]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,date,amount", *rows]))
    check_file(tmp_path / "log.csv", set_aside=tmp_path / "aside.parquet")
    content = io.BytesIO(set_aside._content(tmp_path / "aside.parquet", ending))
    frame = pd.read_csv(content, encoding="utf-8-sig", compression=packed)
    assert frame[["line", "reason_code"]].values.tolist() == [[42, "no_customer"], [43, "bad_time"]]
    assert frame["reason"].tolist() == ["No customer id", "Not a valid time"]


@pytest.mark.parametrize(
    ("meanings", "mapping"),
    [
        (["customer_id", "event_time", "amount", "amount"], {}),
        (["customer_id", "event_time", "amount", None], {"amount": "total"}),
        (["customer_id", "event_time", None, None], {"amount": ""}),
        ([None, "event_time", "amount", "customer_id"], {"amount": "total", "customer_id": "value"}),
        (["customer_id", None, "event_time", "amount"], {"event_time": "total", "amount": "value"}),
    ],
)
def test_the_table_of_columns_keeps_what_would_not_be_taken_without_a_word(
    monkeypatch: pytest.MonkeyPatch, meanings: list[str | None], mapping: dict[str, str]
) -> None:
    said: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(uploading, "answers", lambda: Answers(said.get("mapping", {})))
    monkeypatch.setattr(uploading, "answer", lambda **given: said.update(given))
    monkeypatch.setattr(steps.st, "rerun", lambda: None)
    proposals = [
        Proposal(column, canonical, 0.9)
        for column, canonical in zip(
            ("who", "when", "total", "value"), ("customer_id", "event_time", "amount", "amount"), strict=True
        )
    ]
    words = {name: name for name in ("customer_id", "event_time", "amount")}
    steps._keep_mapping(proposals, [meaning or "extra" for meaning in meanings], words)
    assert said.get("mapping", {}) == mapping


def test_answers_become_words_that_the_command_line_reads_back() -> None:
    from clv_core.cli import build_parser
    from clv_core.commands.ingest import reading_options

    said = Answers(
        {"amount": "net = paid", "country": ""},
        "dmy",
        "comma",
        "Europe/Paris",
        "EUR",
        "keep",
        {"won": "purchase", "step=paid": "purchase"},
        header=False,
        states={"-odd=1": "refunded"},
        discount="unit",
        sign="negative",
        max_amount=99.5,
        overlap="add",
    )
    options = build_parser().parse_args(["ingest", "x.csv", "--name", "x", *option_words(said)])
    assert Answers(**reading_options(options)) == said
    assert option_words(Answers()) == []


def test_a_chinese_export_is_taken_to_be_in_yuan_and_in_chinas_time_until_the_person_says_otherwise(
    open_page: OPEN, tmp_path: Path
) -> None:
    rows = "\n".join(f"会员{n % 4},2024-03-{1 + n:02} 10:00:00,{n + 10}.5,订单{n}" for n in range(20))
    app = upload(open_page(tmp_path, "upload", lang="zh"), f"会员编号,下单时间,实付金额（元）,订单编号\n{rows}\n")
    said = app.session_state[uploading.ANSWERS]
    assert (said["timezone"], said["currency"]) == ("Asia/Shanghai", "CNY")
    hint = translate("hint.locale.unit", "zh", currency="CNY", timezone="Asia/Shanghai")
    assert hint in written(app)
    around = app.session_state[uploading.ROUND] if uploading.ROUND in app.session_state else 0
    app.text_input(key=f"currency_{around}").set_value("HKD").run()
    assert app.session_state[uploading.ANSWERS]["currency"] == "HKD" and hint not in written(app)


GREEK = "πελάτης,ημερομηνία,ποσό"


def upload_greek(app: AppTest) -> AppTest:
    """Upload a log of numbers whose names of columns are not in UTF-8."""
    content = LOG.replace("customer_id,date,amount", GREEK).encode("cp1253")
    app.file_uploader[0].set_value([("log.csv", content, "text/csv")]).run()
    return app


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_encoding_of_a_file_that_does_not_show_it_is_asked_for(open_page: OPEN, tmp_path: Path, lang: str) -> None:
    app = upload_greek(open_page(tmp_path, "upload", lang=lang))
    assert "--" not in written(app) and not app.error
    app.selectbox(key="answer_encoding").set_value("utf-16").run()
    app.button(key="answer_use_encoding").click().run()
    assert translate("upload.encoding", lang) == app.selectbox(key="answer_encoding").label  # it was not that one
    app.selectbox(key="answer_encoding").set_value("cp1253").run()
    app.button(key="answer_use_encoding").click().run()
    assert GREEK.split(",")[0] in app.selectbox(key="answer_column_customer_id").options[0]
    said = app.session_state[uploading.ANSWERS]
    assert option_words(Answers(**said))[-2:] == ["--encoding", "cp1253"]


def test_the_encoding_is_a_setting_and_what_was_said_of_columns_goes_with_their_names(
    open_page: OPEN, tmp_path: Path
) -> None:
    app = upload(open_page(tmp_path, "upload", lang="en"), LOG.replace("customer_id", "käufer x"))
    app.selectbox(key="answer_column_customer_id").set_value("käufer x").run()
    app.button(key="answer_use_customer_id").click().run()
    assert app.session_state[uploading.ANSWERS]["mapping"] == {"customer_id": "käufer x"}
    app.selectbox(key="setting_upload_encoding_None").set_value("cp1252").run()
    assert app.session_state[uploading.ANSWERS]["mapping"] == {}
    assert "kÃ¤ufer x" in app.selectbox(key="answer_column_customer_id").options[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_columns_that_are_missing_are_called_what_the_page_calls_them(
    open_page: OPEN, tmp_path: Path, lang: str
) -> None:
    app = upload(open_page(tmp_path, "upload", lang=lang), "a,b\n1,x\n2,y\n")
    said = written(app)
    assert translate("canonical.customer_id", lang) in said and translate("canonical.event_time", lang) in said
    assert "customer_id" not in said and "event_time" not in said

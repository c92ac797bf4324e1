"""The upload page: questions with the control that settles them, checks by a run, several files, adding, memory."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.answers import Answers
from clv_core.collection.check import check_file, save_check
from clv_core.collection.ingest import ingest
from clv_core.collection.questions import option_words
from clv_core.collection.rows.remembered_settings import remember
from clv_core.collection.store.version_store import list_datasets
from clv_core.errors import NeedsAnswer
from clv_core.i18n import LANGUAGES, catalogue, translate
from clv_core.workspace import Workspace
from pages.ui import received, widgets
from pages.ui.upload import check, uploading
from pages.ui.upload import save as saving
from pages.ui.upload_gate import UploadsOnDisk
from tests.collection.shop_exports import SYSTEMS, orders
from tests.pages.conftest import OPEN, Offered, args_of, do, edit, keys_of, newest, press, texts

UPLOAD = Callable[..., AppTest]
LOG = "customer_id,date,amount\nA,2024-03-25,10\nB,2024-04-26,12.5\nA,2024-05-27,7\nC,2024-06-28,3\n"
BARE = LOG.partition("\n")[2]
REFUNDS = (
    "Order ID,Customer ID,Created,Line Total,Order Status\nA1,c1,2024-01-03,10,refunded\nA2,c2,2024-01-04,5,refunded"
)


def table(header: str, row: Callable[[int], str], rows: int = 30) -> str:
    """Return a file whose rows begin with one of nine customers and a day of March."""
    return "\n".join([header, *(f"C{n % 9},2024-03-{n % 28 + 1:02},{row(n)}" for n in range(rows))])


@pytest.fixture
def upload(open_page: OPEN, tmp_path: Path) -> UPLOAD:
    """Return what opens the upload page and takes files there, called log0, log1 and so on."""

    def take(*contents: str | bytes, lang: str = "en", root: Path = tmp_path) -> AppTest:
        app = open_page(root, "upload", lang=lang)
        if not app.file_uploader:  # the draft of the files before
            app.button(key="another_file").click().run()
        data = [one.encode() if isinstance(one, str) else one for one in contents]
        app.file_uploader[0].set_value([(f"log{n}.csv", one, "text/csv") for n, one in enumerate(data)]).run()
        return app

    return take


def agree(app: AppTest) -> AppTest:
    """Tick the yes to what is doubtful about a file, where something is."""
    asked = [box for box in app.checkbox if str(box.key).startswith("doubts_yes_")]
    return asked[0].check().run() if asked and not asked[0].value else app


def save(app: AppTest) -> AppTest:
    agree(app)
    app.form_submit_button[0].click().run()
    return app


def figures(app: AppTest) -> set[str]:
    return {metric.value for metric in app.metric}


def answers(app: AppTest) -> dict[str, Any]:
    said: dict[str, Any] = app.session_state[uploading.ANSWERS]
    return said


@pytest.mark.parametrize(("asks", "order"), [("dates_ambiguous", "dmy"), ("dates_ambiguous_year", "ymd")])
def test_a_run_that_ends_with_a_question_shows_its_answers_and_starts_again(
    upload: UPLOAD, tmp_path: Path, asks: str, order: str
) -> None:
    app = agree(upload(LOG))
    app.text_input(key="dataset_name").set_value("Shop 2024")
    save(app)
    job = newest(tmp_path, "ingest")
    jobs.finish(job.folder, "en", error=NeedsAnswer(asks, column="date", rows=40))
    assert not app.run().error
    do(app, f"answer_date_order_{order}")
    args = args_of(tmp_path, "ingest")
    assert args[0] == "ingest" and Path(args[1]).read_text() == LOG
    assert args[: len(job.status().args)] == [*job.status().args]
    assert args[args.index("--date-order") + 1] == order and args[args.index("--name") + 1] == "Shop 2024"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_readings_that_change_the_total_are_offered_with_their_revenue(upload: UPLOAD, lang: str) -> None:
    amounts = [f"{1 + n % 9}.{100 + n}" for n in range(40)]
    app = upload(table("customer_id,date,amount", lambda n: amounts[n], 40), lang=lang)
    total = sum(map(float, amounts))
    point, comma = app.button(key="answer_reading_0"), app.button(key="answer_reading_1")
    assert f"{total:,.2f}" in point.label and f"{1000 * total:,.2f}" in comma.label
    comma.click().run()
    assert answers(app)["decimal"] == "comma" and "answer_reading_0" not in keys_of(app)


def test_two_questions_stand_in_one_form_and_an_answer_about_rows_can_be_taken_back(upload: UPLOAD) -> None:
    lines = [
        f"C{n % 9},2024-03-{n % 28 + 1:02} 10:{n:02}:00,{n + 5},O{n},{'zip' if n % 5 else 'zap'},"
        + ("zup" if n % 4 else "zop")
        for n in range(40)
    ]
    app = upload("\n".join(["customer_id,event_time,amount,order_id,Ordrestatus,Betalingsstatus", *lines]))
    one, other = app.radio(key="answer_together_0"), app.radio(key="answer_together_1")
    assert "Ordrestatus" in one.label and "Betalingsstatus" in other.label and one.value is other.value is None
    one.set_value(one.options.index(next(text for text in one.options if text.startswith("zap left out"))))
    app.form_submit_button[0].click().run()
    assert catalogue("en")["question.together.missing"] in [error.value for error in app.error]
    app.radio(key="answer_together_1").set_value(len(other.options) - 1)
    app.form_submit_button[0].click().run()
    assert answers(app)["rows"] == {"Ordrestatus=zap": "left_out", "Betalingsstatus=*": "sale"}
    assert f"{sum(n + 5 for n in range(40) if n % 5):,}" in figures(app)
    accounts = next(table.value for table in app.dataframe if "State" in table.value.columns)
    assert dict(zip(accounts["Column"], accounts["State"], strict=True))["Betalingsstatus"] == "harmless"
    app.button(key="ask_again_Ordrestatus").click().run()
    assert answers(app)["rows"] == {"Betalingsstatus=*": "sale"} and "answer_reading_0" in keys_of(app)


def test_a_file_is_added_to_a_dataset_and_its_other_currency_asked_about(upload: UPLOAD, with_dataset: Path) -> None:
    app = save(do(upload(LOG, root=with_dataset), ("save_way_new", "add")))
    args = args_of(with_dataset, "ingest")
    assert "--append" in args and args[args.index("--name") + 1] == "shop"
    error = NeedsAnswer("currency_differs", file="x", found="USD", currency="EUR")
    jobs.finish(newest(with_dataset, "ingest").folder, "en", error=error)
    do(app.run(), "answer_currency_EUR")
    args = args_of(with_dataset, "ingest")
    assert "--append" in args and args[-2:] == ["--currency", "EUR"]
    jobs.update_status(newest(with_dataset, "ingest").folder, state=jobs.CANCELLED)


@pytest.mark.parametrize("by", ("address", "offer"))
def test_the_question_of_a_run_survives_a_new_session(upload: UPLOAD, open_page: OPEN, tmp_path: Path, by: str) -> None:
    save(upload(LOG))
    job = newest(tmp_path, "ingest")
    other = open_page(tmp_path, "upload", lang="zh", **({"run": job.id} if by == "address" else {}))
    jobs.finish(job.folder, "en", error=NeedsAnswer("dates_ambiguous", column="date", rows=40))
    other.run()
    if by == "offer":
        do(other, f"follow_{job.id}")
    do(other, "answer_date_order_mdy")
    assert args_of(tmp_path, "ingest")[-2:] == ["--date-order", "mdy"]
    assert f"follow_{job.id}" not in keys_of(open_page(tmp_path, "upload", lang="en"))


def test_a_question_that_was_put_away_is_offered_to_nobody(upload: UPLOAD, open_page: OPEN, tmp_path: Path) -> None:
    app = save(upload(LOG))
    job = newest(tmp_path, "ingest")
    jobs.finish(job.folder, "en", error=NeedsAnswer("dates_ambiguous", column="date", rows=40))
    other = open_page(tmp_path, "upload", lang="en")
    assert translate("waiting.asks", name="log0") in texts(other)
    assert translate("waiting.asks", name="log0") not in texts(do(other, f"put_away_{job.id}"))
    assert app.run().button(key="answer_date_order_dmy")


@pytest.mark.parametrize(
    ("log", "presses", "shown", "word"),
    [
        (  # dates that may be of either order
            "\n".join(
                ["customer_id,date,amount", *(f"C{n % 7},0{n % 9 + 1}/0{n % 8 + 1}/2024,{n}.50" for n in range(40))]
            ),
            ("answer_date_order_mdy",),
            "**40** rows read",
            "mdy",
        ),
        (  # a column that is not recognised is chosen from a list
            LOG.replace("customer_id", "who"),
            (("answer_column_customer_id", "who"), "answer_use_customer_id"),
            "**4** rows read",
            "--map=customer_id=who",
        ),
        (  # a guess that is confirmed is not asked about again
            table("customer_id,Bestellt,amount", str),
            (("answer_column_event_time", "Bestellt"), "answer_use_event_time"),
            "**30** rows read",
            "--map=event_time=Bestellt",
        ),
        (  # two columns of one meaning
            table("customer_id,date,line_total,order_value", lambda n: f"{n + 1},{2 * n + 1}"),
            (("answer_column_amount", "order_value"), "answer_use_amount"),
            "900",
            "--map=amount=order_value",
        ),
        (  # a price of one piece, of which there are two on average
            table("customer_id,date,price,quantity", lambda n: f"10,{n % 3 + 1}"),
            ("answer_reading_0",),
            "600",
            "--map=unit_price=price",
        ),
        (  # names that are purchases, of those in the file
            table("customer_id,date,amount,event", lambda n: f"{n},{('won', 'peeked')[n % 2]}", 40),
            (("answer_purchases", ["won"]), "answer_use_purchases"),
            "380",
            "--event=won=purchase",
        ),
        (  # an id that groups the customers
            "\n".join(
                ["distinct_id,person_id,date,amount"]
                + [f"D{n % 40},P{n % 40 // 2},2024-{n % 9 + 1:02}-{n % 28 + 1:02},{n + 1}.5" for n in range(120)]
            ),
            ("answer_reading_0",),
            "20",
            "--map=customer_id=person_id",
        ),
        (  # orders that stand again within a day
            "\n".join(
                ["customer_id,time,amount,order_id,event"]
                + [f"C{n % 9},2024-03-{n % 28 + 1:02} 10:00,{n + 1}.5,O{n},purchase" for n in range(40)]
                + [f"C{n % 9},2024-03-{n % 28 + 1:02} 10:05,{n + 1}.5,O{n},purchase" for n in range(8)]
            ),
            ("answer_reading_1",),
            "**8** duplicates removed",
            "--drop-duplicates",
        ),
    ],
)
def test_a_question_about_a_file_is_settled_by_a_click_and_the_answer_goes_with_the_run(
    upload: UPLOAD, tmp_path: Path, log: str, presses: tuple[Any, ...], shown: str, word: str
) -> None:
    app = upload(log)
    assert not app.error
    do(app, *presses)
    assert not app.error and (shown in texts(app) or shown in figures(app))
    save(app)
    assert word in args_of(tmp_path, "ingest")


def test_a_question_names_columns_in_words_and_offers_those_that_could_be_it(upload: UPLOAD, tmp_path: Path) -> None:
    rows = [f"MP-{n},{n + 1}.5,C{n % 9},2024-03-{n % 28 + 1:02}" for n in range(30)]
    app = upload("\n".join(["zzz,zzzz,customer_id,date", *rows]))
    assert app.selectbox(key="answer_column_amount").value is None
    assert "zzzz" in app.button(key="answer_reading_0").label
    rows = [f"C{n},D{n},2024-03-{n % 28 + 1:02}" for n in range(30)]
    app = upload("\n".join(["zz,zzz,date", *rows]), root=tmp_path / "other")
    assert app.selectbox(key="answer_column_customer_id").value is None
    assert app.button(key="answer_use_customer_id").disabled
    assert translate("canonical.customer_id", "en") in texts(app) and "customer_id" not in texts(app)
    rows = [f"2024-03-{n % 28 + 1:02},{('cash', 'card')[n % 2]},A{n * 7 % 20},{n + 1.5}" for n in range(60)]
    app = upload("\n".join(["date,cash_type,card,money", *rows]), root=tmp_path / "third")
    assert app.selectbox(key="answer_column_customer_id").value == "card"


def test_amounts_to_choose_from_carry_their_sums_totals_first_and_none_is_preset(upload: UPLOAD) -> None:
    lines = [(n % 3 + 1, 10 + n % 5) for n in range(60)]
    rows = [f"P{n};C{n % 9};{n % 28 + 1:02}/03/2024;{pieces};{price},50;{pieces * (price + 0.5):.2f}".replace(".", ",")
            for n, (pieces, price) in enumerate(lines)]  # fmt: skip
    app = upload("\n".join(["Pedido;Cliente;Data;Qtd;Valor por peça;Valor da linha", *rows]))
    total, prices = sum(n * (price + 0.5) for n, price in lines), sum(price + 0.5 for _, price in lines)
    labels = [app.button(key=f"answer_reading_{number}").label for number in range(3)]
    assert "Valor da linha" in labels[0] and f"{total:,.2f}" in labels[0]
    assert "Qtd × Valor por peça" in labels[1] and f"{total:,.2f}" in labels[1]
    assert "Valor por peça" in labels[2] and f"{prices:,.2f}" in labels[2]
    assert app.selectbox(key="answer_column_amount").value is None and "mapping" not in answers(app)
    do(app, "answer_reading_1")
    assert answers(app)["mapping"] == {"unit_price": "Valor por peça"} and not app.error


def test_masked_customers_are_asked_for_and_neither_an_amount_nor_the_masked_is_offered(
    upload: UPLOAD, tmp_path: Path
) -> None:
    rows = [f"{n},138****{1000 + n % 9},{5 + n % 3}.50,2024-03-{n % 28 + 1:02},{n % 2}" for n in range(30)]
    app = upload("\n".join(["order_id,手机,amount,date,zz", *rows]))
    assert "is masked" in texts(app) and app.selectbox(key="answer_column_customer_id").value == "zz"
    rows = [row.rpartition(",")[0] for row in rows]
    app = upload("\n".join(["order_id,手机,paid,date", *rows]), root=tmp_path / "other")
    assert app.selectbox(key="answer_column_customer_id").value is None


def test_a_column_that_is_named_anew_is_no_longer_what_it_was(upload: UPLOAD) -> None:
    app = upload(table("customer_id,date,price,quantity", lambda n: f"{n + 1},{n % 3 + 1}"))
    app.session_state[uploading.ANSWERS] = {"mapping": {"discount": "price"}}
    app.run()
    do(app, ("answer_column_amount", "price"), "answer_use_amount")
    assert not app.error and answers(app)["mapping"] == {"amount": "price"}


@pytest.mark.parametrize(
    ("meanings", "mapping"),
    [
        ({2: "extra", 3: "amount"}, {"amount": "later"}),
        ({2: "extra"}, {"amount": ""}),
        ({0: "extra", 3: "customer_id"}, {"customer_id": "later"}),
        ({0: "amount", 2: "customer_id"}, {"customer_id": "amount", "amount": "customer_id"}),
        ({3: "amount"}, "amount, later"),  # two of one meaning
    ],
)
def test_the_table_of_columns_keeps_what_would_not_be_taken_without_a_word(
    upload: UPLOAD, meanings: dict[int, str], mapping: dict[str, str] | str
) -> None:
    app = upload(table("customer_id,date,amount,later", lambda n: f"{n + 1},{2 * n + 1}"))
    assert not answers(app).get("mapping")
    extra = translate("upload.extra", "en")
    words = {name: extra if name == "extra" else translate(f"canonical.{name}", "en") for name in meanings.values()}
    edit(app, "columns_", {place: {"meaning": words[name]} for place, name in meanings.items()})
    if isinstance(mapping, str):
        assert mapping in app.error[0].value and not app.form_submit_button
    else:
        assert answers(app)["mapping"] == mapping


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
    asked = {f"answer_sheet_{title}" for title in titles} if "Cover" not in titles else set()
    assert {key for key in keys_of(app) if key.startswith("answer_sheet")} == asked
    picked = next(box for box in app.selectbox if str(box.key).startswith("upload_sheet"))
    assert picked.options[1:] == titles
    chosen = titles[-1] if "Cover" in titles else titles[0]
    picked.set_value(chosen).run()
    assert not app.error and "**30** rows read" in texts(app)
    save(app)
    args = args_of(tmp_path, "ingest")
    assert args[args.index("--sheet") + 1] == chosen


def test_kinds_that_were_understood_are_named_in_the_language_of_the_page(upload: UPLOAD) -> None:
    log = table("customer_id,date,amount,event", lambda n: f"{n},{('won', 'refund')[n % 2]}", 40)
    app = upload(log, lang="zh")
    assert app.multiselect(key="answer_purchases") and "退货" in texts(app) and "return" not in texts(app)


def test_what_a_state_of_an_order_means_is_said_in_a_table_and_kept_for_the_run(upload: UPLOAD, tmp_path: Path) -> None:
    app = upload(table("customer_id,date,amount,order_status", lambda n: f"10,{('paid', 'odd', 'void')[n % 3]}", 60))
    do(app, "answer_reading_0")
    shown = next(one.value for one in app.data_editor if str(one.key).startswith("states_"))
    said = dict(zip(shown["word"], shown["meaning"], strict=True))
    states = {"paid": "sold", "odd": "sold", "void": "cancelled"}
    assert said == {word: translate(f"look.states.{meaning}", "en") for word, meaning in states.items()}
    edit(app, "states_", {list(said).index("odd"): {"meaning": translate("look.states.refunded", "en")}})
    assert "200" in figures(app) and not app.error
    save(app)
    assert "--state=odd=refunded" in args_of(tmp_path, "ingest")


def test_names_whose_amounts_are_below_zero_are_offered_as_returns(upload: UPLOAD) -> None:
    kinds = ["20,won", "0,peeked", "-5,gave back"]
    app = upload(table("customer_id,date,amount,event", lambda n: kinds[n % 3], 60))
    assert app.multiselect(key="answer_returns").value == ["gave back"]
    do(app, ("answer_purchases", ["won"]), "answer_use_purchases")
    assert not app.error and str(20 * 15) in figures(app)


def test_a_large_file_is_checked_by_a_run_and_can_be_saved_meanwhile(
    upload: UPLOAD, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "CHECKED_HERE_BYTES", 10)
    app = upload(LOG)
    args = args_of(tmp_path, "check")
    assert Path(args[1]).read_text() == LOG and app.form_submit_button
    out = Path(args[args.index("--out") + 1])
    out.mkdir()
    save_check(check_file(Path(args[1]), set_aside=out / "set_aside.parquet"), out)
    jobs.finish(newest(tmp_path, "check").folder, "en", result={})
    assert "**4** rows read" in texts(app.run())


def test_saving_stops_the_check_that_still_runs(
    upload: UPLOAD, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "CHECKED_HERE_BYTES", 10)
    save(upload(LOG))
    assert args_of(tmp_path, "ingest")[0] == "ingest"
    check, deadline = newest(tmp_path, "check"), time.monotonic() + 30
    while check.status().state == jobs.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)  # it was told to stop, and stops a moment later
    assert check.status().state != jobs.RUNNING


def test_several_files_become_one_dataset(upload: UPLOAD, tmp_path: Path) -> None:
    app = upload(LOG, LOG.replace("2024", "2025"))
    assert [Path(option).name for option in app.selectbox(key="upload_which").options] == ["log0.csv", "log1.csv"]
    save(app)
    args = args_of(tmp_path, "ingest")
    assert [Path(word).name for word in args[1:3]] == ["log0.csv", "log1.csv"] and args[3] == "--name"


def test_several_files_without_a_line_of_names_are_asked_about(upload: UPLOAD) -> None:
    app = upload(BARE, BARE.replace("2024", "2025"))
    assert not app.error
    do(app, "answer_header_False")
    assert app.selectbox(key="upload_which") and "answer_header_False" not in keys_of(app)


def test_names_that_look_like_an_event_are_taken_for_names_at_a_press(upload: UPLOAD) -> None:
    rows = "".join(f"{place},k{place % 3},2024-0{1 + place % 4}-03,{10 + place}.5\n" for place in range(12))
    app = do(upload(f",asiakas_nro,milloin,paljonko\n{rows}"), "answer_header_True")
    assert not any(key.startswith("answer_header") for key in keys_of(app))
    assert "milloin" in texts(app) + str([one.value for one in app.dataframe])


@pytest.mark.examples(2)
@pytest.mark.parametrize("at", (0, 1, 2))
def test_one_of_several_files_that_cannot_be_read_is_left_out(upload: UPLOAD, tmp_path: Path, at: int) -> None:
    contents = [LOG, LOG.replace("2024", "2025")]
    contents.insert(at, "")
    app = upload(*contents)
    assert len(app.error) == 1 and f"log{at}" in app.error[0].value
    assert not do(app, "leave_out").error
    save(app)
    kept = [f"log{number}.csv" for number in range(3) if number != at]
    assert [Path(word).name for word in args_of(tmp_path, "ingest")[1:3]] == kept
    assert sorted(path.name for path in (tmp_path / "uploads").rglob("*.csv")) == kept


def test_a_file_without_names_beside_one_with_them_can_be_left_out(upload: UPLOAD) -> None:
    app = upload(LOG, BARE)
    assert app.button(key="answer_header_False")
    assert not do(app, "leave_out").error and "**4** rows read" in texts(app)


@pytest.mark.parametrize("workspace", ["with_model", "with_dataset"])
def test_who_added_a_file_to_a_dataset_with_a_model_is_led_to_what_it_says(
    open_page: OPEN, request: pytest.FixtureRequest, workspace: str
) -> None:
    root = request.getfixturevalue(workspace)
    name = list_datasets(Workspace(root))[0].name
    app = open_page(root, "upload", lang="en", dataset=name)
    app.session_state[saving.SAVED] = {"dataset": name, "appended": 0, "warnings": []}
    trained = translate("saved.trained", "en") in texts(app.run())
    assert trained == (workspace == "with_model")
    assert {"to_segments", "to_monitor"} <= keys_of(app) or not trained


def test_files_of_other_columns_are_pointed_out(upload: UPLOAD) -> None:
    app = upload(LOG, LOG.replace("amount", "total"))
    assert any("log1" in warning.value for warning in app.warning)


def test_a_file_of_refunds_alone_can_be_added_where_there_is_a_dataset_and_else_is_refused(
    upload: UPLOAD, with_dataset: Path
) -> None:
    app = upload(REFUNDS, root=with_dataset)
    assert not app.error and "2 of 2 rows" in app.info[0].value
    save(app)
    args = args_of(with_dataset, "ingest")
    assert "--append" in args and args[args.index("--name") + 1] == "shop"
    jobs.update_status(newest(with_dataset, "ingest").folder, state=jobs.CANCELLED)
    app = upload(REFUNDS)
    assert "cancelled or refunded" in app.error[0].value and not app.info
    assert "save" not in {button.form_id for button in app.button if button.form_id}


def test_all_steps_are_done_once_a_dataset_is_saved(open_page: OPEN, with_dataset: Path) -> None:
    app = open_page(with_dataset, "upload", lang="en", dataset="shop")
    assert texts(app).count(":blue[:material/check_circle:") == 0
    app.session_state[saving.SAVED] = {"dataset": "shop", "appended": 0, "warnings": []}
    assert texts(app.run()).count(":blue[:material/check_circle:") == 4


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_who_added_refunds_is_told_what_went(open_page: OPEN, with_dataset: Path, lang: str) -> None:
    part = {"source": "refunds.csv", "rows_read": 2, "rows_overlap": 0}
    params = {"file": "refunds.csv", "orders": 2, "amount": 1234.5, "currency": "EUR"}
    warnings = [{"code": "orders_taken_out", "params": params}]
    app = open_page(with_dataset, "upload", lang=lang, dataset="shop")
    app.session_state[saving.SAVED] = {"dataset": "shop", "appended": 1, "warnings": warnings, "parts": [part]}
    assert "1,234.50 EUR" in app.run().warning[0].value


def test_next_months_file_of_the_same_columns_is_added_unless_the_person_says_otherwise(
    upload: UPLOAD, tmp_path: Path
) -> None:
    first = tmp_path / "first.csv"
    first.write_text(LOG.replace("customer_id,date,amount", "Kundennummer,Bestelldatum,Betrag"))
    ingest(Workspace(tmp_path), first, "shop")
    alike = first.read_text().replace("2024", "2025").splitlines()
    app = upload("\n".join(",".join(reversed(line.split(","))) for line in alike))
    assert app.selectbox(key="add_to").value == "shop"
    assert upload(LOG).segmented_control(key="save_way_new").value == "new"


def test_a_short_file_that_goes_on_with_a_dataset_is_not_said_to_be_useless(upload: UPLOAD, tmp_path: Path) -> None:
    first = tmp_path / "first.csv"
    first.write_text(LOG)
    ingest(Workspace(tmp_path), first, "shop")
    week = "".join(f"c{n % 4},2025-03-{n % 5 + 1:02d},{n + 1}\n" for n in range(12))
    app = upload(f"{LOG.splitlines()[0]}\n{week}")
    assert app.selectbox(key="add_to").value == "shop" and not app.error
    assert translate("look.horizons.adds.short", "en", name="shop") in [one.value for one in app.info]
    alone = upload(f"{LOG.splitlines()[0]},shelf\n" + "".join(f"{row},1\n" for row in week.splitlines()))
    assert translate("look.horizons.too_short", "en") in [one.value for one in alone.error]


def test_ids_are_replaced_where_it_was_asked_for(upload: UPLOAD, tmp_path: Path) -> None:
    app = agree(upload(LOG, lang="zh"))
    app.toggle(key="pseudonymise").set_value(True)
    save(app)
    assert args_of(tmp_path, "ingest")[-1] == "--pseudonymise"


def test_what_was_said_about_a_file_of_this_shape_is_offered(upload: UPLOAD, tmp_path: Path) -> None:
    log = LOG.replace("amount", "cash,till").replace("\n", ",1\n").replace("till,1", "till")
    remember(Workspace(tmp_path), ["customer_id", "date", "cash", "till"], Answers({"amount": "cash"}, currency="CHF"))
    app = upload(log)
    assert "cash = " in texts(app) and "CHF" in texts(app)
    assert not do(app, "recall_use").error
    save(app)
    args = args_of(tmp_path, "ingest")
    assert "--map=amount=cash" in args and args[args.index("--currency") + 1] == "CHF"


def test_what_was_said_is_taken_over_where_the_page_proposes_money_and_time_zone_by_itself(
    upload: UPLOAD, tmp_path: Path
) -> None:
    rows = "".join(f"c{n % 9},{n % 12 + 1:02d}/{n % 11 + 1:02d}/2024,¥{n + 5}\n" for n in range(60))
    names = ["会员号", "下单时间", "金额"]
    said = Answers(date_order="dmy", currency="CNY", timezone="Asia/Shanghai")
    remember(Workspace(tmp_path), names, said)
    app = upload(",".join(names) + "\n" + rows, lang="zh")
    assert "日期顺序：日在前" in texts(app)
    do(app, "recall_use")
    assert app.selectbox(key="setting_upload_date_order_dmy").value == "dmy" and "recall_use" not in keys_of(app)


def test_a_file_of_which_nothing_was_said_is_not_offered_to_be_read_so_again(upload: UPLOAD, tmp_path: Path) -> None:
    remember(Workspace(tmp_path), LOG.splitlines()[0].split(","), Answers())
    assert "recall_use" not in keys_of(upload(LOG))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_recipe_of_a_file_is_named_and_may_be_left(upload: UPLOAD, tmp_path: Path, lang: str) -> None:
    SYSTEMS["shopify"](tmp_path / "export.csv", orders(60))
    app = upload((tmp_path / "export.csv").read_bytes(), lang=lang)
    (chooser,) = [one for one in app.selectbox if one.label == translate("upload.recipe", lang)]
    assert "Shopify" in str(chooser.options[0]) and not app.error
    app = chooser.select("none").run()
    assert answers(app)["recipe"] == "none" and not app.error
    (chooser,) = [one for one in app.selectbox if one.label == translate("upload.recipe", lang)]
    chooser.select("shopify_orders").run()
    save(app)
    args = args_of(tmp_path, "ingest")
    assert args[args.index("--recipe") + 1] == "shopify_orders"


def test_the_look_names_the_gap_and_the_horizons(upload: UPLOAD) -> None:
    said = texts(upload(LOG))
    assert "31 days" in said and "26 Mar 2024" in said  # 26 March to 25 April
    # 96 days hold a month three times, in whose last only C bought, for the first time.
    none = translate("horizon.recommended.none", days=30, buyers=0, needed=100)
    assert none.replace(":", "\\:") in said


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_would_make_the_figures_wrong_is_said_before_all_else_that_was_noticed(upload: UPLOAD, lang: str) -> None:
    rows = (f"C{n % 9};{n % 28 + 1}.03.2024;{n},50;{'CHF' if n % 5 else 'EUR'}" for n in range(60))
    app = upload("\n".join(["customer;date;amount;currency", *rows]), lang=lang)
    kinds = (":orange[:material/warning", ":gray[:material/info")
    marks = [one.value for one in app.markdown if one.value.startswith(kinds)]
    assert "CHF" in marks[0] and [mark.startswith(":orange") for mark in marks] == [True, *[False] * (len(marks) - 1)]
    assert len(marks) > 1 and set(catalogue("en")) >= check.HEEDED


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_first_rows_bear_the_names_that_the_columns_were_read_as(upload: UPLOAD, lang: str) -> None:
    rows = "\n".join(f"会员{n % 4},2024年3月{1 + n}日,购买,￥1,天猫,红色" for n in range(20))
    app = upload(f"会员编号,日期,行为类型,实付金额,渠道,颜色\n{rows}\n", lang=lang)
    (shown,) = [one for one in app.dataframe if "event_type" in one.value.columns]
    heads = {name: about.get("label") for name, about in json.loads(shown.proto.columns).items()}
    for name in ("customer_id", "event_time", "event_type", "amount", "channel"):
        assert heads[name] == translate(f"canonical.{name}", lang)
    assert heads["颜色"] == "颜色" and set(shown.value["event_type"]) == {translate("event.purchase", lang)}


@pytest.mark.parametrize(("word", "key"), [("view", "look.events.known"), ("blink", "look.events")])
def test_words_that_are_not_known_are_counted_where_there_are_some(upload: UPLOAD, word: str, key: str) -> None:
    app = upload(
        table("customer_id,event_time,event_type,amount", lambda n: f"{word}," if n % 2 else f"purchase,{n}", 60)
    )
    assert translate(key, "en", names=2, unknown=1) in [one.label for one in app.expander]


def test_who_has_one_customer_only_is_told_why_that_is_too_few(upload: UPLOAD) -> None:
    rows = "\n".join(f"C1,2024-03-{day:02},5" for day in range(1, 20))
    said = texts(upload(f"customer_id,event_time,amount\n{rows}")).replace("\\", "")
    assert "predictions need many" in said and "--map" not in said


@pytest.mark.parametrize("make", [MemoryUploadedFileManager, UploadsOnDisk])
def test_an_upload_is_let_go_when_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: type[MemoryUploadedFileManager]
) -> None:
    manager = make("/upload")
    monkeypatch.setenv("CLV_WORKSPACE", str(tmp_path / "workspace"))
    record = UploadedFileRec("f1", "../odd name?.csv", "text/csv", b"x" * 10_000)
    manager.add_file("s1", record)
    context = type("Context", (), {"uploaded_file_mgr": manager, "session_id": "s1"})()
    monkeypatch.setattr(received, "get_script_run_ctx", lambda: context)
    files = [UploadedFile(one, FileURLs()) for one in manager.get_files("s1", ["f1"])]
    (path,) = received.copy(files, tmp_path)
    assert path.read_bytes() == record.data and path.parent == tmp_path
    assert manager.get_files("s1", ["f1"]) == [] and files[0].closed


def test_folders_of_sessions_long_gone_are_swept(tmp_path: Path) -> None:
    long_ago = time.time() - received.LEFT_AFTER_SECONDS - 60
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.csv").write_text("x")
    os.utime(tmp_path / "old", (long_ago, long_ago))
    received.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize(("most", "ending", "packed"), [(2, ".csv", None), (1, ".csv.gz", "gzip")])
def test_rows_set_aside_come_as_a_file_with_line_and_reason(
    upload: UPLOAD, offered: Offered, monkeypatch: pytest.MonkeyPatch, most: int, ending: str, packed: Any
) -> None:
    monkeypatch.setattr(check, "MIN_ROWS_TO_PACK", most)
    upload(table("customer_id,date,amount", str, 40) + "\n,2024-03-01,1\nC1,someday,2\n")
    file = offered["set_aside_preview"]
    frame = pd.read_csv(io.BytesIO(press(file)), encoding="utf-8-sig", compression=packed)
    assert frame[["line", "reason_code"]].values.tolist() == [[42, "no_customer"], [43, "bad_time"]]
    assert frame["reason"].tolist() == ["No customer id", "Not a valid time"] and file["name"].endswith(ending)


def test_a_chinese_export_is_taken_to_be_in_yuan_and_in_chinas_time_until_the_person_says_otherwise(
    upload: UPLOAD,
) -> None:
    rows = "\n".join(f"会员{n % 4},2024-03-{1 + n:02} 10:00:00,{n + 10}.5,订单{n}" for n in range(20))
    app = upload(f"会员编号,下单时间,实付金额（元）,订单编号\n{rows}\n", lang="zh")
    assert (answers(app)["timezone"], answers(app)["currency"]) == ("Asia/Shanghai", "CNY")
    hint = translate("hint.locale.unit", "zh", currency="CNY", timezone="Asia/Shanghai")
    assert hint in texts(app)
    do(app, ("currency_", "HKD"))
    assert answers(app)["currency"] == "HKD" and hint not in texts(app)


GREEK = "πελάτης,ημερομηνία,ποσό"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_encoding_of_a_file_that_does_not_show_it_is_asked_for(upload: UPLOAD, lang: str) -> None:
    app = upload(LOG.replace("customer_id,date,amount", GREEK).encode("cp1253"), lang=lang)
    assert "--" not in texts(app) and not app.error
    do(app, ("answer_encoding", "utf-16"), "answer_use_encoding")
    assert translate("upload.encoding", lang) == app.selectbox(key="answer_encoding").label  # it was not that one
    do(app, ("answer_encoding", "cp1253"), "answer_use_encoding")
    assert GREEK.split(",")[0] in app.selectbox(key="answer_column_customer_id").options[0]
    assert option_words(Answers(**answers(app)))[-2:] == ["--encoding", "cp1253"]


def test_the_encoding_is_a_setting_and_what_was_said_of_columns_goes_with_their_names(upload: UPLOAD) -> None:
    app = upload(LOG.replace("customer_id", "käufer x"))
    do(app, ("answer_column_customer_id", "käufer x"), "answer_use_customer_id")
    assert answers(app)["mapping"] == {"customer_id": "käufer x"}
    do(app, ("setting_upload_encoding_None", "cp1252"))
    assert answers(app)["mapping"] == {}
    assert "kÃ¤ufer x" in app.selectbox(key="answer_column_customer_id").options[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_columns_that_are_missing_are_called_what_the_page_calls_them(upload: UPLOAD, lang: str) -> None:
    said = texts(upload("a,b\n1,x\n2,y\n", lang=lang))
    assert translate("canonical.customer_id", lang) in said and translate("canonical.event_time", lang) in said
    assert "customer_id" not in said and "event_time" not in said


SHOP = "customer_id,date,amount\n" + "".join(
    f"C{n % 25},2024-{1 + n // 30:02}-{n % 28 + 1:02},{n % 7 + 0.5}\n" for n in range(150)
)
"""A shop of 25 customers, about whom there is nothing to doubt."""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_doubtful_is_said_with_its_figure_and_saving_waits_for_one_yes(
    upload: UPLOAD, tmp_path: Path, lang: str
) -> None:
    app = upload(LOG, lang=lang)
    few = translate("warning.few_customers", lang, customers=3)
    half = translate("warning.half_of_revenue", lang, customer="A", share=17 / 32.5, amount=17.0, total=32.5)
    assert widgets.escape(few) in texts(app) and widgets.escape(half) in texts(app)
    button = app.form_submit_button[0]
    assert button.disabled
    assert not agree(app).form_submit_button[0].disabled
    save(app)
    assert args_of(tmp_path, "ingest")[0] == "ingest"


def test_a_file_without_a_doubt_is_saved_at_once(upload: UPLOAD, tmp_path: Path) -> None:
    app = upload(SHOP)
    assert not [box for box in app.checkbox if str(box.key).startswith("doubts_yes_")]
    app.form_submit_button[0].click().run()
    assert args_of(tmp_path, "ingest")[0] == "ingest"


def test_rows_that_a_dataset_holds_can_replace_it_and_under_other_ids_are_doubted(
    upload: UPLOAD, tmp_path: Path
) -> None:
    first = tmp_path / "first.csv"
    first.write_text(SHOP)
    ingest(Workspace(tmp_path), first, "shop")
    later = upload(SHOP.replace("2024-", "2026-"))
    assert "replace" not in later.segmented_control(key="save_way_add").options
    app = upload(SHOP + "C1,2024-06-28,3\n")
    assert translate("save.held", "en", here=50, rows=50, name="shop") in [one.value for one in app.caption]
    do(app, ("save_way_add", "replace"), "save_replace", "confirm")
    args = args_of(tmp_path, "ingest")
    assert args[args.index("--name") + 1] == "shop" and "--append" not in args
    jobs.update_status(newest(tmp_path, "ingest").folder, state=jobs.CANCELLED)
    renamed = upload(SHOP.replace("\nC", "\nother"))
    doubt = translate("warning.rows_renamed", "en", rows=50, every=50, name="shop")
    assert doubt in texts(renamed) and renamed.form_submit_button[0].disabled


def test_an_addition_may_be_short_but_not_ten_times_as_much_a_day(upload: UPLOAD, tmp_path: Path) -> None:
    first = tmp_path / "first.csv"
    first.write_text(SHOP)
    ingest(Workspace(tmp_path), first, "shop")
    month = "".join(f"C{n % 9},2024-07-{n % 28 + 1:02},{{worth}}\n" for n in range(28))
    head = SHOP.partition("\n")[0] + "\n"
    assert not upload(head + month.format(worth=3.25)).form_submit_button[0].disabled
    app = upload(head + month.format(worth=3250))
    assert app.form_submit_button[0].disabled and "3,250.00 a day" in texts(app)

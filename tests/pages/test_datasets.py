"""The datasets page: what a dataset holds, cleaning weighed before it is done, versions, the customers table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.cli import main
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset, versions
from clv_core.errors import Refused
from clv_core.i18n import LANGUAGES, say_orders, translate
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from pages.ui.datasets.customers_table import DATED, STATIC
from tests.pages.conftest import OPEN, args_of, do, edit, newest, really, texts

pytestmark = pytest.mark.first(9)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rows = [
        f"C{n % 40:02},2024-{1 + n % 9:02}-{1 + n % 28:02} 10:{n % 60:02},{5 + n % 30}.5,P{n % 7}" for n in range(300)
    ]
    rows += [f"test-user,2024-03-0{n + 1} 09:00,1.0,P1" for n in range(5)] + [",2024-03-01 10:00,3,P1"]
    (tmp_path / "shop.csv").write_text("\n".join(["customer_id,event_time,amount,product_id", *rows]))
    root = tmp_path / "workspace"
    ingest(Workspace(root), tmp_path / "shop.csv", "shop", currency="EUR")
    return root


def section(app: AppTest, what: str) -> AppTest:
    app.segmented_control(key="datasets_what").set_value(what).run()
    return app


@pytest.mark.parametrize(("lang", "days"), [("en", "2 Mar 2024 – 21 May 2024"), ("zh", "2024年3月2日至2024年5月21日")])
def test_the_days_of_a_log_are_those_of_its_own_zone(open_page: OPEN, tmp_path: Path, lang: str, days: str) -> None:
    """In Shanghai both the first and the last event are of the next day."""
    times = ("2024-03-01T23:30:00Z", "2024-04-10T08:00:00Z", "2024-05-20T16:30:00Z")
    lines = [f"C{place},{time},{10 + place}.5,O{place}" for place, time in enumerate(times)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount,order_id", *lines]))
    ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "shop", timezone="Asia/Shanghai")
    assert days in texts(open_page(tmp_path / "workspace", "datasets", lang=lang))


def test_since_when_a_value_holds_is_asked_for_dated_columns_alone(open_page: OPEN, shop: Path) -> None:
    app = section(open_page(shop, "datasets", lang="en"), "customers")
    table = "customer_id,level,joined\n" + "".join(f"C{n:02},gold,2023-02-{1 + n % 28:02}\n" for n in range(40))
    app.file_uploader[0].upload("customers.csv", table.encode()).run()
    for edits, asked in (({}, False), ({1: {"use": STATIC}}, False), ({1: {"use": STATIC}, 2: {"use": DATED}}, True)):
        edit(app, "", edits)
        assert ("since" in app.data_editor[0].proto.column_order) is asked


def test_the_page_says_what_the_dataset_holds(open_page: OPEN, shop: Path) -> None:
    app = open_page(shop, "datasets", lang="en")
    said = texts(app)
    facts = open_dataset(Workspace(shop), "shop").manifest
    assert f"**{facts.rows_read}** rows read = **{facts.rows_kept}** kept + **1** rejected" in said
    assert "41 customers" in said and "shop.csv" in said and not app.error


def test_cleaning_is_counted_before_and_done_only_where_switched_on(open_page: OPEN, shop: Path) -> None:
    app = section(open_page(shop, "datasets", lang="en"), "clean")
    assert really(shop, "clean") == ["clean", "shop", "--list"]
    said = texts(app.run())
    assert "**5** rows, 5 lines, 5 EUR; 1 customer affected, 1 left without rows" in said
    assert app.button(key="clean_apply").disabled
    version = open_dataset(Workspace(shop), "shop").version
    do(app, (f"rule_{version}_test_ids", True), "clean_apply")
    assert open_dataset(Workspace(shop), "shop").version == version
    assert really(shop, "clean") == ["clean", "shop", "--rule", "test_ids"]
    app.run()
    facts = open_dataset(Workspace(shop), "shop").manifest
    assert facts.customers == 40 and translate("cleaning.done", kept="300", read="306") in texts(app)


def test_all_cleaning_is_undone_by_one_click(open_page: OPEN, shop: Path) -> None:
    raw = open_dataset(Workspace(shop), "shop").version
    clean(Workspace(shop), "shop", {"test_ids": None})
    app = do(section(open_page(shop, "datasets", lang="en"), "clean"), "clean_undo")
    assert really(shop, "clean") == ["clean", "shop"]
    app.run()
    assert open_dataset(Workspace(shop), "shop").version == raw
    assert translate("cleaning.undone") in texts(app)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_rules_that_leave_nothing_are_named_as_on_their_switches(open_page: OPEN, tmp_path: Path, lang: str) -> None:
    lines = [f"test{n % 5},2024-03-{1 + n % 28:02} 10:{n % 60:02},{5 + n % 7}.5" for n in range(60)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount", *lines]))
    root = tmp_path / "workspace"
    ingest(Workspace(root), tmp_path / "log.csv", "shop")
    app = do(open_page(root, "datasets", lang=lang), ("datasets_what", "clean"))
    really(root, "clean")
    app.run()
    do(app, (f"rule_{open_dataset(Workspace(root), 'shop').version}_test_ids", True), "clean_apply")
    really(root, "clean", code=4)
    app.run()
    assert translate("clean.test_ids.title", lang) in app.error[0].value and "test_ids" not in app.error[0].value


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_version_without_rules_is_not_said_to_be_cleaned(open_page: OPEN, shop: Path, lang: str) -> None:
    work = Workspace(shop)
    clean(work, "shop", {"test_ids": None})
    (shop.parent / "about.csv").write_bytes(customers(shop))
    add = ["customers", str(shop.parent / "about.csv"), "--dataset", "shop", "--workspace", str(shop), "--quiet"]
    assert main(add) == 0
    clean(work, "shop", {})
    facts = open_dataset(work, "shop").manifest
    assert facts.made == "clean" and not facts.rules
    app = open_page(shop, "datasets", lang=lang)
    assert translate("made.uncleaned", lang) in app.caption[0].value
    how = list(app.dataframe[0].value[translate("versions.made", lang)])
    assert how[0] == translate("made.uncleaned", lang) and translate("made.clean", lang) in how


def test_rows_that_two_rules_find_are_said_to_be_set_aside_once(open_page: OPEN, tmp_path: Path) -> None:
    lines = [f"C{n % 9},2024-03-{1 + n % 28:02} 10:{n % 60:02},{5 + n % 7}.5" for n in range(90)]
    lines += [f"test-user,2024-03-0{n} 09:00,90000" for n in range(1, 5)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount", *lines]))
    root = tmp_path / "workspace"
    ingest(Workspace(root), tmp_path / "log.csv", "shop", max_amount=100_000.0)
    app = section(open_page(root, "datasets", lang="en"), "clean")
    really(root, "clean")
    app.run()
    assert texts(app).count("**4** rows, 4 lines") == 2
    assert translate("cleaning.alone") in texts(app)


def test_limits_can_be_changed_and_counted_again(open_page: OPEN, shop: Path) -> None:
    with (shop.parent / "bots.csv").open("w") as file:
        file.write("customer_id,event_time,event_type,amount\n")
        file.writelines(f"C{n % 20},2024-03-{1 + n % 9:02} 08:00:{n % 60:02},purchase,5\n" for n in range(60))
        file.writelines(f"bot,2024-03-05 10:00:{n % 60:02}.{n},view,\n" for n in range(90))
    ingest(Workspace(shop), shop.parent / "bots.csv", "bots")
    app = section(open_page(shop, "datasets", lang="en", dataset="bots"), "clean")
    really(shop, "clean")
    app.run()
    version = open_dataset(Workspace(shop), "bots").version
    do(app, (f"limit_{version}_bots_minute", 80.0), "clean_count")
    assert "bots_minute=80" in args_of(shop, "clean")


def test_an_earlier_version_is_returned_to(open_page: OPEN, shop: Path) -> None:
    workspace = Workspace(shop)
    raw = open_dataset(workspace, "shop").version
    clean(workspace, "shop", {"test_ids": None})
    app = section(open_page(shop, "datasets", lang="en"), "versions")
    assert len(app.dataframe[0].value) == 2
    assert all(label.endswith(" rows") for label in app.selectbox(key="return_to").options)
    do(app, ("return_to", raw), "restore")
    assert translate("versions.return.why", "en", name="shop") in texts(app)
    assert open_dataset(workspace, "shop").version != raw
    do(app, "confirm")
    assert open_dataset(workspace, "shop").version == raw and len(versions(workspace, "shop")) == 2
    assert app.success


def test_files_that_a_dataset_is_made_of_stand_in_a_row_as_the_language_has_it(open_page: OPEN, shop: Path) -> None:
    workspace, more = Workspace(shop), shop.parent / "二月.csv"
    more.write_text("customer_id,event_time,amount\n" + "".join(f"C{n},2025-02-{n + 1:02},5\n" for n in range(9)))
    first = open_dataset(workspace, "shop").manifest.source
    append(workspace, "shop", more)
    app = open_page(shop, "datasets", lang="zh")
    assert f"来自 {first}、二月.csv，" in " ".join(one.value for one in app.caption).replace("\\", "")


def test_earlier_versions_go_once_that_is_confirmed(open_page: OPEN, shop: Path) -> None:
    workspace = Workspace(shop)
    for rules in ({"test_ids": None}, {"zero_price": None}, {"test_ids": None, "zero_price": None}):
        clean(workspace, "shop", rules)
    current = open_dataset(workspace, "shop")
    app = do(section(open_page(shop, "datasets", lang="en"), "versions"), ("keep_shop_4", 1))
    do(app, "older_remove")
    assert translate("older.stays", "en") in texts(app) and len(versions(workspace, "shop")) == 4
    do(app, "confirm")
    assert {one.version for one in versions(workspace, "shop")} == {current.version, current.manifest.raw_version}
    assert "2 of 4 versions deleted" in app.success[0].value


def customers(shop: Path) -> bytes:
    events = pd.read_csv(shop.parent / "shop.csv")
    total = events.groupby("customer_id")["amount"].sum()
    frame = pd.DataFrame({"customer_id": total.index, "email": "a@b.example", "lifetime_spend": total.to_numpy()})
    return frame.assign(channel="ads").to_csv(index=False).encode()


def add_customers(app: AppTest, shop: Path) -> AppTest:
    section(app, "customers")
    app.file_uploader[0].upload("customers.csv", customers(shop)).run()
    assert not app.error
    app.button(key="customers_add").click().run()
    return app


def test_nothing_but_contact_fields_is_on_by_itself(open_page: OPEN, shop: Path) -> None:
    add_customers(open_page(shop, "datasets", lang="en"), shop)
    args = args_of(shop, "customers")
    assert args[0] == "customers" and args[2:] == [*("--dataset", "shop", "--id=customer_id", "--contact=email=email")]


@pytest.mark.parametrize("choice", ("leak_without", "leak_use"))
def test_a_leak_is_refused_with_its_reason_and_two_ways_on(open_page: OPEN, shop: Path, choice: str) -> None:
    app = add_customers(open_page(shop, "datasets", lang="en"), shop)
    args = [*args_of(shop, "customers"), "--static=lifetime_spend", "--static=channel"]
    jobs.update_status(newest(shop, "customers").folder, args=tuple(args))
    really(shop, "customers", code=4)
    app.run()
    assert "lifetime_spend" in app.error[0].value.replace("\\", "") and app.button(key="leak_use").disabled
    if choice == "leak_use":
        app.checkbox(key="leak_sure").set_value(True).run()
    app.button(key=choice).click().run()
    again = args_of(shop, "customers")
    if choice == "leak_use":
        assert again == [*args, "--accept=lifetime_spend"]
    else:
        assert again == [word for word in args if word != "--static=lifetime_spend"]
    really(shop, "customers")
    app.run()
    table = open_dataset(Workspace(shop), "shop").manifest.customers_table
    assert table is not None and table.accepted == (("lifetime_spend",) if choice == "leak_use" else ())
    assert not app.error and "41" in app.success[0].value


def test_a_customers_table_is_taken_off(open_page: OPEN, shop: Path) -> None:
    app = add_customers(open_page(shop, "datasets", lang="en"), shop)
    really(shop, "customers")
    app.run()
    do(app, "customers_remove", "confirm")
    really(shop, "customers")
    app.run()
    assert open_dataset(Workspace(shop), "shop").manifest.customers_table is None
    assert translate("customers.removed") in texts(app)


def test_a_customers_file_without_a_line_of_names_is_asked_about(open_page: OPEN, shop: Path) -> None:
    app = section(open_page(shop, "datasets", lang="en"), "customers")
    bare = "".join(f"C{n:02},c{n}@b.example,2023-0{1 + n % 9}-11\n" for n in range(40))
    app.file_uploader[0].upload("customers.csv", bare.encode()).run()
    assert not app.error
    app.button(key="answer_header_False").click().run()
    assert not app.error
    app.button(key="customers_add").click().run()
    args = args_of(shop, "customers")
    assert args[-1] == "--no-header" and "--contact=email=column_2" in args


def test_a_run_that_fails_is_said_and_changes_nothing(open_page: OPEN, shop: Path) -> None:
    app = add_customers(open_page(shop, "datasets", lang="en"), shop)
    error = Refused("customers_no_rows", file="customers.csv", rows=3, first="")
    jobs.finish(newest(shop, "customers").folder, "en", error=error)
    app.run()
    assert len(app.error) == 1
    app.button(key="close_customers").click().run()
    assert not app.error


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_say_the_orders_and_lines_of_the_record(open_page: OPEN, tmp_path: Path, lang: str) -> None:
    lines = [f"C{n // 3 % 9},2024-03-{1 + n % 28:02} 10:{n % 60:02},{5 + n % 7}.5,O{n // 3},P{n}" for n in range(90)]
    (tmp_path / "log.csv").write_text("\n".join(["customer_id,event_time,amount,order_id,product_id", *lines]))
    root = tmp_path / "workspace"
    facts = ingest(Workspace(root), tmp_path / "log.csv", "shop")
    assert (facts.orders, facts.lines) == (30, 90)
    bought = say_orders(30, 90, lang)
    assert bought in open_page(root, "datasets", lang=lang).header[0].value
    home = open_page(root, "home", lang=lang)
    assert bought in home.header[0].value
    assert list(home.dataframe[0].value[translate("column.orders", lang)]) == [30]

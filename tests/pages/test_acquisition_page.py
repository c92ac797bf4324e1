"""The acquisition page: what it says is what the spend table and the log say, and it leads to what is missing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.i18n import translate
from clv_core.strategy.acquisition import load_spend, save_spend
from clv_core.strategy.acquisition.read_spend import read_spend
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, SAMPLE, Offered, do, edit, table_of, texts

MONTHS = pd.period_range("2023-01", "2024-12", freq="M").astype(str)


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    """A spend table in which a customer of search costs next to nothing, one of affiliates far more than she brings."""
    path = tmp_path / "costs.csv"
    rows = [f"{month},search,1.50\n{month},affiliate,9000.25\n" for month in MONTHS]
    path.write_text("month,channel,spend\n" + "".join(rows), encoding="utf-8")
    return path


def test_without_a_spend_table_groups_are_compared_by_value_and_the_page_leads_to_adding_one(
    open_page: OPEN, root: Path, costs: Path
) -> None:
    app = open_page(root, "acquisition", lang="en")
    assert translate("acquisition.no_spend") in texts(app)
    do(app, "add_spend")
    app.file_uploader[0].upload("costs.csv", costs.read_bytes()).run()
    assert "216,042.00" in texts(app) and "48 rows read: 48 used, 0 rejected" in texts(app)
    do(app, "spend_save")
    saved = load_spend(open_dataset(Workspace(root), "shop"))
    assert saved is not None and saved.total == pytest.approx(24 * 9001.75)
    app.segmented_control(key="acquisition_view").set_value("overview").run()
    assert "Search pays back in month 1; affiliate has not paid back after" in app.header[0].value
    do(app, ("terms_margin", 0.1))
    assert translate("acquisition.no_margin") not in texts(app)


def test_the_table_that_is_downloaded_has_the_customers_the_spend_and_the_margin_of_each_channel(
    open_page: OPEN, root: Path, costs: Path, offered: Offered
) -> None:
    save_spend(open_dataset(Workspace(root), "shop"), read_spend(costs))
    app = open_page(root, "acquisition", lang="en")
    edit(app, "acquisition_margins", {0: {"margin": 50.0}})
    app.segmented_control(key="acquisition_view").set_value("figures").run()
    assert not app.error
    rows = table_of(offered["download_acquisition_csv"]).set_index("channel")
    log = pd.read_csv(SAMPLE, usecols=["customer_id", "event_time", "channel"]).sort_values("event_time")
    first = log.groupby("customer_id")["channel"].first().value_counts()
    assert rows["customers"].astype(int).to_dict() == first.to_dict()
    assert float(rows.loc["affiliate", "spend"]) == pytest.approx((23 + 30 / 31) * 9000.25)  # the log ends a day early
    assert rows.columns[-3:].tolist() == ["max_spend", "max_spend_low", "currency"]
    assert rows["margin_rate"].astype(float).to_dict() == {
        name: 0.5 if name == "search" else 1.0 for name in rows.index
    }


def test_a_table_without_clear_columns_is_asked_about_in_words(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "acquisition", lang="en")
    app.segmented_control(key="acquisition_view").set_value("spend").run()
    app.file_uploader[0].upload("odd.csv", b"wann,wert\n2024-03-01,12.5\n2024-04-01,7.5\n").run()
    assert translate("spend.question", file="odd.csv") in texts(app)
    app.selectbox(key="spend_column_day").set_value("wann")
    app.selectbox(key="spend_column_spend").set_value("wert")
    app.selectbox(key="spend_channel_asked").set_value("search")
    do(app, "spend_columns")
    assert "20.00" in texts(app)


def test_spend_in_another_currency_is_refused_with_both_and_can_be_removed(
    open_page: OPEN, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dollars.csv"
    path.write_text("date,channel,spend,currency\n2024-03-01,search,5,USD\n", encoding="utf-8")
    save_spend(open_dataset(Workspace(root), "shop"), read_spend(path))
    app = open_page(root, "acquisition", lang="en")
    assert "USD" in app.error[0].value and "EUR" in app.error[0].value
    do(app, "spend_remove_dollars.csv")
    assert not app.error and load_spend(open_dataset(Workspace(root), "shop")) is None


def test_two_files_have_a_channel_each_and_one_of_the_same_name_is_said_to_replace(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "acquisition", lang="en")
    app.segmented_control(key="acquisition_view").set_value("spend").run()
    for name, channel in (("june.csv", "search"), ("july.csv", "affiliate"), ("july.csv", "email")):
        app.file_uploader[0].upload(name, b"month,spend\n2024-06,10\n2024-07,20\n").run()
        app.selectbox(key="spend_channel_asked").set_value(channel)
        do(app, "spend_columns")
        replaces = translate("spend.replaces", file="july.csv", total="30.00")
        assert (replaces.replace("(", "\\(").replace(")", "\\)") in texts(app)) == (channel == "email")
        assert f"1 channel: {channel}" in texts(app)
        if channel != "email":
            do(app, "spend_save")
    saved = load_spend(open_dataset(Workspace(root), "shop"))
    assert saved is not None and saved.by_channel() == {"search": 30.0, "affiliate": 30.0}

"""The forecast page: its sums are those that are saved, and what is not known of a short log is said."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.deployment import Scored
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import score
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.forecast import find_forecast, forecast, forecast_path, headline
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.forecast.past import tests_table as shown_tests
from tests.conftest import made
from tests.pages.conftest import OPEN, SAMPLE, Offered, do, table_of, texts

DAYS = 150


def opened(root: Path) -> Scored:
    work = Workspace(root)
    return Scored.open(work, "shop", list_bundles(work)[0].id)


def sums_of(app: Any) -> pd.DataFrame:
    """Return the table of both parts and the total, as the page shows it."""
    return next(table.value for table in app.dataframe if "part" in table.value)


def trained_on(log: Path, workspace: Workspace) -> None:
    """Fill a workspace with a log, the quick model of it, and its scores."""
    ingest(workspace, log, "shop", currency="EUR")
    bundle = pipeline.train(workspace, "shop", TrainConfig(horizon_days=90, model="bgnbd"), progress=NoProgress())
    score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample and a model that was tested on one past date."""
    folder = tmp_path_factory.mktemp("shop")
    return made("forecast_page", folder, lambda workspace: trained_on(SAMPLE, workspace)).root


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a log that is too short to be tested on a past date, and a model of it."""
    log, path = pd.read_csv(SAMPLE), tmp_path_factory.mktemp("log") / "short.csv"
    day = pd.to_datetime(log["event_time"], format="ISO8601", utc=True).dt.date
    log[day < day.min() + timedelta(days=DAYS)].to_csv(path, index=False)
    folder = tmp_path_factory.mktemp("short")
    return made("forecast_page_short", folder, lambda workspace: trained_on(path, workspace)).root


def test_the_sums_of_the_page_are_those_of_the_saved_forecast(open_page: OPEN, shop: Path, offered: Offered) -> None:
    app = open_page(shop, "forecast", lang="en")
    saved = find_forecast(opened(shop))
    assert saved is not None
    sums, rows = saved.sums(), sums_of(app)
    assert rows["revenue"].tolist() == pytest.approx([sums.known, sums.won, sums.total])
    assert app.header[0].value == widgets.escape(headline(saved, "en").text("en"))
    do(app, ("forecast_unit", "month"), ("forecast_span_90", 365)).run()
    year = saved.sums(365)
    assert sums_of(app)["revenue"].tolist() == pytest.approx([year.known, year.won, year.total])
    assert "90 days" in texts(app), "what lies beyond the tested days is said"
    file = table_of(offered["download_forecast"])
    months = saved.by_period("month", 365)
    assert file["first"].tolist() == [month.first for month in months]
    assert file["total"].astype(float).sum() == pytest.approx(year.total, abs=0.01 * len(months))


def test_the_days_are_a_file_too_and_only_bars_of_fewer_days_are_named(
    open_page: OPEN, shop: Path, offered: Offered
) -> None:
    app = open_page(shop, "forecast", lang="en")
    saved = forecast(opened(shop), NoProgress())
    file = table_of(offered["download_forecast_days"])
    assert len(file) == 90 and file["total"].astype(float).sum() == pytest.approx(saved.sums().total, abs=1)
    last, first = translate("forecast.shorter.last"), translate("forecast.shorter.first")
    assert last in texts(app) and first not in texts(app), "90 days are 12 weeks and 6 days"
    do(app, ("forecast_unit", "month")).run()
    assert saved.cutoff == date(2024, 12, 31) and first in texts(app) and last in texts(app)


def test_past_weeks_before_the_expected_ones_are_what_the_log_says(open_page: OPEN, shop: Path) -> None:
    app = open_page(shop, "forecast", lang="en")
    do(app, ("forecast_past_weeks", True)).run()
    drawn = json.loads(next(one.proto.spec for one in app.get("plotly_chart") if "forecast_revenue" in str(one.proto)))
    came, log = drawn["data"][0], pd.read_csv(SAMPLE)
    day = pd.to_datetime(log["event_time"].str[:10])
    end = pd.Timestamp(opened(shop).dataset.log_end)
    money = log["event_type"].isin(["purchase", "return"])
    weeks = log.loc[money & (day < end)].groupby((end - day).dt.days.sub(1) // 7)["amount"].sum()
    assert came["name"] == translate("forecast.chart.came") and len(drawn["data"]) >= 3
    assert [one[0] for one in came["customdata"]][-1] == str((end - timedelta(days=7)).date())
    assert came["customdata"][-1][1] == opened(shop).dataset.last_day.isoformat()
    values = np.frombuffer(b64decode(came["y"]["bdata"]), came["y"]["dtype"])
    assert values == pytest.approx([weeks[back] for back in range(len(values) - 1, -1, -1)])


def test_where_no_forecast_is_saved_home_and_segments_lead_to_the_page_and_a_damaged_one_is_made_again(
    open_page: OPEN, shop: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(shop, tmp_path / "workspace"))
    scored = opened(root)
    wanted = forecast(scored, NoProgress()).sums()
    days = forecast_path(scored).with_suffix(".safetensors")
    days.write_bytes(days.read_bytes()[:1000])
    assert find_forecast(scored) is None
    for page in ("home", "segments"):
        app = open_page(root, page, lang="en")
        do(app, "to_forecast")
        assert app.title[0].value == translate("page.forecast")
        assert not app.error and sums_of(app)["revenue"].iloc[-1] == pytest.approx(wanted.total)
        assert (translate("forecast.again") in texts(app)) is (page == "home"), "made again once"
        days.unlink()
        forecast_path(scored).unlink()
    forecast(scored, NoProgress())
    for page in ("home", "segments"):
        assert "to_forecast" not in {one.key for one in open_page(root, page, lang="en").button}


def test_without_new_customers_the_known_are_all(open_page: OPEN, shop: Path) -> None:
    app = open_page(shop, "forecast", lang="en")
    known = sums_of(app)["revenue"].iloc[0]
    do(app, ("forecast_arrivals", True)).run()
    do(app, ("forecast_share", 0)).run()
    assert sums_of(app)["revenue"].tolist() == pytest.approx([known, 0.0, known])
    assert translate("forecast.assumed.share", share="0%") in texts(app)
    assert translate("forecast.assumed.season") not in texts(app)


def test_past_dates_are_compared_with_the_log_and_one_alone_leads_to_more(open_page: OPEN, shop: Path) -> None:
    app = open_page(shop, "forecast", lang="en")
    saved = find_forecast(opened(shop))
    assert saved is not None and len(saved.tests) == 1
    row = shown_tests(saved).iloc[0]
    log = pd.read_csv(SAMPLE).assign(day=lambda rows: rows["event_time"].str[:10])
    start = date.fromisoformat(row["cutoff"])
    inside = log["day"].between(start.isoformat(), (start + timedelta(days=89)).isoformat())
    money = log["event_type"].isin(["purchase", "return"])
    assert row["actual"] == pytest.approx(log.loc[inside & money, "amount"].sum())
    assert row["parts"] == pytest.approx(saved.tests[0].errors["parts"] / saved.tests[0].actual)
    do(app, "to_evaluate")
    assert app.title[0].value == translate("page.evaluate")


def test_the_bridge_leads_from_the_last_forecast_to_what_came_by_either_date(
    open_page: OPEN, shop: Path, offered: Offered
) -> None:
    app = open_page(shop, "forecast", lang="en")
    saved = find_forecast(opened(shop))
    assert saved is not None
    for day in ("refund_date", "order_date"):
        do(app, ("forecast_refunds", day)).run()
        lines = table_of(offered["download_bridge"]).set_index("line")["amount"].astype(float)
        assert lines["forecast"] == pytest.approx(saved.tests[-1].known + saved.tests[-1].won, abs=0.01)
        assert lines.iloc[:-1].sum() == pytest.approx(lines["actual"], abs=0.001)
        if day == "refund_date":
            assert lines["actual"] == pytest.approx(saved.tests[-1].actual, abs=0.01)


def test_a_log_too_short_to_test_has_a_forecast_and_it_is_said(open_page: OPEN, short: Path) -> None:
    app = open_page(short, "forecast", lang="en")
    for note in (translate("forecast.no_range"), translate("forecast.untested", days=208)):
        assert widgets.escape(note) in texts(app)
    assert translate("forecast.few_tests") in texts(app)
    assert list(sums_of(app).columns) == ["part", "revenue"]
    assert not app.error


def test_a_model_that_is_not_trusted_is_acknowledged_once_and_what_came_needs_no_word(
    open_page: OPEN, not_trusted: Path
) -> None:
    app = open_page(not_trusted, "forecast", lang="en")
    asked = [box for box in app.checkbox if str(box.key).startswith("acknowledge_")]
    assert len(asked) == 1 and not app.exception
    assert translate("report.bridge") in [header.value for header in app.header]

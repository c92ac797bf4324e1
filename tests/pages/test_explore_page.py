"""The explore page in its states, held against plain pandas over the rows of the log."""

from __future__ import annotations

import shutil
from datetime import date
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from streamlit.proto.Metric_pb2 import Metric as MetricProto

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.explore.cube import build_cube
from clv_core.i18n import say_money, say_number, translate
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.explore import explored
from tests.pages.conftest import OPEN, SAMPLE, Offered, do, press, texts

pytestmark = pytest.mark.first(5)

CHARTS = {"time": 2, "back": 4, "value": 2, "way": 1, "ratings": 3, "categories": 1, "tables": 0}
"""Charts of each part of the page."""


def summed(root: Path, rows: pd.DataFrame, name: str = "log", **options: str) -> Path:
    """Make a workspace with the log, and its cube."""
    rows.to_csv(root / "log.csv", index=False)
    workspace = Workspace(root / "workspace")
    ingest(workspace, root / "log.csv", name, progress=NoProgress(), **options)
    build_cube(workspace, name, NoProgress())
    return workspace.root


def key(root: Path, what: str, name: str = "shop") -> str:
    return f"explore_{what}_{name}_{open_dataset(Workspace(root), name).version}"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample, summed."""
    root = tmp_path_factory.mktemp("explore_sample")
    ingest(Workspace(root), SAMPLE, "shop", currency="EUR")
    build_cube(Workspace(root), "shop", NoProgress())
    return root


@pytest.fixture(scope="module")
def events(sample: Path) -> pd.DataFrame:
    return pd.read_parquet(open_dataset(Workspace(sample), "shop").events_path)


def buyers(events: pd.DataFrame) -> pd.DataFrame:
    """One row a buyer: net value and purchase days."""
    money = events[events["event_type"].isin(["purchase", "return"])]
    bought = events[events["event_type"] == "purchase"]
    days = bought.assign(day=bought["event_time"].dt.normalize()).groupby("customer_id")["day"].nunique()
    return pd.DataFrame({"days": days}).join(money.groupby("customer_id")["amount"].sum())


def test_headline_and_cards_are_those_of_the_log(open_page: OPEN, sample: Path, events: pd.DataFrame) -> None:
    app = open_page(sample, "explore", lang="en")
    assert not app.error
    people = buyers(events)
    held = people["amount"].clip(lower=0).sort_values(ascending=False)
    share, back = held.iloc[: round(len(held) / 10)].sum() / held.sum(), (people["days"] >= 2).mean()
    assert app.header[0].value == translate("explore.headline", share=f"{share:.0%}", back=f"{back:.0%}")
    cards = {item.label: item.value for item in app.metric}
    assert len(cards) == 8
    assert cards[translate("explore.card.buyers")] == say_number(len(people))
    assert cards[translate("explore.card.net")] == f"{say_money(people['amount'].sum(), 'EUR')}"
    assert cards[translate("explore.card.repeat_rate")] == f"{back:.1%}"
    for part, charts in CHARTS.items():
        assert len(do(app, ("explore_part", part)).get("plotly_chart")) == charts and not app.error


def test_filters_change_every_view(open_page: OPEN, sample: Path, events: pd.DataFrame) -> None:
    app = open_page(sample, "explore", lang="zh")
    channel, country = (events[column].value_counts().index[0] for column in ("channel", "country"))
    do(
        app,
        (key(sample, "channels"), [channel]),
        (key(sample, "countries"), [country]),
        (key(sample, "period"), "days90"),
        ("explore_part", "tables"),
    )
    assert not app.error
    end = pd.Timestamp(open_dataset(Workspace(sample), "shop").log_end)
    start = end - pd.Timedelta(90, "D")
    mine = events[(events["channel"] == channel) & (events["country"] == country)]
    now, then = (
        mine[(mine["event_time"] >= low) & (mine["event_time"] < high)]
        for low, high in ((start, end), (start - (end - start), start))
    )
    card = next(item for item in app.metric if item.label == translate("explore.card.customers", "zh"))
    assert card.value == say_number(now["customer_id"].nunique(), "zh")
    assert card.delta == f"{now['customer_id'].nunique() / then['customer_id'].nunique() - 1:+.1%}"
    sums = [part.groupby("event_type")["amount"].sum() for part in (now, then)]
    back, earlier = (-float(each["return"] / each["purchase"]) for each in sums)
    returns = next(item for item in app.metric if item.label == translate("explore.card.return_rate", "zh"))
    assert back > earlier and returns.delta.startswith(f"{100 * (back - earlier):+.1f}")
    for item in app.metric:
        good = item.delta.startswith("+") and item is not returns
        assert item.proto.color == (MetricProto.GREEN if good else MetricProto.ORANGE), item.label
    assert translate("explore.no_before", "zh") not in texts(app)
    assert channel in app.caption[0].value and country in app.caption[0].value
    trend = next(table.value for table in app.dataframe)
    assert trend["customers"].iloc[0] > 0 and len(trend) == 14  # weeks


def test_days_of_ones_own_and_the_file_behind_the_chart(
    open_page: OPEN, sample: Path, events: pd.DataFrame, offered: Offered
) -> None:
    app = open_page(sample, "explore", lang="en")
    do(
        app,
        (key(sample, "period"), "own"),
        (key(sample, "days"), (date(2024, 2, 1), date(2024, 5, 31))),
        ("explore_part", "tables"),
        ("explore_table", "categories"),
    )
    assert "1 Feb 2024 to 31 May 2024" in app.caption[0].value
    name = "shop_categories_2024-02-01_2024-05-31.csv"
    [file] = [one for one in offered.values() if one["name"] == name]
    table = pd.read_csv(BytesIO(press(file)), encoding="utf-8-sig").set_index("category")
    span = events[(events["event_time"] >= "2024-02-01") & (events["event_time"] < "2024-06-01")]
    net = span[span["event_type"].isin(["purchase", "return"])].groupby("category")["amount"].sum()
    assert table["net"].to_dict() == pytest.approx(net.to_dict())


def test_filters_that_leave_nothing_say_so_and_keep_the_filters(open_page: OPEN, tmp_path: Path) -> None:
    days, channels = ["2024-01-01", "2024-01-02", "2024-06-01"], ["web", "web", "app"]
    rows = pd.DataFrame({"customer_id": [*"abc"], "event_time": days, "amount": [5, 7, 9], "channel": channels})
    root = summed(tmp_path, rows)
    app = open_page(root, "explore", lang="en")
    do(app, (key(root, "channels", "log"), ["web"]), (key(root, "period", "log"), "days30"))
    assert translate("explore.nothing") in texts(app) and not app.metric
    app.multiselect(key=key(root, "channels", "log")).set_value([]).run()
    assert len(app.metric) > 0


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_log_of_one_day_of_purchases(open_page: OPEN, tmp_path: Path, lang: str) -> None:
    rows = pd.DataFrame({"customer_id": ["a", "b", "a"], "event_time": "2024-01-05", "amount": [5, 7, 2]})
    app = open_page(summed(tmp_path, rows, "一月"), "explore", lang=lang)
    assert not app.error
    words = texts(do(app, ("explore_part", "back")))
    for line in ("no_cohorts", "missing.funnel", "missing.ratings", "missing.categories", "no_before"):
        assert translate(f"explore.{line}", lang) in words
    assert translate("explore.section.way", lang) not in str(app.get("button_group"))
    labels = [item.label for item in app.metric]
    assert translate("explore.card.customers", lang) not in labels and len(labels) == 6
    assert not app.multiselect


def test_chinese_log_keeps_its_words(open_page: OPEN, tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "用户ID": [f"u{number % 7}" for number in range(60)],
            "下单时间": pd.date_range("2024-01-01", periods=60, freq="3D").strftime("%Y-%m-%d %H:%M:%S"),
            "金额": [10 + number for number in range(60)],
            "品类": ["图书", "茶叶"] * 30,
            "渠道": ["小程序", "门店", "小程序"] * 20,
        }
    )
    root = summed(tmp_path, rows, "茶庄", currency="CNY")
    app = open_page(root, "explore", lang="zh")
    assert not app.error
    words = {"name": "茶叶", "share": f"{sum(range(11, 70, 2)) / sum(range(10, 70)):.0%}"}
    assert translate("explore.sold", "zh", **words) in texts(do(app, ("explore_part", "categories")))
    app.multiselect(key=key(root, "channels", "茶庄")).set_value(["小程序"]).run()
    assert "小程序" in app.caption[0].value


def test_sums_that_are_not_there_are_made_by_a_run(open_page: OPEN, with_dataset: Path, tmp_path: Path) -> None:
    root = tmp_path / "no runs yet"
    shutil.copytree(with_dataset / "datasets", root / "datasets")
    app = open_page(root, "explore", lang="en")
    assert translate("explore.wait") in texts(app)
    version = open_dataset(Workspace(root), "shop").version
    assert widgets.escape(translate("job.explore", label=f"shop ({version})")) in texts(app)
    assert not app.metric


def test_leads_to_training(open_page: OPEN, sample: Path) -> None:
    app = do(open_page(sample, "explore", lang="en"), "to_train")
    assert app.title[0].value == translate("page.train")


def test_name_of_a_file_says_what_it_holds_and_nothing_that_a_path_would_read(sample: Path) -> None:
    cube = explored.find_cube(open_dataset(Workspace(sample), "shop"))
    assert cube is not None
    filters = explored.Filters(date(2024, 1, 1), date(2024, 2, 1), ("web/../x",), ("DE",))
    assert explored.file_name(cube, "rfm", filters) == "shop_rfm_2024-01-01_2024-01-31_web-..-x_DE.csv"

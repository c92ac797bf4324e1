"""The demand page: its figures are those that are saved, and a log without products is told what is missing."""

from __future__ import annotations

from datetime import timedelta
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
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns import CampaignRequest, groups, learned_offers, outcomes, with_control
from clv_core.strategy.demand import (
    Demand,
    campaign_demand,
    customers_behind,
    demand_notes,
    find_demand,
    headline,
    ordering_table,
)
from clv_core.strategy.segments import DEFAULT_SCHEME, assign_tiers
from clv_core.workspace import Workspace
from pages.ui import widgets
from tests.conftest import made
from tests.pages.conftest import HORIZON_DAYS, OPEN, SAMPLE, Offered, copied, do, table_of, texts


@pytest.fixture(scope="module")
def shop(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample, a model and the shop's forecast; the first visit makes its demand."""
    return copied(with_model, tmp_path_factory.mktemp("shop") / "workspace")


def opened(root: Path) -> Scored:
    work = Workspace(root)
    return Scored.open(work, "shop", list_bundles(work)[0].id)


def saved(root: Path) -> Demand:
    found = find_demand(opened(root))
    assert found is not None
    return found


def shown(app: Any, column: str) -> pd.DataFrame:
    """Return the table that has a column, as the page shows it."""
    rows: pd.DataFrame = next(table.value for table in app.dataframe if column in table.value)
    return rows


def test_the_tables_of_the_page_are_those_of_the_saved_demand(open_page: OPEN, shop: Path, offered: Offered) -> None:
    app = open_page(shop, "demand", lang="en")
    demand = saved(shop)
    assert app.header[0].value == widgets.escape(headline(demand, "en", 4).text("en"))
    wanted = ordering_table(demand, 4)
    rows, file = shown(app, "returns"), table_of(offered["download_demand"])
    assert rows["product_id"].tolist() == wanted["product_id"].tolist() == file["product_id"].tolist()
    for column in ("expected", "low", "high", "net", "revenue"):
        assert rows[column].to_numpy() == pytest.approx(wanted[column].to_numpy())
        assert file[column].astype(float).to_numpy() == pytest.approx(wanted[column].to_numpy())
    categories = shown(app, "month")
    assert categories["month"].sum() == pytest.approx(demand.by_category.block.sum())
    assert categories["revenue"].sum() == pytest.approx(demand.revenue("categories")[:, :4].sum())
    for note in (note for note in demand_notes(demand) if not note.code.startswith("demand.tested")):
        assert widgets.escape(note.display("en")) in texts(app)


def test_a_quarter_is_thirteen_weeks_of_every_product(open_page: OPEN, shop: Path, offered: Offered) -> None:
    app = open_page(shop, "demand", lang="en")
    do(app, ("demand_weeks", 13)).run()
    demand, file = saved(shop), table_of(offered["download_demand"])
    assert (file.groupby("product_id").size() == 13).all()
    assert app.header[0].value == widgets.escape(headline(demand, "en", 13).text("en"))
    assert shown(app, "month")["units"].sum() == pytest.approx(demand.by_category.units.sum())


def test_who_stands_behind_a_product_is_shown_of_the_one_that_is_chosen(open_page: OPEN, shop: Path) -> None:
    app = open_page(shop, "demand", lang="en")
    demand = saved(shop)
    listed = ordering_table(demand, 4)["product_id"].drop_duplicates()
    row = int(demand.products.index[demand.products["product_id"] == listed.iloc[-1]][0])
    do(app, ("demand_product", row)).run()
    behind = customers_behind(opened(shop), demand, listed.iloc[-1])
    assert shown(app, "customers")["revenue"].tolist() == pytest.approx(behind.tiers["revenue"].tolist())


def test_stock_says_what_runs_out_and_how_many_pieces_are_missing(
    open_page: OPEN, shop: Path, offered: Offered
) -> None:
    app = open_page(shop, "demand", lang="en")
    sold = ordering_table(saved(shop), 4).groupby("product_id", sort=False)["expected"].sum()
    scarce, plenty = sold.sort_values().index[-2:]
    text = f"sku,pieces\n{scarce},0.25\n{scarce},0.25\n{plenty},{10 * sold[plenty]}\nNO-SUCH,3\n"
    app.get("file_uploader")[0].set_value(("stock.csv", text.encode(), "text/csv")).run()
    rows = shown(app, "order").set_index("product_id")
    assert rows.index[0] == scarce and rows["order"][scarce] == np.ceil(sold[scarce] - 0.5)
    assert rows["order"][plenty] == 0 and rows["cover_weeks"][plenty] > 4
    assert rows["order"].drop([scarce, plenty]).isna().all(), "nothing is made up where stock is unknown"
    pieces = f"{rows['order'].sum():.0f}"
    assert widgets.escape(translate("demand.stock.short", products=1, weeks=4, pieces=pieces)) in texts(app)
    assert widgets.escape(translate("demand.stock_unknown", products=1)) in texts(app)
    assert translate("demand.stock.missing", products=len(sold) - 2) in texts(app)
    file = table_of(offered["download_demand"])
    assert file["order"].astype(float).sum() == pytest.approx(sold[scarce] - 0.5, abs=0.03)
    do(app, "demand_stock_remove")
    assert "order" not in shown(app, "returns")


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        ("product_id,stock\nP1,many\n", "demand_stock_number", {"rows": 1, "value": "many"}),
        ("a,b,c\n1,2,3\n", "demand_stock_columns", {"found": "a, b, c"}),
    ],
)
def test_a_wrong_table_of_stock_is_refused_in_a_sentence_until_another_comes(
    open_page: OPEN, shop: Path, text: str, code: str, params: dict[str, Any]
) -> None:
    app = open_page(shop, "demand", lang="en")
    app.get("file_uploader")[0].set_value(("stock.csv", text.encode(), "text/csv")).run()
    assert widgets.escape(translate(f"error.{code}", file="stock.csv", **params)) in texts(app)
    product = saved(shop).products["product_id"][0]
    app.get("file_uploader")[0].set_value(("stock.csv", f"a,b\n{product},1\n".encode(), "text/csv")).run()
    assert not app.error and "order" in shown(app, "cover_weeks")


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_a_log_without_products_is_told_so_and_led_to_an_upload(
    open_page: OPEN, tmp_path_factory: pytest.TempPathFactory, lang: str
) -> None:
    def make(workspace: Workspace) -> None:
        log = workspace.root / "plain.csv"
        workspace.root.mkdir(parents=True, exist_ok=True)
        rows = pd.read_csv(SAMPLE)[["customer_id", "event_time", "event_type", "amount", "order_id"]]
        rows[rows["event_type"].isin(["purchase", "return"])].to_csv(log, index=False)
        ingest(workspace, log, "shop", currency="EUR")
        config = TrainConfig(horizon_days=HORIZON_DAYS, model="bgnbd", cutoffs=3)
        pipeline.train(workspace, "shop", config, progress=NoProgress())

    plain = made("demand_page_plain", tmp_path_factory.mktemp("plain"), make).root
    app = open_page(plain, "demand", lang=lang)
    assert widgets.escape(translate("error.demand_no_products", lang, dataset="shop")) in texts(app)
    do(app, "to_upload")
    assert app.title[0].value == translate("page.upload", lang)


def test_a_campaign_that_is_not_over_adds_what_an_earlier_one_measured_to_what_its_list_buys(
    open_page: OPEN, shop: Path, tmp_path: Path
) -> None:
    root = copied(shop, tmp_path / "workspace")
    app = open_page(root, "demand", lang="en")
    assert translate("demand.campaign", "en") not in [header.value for header in app.header], "nothing runs"
    scored = opened(root)
    people = assign_tiers(scored.scores(NoProgress()), DEFAULT_SCHEME)

    def send(name: str, days_ago: int) -> None:
        start = scored.dataset.log_end - timedelta(days=days_ago)
        about = {"scheme": str(DEFAULT_SCHEME)}
        with_control(scored.dataset, CampaignRequest(name, start, 30, 0.4, about, 0.5, 0.4), people)

    send("Next", 10)
    app = open_page(root, "demand", lang="en")
    unknown = translate("error.demand_campaign_unmeasured", "en", campaign="Next", days=30)
    assert unknown in texts(app).replace("\\", "") and any(button.key == "demand_to_results" for button in app.button)
    send("Before", 60)
    (earlier,) = (one for one in outcomes(scored.workspace, scored.dataset) if one.campaign.name == "Before")
    (offer,) = learned_offers([earlier])
    members = groups(scored.dataset, "Next")
    listed = members[members["group"] == "list"]
    log = pd.read_csv(SAMPLE, parse_dates=["event_time"])
    cutoff = pd.Timestamp(saved(root).cutoff)
    money = log[log["event_type"].isin(["purchase", "return"])]
    money = money[(money["event_time"] >= cutoff - pd.Timedelta(365, "D")) & (money["event_time"] < cutoff)]
    money = money.assign(amount=money["amount"].where(money["event_type"] == "purchase", -money["amount"].abs()))
    by_product: dict[str, float] = {}
    total = 0.0
    for segment, effect in offer.effects.items():
        ids = listed.loc[listed["segment"] == segment, "customer_id"]
        added = len(ids) * effect.value / 0.4 * 20 / 30  # the margin's rate; of the window's days, 20 are to come
        total += added
        spent = money[money["customer_id"].isin(ids)].groupby("product_id")["amount"].sum()
        spent = spent[spent > 0]
        for product, share in (spent / spent.sum()).items():
            by_product[str(product)] = by_product.get(str(product), 0.0) + added * share
    app = open_page(root, "demand", lang="en")
    rows = shown(app, "units").set_index("product_id")["revenue"]
    assert rows.to_dict() == pytest.approx({product: by_product[product] for product in rows.index}, rel=1e-6)
    found = campaign_demand(scored, saved(root), "Next")
    assert found.revenue == pytest.approx(total) and found.low < found.revenue < found.high
    assert found.customers + found.unmeasured == len(listed)
    assert rows.sum() + found.other_revenue == pytest.approx(total)

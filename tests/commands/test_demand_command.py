"""The command ``demand``: the file to order by, how long stock lasts, and what the page shows of the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from clv_core.deployment.bundle import Bundle
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, codes, side_file


@pytest.fixture(scope="module")
def kept(small_workspace: Workspace, small_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return the shop in a workspace of its own, where its demand is saved."""
    root = tmp_path_factory.mktemp("demand") / "workspace"
    shutil.copytree(small_workspace.root, root)
    return Shop(Workspace(root), small_bundle)


def test_the_file_has_each_product_of_the_log_s_last_weeks_in_each_week_and_its_categories_add_up(
    kept: Shop, small_workspace: Workspace, tmp_path: Path
) -> None:
    answer = kept.done("demand", "--weeks", 6, "--out", tmp_path / "order.csv")
    table = pd.read_csv(tmp_path / "order.csv")
    assert answer["rows"] == len(table) and (table.groupby("product_id").size() == 6).all()
    log = pd.read_csv(small_workspace.root.parent / "log" / "events.csv", parse_dates=["event_time"])
    bought = log[log["event_type"] == "purchase"]
    assert set(table["product_id"]) <= set(bought["product_id"])
    late = bought[bought["event_time"] >= bought["event_time"].max() - pd.Timedelta(28, "D")]
    often = late["product_id"].value_counts()
    assert set(often.index[often >= 4]) <= set(table["product_id"]), "what sells weekly has rows"
    assert (table["low"] <= table["high"]).all() and (table["high"] > 0).any()
    assert table["net"].sum() == pytest.approx((table["expected"] - table["returns"]).sum(), abs=0.01 * len(table))
    by_category = pd.DataFrame(answer["categories"])
    assert by_category["expected"].sum() == pytest.approx(answer["units"], rel=1e-3)
    assert by_category["revenue"].sum() == pytest.approx(answer["revenue"], rel=1e-3)
    assert side_file(answer)["dataset"] == "shop" and answer["trust"]["verdict"]


def test_stock_lasts_as_long_as_week_by_week_sales_take_and_what_the_log_does_not_know_is_counted(
    kept: Shop, tmp_path: Path
) -> None:
    kept.done("demand", "--weeks", 13, "--out", tmp_path / "order.csv")
    sold = pd.read_csv(tmp_path / "order.csv").pivot(index="product_id", columns="week", values="expected")
    product = sold.index[0]
    (tmp_path / "stock.csv").write_text(f"product_id,stock\n{product},{sold.loc[product, :2].sum()}\nNO-SUCH,5\n")
    answer = kept.done("demand", "--stock", tmp_path / "stock.csv", "--out", tmp_path / "held.csv")
    held = pd.read_csv(tmp_path / "held.csv").set_index("product_id")["cover_weeks"]
    assert held[product].unique() == pytest.approx([2.0], abs=0.1)
    assert held.drop(product).isna().all(), "no cover is made up where stock is unknown"
    assert "stock_unknown" in codes(answer)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--weeks", 3), "demand_weeks"),
        (("--weeks", 14), "demand_weeks"),
        (("--by", "colour"), "demand_by"),
        (("--stock", "nowhere.csv"), "demand_stock_missing"),
        (("--campaign", "No such"), "demand_campaign"),
    ],
)
def test_what_cannot_be_asked_is_refused(kept: Shop, words: tuple[object, ...], error: str) -> None:
    assert kept.refused("demand", *words)[1] == error

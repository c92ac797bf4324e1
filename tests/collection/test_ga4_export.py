"""Events of Google Analytics as its warehouse exports them: money in nested values, refunds in a value of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.collection.values.currency import in_name
from clv_core.workspace import Workspace
from tests.collection.small_logs import warnings

pytestmark = pytest.mark.first(2)

START = 1_704_362_400_000_000
NAMES = ("view_item", "add_to_cart", "purchase")


def event(at: int, name: str) -> dict[str, Any]:
    revenue = 10.5 + at if name == "purchase" else None
    back = 4.25 if name == "refund" else None
    return {
        "event_date": "20240104",
        "event_timestamp": START + at * 7_200_000_000,
        "event_name": name,
        "event_params": [{"key": "page", "value": {"string_value": "x"}}],
        "event_value_in_usd": revenue and revenue * 1.1,
        "user_pseudo_id": f"{1000 + at % 9}.1600000000",
        "device": {"category": "mobile"},
        "ecommerce": {"transaction_id": f"T{at}", "purchase_revenue": revenue, "refund_value": back},
        "items": [{"item_id": "A1", "price": 5.25, "quantity": 2}],
    }


def write(path: Path) -> float:
    rows = [event(at, NAMES[at % 3]) for at in range(90)] + [event(90 + at, "refund") for at in range(5)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return sum(row["ecommerce"]["purchase_revenue"] or 0 for row in rows) - 5 * 4.25


def read(folder: Path, suffix: str) -> tuple[Manifest, pd.DataFrame, float]:
    file, workspace = folder / f"events{suffix}", Workspace(folder / "ws")
    wanted = write(file)
    manifest = ingest(workspace, file, "ga4")
    return manifest, pd.read_parquet(open_dataset(workspace, "ga4").events_path), wanted


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_the_shops_own_money_counts_and_refunds_are_taken_off(tmp_path: Path, suffix: str) -> None:
    manifest, events, wanted = read(tmp_path, suffix)
    assert manifest.mapping["amount"] == "ecommerce.purchase_revenue" and manifest.rows_set_aside == 0
    assert manifest.net_revenue == pytest.approx(wanted)
    assert events["event_type"].value_counts().to_dict() == {"view": 30, "cart": 30, "purchase": 30, "return": 5}


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_nested_values_have_columns_of_their_own(tmp_path: Path, suffix: str) -> None:
    manifest, events, _ = read(tmp_path, suffix)
    assert set(events["device.category"]) == {"mobile"} and set(events["customer_id"]) == {
        f"{1000 + at}.1600000000" for at in range(9)
    }
    assert events["order_id"].dropna().str.fullmatch(r"T\d+").all()


def test_a_name_that_ends_in_a_currency_says_what_its_amounts_are_in() -> None:
    assert in_name("event_value_in_usd") == "USD" and in_name("paid_in_all") == ""


def unfolded(folder: Path, *, own: bool) -> tuple[Manifest, float]:
    """Read a table with a row a product of each purchase, which tells of the whole purchase or of its own product."""
    rows, sold = ["user_pseudo_id,event_timestamp,event_name,transaction_id,purchase_revenue,refund_value,item_id"], 0.0
    for at in range(60):
        who, when = f"u{at % 9}", START + at * 7_200_000_000
        rows.append(f"{who},{when},view_item,,,,A{at % 3}")
        items = [12.5 + at, 7.25 + 2 * at]
        sold += sum(items)
        for place, price in enumerate(items):
            rows.append(f"{who},{when + 1},purchase,T{at},{price if own else sum(items)},,A{place}")
        if at % 10 == 0:
            rows += [
                f"{who},{when + 2},refund,T{at},,{price if own else sum(items)},A{n}" for n, price in enumerate(items)
            ]
            sold -= sum(items)
    file = folder / "items.csv"
    file.write_text("\n".join(rows) + "\n")
    return ingest(Workspace(folder / "ws"), file, "items"), sold


@pytest.mark.parametrize("own", [False, True])
def test_a_purchase_counts_once_whether_its_rows_tell_of_all_of_it_or_of_one_product(tmp_path: Path, own: bool) -> None:
    manifest, sold = unfolded(tmp_path, own=own)
    assert manifest.net_revenue == pytest.approx(sold) and manifest.rows_set_aside == 0
    assert ("whole_orders" in warnings(manifest)) is not own

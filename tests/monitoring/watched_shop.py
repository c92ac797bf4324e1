"""Watches on the business that hold what a test plants in them, for what is done with a watch once it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from clv_core.collection.store.version_store import Dataset
from clv_core.errors import Message
from clv_core.monitoring.business import Course, Finding, Watch
from clv_core.monitoring.saved_watch import WatchRecord, watch_path
from clv_core.workspace import write_json

END = date(2024, 6, 30)
DAYS = 200


def finding(ago: int = 12, length: int | None = 10, **facts: Any) -> Finding:
    """Return an outage that began so many days before the end; of no length it lasts."""
    first = END - timedelta(days=ago)
    last = None if length is None else first + timedelta(days=length - 1)
    known: dict[str, Any] = {"kind": "outage", "series": "revenue", "currency": "EUR"}
    known |= {"size": -27_266.0, "low": -31_000.0, "high": -24_100.0, "days": length or ago}
    known |= {"first_day": first, "last_day": last, "found_on": first + timedelta(days=1)}
    return Finding(**known | facts)


def watch_of(*findings: Finding, unwatched: Sequence[Message] = (), courses: bool = True) -> Watch:
    """Return a watch with these findings, over half a year of two figures."""
    days = pd.date_range(end=pd.Timestamp(END), periods=DAYS)
    figure = 100.0 + 10.0 * np.sin(np.arange(DAYS))
    made = [
        Course(name, days, figure, np.full(DAYS, 100.0), figure - 20, figure + 20) for name in ("revenue", "orders")
    ]
    return Watch(END, "EUR", tuple(made if courses else ()), findings, tuple(unwatched))


def plant(dataset: Dataset, watch: Watch) -> None:
    """Let this be the saved watch of a dataset."""
    path = watch_path(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, WatchRecord.of(watch).to_json())


def moved(found: Finding, days: int) -> Finding:
    """Return a finding whose first day is read so many days later."""
    return replace(found, first_day=found.first_day + timedelta(days=days))

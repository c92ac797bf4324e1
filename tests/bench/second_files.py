"""Second files of a shop: the same purchases in another form, which must be asked about, and honest ones.

    python -m tests.bench.second_files

One log is made by a seed; 40 second files repeat its last purchases in another form or another unit, 5 to 500 rows
each, and 40 honest ones bring new days, corrected orders or returns. A file "adds" where its purchases are counted
beside those that the log holds already, or in another unit, and nothing was asked.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace

SIZES: Final = (5, 12, 40, 150, 500)
DAYS, CUSTOMERS, ORDERS = 120, 260, 1_500
Change = Callable[[pd.DataFrame], pd.DataFrame]


def shop(
    seed: int, first_order: int = 0, start: str = "2024-01-01", days: int = DAYS, orders: int = ORDERS
) -> pd.DataFrame:
    """Return orders of a shop by their times: order_id, customer_id, event_time, amount in whole cents.

    Customers differ in how often they buy (gamma), amounts are lognormal around 30.
    """
    random = np.random.default_rng(seed)
    weights = random.gamma(0.8, size=CUSTOMERS)
    seconds = np.sort(random.integers(0, days * 86_400, orders))
    return pd.DataFrame(
        {
            "order_id": [f"A{first_order + at:06}" for at in range(orders)],
            "customer_id": [f"c{at}" for at in random.choice(CUSTOMERS, orders, p=weights / weights.sum())],
            "event_time": pd.Timestamp(start) + pd.to_timedelta(seconds, unit="s"),
            "amount": random.lognormal(3.4, 0.9, orders).round(2),
        }
    )


def _times(form: str) -> Change:
    return lambda rows: rows.assign(event_time=rows["event_time"].dt.strftime(form))


def _amounts(change: Callable[[pd.Series], pd.Series]) -> Change:
    return lambda rows: rows.assign(amount=change(rows["amount"]))


def _both(*changes: Change) -> Change:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        for one in changes:
            rows = one(rows)
        return rows

    return change


def _two_rates(amounts: pd.Series) -> pd.Series:
    """Return gross amounts: every third at the lower rate."""
    return (amounts * np.where(np.arange(len(amounts)) % 3 == 0, 1.07, 1.19)).round(2)


def _half_in_cents(amounts: pd.Series) -> pd.Series:
    return amounts.where(np.arange(len(amounts)) % 2 == 0, (amounts * 100).round())


DATES: Final = "%Y-%m-%d"
REPEATED: Final[dict[str, Change]] = {
    "dates only, with tax": _both(_times(DATES), _amounts(lambda amounts: (amounts * 1.19).round(2))),
    "hours, rounded": _both(_times("%Y-%m-%d %H:00"), _amounts(lambda amounts: amounts.round())),
    "hours cut": _times("%Y-%m-%d %H:00"),
    "tax of two rates": _amounts(_two_rates),
    "another currency": _amounts(lambda amounts: (amounts * 1.0873).round(2)),
    "8 hours earlier": lambda rows: rows.assign(event_time=rows["event_time"] - pd.Timedelta("8h")),
    "other customer ids": lambda rows: rows.assign(customer_id="u" + rows["customer_id"].str[1:].str.zfill(7)),
}
"""Forms in which purchases that the log holds come again."""
UNITS: Final[dict[str, Change]] = {
    "cents": _amounts(lambda amounts: (amounts * 100).round()),
    "half in cents": _amounts(_half_in_cents),
    "thousands": _amounts(lambda amounts: (amounts / 1000).round(5)),
}
"""Units in which later days come."""


@dataclass(frozen=True)
class SecondFile:
    """A second file of the shop.

    Args:
        kind: what it is.
        rows: as they are written.
        first: the log that it joins.
        honest: whether nothing of it is in the log, or order ids say which rows are updates.
    """

    kind: str
    rows: pd.DataFrame
    first: pd.DataFrame
    honest: bool


def doubtful_files() -> Iterator[SecondFile]:
    """Yield 40 files that must be asked about: each form or unit in several sizes, without order ids."""
    log = shop(1).drop(columns="order_id")
    later = shop(2, start="2024-04-30").drop(columns="order_id")
    for number, (kind, change) in enumerate(REPEATED.items()):
        for size in SIZES[: 4 if number > 4 else 5]:
            first = _times(DATES)(log) if kind.startswith("dates") and size == SIZES[1] else log
            yield SecondFile(kind, change(log.iloc[-size:]), first, False)
    for number, (kind, change) in enumerate(UNITS.items()):
        for size in SIZES[: 2 if number else 3]:
            yield SecondFile(kind, change(later.iloc[:size]), log, False)


def honest_files(ids: bool) -> Iterator[SecondFile]:
    """Yield 20 files that bring new days, corrections and returns; without order ids, corrections repeat the days."""
    columns = ["order_id", "customer_id", "event_time", "amount"] if ids else ["customer_id", "event_time", "amount"]
    for number, size in enumerate(SIZES):
        log, later = shop(10 + number), shop(20 + number, 5_000, start="2024-04-30")
        tail, new = log.iloc[-size:], later.iloc[:size]
        corrected = tail.assign(amount=tail["amount"].where(np.arange(size) % 20 != 3, tail["amount"] + 4.5))
        back = tail.iloc[::4].assign(amount=-tail["amount"].iloc[::4], event_time=pd.Timestamp("2024-05-02 10:00"))
        files = {
            "new days": new,
            "new days and the last ones again": pd.concat([tail, new]),
            "corrected orders": pd.concat([corrected, new]),
            "returns": pd.concat([back, new]),
        }
        for kind, rows in files.items():
            yield SecondFile(kind, rows[columns], log[columns], True)


@dataclass(frozen=True)
class Outcome:
    """What became of a second file.

    Args:
        asked: code of the question or refusal; empty where the file was added.
        added: by how much the log's net revenue grew.
    """

    asked: str
    added: float


def outcome(workspace: Workspace, file: SecondFile) -> Outcome:
    """Append a second file to its log, which is ingested where it is not there yet, and forget it again."""
    text = file.first.to_csv(index=False)
    name = f"log-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    path = workspace.root.parent / "second.csv"
    if not (workspace.datasets / name).exists():
        path.write_text(text, encoding="utf-8")
        ingest(workspace, path, name, duplicates="keep")
    file.rows.to_csv(path, index=False)
    before = open_dataset(workspace, name)
    try:
        made = append(workspace, name, path)
    except (NeedsAnswer, Refused) as error:
        return Outcome(error.code, 0.0)
    restore(workspace, name, before.version)
    return Outcome("", round(made.net_revenue - before.manifest.net_revenue, 2))


GROUPS: Final[tuple[tuple[str, Callable[[], Iterator[SecondFile]], range], ...]] = (
    ("the same purchases, or another unit", doubtful_files, range(40, 41)),
    ("honest, with order ids", lambda: honest_files(ids=True), range(0, 1)),
    ("honest, without order ids", lambda: honest_files(ids=False), range(0, 3)),
)
"""Title, files, and how many of them may be asked about."""


def main() -> int:
    """Print what became of each file; return how many groups were asked about too often or too seldom."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        for title, files, right in GROUPS:
            print(title)
            found = [(file, outcome(workspace, file)) for file in files()]
            for file, result in found:
                told = result.asked or "added"
                print(f"  {file.kind:<34} {len(file.rows):>4} rows  {told:<22} {result.added:>12,.2f}")
            asked = sum(bool(result.asked) for _, result in found)
            print(f"  asked {asked} of {len(found)}")
            failed += asked not in right
    return failed


if __name__ == "__main__":
    sys.exit(main())

"""One log from its first file to an erasure; after every step, what each customer spent is pandas' sum, to the cent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, combine
from clv_core.collection.parse.id_texts import load_key, pseudonym
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.erasure.erase import erase
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

CUSTOMERS = [f"customer-{number:04}" for number in range(23)]


def orders() -> pd.DataFrame:
    """Orders with ids and a time of day."""
    rows = range(400)
    return pd.DataFrame(
        {
            "order_id": [f"o{at}" for at in rows],
            "customer_id": [CUSTOMERS[at * 7 % 23] for at in rows],
            "event_time": pd.Timestamp("2024-01-01 09:00") + pd.to_timedelta([at * 11 for at in rows], "h"),
            "amount": [round(5 + at * 37 % 90 + at % 100 / 100, 2) for at in rows],
        }
    )


def days() -> pd.DataFrame:
    """Purchases of days without ids, of which two equal ones are two."""
    frame = orders().drop(columns="order_id")
    return frame.assign(event_time=frame["event_time"].dt.date, amount=frame["amount"].round().astype(int) % 7 + 1)


def events() -> pd.DataFrame:
    """Views and purchases, and returns with amounts below 0."""
    frame = orders().assign(event_type=["view", "purchase", "purchase", "return"] * 100)
    frame.loc[frame["event_type"] == "return", "amount"] *= -0.25
    frame.loc[frame["event_type"] == "view", "amount"] = None
    return frame.assign(amount=frame["amount"].round(2))


def spent(workspace: Workspace, name: str) -> dict[str, int]:
    """Return the cents that each customer of a dataset spent, and check them against what its manifest says."""
    dataset = open_dataset(workspace, name)
    frame = pd.read_parquet(dataset.events_path)
    assert (len(frame), frame["customer_id"].nunique()) == (dataset.manifest.rows_kept, dataset.manifest.customers)
    found = cents(frame)
    assert sum(found.values()) == round(dataset.manifest.net_revenue * 100)
    return found


def cents(*frames: pd.DataFrame) -> dict[str, int]:
    frame = pd.concat(frames)
    sums = (frame["amount"].fillna(0) * 100).round().astype(int).groupby(frame["customer_id"]).sum()
    return {str(who): int(value) for who, value in sums.items()}


def without(sums: dict[str, int], gone: Sequence[str]) -> dict[str, int]:
    return {who: value for who, value in sums.items() if who not in gone}


@pytest.mark.parametrize("log", [orders, days, events], ids=["orders", "days", "events"])
def test_every_step_leaves_what_pandas_sums(tmp_path: Path, log: Callable[[], pd.DataFrame]) -> None:
    frame = log()
    workspace, parts = Workspace(tmp_path / "workspace"), (frame[:250], frame[200:330], frame[330:])
    files = [tmp_path / f"{number}.csv" for number in range(3)]
    for part, file in zip(parts, files, strict=True):
        part.to_csv(file, index=False)

    first = ingest(workspace, files[0], "log")
    assert spent(workspace, "log") == cents(parts[0])
    assert append(workspace, "log", files[1]).parts[-1].rows_overlap == 50
    assert spent(workspace, "log") == cents(frame[:330])
    restore(workspace, "log", first.version)
    assert spent(workspace, "log") == cents(parts[0])

    ingest(workspace, files[2], "later")
    combine(workspace, ["log", "later"], "both")
    assert spent(workspace, "both") == cents(parts[0], parts[2])

    ingest(workspace, files[0], "hidden", pseudonymise=True)
    key = load_key(workspace)
    hidden = {pseudonym(key, who): value for who, value in cents(parts[0]).items()}
    assert spent(workspace, "hidden") == hidden

    gone = CUSTOMERS[3:5]
    erase(workspace, gone, progress=NoProgress())
    assert spent(workspace, "both") == without(cents(parts[0], parts[2]), gone)
    assert spent(workspace, "hidden") == without(hidden, [pseudonym(key, who) for who in gone])
    append(workspace, "log", files[1])
    assert spent(workspace, "log") == without(cents(frame[:330]), gone)

"""False alarms and finds of monitoring: draws of shops that stay as they are, and of shops that change at the cutoff.

    python -m tests.bench.drift [draws] [customers] [month] [week] [whole] [changes]

Each draw is another steady shop (tests/monitoring/steady_shop.py): 360 days before the cutoff, then half a year. A draw
without any alert in any chunk counts as quiet. ``whole`` also trains BG/NBD and monitors features, predictions and
realised value. Changes are looked for in the first chunk alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.monitoring.alerts import alerts_of
from clv_core.monitoring.drift.data_checks import check_data
from clv_core.monitoring.drift.periods import MONTH, WEEK, Period, periods_after, periods_before, periods_in, profile
from clv_core.monitoring.monitor import monitor
from clv_core.workspace import Workspace
from tests.monitoring import steady_shop
from tests.monitoring.steady_shop import changed_from, day_after, steady_log, stored, write_log

CUTOFF: Final = day_after(360)
DAYS: Final = 545
HORIZON_DAYS: Final = 180
CHANGES: Final = {
    "price level + 30%": (steady_shop.dearer, "price_amount_rose"),
    "new channel": (steady_shop.another_channel, "new_channel"),
    "lost event type": (steady_shop.without_ratings, "lost_event_type"),
    "return rate doubled": (steady_shop.twice_the_returns, "returns_rose"),
    "a tenth of categories empty": (steady_shop.gaps_in_categories, "gaps_purchase_rose"),
    "half of the customers' events lost": (steady_shop.half_of_it, "customers_fell"),
}


def codes(events: pd.DataFrame, kind: str, folder: Path, most: int | None = None) -> list[str]:
    """Return the codes of all alerts of the data, of the first ``most`` chunks."""
    dataset = stored(events, folder)
    before = profile(dataset, periods_before(CUTOFF, kind, dataset.log_start))
    after: list[Period] = periods_after(CUTOFF, kind, dataset.log_end)[:most]
    checks = check_data(before, profile(dataset, after), periods_in(kind, HORIZON_DAYS))
    return [alert.code for alert in alerts_of(checks)]


def whole(events: pd.DataFrame, folder: Path) -> list[str]:
    """Return the codes of all alerts of a whole run of monitoring."""
    work = Workspace(folder / "workspace")
    ingest(work, write_log(events, folder / "events.csv"), "shop", currency="EUR")
    config = TrainConfig(horizon_days=HORIZON_DAYS // 2, model="bgnbd", cutoffs=4)
    bundle = pipeline.train(work, "shop", config, cutoff=CUTOFF, progress=NoProgress())
    report = monitor(Scored.open(work, "shop", bundle.id), progress=NoProgress())
    return [alert.code for alert in report.alerts]


def draws(count: int, customers: int) -> Iterator[tuple[int, pd.DataFrame, Path]]:
    """Yield shops, each with a folder of its own that goes afterwards."""
    for seed in range(count):
        with tempfile.TemporaryDirectory() as folder:
            yield seed, steady_log(customers, DAYS, 1000 + seed), Path(folder)


def quiet(name: str, count: int, customers: int) -> None:
    """Print how many draws raise no alert."""
    raised: Counter[str] = Counter()
    without = 0
    for _, events, folder in draws(count, customers):
        found = whole(events, folder) if name == "whole" else codes(events, name, folder)
        without += not found
        raised.update(set(found))
    print(f"| {name}: draws without any alert | {without} of {count} {dict(raised) or ''} |", flush=True)


def changes(count: int, customers: int) -> None:
    """Print how often each change is found and named in the first chunk."""
    for name, (change, code) in CHANGES.items():
        found_by = Counter[str]()
        for _, events, folder in draws(count, customers):
            changed = changed_from(events, CUTOFF, change)
            for kind in (MONTH, WEEK):
                found_by[kind] += code in codes(changed, kind, folder / kind, 1)
        found = ", ".join(f"first {kind} {found_by[kind]} of {count}" for kind in (MONTH, WEEK))
        print(f"| {name}: found and named | {found} |", flush=True)


def main(count: int, customers: int, parts: list[str]) -> None:
    """Print the figures as a table."""
    print("| what | figure |\n|---|---|")
    for name in (MONTH, WEEK, "whole"):
        if name in parts:
            quiet(name, count, customers)
    if "changes" in parts:
        changes(max(1, count // 5), customers)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:3]]
    main(*(numbers + [100, 3000][len(numbers) :]), sys.argv[3:] or [MONTH, WEEK, "whole", "changes"])

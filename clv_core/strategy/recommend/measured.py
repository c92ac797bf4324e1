"""How good the recommendations were in the last month, with the blend chosen on months before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from clv_core.features.relations import EPOCH
from clv_core.jobs import Progress
from clv_core.strategy.recommend.blend import KINDS, Blend
from clv_core.strategy.recommend.lines import Lines
from clv_core.strategy.recommend.quality import Quality, judge
from clv_core.strategy.recommend.split import WINDOW_DAYS, Split, chosen_on

EARLIER: Final = 3
"""Months before the reported one that the blend is chosen on."""


@dataclass(frozen=True)
class Measured:
    """What was found on past months.

    Args:
        blends: of each kind of ``KINDS``.
        quality: figures of each method in the last month, by kind; empty where it has too few buyers, or no earlier
            month to choose on.
        customers: how many customers were judged, by kind.
        start: first day of the last month.
        earlier: how many months the blends were chosen on.
    """

    blends: dict[str, Blend]
    quality: dict[str, tuple[Quality, ...]]
    customers: dict[str, int]
    start: date
    earlier: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "blends": {kind: blend.to_json() for kind, blend in self.blends.items()},
            "quality": {kind: [one.to_json() for one in found] for kind, found in self.quality.items()},
            "customers": self.customers,
            "start": self.start.isoformat(),
            "window_days": WINDOW_DAYS,
            "earlier_months": self.earlier,
        }


def measure(lines: Lines, end_day: int, progress: Progress) -> Measured:
    """Choose the blends on earlier months and judge them on the last one.

    Args:
        lines: the log.
        end_day: day after the last month, since 1970.
        progress: listener.
    """
    start = end_day - WINDOW_DAYS
    splits = []
    for month in range(1, EARLIER + 1):
        progress.report("recommend_earlier", month - 1, EARLIER)
        split = Split.at(lines, start - month * WINDOW_DAYS)
        splits += [] if split is None else [split]
    progress.report("recommend_judging", 0, 1)
    last = Split.at(lines, start)
    blends, quality, customers = {kind: Blend.usual(kind) for kind in KINDS}, {}, {}
    for kind in KINDS:
        tasks = [task for split in splits if len((task := split.task(kind)).relevant)]
        if not tasks:
            continue
        blends[kind] = blend = chosen_on(tasks)
        if last is None or not len((task := last.task(kind)).relevant):
            continue
        hits = {
            "blend": task.of_blend(blend),
            "blend_without_price": task.of_blend(Blend(blend.weights, 0.0)),
            "popular": task.of_vector(last.history.popular),
            "own": task.of_own(),
        }
        quality[kind], customers[kind] = judge(hits, task.relevant), len(task.relevant)
    return Measured(blends, quality, customers, EPOCH + timedelta(days=start), len(splits))

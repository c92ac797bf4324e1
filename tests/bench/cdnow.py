"""Where the seconds of ``train`` on CDNOW, 182 days, go: part of ``make bench``. The app promises under 90 s.

Each line is the time from the first report of a stage to that of the next one; fits of simple models, which report
nothing, are taken out and have lines of their own. Processor seconds include the worker processes.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

STARTED = time.monotonic()
HORIZON_DAYS = 182
PROMISED_SECONDS = 90


def processor() -> float:
    """Return the processor seconds so far of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Stages:
    """A listener that adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}
        self.stage = "start, imports"
        self.since = (STARTED, 0.0)

    def report(self, stage: str, done: float, total: float, **figures: float) -> None:
        """Begin ``stage`` if it is another one."""
        if stage != self.stage:
            self.begin(stage)

    def begin(self, stage: str) -> None:
        """Count what has passed for the stage so far, and begin another."""
        now = (time.monotonic(), processor())
        before = self.taken.setdefault(self.stage, [0.0, 0.0])
        self.taken[self.stage] = [old + new - then for old, new, then in zip(before, now, self.since, strict=True)]
        self.stage, self.since = stage, now

    @contextmanager
    def within(self, stage: str) -> Iterator[None]:
        """Count a block as a stage of its own."""
        outer = self.stage
        self.begin(stage)
        yield
        self.begin(outer)


def main() -> None:
    """Read and train, and print a line a stage."""
    stages = Stages()
    from clv_core import pipeline
    from clv_core.config import TrainConfig
    from clv_core.training.fit import MODELS
    from clv_core.workspace import Workspace
    from tests.bench.logs import prepare

    for name in ("naive", "bgnbd"):
        entry = MODELS[name]

        def fit(*words: Any, _name: str = name, _fit: Any = entry.fit) -> Any:
            with stages.within(f"fit of {_name}"):
                return _fit(*words)

        MODELS[name] = replace(entry, fit=fit)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        with stages.within("ingest"):
            prepare(workspace, "cdnow")
        pipeline.train(workspace, "cdnow", TrainConfig(horizon_days=HORIZON_DAYS), progress=stages)
        stages.begin("")
    print(f"\n{'CDNOW, 182 days':<26}{'seconds':>9}{'processor':>11}   load {os.getloadavg()[0]:.1f}")
    for stage, (seconds, used) in stages.taken.items():
        print(f"{stage:<26}{seconds:>9.1f}{used:>11.1f}")
    total = sum(seconds for seconds, _ in stages.taken.values())
    print(f"{'all':<26}{total:>9.1f}{processor():>11.1f}   promised: {PROMISED_SECONDS}")


if __name__ == "__main__":
    main()

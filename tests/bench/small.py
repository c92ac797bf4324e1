"""Small shops: random subsets of customers of two real logs, where little can be learned from the log itself.

``python -m tests.bench.small [--draws 20] [--models a,b] [--earlier]`` writes ``results/small.md``: for each size the
mean Gini, MAE and RMSE (relative to BG/NBD's) and |log level| of each model over all draws of both logs, and the mean
difference of the Gini to every other model with its standard error over draws. With ``--rows FILE`` each draw is kept
there as it ends, and a run that was stopped goes on behind the last one: delete the file when the code has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.evaluation.metrics import METRICS
from clv_core.features.duckdb_engine import Engine
from clv_core.features.log import EventLog, open_log
from clv_core.features.season import scoring_snapshot
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.bench.logs import prepare

SIZES: Final = (100, 300, 1000)
MODELS_HERE: Final = ("bgnbd", "lightgbm", "hybrid", "instant", "instant_tuned", "blend")
ORIGINS: Final = {"cdnow": (date(1997, 12, 31), 182), "completejourney": (date(2017, 10, 2), 91)}
EARLIER: Final = {"cdnow": (date(1997, 10, 1), 182), "completejourney": (date(2017, 7, 3), 91)}
"""Where choices may be made."""
RESULTS: Final = Path(__file__).parent / "results" / "small.md"


def main() -> None:
    """Run all draws and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--models", default=",".join(MODELS_HERE))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--earlier", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--rows", type=Path, default=None)
    parser.add_argument("--workspace", type=Path, default=Path(os.environ.get("CLV_WORKSPACE", "workspace")) / "bench")
    options = parser.parse_args()
    models, sizes = options.models.split(","), [int(size) for size in options.sizes.split(",")]
    origins = EARLIER if options.earlier else ORIGINS
    kept = Rows(options.rows)
    for log, (cutoff, horizon) in origins.items():
        for size, draw, part in subsets(Workspace(options.workspace), log, sizes, options.draws, kept.done):
            kept.add(list(figures(part, cutoff, horizon, models, draw, log, size)))
    rows = kept.rows
    text = report(pd.DataFrame(rows))
    print(text)
    if options.out or not options.earlier:
        (options.out or RESULTS).write_text(text, encoding="utf-8")


class Rows:
    """Figures of all draws so far, printed and kept in a file as they come.

    Args:
        path: JSON lines; None keeps them in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path is not None and path.exists() else ""
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]

    def done(self, log: str, size: int, draw: int) -> bool:
        """Say whether a draw is there already."""
        return any((row["log"], row["size"], row["draw"]) == (log, size, draw) for row in self.rows)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep the rows of one draw."""
        self.rows += rows
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        print(lines, end="", flush=True)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(lines)


def subsets(
    workspace: Workspace, name: str, sizes: list[int], draws: int, done: Callable[[str, int, int], bool]
) -> Iterator[tuple[int, int, EventLog]]:
    """Yield size, number of the draw, and the log of so many random customers, but for those that are done."""
    dataset = prepare(workspace, name)
    whole = open_log(dataset)
    everyone = whole.store.customer_ids
    whole.close()
    for size in sizes:
        for draw in (number for number in range(draws) if not done(name, size, number)):
            chosen = np.random.default_rng([size, draw]).permutation(everyone)[:size].tolist()
            engine = Engine()
            events = dataset.events(engine.connection)
            part = EventLog.from_table(
                events.filter(events[CUSTOMER_ID].isin(chosen)), engine.connection, dataset=dataset
            )
            yield size, draw, replace(part, engine=engine)
            engine.close()


def figures(
    log: EventLog, cutoff: date, horizon: int, models: list[str], draw: int, name: str, size: int
) -> Iterator[dict[str, object]]:
    """Yield one row a model; a model that this log cannot teach has no figures."""
    config = TrainConfig(horizon_days=horizon, seed=1 + 10 * draw)
    snapshot = scoring_snapshot(log, cutoff, horizon, max_steps=config.max_steps_back)
    actual = snapshot.target
    assert actual is not None
    try:
        train = training_data(log, cutoff, config, NoProgress())
    except NotEnoughData:
        return
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            try:
                fitted = MODELS[model].fit(
                    FitTask(train, replace(config, model=model), Path(folder), NoProgress(), "backtest")
                )
            except NotEnoughData:
                continue
        found = fitted.model.predict(snapshot, horizon)
        level = float(abs(np.log(max(found.predicted_clv.sum(), 1e-9) / max(actual.sum(), 1e-9))))
        wanted = {metric: float(METRICS[metric].value(actual, found)) for metric in ("gini", "mae", "rmse")}
        yield {"log": name, "size": size, "draw": draw, "model": model, **wanted, "log_level": level}


def report(rows: pd.DataFrame) -> str:
    """Return the table and the paired differences as Markdown."""
    lines = ["# Small shops", "", "| customers | model | draws | Gini | MAE | RMSE | abs log level |", "|" + "---|" * 7]
    pairs = ["", "| customers | model | against | Gini, difference | standard error |", "|" + "---|" * 5]
    for size, part in rows.groupby("size"):
        table = part.pivot_table(index=["log", "draw"], columns="model", values=["gini", "mae", "rmse", "log_level"])
        for model in [name for name in MODELS_HERE if name in set(part["model"])]:
            gini, level = table["gini", model], table["log_level", model]
            against = {name: (table[name, model] / table[name, "bgnbd"]).mean() for name in ("mae", "rmse")}
            shown = f"{gini.mean():.3f} | {against['mae']:.3f} | {against['rmse']:.3f} | {level.mean():.3f}"
            lines.append(f"| {size} | {model} | {gini.notna().sum()} | {shown} |")
            if model in ("instant_tuned", "blend"):
                for other in [name for name in MODELS_HERE if name in set(part["model"]) and name != model]:
                    gap = (gini - table["gini", other]).dropna()
                    error = gap.std() / np.sqrt(len(gap))
                    pairs.append(f"| {size} | {model} | {other} | {gap.mean():+.4f} | {error:.4f} |")
    return "\n".join([*lines, "", "MAE and RMSE are relative to BG/NBD's, draw by draw.", *pairs]) + "\n"


if __name__ == "__main__":
    main()

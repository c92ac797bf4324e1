"""The segments page over a million scored customers: ``python -m tests.bench.segments``.

What a changed threshold costs is measured twice: the answer alone (customers placed, table with intervals, the list's
total and its first rows), and the whole run of the page's script with the scores in memory, with a scheme that it has
not seen before each time. Beside the seconds that passed stands the processor time, which a machine that is shared
does not stretch as much. The customers are made up; nothing here says how good a prediction is.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.evaluation.levels import SharedError, Summands
from clv_core.jobs import NoProgress
from clv_core.strategy.segments.clusters import Clusters
from clv_core.strategy.segments.rfm_and_quadrant import Quadrant, Rfm
from clv_core.strategy.segments.segment_figures import movement, segment_table
from clv_core.strategy.segments.segment_rules import Condition, Rule, Rules
from clv_core.strategy.segments.segmentation import Segmentation
from clv_core.strategy.segments.value_tiers import CostTiers, ValueTiers
from clv_core.workspace import Workspace

CUSTOMERS: Final = 1_000_000
SAMPLE: Final = Path(__file__).resolve().parents[2] / "tests" / "sample.csv"
APP: Final = Path(__file__).resolve().parents[2] / "pages" / "shell.py"
LIMIT: Final = 1.0


def customers(count: int, seed: int = 1) -> pd.DataFrame:
    """Return made-up scored customers with a history."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.6, 1.5, count)
    value = chance * rng.lognormal(4, 1, count)
    orders = rng.poisson(2, count)
    since = np.where(orders > 0, rng.integers(0, 700, count).astype(float), np.nan)
    last = np.datetime64("2024-12-31", "s") - np.nan_to_num(since).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:07}" for number in range(count)],
            "as_of": "2024-12-31",
            "horizon_days": 90,
            "p_purchase": chance,
            "predicted_clv": value,
            "clv_p10": 0.0,
            "clv_p50": 0.3 * value,
            "clv_p90": 2 * value,
            "model": "bench",
            "last_purchase": np.where(orders > 0, last, np.datetime64("NaT", "s")),
            "days_since_last": since,
            "purchase_days": orders,
            "historic_value": orders * rng.lognormal(3.5, 0.8, count),
        }
    )


def answers(frame: pd.DataFrame) -> None:
    """Print the seconds of one answer of each scheme, and of movement and comparison."""
    some = frame.sample(20_000, random_state=1)
    bought = np.random.default_rng(2).random(len(some)) < some["p_purchase"]
    shared = SharedError.of([some.assign(actual=some["predicted_clv"] * bought / some["p_purchase"])])
    assert shared is not None
    summands = _timed("what is worked out once for all answers", lambda: Summands.of(frame, shared))
    rules = (
        Rule("Big and likely", (Condition.parse("predicted_clv>=100"), Condition.parse("p_purchase>=0.5"))),
        Rule("Silent", (Condition.parse("days_since_last>365"),)),
    )
    schemes: list[Segmentation] = [
        *(ValueTiers.parse(text) for text in ("thresholds:300,100,30", "quantile:10,30,60", "share:50,80,95")),
        *(CostTiers(5.0), Quadrant(), Rfm(), Rules("r", rules), Rules("r", rules, True), Clusters(5)),
    ]
    placed = []
    for scheme in schemes:
        fitted = _timed(f"{scheme}: cuts settled", lambda one=scheme: one.fit(frame))
        placed.append(_timed(f"{scheme}: customers placed", lambda one=fitted: one.place(frame)))
        _timed(f"{scheme}: table with intervals", lambda one=placed[-1]: segment_table(frame, one, summands))
    _timed("movement", lambda: movement(frame, placed[0], frame, placed[3]))


def page(frame: pd.DataFrame) -> None:
    """Print the seconds of runs of the page, each with a threshold that is new to it."""
    import os

    from streamlit.testing.v1 import AppTest

    from pages.ui import scores
    from pages.ui.navigation import BY_NAME

    root = Path(tempfile.mkdtemp(prefix="clv-bench-"))
    try:
        work = Workspace(root)
        ingest(work, SAMPLE, "shop", currency="EUR")
        dataset, config = open_dataset(work, "shop"), TrainConfig(horizon_days=90, model="bgnbd", cutoffs=3)
        bundle = pipeline.train(work, "shop", config, progress=NoProgress())
        path = Scored.of(work, dataset, bundle).scores_path
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.head(10).to_parquet(path)
        os.environ["CLV_WORKSPACE"] = str(root)
        scores._customers = lambda path, scored: frame
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.query_params["lang"] = "en"
        app.run()
        app.switch_page(BY_NAME["segments"].path)
        _timed("page: first run", app.run)
        app.pills(key="scheme_kind").set_value("thresholds").run()
        for text in ("310, 101, 31", "320, 102, 32", "330, 103, 33"):
            box = next(item for item in app.text_input if str(item.key).startswith("scheme_cuts_thresholds"))
            box.set_value(text)
            _timed(f"page: threshold changed to {text}", app.run)
            assert not app.exception and not app.error
        app.pills(key="scheme_kind").set_value("quadrant").run()
        box = next(item for item in app.number_input if str(item.key).startswith("scheme_value"))
        box.set_value(77.0)
        _timed("page: quadrant's value changed", app.run)
        app.pills(key="scheme_kind").set_value("cost").run()
        app.number_input(key="scheme_cost").set_value(7.0)
        _timed("page: cost changed", app.run)
        rows = len(app.dataframe[0].value)
        print(f"| rows that go to the browser | {rows:,} of {len(frame):,} |")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _timed(what: str, answer: Callable[[], Any]) -> Any:
    started, worked = time.perf_counter(), time.process_time()
    found = answer()
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    print(f"| {what} | {seconds:.2f} s, of which computed {work:.2f} s |", flush=True)
    return found


def main() -> None:
    """Print the figures as a table."""
    frame = customers(CUSTOMERS)
    print(f"| {CUSTOMERS:,} customers (limit of a changed threshold: {LIMIT:g} s) | figure |\n|---|---|")
    answers(frame)
    page(frame)


if __name__ == "__main__":
    main()

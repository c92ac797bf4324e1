"""What the one law changes, from the same trained networks: ``python -m tests.bench.one_law public plans``.

``public``: real and simulated logs at the origins of the accuracy benchmark. ``plans``: yearly plans in logs of 11 and
14 months. ``levels``: shops whose second year is up to 30% above or below their first. ``totals``: small shops whose
level moves between years, and whether the 80% range of the total held what came. Each writes a table to
``tests/bench/results/one_law-<part>.csv``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.levels import SharedError, Summands
from clv_core.evaluation.metrics import evaluate
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.jobs import NoProgress
from clv_core.model import BlendModel, Law, Predictions, calibrated
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace
from tests.bench.cells import CELLS
from tests.bench.logs import prepare

RESULTS: Final = Path(__file__).resolve().parent / "results"
PUBLIC: Final = ("cdnow", "cdnow-sample", "completejourney", "browsing", "btyd")
SHARES: Final = (0.5, 2 / 3, 1.0)
MODEL: Final = "blend"


def with_law(model: Any, law: Law | None) -> Any:
    """Return a network model with another law; None as it was before there was one."""
    if isinstance(model, BlendModel):
        return replace(model, deep=with_law(model.deep, law), instant=with_law(model.instant, law))
    return replace(model, law=law)


def variants(model: Any, snapshot: Any, horizon: int) -> Iterator[tuple[str, Predictions]]:
    """Yield the predictions of a trained model before the law, with it, and with it at other shares of the anchor."""
    yield "before", with_law(model, None).predict(snapshot, horizon)
    yield "no floor", with_law(model, Law(np.inf)).predict(snapshot, horizon)
    usual = calibrated.SILENT_SHARE
    for share in SHARES:
        calibrated.SILENT_SHARE = share  # type: ignore[misc]
        yield f"law {share:.2f}", model.predict(snapshot, horizon)
    calibrated.SILENT_SHARE = usual  # type: ignore[misc]


def figures(actual: np.ndarray, found: Predictions) -> dict[str, float]:
    """Return what is compared."""
    figure = evaluate(actual, found)
    value = np.maximum(actual, 0)
    top = np.argsort(-found.predicted_clv, kind="stable")[: max(1, len(value) // 10)]
    ranges = {"pit10": figure["pit10"], "pit50": figure["pit50"], "pit90": figure["pit90"]}
    return {
        "gini": figure["gini"],
        "top_tenth": float(value[top].sum() / max(value.sum(), 1e-9)),
        "buyers": float(found.p_purchase.sum() / max(1, (actual > 0).sum())),
        "total": float(found.predicted_clv.sum() / max(value.sum(), 1e-9)),
        "contradictions": float(((found.p_purchase < 0.5) & (found.clv_p50 > 0)).sum()),
        **ranges,
    }


def measured(
    root: Path, name: str, cutoff: date, horizon: int, trained: int, folder: Path, seeds: int, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the figures of all variants at one origin, a row each seed and variant, and of simple rivals."""
    log, rows = open_log(open_dataset(Workspace(root), name)), []
    try:
        config = TrainConfig(horizon_days=trained, model=MODEL, processes=1, **settings)
        snapshot = scoring_snapshot(log, cutoff, trained, max_steps=config.max_steps_back)
        actual = log.snapshot(cutoff, horizon, max_steps=1).target
        assert actual is not None
        about = {"log": name, "cutoff": cutoff.isoformat(), "horizon": horizon, "customers": len(snapshot)}
        for seed in range(1, seeds + 1):
            own = replace(config, seed=seed * 10)
            train = training_data(log, cutoff, own, NoProgress())
            task = FitTask(train, own, folder / f"{name}-{cutoff}-{seed}", NoProgress(), "law")
            model = MODELS[MODEL].fit(task).model
            expected = model.predict(snapshot, horizon).predicted_clv
            beyond = float(expected[model.law.silent(snapshot)].sum() / max(expected.sum(), 1e-9))
            for variant, found in variants(model, snapshot, horizon):
                rows.append({**about, "seed": seed, "variant": variant, "beyond": beyond, **figures(actual, found)})
            if seed == 1:
                bgnbd = MODELS["bgnbd"].fit(replace(task, config=replace(own, model="bgnbd"))).model
                rows.append(
                    {**about, "seed": 0, "variant": "bgnbd", **figures(actual, bgnbd.predict(snapshot, horizon))}
                )
                past = np.maximum(np.nan_to_num(snapshot.features["net_value"].to_numpy(np.float64)), 0)
                spend = Predictions((past > 0).astype(float), past, 0 * past, past, past)
                rows.append({**about, "seed": 0, "variant": "past spend", **figures(actual, spend)})
        return rows
    finally:
        log.close()


def public(root: Path, seeds: int, settings: dict[str, Any]) -> list[partial[list[dict[str, Any]]]]:
    """Return the work of real and simulated logs."""
    cells = [cell for cell in CELLS if cell.dataset in PUBLIC]
    for name in dict.fromkeys(cell.dataset for cell in cells):
        prepare(Workspace(root), name)
    return [
        partial(
            measured,
            root,
            cell.dataset,
            cell.cutoff,
            cell.horizon_days,
            cell.trained_days,
            root / "runs",
            seeds,
            settings,
        )
        for cell in cells
    ]


def _made(root: Path, scenario: str, name: str, plan: SimulationPlan, level: float = 1.0) -> date:
    """Simulate and read a log whose rows after the first year are ``level`` times as many; return its cutoff."""
    folder = root / "sources" / name
    events, _ = simulate(scenario, plan).write(folder)
    if level != 1.0:
        table = pd.read_csv(events, dtype=str)
        day = pd.to_datetime(table["event_time"], utc=True)
        late = (day - day.min()).dt.days >= 365
        keep = np.where(late, min(1.0, level), min(1.0, 1 / level))
        table[np.random.default_rng(plan.seed).random(len(table)) < keep].to_csv(events, index=False)
    ingest(Workspace(root), events, name, mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
    return open_dataset(Workspace(root), name).log_end - timedelta(days=plan.horizon_days)


PLAN_DAYS: Final = (330, 425)
"""Of logs that show no renewal of a yearly plan, and none twice."""


def plans(root: Path, seeds: int, settings: dict[str, Any]) -> list[partial[list[dict[str, Any]]]]:
    """Return the work of five shops of subscriptions, known for 11 and 14 months; half a year more is predicted."""
    work = []
    for days in PLAN_DAYS:
        for seed in range(1, 6):
            name = f"plans-{days}-{seed}"
            cutoff = _made(root, "subscription", name, SimulationPlan(20_000, days + 182, seed, 182))
            work.append(partial(measured, root, name, cutoff, 182, 182, root / "runs", seeds, settings))
    return work


def levels(root: Path, seeds: int, settings: dict[str, Any]) -> list[partial[list[dict[str, Any]]]]:
    """Return the work of twenty shops: a first year, half of another at a new level, the half that is predicted."""
    random, work = np.random.default_rng(65), []
    for seed in range(1, 21):
        name, level = f"levels-{seed}", float(np.exp(random.uniform(np.log(0.7), np.log(1.3))))
        scenario = ("btyd", "browsing")[seed % 2]
        cutoff = _made(root, scenario, name, SimulationPlan(3_000, 730, seed, 182), level)
        work.append(partial(measured, root, name, cutoff, 182, 182, root / "runs", seeds, settings))
    return work


SPREAD: Final = 0.15
"""Standard deviation of the log level from year to year of the shops of ``totals``, stated before they were made."""
OF_TOTALS: Final = "hybrid"
"""A shop takes ten seconds, and with the default half a minute."""
SCALES: Final = (0.05, 0.1, 0.15, 0.2, 0.3)


def one_total(root: Path, seed: int, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return whether the range of a small shop's total held it, by the prior's scale; one earlier origin is known."""
    random, name = np.random.default_rng((65, seed)), f"totals-{seed}"
    level = float(np.exp(random.normal(0, SPREAD)))
    scenario, horizon = ("btyd", "browsing")[seed % 2], 91
    now = _made(root, scenario, name, SimulationPlan(300, 730, seed, horizon), level)
    log = open_log(open_dataset(Workspace(root), name))
    try:
        frames = []
        for cutoff in (now - timedelta(days=horizon), now):
            config = TrainConfig(horizon_days=horizon, model=OF_TOTALS, processes=1, seed=seed, **settings)
            snapshot = scoring_snapshot(log, cutoff, horizon, max_steps=config.max_steps_back)
            actual = log.snapshot(cutoff, horizon, max_steps=1).target
            train = training_data(log, cutoff, config, NoProgress())
            model = (
                MODELS[OF_TOTALS]
                .fit(FitTask(train, config, root / "runs" / f"{name}-{cutoff}", NoProgress(), "l"))
                .model
            )
            frame = model.predict(snapshot).frame(snapshot.features.index, cutoff, horizon, OF_TOTALS)
            frames.append(frame.assign(actual=actual))
    finally:
        log.close()
    from clv_core.evaluation import levels as module

    rows, total = [], float(np.maximum(frames[1]["actual"], 0).sum())
    for scale in SCALES:
        module.USUAL_LEVEL_SPREAD = scale  # type: ignore[misc]
        shared = SharedError.of(frames[:1])
        if shared is None:
            continue
        everybody = np.arange(len(frames[1]))
        found = Summands.of(frames[1], shared).sums(everybody, np.zeros(len(everybody), np.int64), 1)
        low, high, value = float(found.low[0]), float(found.high[0]), float(found.value[0])
        rows.append(
            {
                "shop": seed,
                "level": level,
                "scale": scale,
                "predicted": value,
                "low": low,
                "high": high,
                "actual": total,
            }
        )
    return rows


def totals(root: Path, seeds: int, settings: dict[str, Any]) -> list[partial[list[dict[str, Any]]]]:
    """Return the work of small shops, one each."""
    return [partial(one_total, root, seed, settings) for seed in range(1, seeds + 1)]


PARTS: Final = {"public": public, "plans": plans, "levels": levels, "totals": totals}


def main() -> None:
    """Run the named parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--seeds", type=int, default=3, help="trainings an origin; of totals, shops")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    settings = {key: int(value) for key, value in (pair.split("=", 1) for pair in options.set)}
    with tempfile.TemporaryDirectory() as folder:
        root = options.workspace or Path(folder)
        for part in options.parts:
            started, rows = time.monotonic(), []
            with ProcessPoolExecutor(options.at_once) as pool:
                for done in as_completed([pool.submit(work) for work in PARTS[part](root, options.seeds, settings)]):
                    rows += done.result()
                    pd.DataFrame(rows).to_csv(RESULTS / f"one_law-{part}.csv", index=False, float_format="%.6g")
                    print(part, len(rows), f"{time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()

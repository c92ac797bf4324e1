"""Predictions at a cutoff are the same bits whether or not later events are in the file, by every model."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment.saved_scores import Scored, score
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

HORIZON_DAYS = 60
PLAN = SimulationPlan(500, 420, 2, HORIZON_DAYS)
ORIGIN = PLAN.cutoff - timedelta(days=75)
CONFIG = TrainConfig(
    horizon_days=HORIZON_DAYS,
    ensemble=1,
    steps=20,
    batch_size=128,
    cutoffs=3,
    max_windows=900,
    processes=1,
    device="cpu",
)


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workspace]:
    """Workspaces of one log: ``whole``, cut at the end of the origin's ``horizon``, and cut at the ``origin``."""
    root = tmp_path_factory.mktemp("later")
    source, _ = simulate("browsing", PLAN).write(root / "log")
    events = pd.read_csv(source, dtype=str, keep_default_na=False)
    ends = {"whole": PLAN.end, "horizon": ORIGIN + timedelta(days=HORIZON_DAYS), "origin": ORIGIN}
    found = {}
    for seed, (name, end) in enumerate(ends.items()):
        path = root / f"{name}.csv"
        part = events[events["event_time"] < end.isoformat()]
        assert len(part) < len(events) or name == "whole"
        part.sample(frac=1, random_state=seed).to_csv(path, index=False)
        found[name] = Workspace(root / name)
        ingest(found[name], path, "shop", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
    return found


@pytest.mark.slow
def test_backtest_at_an_origin_knows_nothing_after_its_horizon(workspaces: dict[str, Workspace]) -> None:
    """Nor does any prediction know what the horizon held: only what came true is read of it."""
    found = {
        name: backtest(
            workspaces[name],
            "shop",
            replace(CONFIG, cutoffs=12),
            BacktestPlan(MODEL_IDS, [ORIGIN]),
            progress=NoProgress(),
        ).predictions
        for name in ("whole", "horizon")
    }
    assert set(found["whole"]["model"]) == set(MODEL_IDS)
    pd.testing.assert_frame_equal(found["whole"], found["horizon"], check_exact=True)


@pytest.mark.examples(2)
@pytest.mark.parametrize("model", MODEL_IDS)
def test_score_as_of_a_cutoff_knows_nothing_after_it(workspaces: dict[str, Workspace], model: str) -> None:
    """Also where the model itself was trained on later events."""
    config = replace(CONFIG, model=model, cutoffs=2)
    bundle = pipeline.train(workspaces["whole"], "shop", config, progress=NoProgress())
    other = workspaces["origin"]
    (other.models / bundle.id).symlink_to(bundle.folder)
    scores = [
        score(Scored.open(work, "shop", bundle.id, cutoff=ORIGIN), progress=NoProgress())
        for work in (workspaces["whole"], other)
    ]
    assert len(scores[0]) > 200
    pd.testing.assert_frame_equal(scores[0], scores[1], check_exact=True)

"""Models see which category it was, and not only how many: the appeal of a first gift decides who gives again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from clv_core.config import TrainConfig
from clv_core.evaluation.metrics import METRICS
from clv_core.features.duckdb_engine import Engine
from clv_core.features.log import EventLog
from clv_core.features.season import complete_snapshot
from clv_core.jobs import NoProgress
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from tests.bench.which import DAYS, FIRST, HORIZON_DAYS, SHARE_BACK, donations
from tests.features.conftest import canonical

CUTOFF, END = FIRST + timedelta(days=DAYS - HORIZON_DAYS), FIRST + timedelta(days=DAYS)


@pytest.mark.examples(1)
@pytest.mark.parametrize("model", ["lightgbm", "mlp"])
def test_of_those_who_gave_once_a_model_knows_who_gives_again(tmp_path: Path, model: str) -> None:
    gifts, appeal = donations(1, 2000)
    canonical(gifts.assign(event_type="purchase")).to_parquet(tmp_path / "events.parquet", index=False)
    engine = Engine(memory_limit_mb=512)
    events = engine.connection.read_parquet(tmp_path / "events.parquet")
    log = replace(EventLog.from_table(events, engine.connection), end=END)
    config = TrainConfig(horizon_days=HORIZON_DAYS, model=model, ensemble=1, steps=150, processes=1, device="cpu")
    snapshot, train = complete_snapshot(log, CUTOFF, config), training_data(log, CUTOFF, config, NoProgress())
    log.close()
    once = snapshot.take(np.flatnonzero((snapshot.features["purchase_days"] == 1).to_numpy()))
    fitted = MODELS[model].fit(FitTask(train, config, tmp_path / "run", NoProgress(), "training")).model
    ranked, target = fitted.predict(once), once.target
    back = appeal[once.features.index].map(SHARE_BACK).to_numpy(np.float64)
    assert target is not None and len(once) > 900 and (target > 0).sum() > 30
    gini = METRICS["gini"].value
    assert gini(target, ranked) > 0.8 * gini(target, replace(ranked, predicted_clv=back))
    silent = once.features.assign(top_category=None, last_category=None)  # the same givers, their appeal unknown
    assert gini(target, fitted.predict(replace(once, table=silent))) < gini(target, ranked) - 0.1

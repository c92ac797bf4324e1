"""How fast the pre-trained network learns from a log depends on how much there is to learn from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import training_data
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.training.instant import LEARNING_RATE, LEARNING_RATE_SMALL, Tuning
from clv_core.workspace import Workspace


@pytest.mark.slow
def test_a_log_of_few_buying_windows_is_learned_slowly_however_many_customers_it_has(
    cdnow_file: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    ingest(workspace, cdnow_file, "cdnow", duplicates="keep", progress=NoProgress())
    log = open_log(open_dataset(workspace, "cdnow"))
    config = TrainConfig(horizon_days=91, cutoffs=5, partial_windows=False)
    whole = training_data(log, date(1997, 12, 31), config, NoProgress())
    assert whole.target is not None
    few = whole.take(np.arange(0, len(whole), 9))
    assert few.features.index.nunique() > 1000
    rates = [Tuning(one, config).config.learning_rate for one in (whole, few)]
    assert rates == [LEARNING_RATE, LEARNING_RATE_SMALL]
    log.close()

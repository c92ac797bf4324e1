"""What truly moves value in a simulated shop: an outside reference for the order of the reasons.

Boosting learns the simulator's own expectation of each customer, which no model of the app ever sees, from the feature
table; TreeSHAP says what it is made of, summed over the features of each part.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from clv_core.collection.store.version_store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain.parts import PARTS
from clv_core.features.log import open_log

HELD_OUT = 0.3


def true_strengths(dataset: Dataset, truth: Path, horizon_days: int) -> pd.Series:
    """Return the mean absolute effect of each part on the true expectation, the strongest first.

    Args:
        dataset: of the simulated log.
        truth: the simulation's ``truth.csv``, as of ``horizon_days`` before the log's end.
        horizon_days: span of the truth.
    """
    log = open_log(dataset)
    try:
        features = log.snapshot(log.end - timedelta(days=horizon_days), horizon_days).features.select_dtypes("number")
    finally:
        log.close()
    known = pd.read_csv(truth, dtype={CUSTOMER_ID: str}).set_index(CUSTOMER_ID)["expected_value"]
    expected = known.loc[features.index].to_numpy()
    held_out = np.random.default_rng(1).random(len(expected)) < HELD_OUT
    model = lightgbm.LGBMRegressor(
        n_estimators=400, learning_rate=0.04, num_leaves=31, min_child_samples=40, verbose=-1, random_state=1
    )
    model.fit(features[~held_out], expected[~held_out])
    effects = pd.DataFrame(model.predict(features[held_out], pred_contrib=True)[:, :-1], columns=features.columns)
    strengths = {
        part.id: effects[effects.columns.intersection(part.features)].sum(axis=1).abs().mean() for part in PARTS
    }
    return pd.Series(strengths).sort_values(ascending=False)

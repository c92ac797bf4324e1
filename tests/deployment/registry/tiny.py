"""Real bundles that are made in a millisecond: the spend-rate baseline with made-up numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from clv_core.deployment.bundle import Bundle, save_bundle
from clv_core.deployment.model_record import ModelRecord
from clv_core.model.baselines import FREQUENCY_EDGES, NaiveModel
from clv_core.model.earlier_quantiles import LEVELS
from clv_core.training.fit import Fitted
from clv_core.workspace import Workspace
from tests.records import HORIZON, values

START = datetime(2026, 1, 1, tzinfo=UTC)


def model(seed: int) -> NaiveModel:
    """Return a model whose numbers follow the seed."""
    random = np.random.default_rng(seed)
    tensors = {
        "edges": np.sort(random.random(9)),
        "ratios": np.sort(random.random((10, len(LEVELS)))),
        "zero": np.zeros(len(LEVELS)),
        "shares": random.random(len(FREQUENCY_EDGES) + 1),
    }
    state = {"horizon_days_": HORIZON, "largest_": 500.0, "never_value_": 1.5, "never_share_": 0.1}
    return NaiveModel.from_state(tensors, state)


def record(seed: int, name: str = "shop", **changed: Any) -> dict[str, Any]:
    """Return the JSON of the record of a training that was not measured."""
    created = (START + timedelta(minutes=seed)).isoformat(timespec="seconds")
    return values(dataset={"name": name, "version": "0123456789ab"}, created=created) | changed


def holdout() -> pd.DataFrame:
    """Return predictions of two customers with what came true."""
    numbers = {"horizon_days": HORIZON, "p_purchase": 0.5, "predicted_clv": 5.0, "clv_p10": 0.0, "clv_p50": 1.0}
    numbers |= {"clv_p90": 9.0, "actual": 4.0}
    text = {"as_of": "2025-10-02", "model": "naive", "origin": "2025-10-02"}
    return pd.DataFrame({"customer_id": ["customer-7", "customer-8"], **numbers, **text})


def save(
    workspace: Workspace, seed: int, name: str = "shop", *, held: bool | pd.DataFrame = False, **changed: Any
) -> Bundle:
    """Save a bundle that nobody registered yet."""
    fitted = Fitted(model(seed), [{"seed": 1.0, "loss": 0.5}])
    frame = held if isinstance(held, pd.DataFrame) else holdout() if held else None
    about = ModelRecord.from_json(record(seed, name, **changed))
    return save_bundle(workspace, f"{name}-naive-20251231", fitted, about, frame)

"""Explanations on disk: ``shap.parquet``, ``readings.parquet`` and ``explanation.json`` in one folder.

shap.parquet         customer_id, predicted_clv, one column a part (currency)
readings.parquet     customer_id, one column a part: what stands for it, in its own unit
explanation.json     base, parts, representatives, importance, and what the numbers mean
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain import Explanation
from clv_core.workspace import atomic_path, read_json, write_json

SHAP: Final = "shap.parquet"
READINGS: Final = "readings.parquet"
RECORD: Final = "explanation.json"
VALUE: Final = "predicted_clv"


def save_explanation(explanation: Explanation, folder: Path, about: dict[str, Any]) -> Path:
    """Write an explanation; an older one in the same folder is replaced, other files there stay.

    The record is written last: where it is, the tables are whole.

    Args:
        explanation: what to keep.
        folder: where; made, with its parents.
        about: what the numbers mean, kept under ``about``: dataset, model, cutoff, horizon, currency and the like.

    Returns:
        ``folder``.
    """
    ids = pd.DataFrame({CUSTOMER_ID: list(explanation.customer_ids)}, dtype="str")
    values = pd.DataFrame(explanation.values, columns=list(explanation.parts))
    tables = {
        SHAP: pd.concat([ids.assign(**{VALUE: explanation.predicted}), values], axis=1),
        READINGS: pd.concat([ids, explanation.readings.reset_index(drop=True)], axis=1),
    }
    (folder / RECORD).unlink(missing_ok=True)
    for name, frame in tables.items():
        with atomic_path(folder / name) as temporary:
            frame.to_parquet(temporary, index=False)
    record = {
        "about": about,
        "base": explanation.base,
        "residual": explanation.residual,
        "parts": list(explanation.parts),
        "representatives": list(explanation.representatives),
        "importance": explanation.importance().to_dict("records"),
    }
    write_json(folder / RECORD, record)
    return folder


def load_explanation(folder: Path) -> tuple[Explanation, dict[str, Any]] | None:
    """Return the explanation in ``folder`` and its ``about``, or None where there is none."""
    if not (folder / RECORD).is_file():
        return None
    record = read_json(folder / RECORD)
    parts = list(record["parts"])
    shap = pd.read_parquet(folder / SHAP)
    explanation = Explanation(
        customer_ids=tuple(shap[CUSTOMER_ID].astype("str")),
        parts=tuple(parts),
        base=float(record["base"]),
        values=shap[parts].to_numpy(np.float64),
        predicted=shap[VALUE].to_numpy(np.float64),
        representatives=tuple(record["representatives"]),
        readings=pd.read_parquet(folder / READINGS)[parts],
    )
    return explanation, record["about"]


def waterfall_json(explanation: Explanation, customer_id: str) -> dict[str, Any]:
    """Return one customer's way from the base to the prediction, ready for JSON; unknown readings are null."""
    rows = explanation.waterfall(customer_id).to_dict("records")
    for row in rows:
        row["reading"] = _plain(row["reading"])
    predicted = float(explanation.predicted[explanation.customer_ids.index(customer_id)])
    return {CUSTOMER_ID: customer_id, "base": explanation.base, VALUE: predicted, "steps": rows}


def _plain(reading: Any) -> float | str | None:
    if isinstance(reading, str):
        return reading
    if reading is None or reading is pd.NA or not math.isfinite(float(reading)):
        return None
    return float(reading)

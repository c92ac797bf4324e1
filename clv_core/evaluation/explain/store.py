"""Explanations on disk: one table of effects an answer, the readings, and a record, in one folder.

shap.parquet                  customer_id, predicted_clv, one column a part (currency)
shap_p_purchase.parquet       the same for the chance to buy
shap_value_if_bought.parquet  the same for the value of those who do (currency)
readings.parquet              customer_id, one column a part: what stands for it, in its own unit
explanation.json              bases, parts, representatives, importance, checks, and what the numbers mean
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain.answers import VALUE
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.workspace import atomic_path, read_json, write_json

READINGS: Final = "readings.parquet"
RECORD: Final = "explanation.json"
FORMAT: Final = 3
"""Grows when older folders no longer hold all that is asked of them; those are made again."""


def table_name(answer: str) -> str:
    """Return the name of the table of an answer's effects."""
    return "shap.parquet" if answer == VALUE else f"shap_{answer}.parquet"


def save_explanation(
    answers: Mapping[str, Explanation], folder: Path, about: dict[str, Any], **more: dict[str, Any]
) -> Path:
    """Write explanations of the same customers; older ones in the same folder are replaced, other files there stay.

    The record is written last: where it is, the tables are whole.

    Args:
        answers: what to keep, by answer; predicted_clv is among them.
        folder: where; made, with its parents.
        about: what the numbers mean, kept under ``about``: dataset, model, cutoff, horizon, currency and the like.
        more: kept in the record beside it: checks and the like.

    Returns:
        ``folder``.
    """
    value = answers[VALUE]
    ids = pd.DataFrame({CUSTOMER_ID: list(value.customer_ids)}, dtype="str")
    tables = {READINGS: pd.concat([ids, value.readings.reset_index(drop=True)], axis=1)}
    for answer, one in answers.items():
        effects = pd.DataFrame(one.values, columns=list(one.parts))
        tables[table_name(answer)] = pd.concat([ids.assign(**{answer: one.predicted}), effects], axis=1)
    (folder / RECORD).unlink(missing_ok=True)
    for name, frame in tables.items():
        with atomic_path(folder / name) as temporary:
            frame.to_parquet(temporary, index=False)
    record = {
        "format": FORMAT,
        "about": about,
        "base": value.base,
        "residual": value.residual,
        "parts": list(value.parts),
        "representatives": list(value.representatives),
        "importance": value.importance().to_dict("records"),
        "bases": {answer: one.base for answer, one in answers.items()},
        **more,
    }
    write_json(folder / RECORD, record)
    return folder


def load_record(folder: Path) -> dict[str, Any] | None:
    """Return the record in ``folder``, or None where there is none that this version can use."""
    if not (folder / RECORD).is_file():
        return None
    record: dict[str, Any] = read_json(folder / RECORD)
    return record if record.get("format") == FORMAT else None


def load_explanation(folder: Path, answer: str = VALUE) -> tuple[Explanation, dict[str, Any]] | None:
    """Return the explanation of an answer in ``folder`` and its ``about``, or None where there is none."""
    record = load_record(folder)
    if record is None:
        return None
    parts = list(record["parts"])
    shap = pd.read_parquet(folder / table_name(answer))
    explanation = Explanation(
        customer_ids=tuple(shap[CUSTOMER_ID].astype("str")),
        parts=tuple(parts),
        base=float(record["bases"][answer]),
        values=shap[parts].to_numpy(np.float64),
        predicted=shap[answer].to_numpy(np.float64),
        representatives=tuple(record["representatives"]),
        readings=pd.read_parquet(folder / READINGS)[parts],
        answer=answer,
    )
    return explanation, record["about"]


def waterfall_json(explanation: Explanation, customer_id: str) -> dict[str, Any]:
    """Return one customer's way from the base to the prediction, ready for JSON; unknown readings are null."""
    rows = explanation.waterfall(customer_id).to_dict("records")
    for row in rows:
        row["reading"] = _plain(row["reading"])
    said = {"base": explanation.base, VALUE: explanation.predicted_of(customer_id)}
    return {CUSTOMER_ID: customer_id, **said, "steps": rows}


def _plain(reading: Any) -> float | str | None:
    if isinstance(reading, str):
        return reading
    if reading is None or reading is pd.NA or not math.isfinite(float(reading)):
        return None
    return float(reading)

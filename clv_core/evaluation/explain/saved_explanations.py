"""Explanations on disk, with the customers that what-if questions can change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain.explanation import VALUE, Explanation
from clv_core.features import STEP_CODES, STEP_VALUES, Anchor, LastYear, SignalColumn, Snapshot, Steps, Windows
from clv_core.features.context import Context, LazyContext
from clv_core.records import JsonObject
from clv_core.workspace import atomic_path, read_json, write_json

READINGS: Final = "readings.parquet"
RECORD: Final = "explanation.json"
FORMAT: Final = 3
"""Grows when older folders lack something that pages read; those are made again."""


def table_name(answer: str) -> str:
    """Return the name of the table of an answer's effects."""
    return "shap.parquet" if answer == VALUE else f"shap_{answer}.parquet"


def save_explanation(answers: Mapping[str, Explanation], folder: Path, about: JsonObject, **more: JsonObject) -> Path:
    """Write explanations of the same customers; older ones in the same folder are replaced, other files there stay.

    The record is written last: where it is, the tables are complete.

    Args:
        answers: what to keep, by answer; predicted_clv is among them.
        folder: where; made, with its parents.
        about: what the numbers mean, kept under ``about``: dataset, model, cutoff, horizon, currency and the like.
        more: further keys of the record: checks and the like.

    Returns:
        ``folder``.
    """
    value = answers[VALUE]
    ids = pd.DataFrame({CUSTOMER_ID: list(value.customer_ids)}, dtype="str")
    tables = {READINGS: pd.concat([ids, value.readings.reset_index(drop=True)], axis=1)}
    for answer, explanation in answers.items():
        effects = pd.DataFrame(explanation.values, columns=list(explanation.parts))
        tables[table_name(answer)] = pd.concat([ids.assign(**{answer: explanation.predicted}), effects], axis=1)
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
        "bases": {answer: explanation.base for answer, explanation in answers.items()},
        **more,
    }
    write_json(folder / RECORD, record)
    return folder


def load_record(folder: Path) -> JsonObject | None:
    """Return the record in ``folder``, or None where there is none that this version can use."""
    if not (folder / RECORD).is_file():
        return None
    record: JsonObject = read_json(folder / RECORD)
    return record if record.get("format") == FORMAT else None


def load_explanation(folder: Path, answer: str = VALUE) -> tuple[Explanation, JsonObject] | None:
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


def waterfall_json(explanation: Explanation, customer_id: str) -> JsonObject:
    """Return one customer's way from the base to the prediction, ready for JSON; unknown readings are null."""
    rows = explanation.waterfall(customer_id).to_dict("records")
    for row in rows:
        row["reading"] = _plain(row["reading"])
    totals = {"base": explanation.base, VALUE: explanation.predicted_of(customer_id)}
    return {CUSTOMER_ID: customer_id, **totals, "steps": rows}


def _plain(reading: Any) -> float | str | None:
    if isinstance(reading, str):
        return reading
    if reading is None or reading is pd.NA or not math.isfinite(float(reading)):
        return None
    return float(reading)


FEATURES: Final = "pool.parquet"
STEPS: Final = "pool_steps.parquet"
ABOUT: Final = "pool.json"
START, STOP, FIRST = "window:start", "window:stop", "window:first"


def pool_of(snapshot: Snapshot, rows: NDArray[np.int64]) -> Snapshot:
    """Return the snapshot of some customers with no more steps than theirs.

    Args:
        snapshot: customers at one cutoff.
        rows: positions, each once.
    """
    taken = snapshot.take(rows)
    windows, steps = taken.windows, taken.windows.steps
    first = windows.first
    counts = windows.stop - first
    begin = np.cumsum(counts) - counts
    at = np.arange(counts.sum()) - np.repeat(begin - first, counts)
    selected_steps = steps.select(at, taken.features.index.to_numpy(object), counts)
    moved = Windows(selected_steps, begin + (windows.start - first), begin + counts, windows.cutoff_day)
    return replace(taken, windows=moved, target=None)


def save_pool(pool: Snapshot, folder: Path) -> None:
    """Write a pool; contexts are kept where a model has read them.

    Args:
        pool: of :func:`pool_of`.
        folder: where; made, with its parents.
    """
    windows, steps = pool.windows, pool.windows.steps
    places = {START: windows.start, STOP: windows.stop, FIRST: steps.offsets[:-1]}
    rows = pool.features.rename_axis("customer_id").assign(**places).reset_index()
    columns: JsonObject = {"day": steps.day, "gap_days": steps.gap_days}
    columns |= dict(zip(STEP_VALUES, steps.values.T, strict=True)) | dict(zip(STEP_CODES, steps.codes.T, strict=True))
    for name, frame in ((FEATURES, rows), (STEPS, pd.DataFrame(columns))):
        with atomic_path(folder / name) as temporary:
            frame.to_parquet(temporary, index=False)
    about = {
        "cutoff_day": int(windows.cutoff_day[0]),
        "horizon_days": pool.horizon_days,
        "last_year": pool.last_year.to_json(),
        "anchors": {str(day): anchor.to_json() for day, anchor in pool.anchors.items()},
        "contexts": {str(day): lazy.context.to_json() for day, lazy in pool.contexts.items() if lazy.is_built},
        "vocabularies": [list(texts) for texts in steps.vocabularies],
        "signals": {name: asdict(column) for name, column in pool.signals.items()},
    }
    write_json(folder / ABOUT, about)


def load_pool(folder: Path) -> Snapshot:
    """Return the pool that :func:`save_pool` wrote."""
    about, rows, table = read_json(folder / ABOUT), pd.read_parquet(folder / FEATURES), pd.read_parquet(folder / STEPS)
    features = rows.set_index("customer_id")
    start, stop, first = (features.pop(name).to_numpy(np.int64, copy=True) for name in (START, STOP, FIRST))
    steps = Steps(
        customer_ids=features.index.to_numpy(object),
        offsets=np.append(first, len(table)),
        day=table["day"].to_numpy(np.int32, copy=True),
        gap_days=table["gap_days"].to_numpy(np.float32, copy=True),
        values=table[list(STEP_VALUES)].to_numpy(np.float32, copy=True),
        codes=table[list(STEP_CODES)].to_numpy(np.int32, copy=True),
        vocabularies=tuple(tuple(texts) for texts in about["vocabularies"]),
    )
    horizon, cutoff = int(about["horizon_days"]), int(about["cutoff_day"])
    return Snapshot(
        table=features,
        windows=Windows(steps, start, stop, np.full(len(features), cutoff, np.int32)),
        horizon_days=horizon,
        target=None,
        anchors={int(day): Anchor.from_json(saved) for day, saved in about["anchors"].items()},
        last_year=LastYear.from_json({"residual": about.get("last_year_residual"), **about.get("last_year", {})}),
        signals={name: SignalColumn(**column) for name, column in about["signals"].items()},
        contexts={
            int(day): LazyContext(lambda: steps, int(day), horizon, Context.from_json(saved))
            for day, saved in about["contexts"].items()
        },
    )

"""Some customers of a snapshot on disk, with all that is needed to predict them and mixtures of them.

pool.parquet          one row a customer: her features, and her window's ``start`` and ``stop``
pool_steps.parquet    their steps, whole pasts, in order
pool.json             cutoff, horizon, anchors, contexts, vocabularies, signals
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.btyd import Anchor
from clv_core.features.context.context import Context, LazyContext
from clv_core.features.last_year import LastYear
from clv_core.features.sequences import STEP_CODES, STEP_VALUES, Steps, Windows
from clv_core.features.signals import SignalColumn
from clv_core.features.snapshot import Snapshot
from clv_core.workspace import atomic_path, read_json, write_json

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
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    at = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - first, counts)
    own = Steps(
        customer_ids=taken.features.index.to_numpy(object),
        offsets=offsets,
        day=steps.day[at],
        gap_days=steps.gap_days[at],
        values=steps.values[at],
        codes=steps.codes[at],
        vocabularies=steps.vocabularies,
    )
    moved = Windows(own, offsets[:-1] + (windows.start - first), offsets[1:], windows.cutoff_day)
    return Snapshot(
        table=taken.features,
        windows=moved,
        horizon_days=taken.horizon_days,
        target=None,
        anchors=taken.anchors,
        last_year=taken.last_year,
        signals=taken.signals,
        contexts=taken.contexts,
    )


def save_pool(pool: Snapshot, folder: Path) -> None:
    """Write a pool; contexts are kept where a model has asked for them.

    Args:
        pool: of :func:`pool_of`.
        folder: where; made, with its parents.
    """
    windows, steps = pool.windows, pool.windows.steps
    places = {START: windows.start, STOP: windows.stop, FIRST: steps.offsets[:-1]}
    rows = pool.features.rename_axis("customer_id").assign(**places).reset_index()
    columns: dict[str, Any] = {"day": steps.day, "gap_days": steps.gap_days}
    columns |= dict(zip(STEP_VALUES, steps.values.T, strict=True)) | dict(zip(STEP_CODES, steps.codes.T, strict=True))
    for name, frame in ((FEATURES, rows), (STEPS, pd.DataFrame(columns))):
        with atomic_path(folder / name) as temporary:
            frame.to_parquet(temporary, index=False)
    about = {
        "cutoff_day": int(windows.cutoff_day[0]),
        "horizon_days": pool.horizon_days,
        "last_year": pool.last_year.to_json(),
        "anchors": {str(day): anchor.to_json() for day, anchor in pool.anchors.items()},
        "contexts": {str(day): one.known.to_json() for day, one in pool.contexts.items() if one.asked},
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
        anchors={int(day): Anchor.from_json(one) for day, one in about["anchors"].items()},
        last_year=LastYear.from_json({"residual": about.get("last_year_residual"), **about.get("last_year", {})}),
        signals={name: SignalColumn(**column) for name, column in about["signals"].items()},
        contexts={
            int(day): LazyContext(lambda: steps, int(day), horizon, Context.from_json(one))
            for day, one in about["contexts"].items()
        },
    )

"""Measured responses on disk: made once by a run, read by the page.

pricing/<model>-<version>/  responses.json  table, left_out, spend, tiers, together: .parquet
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.strategy.pricing.price_responses import Responses
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

RECORD: Final = "responses.json"
FRAMES: Final = ("table", "left_out", "spend", "tiers", "together")


def responses_folder(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> Path:
    """Return where the responses in a dataset, by the tiers of a model as of the log's end, are kept."""
    return workspace.place("pricing") / f"{bundle.id}-{dataset.version}"


def store_responses(found: Responses, folder: Path, about: dict[str, Any]) -> None:
    """Write responses; the record goes last, so that a folder with one is whole."""
    (folder / RECORD).unlink(missing_ok=True)
    for name in FRAMES:
        with atomic_path(folder / f"{name}.parquet") as temporary:
            getattr(found, name).to_parquet(temporary, index=False)
    write_json(folder / RECORD, {**about, "cutoff": found.cutoff.isoformat(), "period_days": found.period_days})


def load_responses(folder: Path) -> Responses | None:
    """Return the responses in a folder, or None where there are none, or none that know today's discounts."""
    if not (folder / RECORD).is_file():
        return None
    record = read_json(folder / RECORD)
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    if "depth" not in frames["spend"]:
        return None
    return Responses(**frames, period_days=record["period_days"], cutoff=date.fromisoformat(record["cutoff"]))

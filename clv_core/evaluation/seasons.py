"""Metrics by season of the predicted span.

Which season a customer was acquired in is a slice (:mod:`clv_core.evaluation.slices`). The season of the horizon is the
same for all customers of an origin, so it can only be compared across origins; one that stands for a single origin
cannot be told from the year in which it fell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.slices import QUARTERS, SHOWN
from clv_core.i18n import DEFAULT_LANGUAGE, translate

COLUMNS: Final = ("season", "origins", "model", "customers", "buyers", "metric", "value")
SMALLEST_SHARE: Final = 0.2
"""A quarter that holds less of the horizon than this does not name its season."""


def season_of(origin: date, horizon_days: int) -> tuple[int, ...]:
    """Return the calendar quarters (1 to 4) that the horizon after ``origin`` lies in, in the order of time.

    Those that hold less than a fifth of its days are left out; a horizon that needs all four is a whole year.
    """
    days = [origin + timedelta(days=number) for number in range(horizon_days)]
    quarters = np.array([(day.month + 2) // 3 for day in days])
    held = {int(quarter): float((quarters == quarter).mean()) for quarter in dict.fromkeys(quarters)}
    chosen = tuple(quarter for quarter, share in held.items() if share >= SMALLEST_SHARE)
    return QUARTERS if len(chosen) == len(QUARTERS) else chosen


def season_id(quarters: Sequence[int]) -> str:
    """Return the stable name of a season, such as ``q4_q1``."""
    return "_".join(f"q{quarter}" for quarter in quarters)


def season_label(season: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a season in words."""
    quarters = [int(part.removeprefix("q")) for part in season.split("_")]
    key = "season.year" if len(quarters) == len(QUARTERS) else "season.one" if len(quarters) == 1 else "season.several"
    return translate(key, language, first=quarters[0], last=quarters[-1])


def season_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of every season and model, averaged over the origins whose horizon lies in the season.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, told apart by ``model``.

    Returns:
        Columns :data:`COLUMNS`, seasons in the order of their first origin; ``customers`` and ``buyers`` are summed
        over origins, the bias keeps its sign, and a figure that does not exist has no row.
    """
    rows = []
    for (origin, model), frame in predictions.groupby(["origin", "model"], sort=True):
        season = season_id(season_of(date.fromisoformat(str(origin)), int(frame["horizon_days"].iloc[0])))
        size = (season, model, origin, len(frame), int((frame["actual"] > 0).sum()))
        rows += [(*size, name, METRICS[name].value(frame["actual"], frame)) for name in SHOWN]
    columns = ["season", "model", "origins", "customers", "buyers", "metric", "value"]
    found = pd.DataFrame(rows, columns=columns).dropna(subset="value")
    table = found.groupby(["season", "model", "metric"], sort=False).agg(
        origins=("origins", "nunique"),
        customers=("customers", "sum"),
        buyers=("buyers", "sum"),
        value=("value", "mean"),
    )
    return table.reset_index()[list(COLUMNS)]

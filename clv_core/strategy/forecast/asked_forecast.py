"""A forecast as commands, Python and services ask for it: so far ahead, by such periods, with so many new customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import pandas as pd

from clv_core.deployment import Scored
from clv_core.errors import Message, NotFound, UsageError
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.forecast.saved_forecast import (
    find_forecast,
    forecast,
    forecast_json,
    forecast_notes,
    forecast_table,
)
from clv_core.strategy.forecast.shop_forecast import LONGEST, UNITS, WEEKS, Forecast

EXPECTED: Final = ("forecast.assumed.season", "forecast.assumed.no_season")
"""Notes on how many new customers are expected; they are void where a share says how many come."""


@dataclass(frozen=True)
class AskedForecast:
    """A forecast as it was asked for.

    Args:
        made: the forecast.
        unit: of its periods.
        days: how far ahead; None is the model's horizon.
        notes: what is to be known of it.
    """

    made: Forecast
    unit: str
    days: int | None
    notes: Sequence[Message]

    def table(self) -> pd.DataFrame:
        """Return one row a period (:func:`~clv_core.strategy.forecast.saved_forecast.forecast_table`)."""
        return forecast_table(self.made, self.unit, self.days)

    def to_json(self) -> JsonObject:
        """Return sum, periods, tests and notes (:func:`~clv_core.strategy.forecast.saved_forecast.forecast_json`)."""
        notes = [{"code": note.code, "params": note.params} for note in self.notes]
        return {**forecast_json(self.made, self.unit, self.days), "notes": notes}


def ask_forecast(
    scored: Scored,
    progress: Progress,
    *,
    days: int | None = None,
    unit: str = WEEKS,
    new_customers: float | None = None,
) -> AskedForecast:
    """Return the forecast that is asked for, from the saved one or one that is made and saved.

    Args:
        scored: the log and the model.
        progress: listener.
        days: how far ahead; None is the model's horizon.
        unit: one of :data:`~clv_core.strategy.forecast.shop_forecast.UNITS`.
        new_customers: as many as in the last four weeks, times this share, are expected; None: the log's own trend.

    Raises:
        UsageError: there is no such unit, the share is none, or a forecast does not go so far.
    """
    _check(scored, days, unit, new_customers)
    return _asked(forecast(scored, progress), days, unit, new_customers)


def find_asked_forecast(
    scored: Scored, *, days: int | None = None, unit: str = WEEKS, new_customers: float | None = None
) -> AskedForecast:
    """Return the forecast that is asked for, from the saved one; nothing is made. Arguments: :func:`ask_forecast`.

    Raises:
        NotFound: none is saved for the log's end.
        UsageError: as :func:`ask_forecast`.
    """
    _check(scored, days, unit, new_customers)
    made = find_forecast(scored)
    if made is None:
        raise NotFound("forecast_not_saved", dataset=scored.dataset.name, model=scored.model.id)
    return _asked(made, days, unit, new_customers)


def _check(scored: Scored, days: int | None, unit: str, new_customers: float | None) -> None:
    """Refuse a unit, a span or a share that no forecast has.

    Raises:
        UsageError: it has none such.
    """
    most = max(scored.trained_days, LONGEST)
    if unit not in UNITS:
        raise UsageError("forecast_unit", value=str(unit)[:60], known=list(UNITS))
    if days is not None and not 1 <= days <= most:
        raise UsageError("forecast_days", days=days, most=most)
    if new_customers is not None and not (isfinite(new_customers) and new_customers >= 0):
        raise UsageError("forecast_share", value=f"{new_customers:g}")


def _asked(made: Forecast, days: int | None, unit: str, new_customers: float | None) -> AskedForecast:
    """Return a forecast as it was asked for, with what is to be known of it."""
    if new_customers is None:
        return AskedForecast(made, unit, days, forecast_notes(made, days))
    made = made.with_arrivals(new_customers)
    assumed = Message("forecast.assumed.share", {"share": f"{new_customers:.0%}"})
    notes = [assumed if note.code in EXPECTED else note for note in forecast_notes(made, days)]
    return AskedForecast(made, unit, days, notes)

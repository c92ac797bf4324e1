"""The forecast of a scored dataset on disk: made once for a log's end, read by pages, reports and services.

A record has the sums and the tests on past dates, an archive of arrays beside it the days. Both name no customer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from clv_core.collection.store import MADE
from clv_core.deployment import ArtifactKind, Scored, Terms, origin_predictions, shared_error
from clv_core.errors import Message
from clv_core.evaluation import sum_errors
from clv_core.i18n import say_money
from clv_core.jobs import Progress, parts_of
from clv_core.records import JsonObject, StoredRecord
from clv_core.strategy.forecast.bridge import Expected
from clv_core.strategy.forecast.known_customers import Known
from clv_core.strategy.forecast.new_customers import DRAWS
from clv_core.strategy.forecast.shop_days import Floats, ShopDays
from clv_core.strategy.forecast.shop_forecast import (
    LONGEST,
    PARTS,
    UNITS,
    Forecast,
    PastForecast,
    make_forecast,
    past_forecasts,
)
from clv_core.strategy.segments.segment_figures import total
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

log = logging.getLogger(__name__)

ARRAYS: Final = ".safetensors"
SPANS: Final = ("known", "won", "arrivals", "last_weeks", "worth")
COURSES: Final = ("known", "won", "total")
SOON_DAYS: Final = 28
"""A forecast is compared with what came once so many days have passed: before that, it is mostly chance."""


@dataclass(frozen=True)
class ForecastRecord(StoredRecord):
    """What is stored of a forecast beside its days; money in the log's currency.

    Args:
        cutoff: ISO date.
        horizon_days: of the model.
        currency: of the log.
        by: what gives the total.
        buyers: how many of the customers known at the cutoff are expected to buy within the horizon.
        worth_error: relative standard error of the worth of new customers.
        has_season: whether a yearly season of arrivals is in it.
        ends: 80% range of the known customers' sum; empty where there is none.
        origins: past dates at which the model was tested when it was made.
        tests: forecasts as of past dates.
    """

    cutoff: str
    horizon_days: int
    currency: str
    by: str
    buyers: float
    worth_error: float
    has_season: bool
    ends: list[float]
    origins: list[str]
    tests: list[PastForecast]


def forecast(scored: Scored, progress: Progress) -> Forecast:
    """Return what the shop will take from the log's end on: saved, or made and saved.

    Terms other than the model's horizon do not count: revenue is neither discounted nor margin.

    Args:
        scored: the log and the model; its cutoff is the log's end.
        progress: listener.
    """
    saved = find_forecast(scored)
    return saved if saved is not None else _make(scored, progress)


def find_forecast(scored: Scored) -> Forecast | None:
    """Return the saved forecast; None without one that can be read and knows all past dates of the model's tests."""
    read = _read(forecast_path(scored))
    if read is None:
        return None
    record, stored = read
    if record.origins != sorted(origin_predictions(scored.workspace, scored.model)):
        return None
    spans = {name: stored[name] for name in SPANS}
    courses = {name: stored[f"draws_{name}"].astype(np.float64) for name in COURSES if f"draws_{name}" in stored}
    return Forecast(
        cutoff=date.fromisoformat(record.cutoff),
        horizon_days=record.horizon_days,
        currency=record.currency,
        by=record.by,
        **spans,
        worth_error=record.worth_error,
        draws=courses or None,
        tests=record.tests,
        has_season=record.has_season,
        ends=(record.ends[0], record.ends[1]) if record.ends else None,
    )


def _read(path: Path) -> tuple[ForecastRecord, dict[str, Floats]] | None:
    """Return a saved record and its days; None where one is missing or damaged, which is logged: it can be made again.

    Raises:
        Refused: a later version wrote it.
    """
    arrays = path.with_suffix(ARRAYS)
    if not path.is_file() or not arrays.is_file():
        return None
    try:
        record, stored = ForecastRecord.from_json(read_json(path)), load_file(arrays)
    except (SafetensorError, ValueError) as error:
        log.warning("a saved forecast is damaged: %s: %s", path.name, type(error).__name__)
        return None
    if lost := set(SPANS) - set(stored):
        log.warning("a saved forecast is damaged: %s lacks %s", arrays.name, ", ".join(sorted(lost)))
        return None
    return record, stored


def forecast_path(scored: Scored) -> Path:
    """Return the file of the record; the days lie beside it."""
    return scored.folder / f"{ArtifactKind.FORECAST}-{scored.dataset.log_end:%Y%m%d}.json"


def _make(scored: Scored, progress: Progress) -> Forecast:
    """Make a forecast and save it; the record is written last, so that a record has its days."""
    trained, horizon = scored.trained, scored.trained_days
    first, second, last = parts_of(progress, [4, 4, 1])
    scores = trained.scores(first)
    sums = {horizon: float(scores["predicted_clv"].sum())}
    if horizon < LONGEST:
        sums[LONGEST] = float(scored.at(Terms(LONGEST)).scores(second)["predicted_clv"].sum())
    last.report("forecasting", 0, 1)
    shared, worth = shared_error(scored.workspace, scored.model), None
    errors = None
    if shared is not None and sums[horizon] > 0:
        worth, errors = total(scores, shared), sum_errors(scores, shared, DRAWS)
    log = ShopDays.of(scored.dataset)
    predictions = origin_predictions(scored.workspace, scored.model)
    tests = past_forecasts(log, predictions, horizon)
    ends = (worth.low, worth.high) if worth is not None and worth.low is not None and worth.high is not None else None
    known = Known(scored.dataset.log_end, sums, errors)
    made = make_forecast(log, known, tests, scored.currency, ends)
    record = ForecastRecord(
        cutoff=made.cutoff.isoformat(),
        horizon_days=horizon,
        currency=made.currency,
        by=made.by,
        buyers=float(scores["p_purchase"].sum()),
        worth_error=made.worth_error,
        has_season=made.has_season,
        ends=list(ends or ()),
        origins=sorted(predictions),
        tests=tests,
    )
    arrays = {name: getattr(made, name) for name in SPANS}
    arrays |= {f"draws_{name}": course.astype(np.float32) for name, course in (made.draws or {}).items()}
    path = forecast_path(scored)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path.with_suffix(ARRAYS)) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)
    write_json(path, record.to_json())
    last.report("forecasting", 1, 1)
    return made


def last_expected(scored: Scored, today: date | None = None) -> Expected | None:
    """Return the last forecast that can be held against what came: of the model's saved ones, else its last test.

    Of saved ones it is the latest that at least :data:`SOON_DAYS` days, or its horizon, have passed of; where only a
    part has passed, the part.

    Args:
        scored: the log and the model.
        today: up to when is compared; None is the log's end.
    """
    end = today or scored.dataset.log_end
    soon = min(SOON_DAYS, scored.trained_days)
    for cutoff, path in reversed(_saved(scored.workspace, scored.model.id, scored.dataset.name)):
        passed = min((end - cutoff).days, scored.trained_days)
        read = _read(path) if passed >= soon else None
        if read is not None:
            record, stored = read
            known, won = stored["known"], stored["won"]
            share = float(known[:passed].sum() / known[: record.horizon_days].sum()) if known.any() else 1.0
            buyers = record.buyers * min(1.0, share)
            return Expected(cutoff, passed, float(known[:passed].sum()), buyers, float(won[:passed].sum()))
    made = find_forecast(scored)
    tests = [] if made is None else [test for test in made.tests if date.fromisoformat(test.cutoff) < end]
    if not tests:
        return None
    test = tests[-1]
    return Expected(date.fromisoformat(test.cutoff), test.days, test.known, test.buyers, test.won)


def _saved(workspace: Workspace, model_id: str, name: str) -> list[tuple[date, Path]]:
    """Return ``(cutoff, record)`` of a model's forecasts of any version of a dataset, the earliest first."""
    paths = workspace.place("datasets", name, MADE).glob(f"*/{model_id}/{ArtifactKind.FORECAST}-{'[0-9]' * 8}.json")
    return sorted((datetime.strptime(path.stem[-8:], "%Y%m%d").date(), path) for path in paths)


def forecast_table(made: Forecast, unit: str, days: int | None = None) -> pd.DataFrame:
    """Return a forecast as a table, one row a ``day``, ``week`` or ``month``: the fields of :class:`Sums`."""
    return pd.DataFrame([sums.to_json() for sums in made.by_period(unit, days)])


def forecast_json(made: Forecast, unit: str = UNITS[1], days: int | None = None) -> JsonObject:
    """Return a forecast as JSON: its sum, its periods, what gives the total, tests on past dates and notes.

    ``notes`` are messages with their ``code`` and ``params`` (:func:`forecast_notes`).
    """
    notes = [{"code": note.code, "params": note.params} for note in forecast_notes(made, days)]
    return {
        "cutoff": made.cutoff.isoformat(),
        "horizon_days": made.horizon_days,
        "currency": made.currency,
        "by": made.by,
        "sum": made.sums(days).to_json(),
        "unit": unit,
        "periods": [sums.to_json() for sums in made.by_period(unit, days)],
        "tests": [{**test.to_json(), "actual": test.actual, "wape": test.wape} for test in made.tests],
        "notes": notes,
    }


def forecast_notes(made: Forecast, days: int | None = None) -> list[Message]:
    """Return what is to be known of a forecast: how it was tested, what gives the total, what was assumed."""
    notes = [_tested(made)]
    if made.by != PARTS:
        notes.append(Message(f"forecast.by.{made.by}"))
    notes.append(Message("forecast.assumed.season" if made.has_season else "forecast.assumed.no_season"))
    if (days or 0) > made.horizon_days:
        notes.append(Message("forecast.assumed.beyond", {"days": made.horizon_days}))
    if made.draws is None:
        notes.append(Message("forecast.no_range"))
    return notes


def headline(made: Forecast, language: str) -> Message:
    """Return the sentence on whose money is expected within the horizon; all doors say it in the same words.

    Args:
        made: the forecast.
        language: of its amounts.
    """
    sums, currency = made.sums(), made.currency

    def money(amount: float) -> str:
        return say_money(amount, currency, language)

    params = {"days": made.horizon_days, "known": money(sums.known), "total": money(sums.total)}
    if sums.low is None or sums.high is None:
        return Message("forecast.headline", params)
    return Message(
        "forecast.headline.ranged", params | {"low": say_money(sums.low, "", language), "high": money(sums.high)}
    )


def find_headline(scored: Scored, language: str) -> Message | None:
    """Return the headline of the saved forecast; None without one, or at terms that it does not know.

    Revenue is neither discounted nor margin, and its headline is about the horizon that the model was trained for.
    """
    made = find_forecast(scored) if scored.terms.plain(scored.trained_days) and not scored.terms.lifetime else None
    return None if made is None else headline(made, language)


def _tested(made: Forecast) -> Message:
    errors = [test.wape for test in made.tests if test.wape is not None]
    if not errors:
        return Message("forecast.untested", {"days": 2 * made.horizon_days + SOON_DAYS})
    ranged = [test.is_inside for test in made.tests if test.is_inside is not None]
    params: dict[str, Any] = {"dates": len(errors), "error": f"{float(np.mean(errors)):.0%}"}
    off = [abs(test.known + test.won - test.actual) / test.actual for test in made.tests if test.actual > 0]
    params |= {"off": f"{float(np.mean(off)):.0%}"}
    if not ranged:
        return Message("forecast.tested", params)
    return Message("forecast.tested.ranged", params | {"inside": sum(ranged), "ranged": len(ranged)})

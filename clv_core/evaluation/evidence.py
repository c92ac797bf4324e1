"""Collect the evidence for a trust verdict: the latest complete origin, the log, changes in it, and earlier origins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Self

import numpy as np
import pandas as pd
from annotated_types import Ge, Le
from numpy.typing import NDArray

from clv_core.columns import AMOUNT, PURCHASE
from clv_core.evaluation.bootstrap import RESAMPLES, Bootstrap, Estimate
from clv_core.evaluation.calibration import Groups, Intervals, groups_of, intervals_of
from clv_core.evaluation.change import Change, of_types
from clv_core.evaluation.metrics import METRICS
from clv_core.features import STEP_VALUES, EventLog, Snapshot, day_of, scoring_parts
from clv_core.records import Count, Currency, Day, HorizonDays, JsonRecord, Number, Share

AMOUNT_AT: Final = STEP_VALUES.index(AMOUNT)
LOYAL_ORDERS: Final = 3
"""As Klaviyo asks for some customers with three orders or more before it predicts."""
CUSTOMERS_AT_ONCE: Final = 100_000


@dataclass(frozen=True)
class LogFacts:
    """Sizes of a log up to its end.

    Args:
        days: from the first event to the end.
        customers: who was seen.
        buyers: how many of them ever bought.
        loyal: how many bought on :data:`LOYAL_ORDERS` days or more.
        quiet_days: from the last purchase to the end.
        top_share: of what was paid in all, what the customer paid who paid most; 0 where nothing was.
        usual_gap: half of the repeat purchases come within so many days of the one before; 0 where there is none.
        long_gap: nine in ten do.
    """

    days: Count
    customers: Count
    buyers: Count
    loyal: Count
    quiet_days: Count
    top_share: Share = 0.0
    usual_gap: Count = 0
    long_gap: Count = 0

    @classmethod
    def of(cls, log: EventLog) -> Self:
        """Return the facts of a log, some of its customers at a time."""
        orders, last = [], np.iinfo(np.int32).min
        days = (log.end - log.first_day).days
        gaps = np.zeros(days + 2, np.int64)
        most = total = 0.0
        for steps in log.steps_in_parts(CUSTOMERS_AT_ONCE):
            bought = of_types(steps, (PURCHASE,))
            before = np.concatenate([[0], np.cumsum(bought)])
            orders.append(before[steps.offsets[1:]] - before[steps.offsets[:-1]])
            amounts = np.where(bought, np.nan_to_num(steps.values[:, AMOUNT_AT].astype(np.float64)), 0.0)
            customer = np.repeat(np.arange(len(orders[-1])), np.diff(steps.offsets))
            customers = np.bincount(customer, amounts)
            gap = np.where(np.diff(customer[bought]) == 0, np.diff(steps.day[bought]), 0)
            gaps[: gap.max(initial=0) + 1] += np.bincount(gap) if len(gap) else 0
            total += float(amounts.sum())
            most = max(most, float(customers.max(initial=0.0)))
            last = max(last, int(steps.day.max(where=bought, initial=last)))
        counts = np.concatenate(orders)
        gaps[0] = 0  # orders of one day are one purchase
        usual, long = (
            int(np.searchsorted(np.cumsum(gaps), share * gaps.sum())) if gaps.any() else 0 for share in (0.5, 0.9)
        )
        return cls(
            days=days,
            customers=len(counts),
            buyers=int((counts > 0).sum()),
            loyal=int((counts >= LOYAL_ORDERS).sum()),
            quiet_days=day_of(log.end) - 1 - last if counts.any() else days,
            top_share=most / total if total > 0 else 0.0,
            usual_gap=usual,
            long_gap=long,
        )


REFERENCE: Final = "bgnbd"
LEVEL_TOLERANCE: Final = 0.25
"""Largest share by which a total may be off and still hold; a guess. It is 2.5 times what
totals usually move by (:data:`~clv_core.evaluation.levels.USUAL_LEVEL_SPREAD`)."""


@dataclass(frozen=True)
class Held:
    """How a model did at its latest complete origin.

    Args:
        origin: ISO date of the cutoff.
        customers: how many were predicted.
        buyers: how many of them were worth anything in the horizon.
        predicted_total: sum of predicted values, in the log's currency.
        actual_total: sum of net values.
        gini: normalized Gini with its interval; None where nobody bought or nobody differs.
        inside: share of outcomes inside the 80% intervals (:func:`share_inside`).
        over_reference: by how much the Gini is better than BG/NBD's; None for BG/NBD itself.
        intervals: how outcomes lie in the intervals; None where they were not looked at that closely.
        groups: how many bought, and what tenths brought; None likewise.
    """

    origin: Day
    customers: Count
    buyers: Count
    predicted_total: Number
    actual_total: Number
    gini: Estimate | None
    inside: Annotated[float, Ge(-1), Le(1)]
    over_reference: Estimate | None = None
    intervals: Intervals | None = None
    groups: Groups | None = None


@dataclass(frozen=True)
class HoldoutFacts:
    """Where a model was measured.

    Args:
        cutoff: first day that was held out.
        customers: how many were predicted.
        buyers: how many of them bought.
        train_windows: how many windows before it were learned from.
        networks: of the measured fit, where the model itself has more; 0 where it has not.
    """

    cutoff: date
    customers: Count
    buyers: Count
    train_windows: Count = 0
    networks: Count = 0


@dataclass(frozen=True)
class Rolling:
    """How a model did at several origins.

    Args:
        origins: how many.
        level_off: at how many the total was off by more than :data:`LEVEL_TOLERANCE`.
        below_reference: at how many BG/NBD had the better Gini.
        over_reference: by how much the Gini is better than BG/NBD's, averaged over origins; None for BG/NBD itself.
        overlap: share of the top decile that stays when the model is trained again; None for one training.
    """

    origins: Count
    level_off: Count
    below_reference: Count
    over_reference: Estimate | None = None
    overlap: Share | None = None

    @classmethod
    def of(cls, backtest: dict[str, Any], model: str) -> Self | None:
        """Return how ``model`` did in a backtest; None where it has fewer than two origins with a level.

        Args:
            backtest: what the command ``backtest`` wrote to ``backtest.json``.
            model: id of the model.
        """
        measured = [each for each in backtest["metrics"].values() if "bias" in each.get(model, {})]
        if len(measured) < 2:
            return None
        pairs = [(each[model].get("gini"), each.get(REFERENCE, {}).get("gini")) for each in measured]
        comparable = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
        over = [
            Estimate(**item["advantage"])
            for item in backtest["verdicts"]
            if (item["model"], item["other"], item["metric"]) == (model, REFERENCE, "gini")
        ]
        seeds = [
            item["overlap"]
            for item in backtest["stability"]
            if (item["model"], item["between"]) == (model, "seeds") and item["overlap"] is not None
        ]
        return cls(
            origins=len(measured),
            level_off=sum(abs(each[model]["bias"]) > LEVEL_TOLERANCE for each in measured),
            below_reference=sum(ours < theirs for ours, theirs in comparable if model != REFERENCE),
            over_reference=over[0] if over else None,
            overlap=float(seeds[0]) if seeds else None,
        )


@dataclass(frozen=True)
class Silence:
    """How much of the value that a model expects no past window vouches for.

    Args:
        days: longest time since a purchase after which a complete window shows what followed.
        share: of the expected value at the log's end that customers hold who have been silent for longer.
    """

    days: Count
    share: Share


def silence_of(model: object, log: EventLog, horizon_days: int, max_steps: int) -> Silence | None:
    """Return the silence of a trained model, some customers at a time; None of models that learn no windows.

    Args:
        model: any of ``MODELS``.
        log: what it learned from, up to its end.
        horizon_days: the trained horizon.
        max_steps: events of a customer that it reads.
    """
    from clv_core.model import CalibratedModel

    if not isinstance(model, CalibratedModel) or model.law is None or not math.isfinite(model.law.longest_silence):
        return None
    silent: list[NDArray[np.bool_]] = []

    def parts() -> Iterator[Snapshot]:
        for part in scoring_parts(log, log.end, horizon_days, max_steps=max_steps, customers_at_once=CUSTOMERS_AT_ONCE):
            silent.append(law.silent(part))
            yield part

    law = model.law
    values = np.concatenate([answer.predicted_clv for answer in model.predict_parts(parts())])
    total = float(values.sum())
    beyond = float(values[np.concatenate(silent)].sum())
    return Silence(int(law.longest_silence), beyond / total if total > 0 else 0.0)


@dataclass(frozen=True)
class Evidence(JsonRecord):
    """Everything that the verdict on a model is made from.

    Args:
        horizon_days: length of the predicted span.
        held: the latest complete origin; None where the log has none.
        log: sizes of the log; None where only predictions are at hand.
        change: how customers changed within the last horizon; None where they did not.
        rolling: earlier origins; None where no comparison was run.
        untrained: whether the model has never learned from this log.
        currency: of the totals; "" where the log's has no name.
        silence: how much of the expected value no window vouches for; None where it is not known.
    """

    horizon_days: HorizonDays
    held: Held | None = None
    log: LogFacts | None = None
    change: Change | None = None
    rolling: Rolling | None = None
    untrained: bool = False
    currency: Currency = ""
    silence: Silence | None = None


@dataclass(frozen=True)
class Figures:
    """How good a model is, as its record stores it.

    Args:
        metrics: its own; empty where it was not measured.
        baselines: theirs, by model.
        holdout: where they were measured.
        evidence: what the verdict is made from.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    holdout: HoldoutFacts | None
    evidence: Evidence


def gather(predictions: pd.DataFrame, model: str | None = None, *, resamples: int = RESAMPLES) -> Evidence:
    """Return the evidence that predictions give on a model at their latest origin.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, in column ``model``.
        model: the one to judge; None is the model of the first row.
        resamples: bootstrap resamples of customers.
    """
    name = str(predictions["model"].iloc[0]) if model is None else model
    origin = max(predictions.loc[predictions["model"] == name, "origin"].astype(str))
    latest = predictions[predictions["origin"].astype(str) == origin]
    ours = latest[latest["model"] == name]
    bootstrap = Bootstrap.of(latest[latest["model"].isin([name, REFERENCE])], ("gini",), resamples=resamples)
    has_gini = [(origin, each, "gini") in bootstrap.values for each in (name, REFERENCE)]
    holdout = Held(
        origin=origin,
        customers=len(ours),
        buyers=int((ours["actual"] > 0).sum()),
        predicted_total=float(ours["predicted_clv"].sum()),
        actual_total=float(ours["actual"].sum()),
        gini=bootstrap.estimate(origin, name, "gini") if has_gini[0] else None,
        inside=share_inside(ours),
        over_reference=bootstrap.advantage(name, REFERENCE, "gini") if all(has_gini) and name != REFERENCE else None,
        intervals=intervals_of(ours),
        groups=groups_of(ours),
    )
    return Evidence(int(ours["horizon_days"].iloc[0]), holdout)


def share_inside(predictions: pd.DataFrame) -> float:
    """Return the share of outcomes inside the 80% intervals, zeros by chance: .8 is right, whatever the share of zeros.

    The reverse does not hold: what is right by it may yet be wrong of buyers (:mod:`clv_core.evaluation.calibration`),
    because zeros fill the middle, and values that are all too high leave as many inside as they bring. Plain coverage
    shows even less where most buy nothing, for 0 lies inside nearly every interval. A customer who bought nothing lies
    evenly between 0 and 1 - p_purchase of the predicted distribution (randomised PIT), and only the part between .1 and
    .9 of it counts as inside.

    Args:
        predictions: ``score``'s columns and ``actual``, of one model at one origin.

    Source: Czado, Gneiting, Held (2009), Predictive model assessment for count data, Biometrics 65.
    """
    below = {name: METRICS[name].value(predictions["actual"], predictions) for name in ("pit10", "pit90")}
    return below["pit90"] - below["pit10"]

"""May this model be trusted? A verdict from its latest complete origin, with reasons in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from clv_core.errors import Message
from clv_core.evaluation.bootstrap import RESAMPLES, Bootstrap, Estimate

Kind = Literal["refuses", "cautions", "supports"]

FEWEST_BUYERS: Final = 100
FEW_BUYERS: Final = 300
LOWEST_GINI: Final = 0.1
TOO_GOOD_GINI: Final = 0.98
WORST_LEVEL: Final = 0.7
"""Largest believable |log(predicted total / actual total)|: a factor of 2."""
LEVEL_TOLERANCE: Final = 0.25
LOWEST_COVERAGE: Final = 0.7
HELD_COVERAGE: Final = (0.75, 0.9)
REFERENCE: Final = "bgnbd"

REASONS: Final[dict[str, Kind]] = {
    "no_total": "refuses",
    "too_few_buyers": "refuses",
    "ranking_near_chance": "refuses",
    "level_far_too_high": "refuses",
    "level_far_too_low": "refuses",
    "unvalidated": "cautions",
    "small_sample": "cautions",
    "ranking_below_bgnbd": "cautions",
    "ranking_too_good": "cautions",
    "level_too_high": "cautions",
    "level_too_low": "cautions",
    "intervals_too_narrow": "cautions",
    "ranking_holds": "supports",
    "ranking_beats_bgnbd": "supports",
    "ranking_ties_bgnbd": "supports",
    "level_holds": "supports",
    "intervals_hold": "supports",
}
"""Every reason and what it does to the verdict; its text is ``reason.<code>``. Codes never change."""


@dataclass(frozen=True)
class Trust:
    """The verdict and why.

    Args:
        verdict: ``trusted``, ``caution`` or ``not_trusted``.
        reasons: what refuses first, then what cautions, then what supports.
    """

    verdict: Literal["trusted", "caution", "not_trusted"]
    reasons: tuple[Message, ...]

    def to_json(self) -> dict[str, Any]:
        """Return ``{verdict, reasons}``, the reasons as ``{code, params}``."""
        return {"verdict": self.verdict, "reasons": [reason.coded() for reason in self.reasons]}


@dataclass(frozen=True)
class Evidence:
    """What is known of a model at its latest complete origin.

    Args:
        origin: ISO date of the cutoff.
        horizon_days: length of the predicted span.
        customers: how many were predicted.
        buyers: how many of them were worth anything in the horizon.
        predicted_total: sum of predicted values, in the log's currency.
        actual_total: sum of net values.
        gini: normalized Gini with its interval; None where nobody bought or nobody differs.
        coverage: share of customers inside their 80% interval.
        over_reference: by how much the Gini is better than BG/NBD's; None for BG/NBD itself.
    """

    origin: str
    horizon_days: int
    customers: int
    buyers: int
    predicted_total: float
    actual_total: float
    gini: Estimate | None
    coverage: float
    over_reference: Estimate | None = None


def judge(evidence: Evidence) -> Trust:
    """Return the verdict by design section 6, item 10.

    Not trusted: fewer than 100 buyers, the lower bound of the Gini not above .1, or a total off by more than a factor
    of e^.7. Caution: anything that a person should know before money is spent on it. Else trusted.
    """
    reasons = [*_size(evidence), *_ranking(evidence), *_level(evidence), *_intervals(evidence)]
    return _conclude(reasons)


def unvalidated() -> Trust:
    """Return the verdict where the log holds no complete origin: nothing is known for or against the model."""
    return _conclude([("unvalidated", {})])


def judge_holdout(predictions: pd.DataFrame, model: str | None = None, *, resamples: int = RESAMPLES) -> Trust:
    """Return the verdict on a model from its predictions and what came true.

    Args:
        predictions: ``score``'s columns, ``origin`` and ``actual``; rows of all models, told apart by ``model``.
        model: whom to judge; None is the model of the first row.
        resamples: bootstrap resamples of customers.
    """
    return judge(gather(predictions, model, resamples=resamples))


def gather(predictions: pd.DataFrame, model: str | None = None, *, resamples: int = RESAMPLES) -> Evidence:
    """Return what is known of ``model`` at the latest origin of ``predictions`` (see :func:`judge_holdout`)."""
    name = str(predictions["model"].iloc[0]) if model is None else model
    origin = max(predictions.loc[predictions["model"] == name, "origin"].astype(str))
    latest = predictions[predictions["origin"].astype(str) == origin]
    compared = latest[latest["model"].isin([name, REFERENCE])]
    ours = latest[latest["model"] == name]
    bootstrap = Bootstrap.of(compared, ("gini", "coverage80"), resamples=resamples)
    known = [(origin, each, "gini") in bootstrap.values for each in (name, REFERENCE)]
    return Evidence(
        origin=origin,
        horizon_days=int(ours["horizon_days"].iloc[0]),
        customers=len(ours),
        buyers=int((ours["actual"] > 0).sum()),
        predicted_total=float(ours["predicted_clv"].sum()),
        actual_total=float(ours["actual"].sum()),
        gini=bootstrap.estimate(origin, name, "gini") if known[0] else None,
        coverage=bootstrap.values[origin, name, "coverage80"],
        over_reference=bootstrap.advantage(name, REFERENCE, "gini") if all(known) and name != REFERENCE else None,
    )


_Reason = tuple[str, dict[str, float | int | str]]


def _conclude(reasons: list[_Reason]) -> Trust:
    kinds = [REASONS[code] for code, _ in reasons]
    ranked = sorted(reasons, key=lambda reason: ("refuses", "cautions", "supports").index(REASONS[reason[0]]))
    messages = tuple(Message(f"reason.{code}", dict(params)) for code, params in ranked)
    if "refuses" in kinds:
        return Trust("not_trusted", messages)
    return Trust("caution" if "cautions" in kinds else "trusted", messages)


def _size(evidence: Evidence) -> list[_Reason]:
    params: dict[str, float | int | str] = {
        "buyers": evidence.buyers,
        "customers": evidence.customers,
        "origin": evidence.origin,
        "horizon": evidence.horizon_days,
    }
    if evidence.buyers < FEWEST_BUYERS:
        return [("too_few_buyers", {**params, "needed": FEWEST_BUYERS})]
    if evidence.buyers < FEW_BUYERS:
        return [("small_sample", params)]
    return []


def _ranking(evidence: Evidence) -> list[_Reason]:
    if evidence.gini is None:
        return []
    gini = {"gini": evidence.gini.value, "low": evidence.gini.low, "high": evidence.gini.high}
    if not evidence.gini.low > LOWEST_GINI:
        return [("ranking_near_chance", {**gini})]
    reasons: list[_Reason] = []
    over = evidence.over_reference
    if over is not None:
        difference: dict[str, float | int | str] = {
            "gini": evidence.gini.value,
            "reference": evidence.gini.value - over.value,
            "low": min(abs(over.low), abs(over.high)),
            "high": max(abs(over.low), abs(over.high)),
        }
        code = "beats" if over.low > 0 else "below" if over.high < 0 else "ties"
        reasons.append((f"ranking_{code}_bgnbd", difference))
    too_good = evidence.gini.value > TOO_GOOD_GINI
    return [("ranking_too_good" if too_good else "ranking_holds", {**gini}), *reasons]


def _level(evidence: Evidence) -> list[_Reason]:
    params: dict[str, float | int | str] = {
        "predicted": evidence.predicted_total,
        "actual": evidence.actual_total,
        "horizon": evidence.horizon_days,
    }
    if evidence.actual_total <= 0 or evidence.predicted_total <= 0:
        return [("no_total", params)]
    ratio = evidence.predicted_total / evidence.actual_total
    side, far = ("high" if ratio > 1 else "low"), abs(math.log(ratio)) > WORST_LEVEL
    params["off"] = abs(ratio - 1)
    if far:
        return [(f"level_far_too_{side}", params)]
    return [(f"level_too_{side}", params)] if abs(ratio - 1) > LEVEL_TOLERANCE else [("level_holds", params)]


def _intervals(evidence: Evidence) -> list[_Reason]:
    if evidence.coverage < LOWEST_COVERAGE:
        return [("intervals_too_narrow", {"coverage": evidence.coverage})]
    held = HELD_COVERAGE[0] <= evidence.coverage <= HELD_COVERAGE[1]
    return [("intervals_hold", {"coverage": evidence.coverage})] if held else []

"""The trust verdict of a model (trusted, caution, not trusted) with its reasons, the strongest first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from annotated_types import Len

from clv_core.collection import ENOUGH_BUYERS
from clv_core.errors import Message
from clv_core.evaluation.calibration import TENTH_TOLERANCE
from clv_core.evaluation.evidence import LEVEL_TOLERANCE, Evidence, Held
from clv_core.records import JsonObject, JsonRecord

Verdict = Literal["trusted", "caution", "not_trusted"]
Kind = Literal["refuses", "cautions", "supports"]
Question = Literal["ranking", "total", "probability"]
Grade = Literal["good", "fair", "poor"]

MIN_BUYERS: Final = 100
SMALL_SAMPLE_BUYERS: Final = ENOUGH_BUYERS
"""Buyers of the holdout below which there is no verdict but "not trusted", and below which the sample is called small.

Both are guesses; the interval of the Gini is judged besides."""
MIN_GINI: Final = 0.1
"""The lower end of the Gini's interval has to be above: chance is 0, and so weak an order is of little use. A guess."""
MAX_GINI: Final = 0.98
"""No shop's future is ordered that well: a column that knows it is likelier. The best of ``tests/bench/README.md`` is
.88, of Complete Journey."""
CLOSE_TOTAL: Final = 0.1
"""Share by which a total may be off and be called good; up to :data:`LEVEL_TOLERANCE` it is fair. A guess."""
MAX_LEVEL_ERROR: Final = 0.7
"""Largest believable |log(predicted total / actual total)|: a factor of 2."""
INSIDE: Final = (0.7, 0.9)
"""Share of all outcomes inside the 80% intervals below which they are too narrow, and above which too wide."""
HELD_INSIDE: Final = (0.75, 0.85)
"""Half as far from .8: between the two nothing is claimed. Both are guesses."""
HORIZONS_NEEDED: Final = 2.5
"""A horizon held out, one to learn from before it, and half a one of history."""
MIN_LOG_DAYS: Final = 180
MIN_LOG_BUYERS: Final = 500
MIN_LOYAL: Final = 30
MAX_QUIET_DAYS: Final = 30
"""The bar that Klaviyo sets for its own predictions: 500 buyers, 180 days, an order in the last 30, some with 3.

It leaves open how many customers with three orders; 30 is a guess."""
MAX_VISITOR_SHARE: Final = 0.95
"""Share of customers who never bought; above it the ids are likelier those of visits than of people. A guess."""
MAX_CUSTOMER_SHARE: Final = 0.25
"""Share of all that was paid; the largest customers of shops with hundreds of buyers pay some percent of it."""
MAX_BEYOND_WINDOWS: Final = LEVEL_TOLERANCE
"""Share of the expected value that no past window vouches for: if none of it came, the total would not hold."""
MIN_OVERLAP: Final = 0.6
"""Share of the top tenth that two trainings have in common; less, and a list of the best customers is half luck. A
guess."""
MAX_REASONS: Final = 6
"""As many as a person reads; reasons that refuse are always shown."""

REASONS: Final[dict[str, Kind]] = {
    "regime_change": "refuses",
    "no_total": "refuses",
    "too_few_buyers": "refuses",
    "ranking_near_chance": "refuses",
    "level_far_too_high": "refuses",
    "level_far_too_low": "refuses",
    "untrained": "cautions",
    "unvalidated": "cautions",
    "data_stale": "cautions",
    "fewer_purchases": "cautions",
    "more_purchases": "cautions",
    "smaller_orders": "cautions",
    "larger_orders": "cautions",
    "horizon_too_long": "cautions",
    "level_too_high": "cautions",
    "level_too_low": "cautions",
    "level_off_often": "cautions",
    "chances_too_high": "cautions",
    "chances_too_low": "cautions",
    "tenths_off": "cautions",
    "ranking_below_bgnbd": "cautions",
    "ranking_below_often": "cautions",
    "ranking_unstable": "cautions",
    "small_sample": "cautions",
    "few_known_buyers": "cautions",
    "short_history": "cautions",
    "few_loyal_customers": "cautions",
    "intervals_high": "cautions",
    "intervals_high_rare": "cautions",
    "intervals_low": "cautions",
    "intervals_low_rare": "cautions",
    "intervals_narrow": "cautions",
    "intervals_too_narrow": "cautions",
    "intervals_wide": "cautions",
    "intervals_too_wide": "cautions",
    "ranking_too_good": "cautions",
    "mostly_visitors": "cautions",
    "one_customer": "cautions",
    "beyond_windows": "cautions",
    "ranking_holds": "supports",
    "level_holds": "supports",
    "ranking_beats_bgnbd": "supports",
    "ranking_ties_bgnbd": "supports",
    "origins_hold": "supports",
    "intervals_honest": "supports",
    "intervals_honest_rare": "supports",
    "intervals_hold": "supports",
}
"""Every reason and what it does to the verdict, strongest first; its text is ``reason.<code>``. Codes never change.
``intervals_hold`` is of models that were measured before the intervals of buyers were looked at;
``intervals_too_narrow`` and ``intervals_too_wide`` of those, and where all customers show what buyers alone do not;
those with ``rare`` where nobody who bought was likely to."""

_Params = dict[str, float | int | str]
_Reason = tuple[str, _Params]


@dataclass(frozen=True)
class Trust(JsonRecord):
    """The verdict and why.

    Args:
        verdict: ``trusted``, ``caution`` or ``not_trusted``.
        reasons: in the order of :data:`REASONS`: what refuses first, then what cautions, then what supports.
    """

    verdict: Verdict
    reasons: Annotated[tuple[Message, ...], Len(1, 40)]

    def answer(self, language: str) -> JsonObject:
        """Return ``{verdict, reasons}`` as programs are answered, the reasons as ``{code, params, message}``."""
        return {"verdict": self.verdict, "reasons": [reason.to_json(language) for reason in self.reasons]}


def judge(evidence: Evidence) -> Trust:
    """Return the verdict on the evidence; its rules are those of the page "What the verdict means".

    Not trusted: fewer than 100 buyers, the lower bound of the Gini not above .1, no total or one that is off by more
    than a factor of e^.7. Caution: anything that a person should know before money is spent on it. Else trusted.
    """
    holdout = evidence.held
    unmeasured = "untrained" if evidence.untrained else "unvalidated"
    reasons: list[_Reason] = [(unmeasured, {"horizon": evidence.horizon_days})] if holdout is None else []
    if holdout is not None:
        span: _Params = {"horizon": evidence.horizon_days}
        reasons += [
            *_size(holdout, span),
            *_ranking(holdout),
            *_level(holdout, {**span, "currency": evidence.currency}),
            *_groups(holdout, evidence.currency),
            *_intervals(holdout),
        ]
    reasons += _changed(evidence, {code for code, _ in reasons})
    reasons += [*_sufficiency(evidence, {code for code, _ in reasons}), *_origins(evidence)]
    if evidence.silence is not None and evidence.silence.share > MAX_BEYOND_WINDOWS:
        reasons.append(("beyond_windows", {"share": evidence.silence.share, "days": evidence.silence.days}))
    order = list(REASONS)
    ranked = sorted(reasons, key=lambda reason: order.index(reason[0]))
    refusing = sum(REASONS[code] == "refuses" for code, _ in ranked)
    shown = ranked[: max(refusing, MAX_REASONS)]
    verdict = verdict_of(code for code, _ in reasons)
    return Trust(verdict, tuple(Message(f"reason.{code}", dict(params)) for code, params in shown))


def verdict_of(codes: Iterable[str]) -> Verdict:
    """Return the verdict of some :data:`REASONS`: that of the strongest."""
    kinds = {REASONS[code] for code in codes}
    return "not_trusted" if "refuses" in kinds else "caution" if "cautions" in kinds else "trusted"


def grade(evidence: Evidence) -> dict[Question, Grade]:
    """Return how well each thing that a person asks of a model was measured to hold; empty where nothing was measured.

    Returns:
        ``ranking``: who is worth more; good unless BG/NBD ranks better (fair) or chance does about as well (poor).
        ``total``: what all customers are worth together; good within 10%, fair within :data:`LEVEL_TOLERANCE`.
        ``probability``: how many buy; fair where more or fewer were expected than chance explains.
    """
    holdout = evidence.held
    if holdout is None:
        return {}
    ranking: Grade = "poor" if holdout.gini is None or not holdout.gini.low > MIN_GINI else "good"
    against = [holdout.over_reference, evidence.rolling and evidence.rolling.over_reference]
    if ranking == "good" and any(over and over.high < 0 for over in against):
        ranking = "fair"
    off = abs(holdout.predicted_total / holdout.actual_total - 1) if holdout.actual_total > 0 else math.inf
    grades: dict[Question, Grade] = {"ranking": ranking, "total": "good" if off <= CLOSE_TOTAL else "poor"}
    if CLOSE_TOTAL < off <= LEVEL_TOLERANCE:
        grades["total"] = "fair"
    if holdout.groups is not None:
        grades["probability"] = "fair" if holdout.groups.chances_off(holdout.buyers) else "good"
    return grades


def _size(holdout: Held, span: _Params) -> list[_Reason]:
    params: _Params = {"buyers": holdout.buyers, "customers": holdout.customers, "origin": holdout.origin, **span}
    if holdout.buyers < MIN_BUYERS:
        return [("too_few_buyers", {**params, "needed": MIN_BUYERS})]
    return [("small_sample", params)] if holdout.buyers < SMALL_SAMPLE_BUYERS else []


def _ranking(holdout: Held) -> list[_Reason]:
    if holdout.gini is None:
        return []
    gini: _Params = {"gini": holdout.gini.value, "low": holdout.gini.low, "high": holdout.gini.high}
    if not holdout.gini.low > MIN_GINI:
        return [("ranking_near_chance", gini)]
    reasons: list[_Reason] = [("ranking_too_good" if holdout.gini.value > MAX_GINI else "ranking_holds", gini)]
    over = holdout.over_reference
    if over is not None:
        code = "beats" if over.low > 0 else "below" if over.high < 0 else "ties"
        low, high = (over.low, over.high) if code == "ties" else sorted((abs(over.low), abs(over.high)))
        gini_of: _Params = {"gini": holdout.gini.value, "reference": holdout.gini.value - over.value}
        difference: _Params = {**gini_of, "low": low, "high": high}
        reasons.append((f"ranking_{code}_bgnbd", difference))
    return reasons


def _level(holdout: Held, about: _Params) -> list[_Reason]:
    params: _Params = {"predicted": holdout.predicted_total, "actual": holdout.actual_total, **about}
    if holdout.actual_total <= 0 or holdout.predicted_total <= 0:
        return [("no_total", params)]
    ratio = holdout.predicted_total / holdout.actual_total
    side = "high" if ratio > 1 else "low"
    params["off"] = abs(ratio - 1)
    if abs(math.log(ratio)) > MAX_LEVEL_ERROR:
        return [(f"level_far_too_{side}", params)]
    return [(f"level_too_{side}" if abs(ratio - 1) > LEVEL_TOLERANCE else "level_holds", params)]


def _groups(holdout: Held, currency: str) -> list[_Reason]:
    groups = holdout.groups
    if groups is None:
        return []
    reasons: list[_Reason] = []
    off = groups.chances_off(holdout.buyers)
    if off:
        params: _Params = {"expected": groups.buyers_expected, "buyers": holdout.buyers, "off": abs(off)}
        reasons.append(("chances_too_high" if off > 0 else "chances_too_low", params))
    if groups.tenths_off > TENTH_TOLERANCE:
        worst: _Params = {"predicted": groups.worst_predicted, "actual": groups.worst_actual, "currency": currency}
        reasons.append(("tenths_off", {"off": groups.tenths_off, "tenth": groups.worst, **worst}))
    return reasons


def _intervals(holdout: Held) -> list[_Reason]:
    params: _Params = {"coverage": holdout.inside}
    broken = "narrow" if holdout.inside < INSIDE[0] else "wide" if holdout.inside > INSIDE[1] else ""
    if holdout.intervals is None:
        if broken:
            return [(f"intervals_too_{broken}", params)]
        return [("intervals_hold", params)] if HELD_INSIDE[0] <= holdout.inside <= HELD_INSIDE[1] else []
    seen, finding = holdout.intervals, holdout.intervals.fit
    code = broken if broken and finding in ("honest", "unclear") else finding
    if code == "unclear":
        return []
    beyond = round(seen.outside, 2) - round(seen.outside_right, 2)
    if (code == "narrow" and beyond <= 0) or (code == "wide" and beyond >= 0):
        return [(f"intervals_too_{code}", params)]
    params |= {
        "outside": seen.outside,
        "right": seen.outside_right,
        "above": seen.above,
        "middle": seen.above_right,
        "below": seen.pit50,
    }
    rare = "_rare" if seen.above_right == 0 and code not in ("narrow", "wide") else ""
    return [(f"intervals_{code}{rare}", params)]


def _changed(evidence: Evidence, codes: set[str]) -> list[_Reason]:
    """A change that broke the level on its own side is the headline; else it is a warning of its own."""
    change = evidence.change
    if change is None:
        return []
    params: _Params = {"since": change.since, "days": change.days, "earlier": change.earlier}
    broke = "level_far_too_high" if change.purchases * change.order_value < 1 else "level_far_too_low"
    if broke in codes:
        return [("regime_change", {**params, "purchases": change.purchases, "orders": change.order_value})]
    reasons: list[_Reason] = []
    for broken, ratio, less, more in (
        (change.purchases_changed, change.purchases, "fewer_purchases", "more_purchases"),
        (change.order_value_changed, change.order_value, "smaller_orders", "larger_orders"),
    ):
        if broken:
            reasons.append((less if ratio < 1 else more, {**params, "ratio": ratio}))
    return reasons


def _sufficiency(evidence: Evidence, codes: set[str]) -> list[_Reason]:
    log, horizon = evidence.log, evidence.horizon_days
    if log is None:
        return []
    reasons: list[_Reason] = []
    if log.quiet_days > MAX_QUIET_DAYS:
        reasons.append(("data_stale", {"days": log.quiet_days}))
    if log.days < HORIZONS_NEEDED * horizon:
        longest = int(log.days / HORIZONS_NEEDED)
        reasons.append(("horizon_too_long", {"horizon": horizon, "days": log.days, "longest": longest}))
    if log.days < MIN_LOG_DAYS:
        reasons.append(("short_history", {"days": log.days, "needed": MIN_LOG_DAYS}))
    if log.buyers < MIN_LOG_BUYERS and not codes & {"too_few_buyers", "small_sample"}:
        reasons.append(("few_known_buyers", {"buyers": log.buyers, "needed": MIN_LOG_BUYERS}))
    if log.loyal < MIN_LOYAL:
        reasons.append(("few_loyal_customers", {"loyal": log.loyal, "needed": MIN_LOYAL}))
    visitors = 1 - log.buyers / max(1, log.customers)
    if visitors > MAX_VISITOR_SHARE:
        reasons.append(("mostly_visitors", {"share": visitors}))
    if log.top_share > MAX_CUSTOMER_SHARE:
        reasons.append(("one_customer", {"share": log.top_share}))
    return reasons


def _origins(evidence: Evidence) -> list[_Reason]:
    rolling = evidence.rolling
    if rolling is None:
        return []
    reasons: list[_Reason] = []
    count: _Params = {"origins": rolling.origins}
    if rolling.level_off * 2 > rolling.origins:
        reasons.append(("level_off_often", {**count, "off": rolling.level_off, "tolerance": LEVEL_TOLERANCE}))
    over = rolling.over_reference
    below = rolling.below_reference * 2 > rolling.origins
    if below and over is not None and over.high < 0:
        reasons.append(("ranking_below_often", {**count, "below": rolling.below_reference}))
    if rolling.overlap is not None and rolling.overlap < MIN_OVERLAP:
        reasons.append(("ranking_unstable", {"overlap": rolling.overlap}))
    if rolling.level_off == 0 and rolling.below_reference * 2 < rolling.origins:
        reasons.append(("origins_hold", {**count, "tolerance": LEVEL_TOLERANCE}))
    return reasons

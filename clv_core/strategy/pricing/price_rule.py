"""What-if: what a price rule would bring over the horizon, in revenue, margin and predicted value.

A rule changes prices by tier, in the categories whose response was measured. A tier's predicted value is spread over
the categories as its money of the last year was. With elasticity b, a price changed by the factor f sells f^b times
the pieces, so revenue changes by f^(1+b), and what the pieces cost by f^b. A discount, which customers see as one,
acts by its own measured effect e, of a discount as large as the full price: d off what is paid today, where discounts
take the share s off the full price already, is d (1 - s) of it more, and sells exp(d (1 - s) e) times the pieces.
Responses of different categories are off independently of each other; those of one category as far together as was
measured (:mod:`clv_core.strategy.pricing.together`), and wholly so where one response stands for several tiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import scipy

from clv_core.columns import CATEGORY
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.strategy.pricing.panel import ALL
from clv_core.strategy.pricing.price_responses import DISCOUNT_EFFECT, ELASTICITY, SHARE, Responses
from clv_core.strategy.pricing.together import correlation
from clv_core.strategy.segments import TIER

PRICE, DISCOUNT = "price", "discount"
BY: Final = (PRICE, DISCOUNT)
"""What a rule changes: the price, or what is taken off it."""
RESPONSE: Final = {PRICE: ELASTICITY, DISCOUNT: DISCOUNT_EFFECT}
ENDS: Final = {PRICE: ("low", "high"), DISCOUNT: ("discount_low", "discount_high")}
MIN_PRICE_CHANGE: Final = -0.5
MAX_PRICE_CHANGE: Final = 0.5


@dataclass(frozen=True)
class Rule:
    """A price rule: it speaks of tiers and categories, never of a person.

    Args:
        changes: change of the price by tier as a share, -0.1 is 10% less; tiers that are not named keep theirs.
        margin_rate: share of today's price that is margin, in (0, 1): an assumption.
        categories: where prices change; empty: in all that were measured.
        by: one of :data:`BY`; a discount only lowers what is paid.

    Raises:
        UsageError: a change or a margin out of bounds, or another ``by``.
    """

    changes: Mapping[int, float]
    margin_rate: float
    categories: tuple[str, ...] = ()
    by: str = PRICE

    def __post_init__(self) -> None:
        """Check the bounds."""
        most = 0.0 if self.by == DISCOUNT else MAX_PRICE_CHANGE
        for change in self.changes.values():
            if not MIN_PRICE_CHANGE <= change <= most:
                raise UsageError("price_change", change=100 * change, low=100 * MIN_PRICE_CHANGE, high=100 * most)
        if self.by not in BY:
            raise UsageError("price_by", by=self.by, known=list(BY))
        if not 0 < self.margin_rate < 1:
            raise UsageError("price_margin", margin=self.margin_rate)


def parse_changes(texts: list[str], tiers: int) -> dict[int, float]:
    """Return the changes of texts such as ``1=-10`` (tier 1, 10% less) or ``all=-5``; later ones win.

    Raises:
        UsageError: a text of another form, or a tier that is not there.
    """
    changes: dict[int, float] = {}
    for text in texts:
        found = re.fullmatch(r"\s*(all|\d+)\s*=\s*([+-]?\d+(?:\.\d+)?)\s*%?\s*", text)
        if found is None or (found[1] != "all" and not 1 <= int(found[1]) <= tiers):
            raise UsageError("price_change_text", text=text[:40], tiers=tiers)
        named = range(1, tiers + 1) if found[1] == "all" else (int(found[1]),)
        changes |= dict.fromkeys(named, float(found[2]) / 100)
    return changes


@dataclass(frozen=True)
class Sum:
    """A change in money with its 90% interval; all of it rests on the measured responses.

    Args:
        value: the change.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a rule would bring over the horizon.

    Args:
        revenue: change of revenue, which is the change of the customers' predicted value.
        margin: change of margin, at the assumed margin rate.
        base: predicted value of all customers without the rule.
        touched: part of it that lies in cells whose price changes.
        tiers: tier, customers, change (of the price), base, touched, revenue, revenue_low, revenue_high, margin,
            margin_low, margin_high, clv (predicted value of a customer today), clv_after, clv_low, clv_high.
        cells: category, tier, change, base, response (elasticity, or the discount's effect), evidence (``tier``:
            measured on it; ``all``: on all customers), beyond (whether the change is larger than what was seen),
            revenue, margin.
        assumptions: what was not measured.
    """

    revenue: Sum
    margin: Sum
    base: float
    touched: float
    tiers: pd.DataFrame
    cells: pd.DataFrame
    assumptions: tuple[Message, ...]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Where the rule changes prices: category, tier and change as a share, as JSON types."""
        rows = self.cells[[CATEGORY, TIER, "change"]].sort_values([CATEGORY, TIER])
        return [{CATEGORY: str(row[0]), TIER: int(row[1]), "change": float(row[2])} for row in rows.to_numpy()]


def what_if(responses: Responses, rule: Rule) -> Outcome:
    """Return what a rule would bring.

    Raises:
        NotEnoughData: discounts are asked for, and no effect of them was measured.
        UsageError: a category whose response was not measured.
    """
    measured = _measured(responses, rule.by)
    if measured.empty:
        raise NotEnoughData("price_no_discounts")
    known = set(measured[CATEGORY])
    unknown = sorted(set(rule.categories) - known)
    if unknown:
        raise UsageError("price_category", category=unknown[0], known=sorted(known)[:20])
    cells = _cells(responses, measured, rule)
    people = responses.tiers.assign(change=responses.tiers[TIER].map(dict(rule.changes)).fillna(0.0))
    people = people.rename(columns={"value": "base"}).set_index(TIER)
    by_tier = cells.groupby(TIER)
    people["touched"] = by_tier["base"].sum().reindex(people.index).fillna(0.0)
    for what in ("revenue", "margin"):
        value = by_tier[what].sum().reindex(people.index).fillna(0.0)
        reach = by_tier[f"{what}_error"].apply(lambda errors: float(np.sqrt((errors**2).sum())))
        reach = _z() * reach.reindex(people.index).fillna(0.0).astype("float64")
        people[what], people[f"{what}_low"], people[f"{what}_high"] = value, value - reach, value + reach
    count = people["customers"].clip(lower=1)
    people["clv"] = people["base"] / count
    for end, column in (("after", "revenue"), ("low", "revenue_low"), ("high", "revenue_high")):
        people[f"clv_{end}"] = (people["base"] + people[column]) / count
    base, touched = float(people["base"].sum()), float(cells["base"].sum())
    shown = cells.drop(columns=["error", "revenue_error", "margin_error"])
    said = _assumptions(cells, rule, base, touched)
    revenue, margin = (_total(cells, what, responses, rule.by) for what in ("revenue", "margin"))
    return Outcome(revenue, margin, base, touched, people.reset_index(), shown, said)


def _measured(responses: Responses, by: str) -> pd.DataFrame:
    """Return category, tier, range, response and its standard error, of those that were measured.

    The error is as large as makes the measured interval a normal one: by Student's t, that of few products is wider.
    """
    table = responses.table
    low, high = ENDS[by]
    found = table.assign(response=table[RESPONSE[by]], error=(table[high] - table[low]) / (2 * _z()))
    return found.loc[found["response"].notna(), [CATEGORY, TIER, "range", "response", "error"]]


def _cells(responses: Responses, measured: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Return one row a category and tier whose price changes."""
    spend = responses.spend.copy()
    total = spend.groupby(TIER)["amount"].transform("sum")
    value = spend[TIER].map(responses.tiers.set_index(TIER)["value"]).fillna(0.0)
    cells = spend.assign(base=value * spend["amount"] / total, change=spend[TIER].map(dict(rule.changes)).fillna(0.0))
    own = measured[measured[TIER] != ALL].drop(columns="range")
    everyone = measured[measured[TIER] == ALL].drop(columns=TIER)
    cells = cells.merge(everyone, on=CATEGORY, how="inner")
    cells = cells.merge(own, on=[CATEGORY, TIER], how="left", suffixes=("_all", ""))
    cells = cells[(cells["change"] != 0) & (cells["base"] > 0)]
    if rule.categories:
        cells = cells[cells[CATEGORY].isin(rule.categories)]
    own_response = cells["response"].notna()
    cells["evidence"] = np.where(own_response, "tier", "all")
    for name in ("response", "error"):
        cells[name] = cells[name].where(own_response, cells[f"{name}_all"])
    log_factor = np.log1p(cells["change"])
    cells["beyond"] = log_factor.abs() > cells["range"]
    moved = log_factor if rule.by == PRICE else -cells["change"] * (1 - cells["depth"])
    pieces = np.exp(moved * cells["response"])
    paid = cells["base"] * pieces * (1 + cells["change"])
    cost = (1 - rule.margin_rate) * cells["base"] * pieces
    cells["revenue"] = paid - cells["base"]
    cells["margin"] = paid - cost - rule.margin_rate * cells["base"]
    cells["revenue_error"] = moved * paid * cells["error"]
    cells["margin_error"] = moved * (paid - cost) * cells["error"]
    order = [CATEGORY, TIER, "change", "base", "response", "evidence", "beyond", "revenue", "margin"]
    return cells[[*order, "error", "revenue_error", "margin_error"]].sort_values([CATEGORY, TIER], ignore_index=True)


def _z() -> float:
    return float(scipy.stats.norm.ppf((1 + SHARE) / 2))


def _total(cells: pd.DataFrame, what: str, responses: Responses, by: str) -> Sum:
    """Add up a change, with what the errors of a category's tiers share; those of categories share nothing."""
    variance = 0.0
    for category, mine in cells.groupby(CATEGORY):
        errors = mine[f"{what}_error"].to_numpy(np.float64)
        measured_on = mine[TIER].where(mine["evidence"] == "tier", ALL).astype("int64").tolist()
        variance += float(errors @ correlation(responses.together, str(category), RESPONSE[by], measured_on) @ errors)
    value, reach = float(cells[what].sum()), _z() * float(np.sqrt(max(variance, 0.0)))
    return Sum(value, value - reach, value + reach)


def _assumptions(cells: pd.DataFrame, rule: Rule, base: float, touched: float) -> tuple[Message, ...]:
    """Return what the outcome rests on beyond the measured responses."""
    said = [Message("warning.price_margin_assumed", {"margin": round(100 * rule.margin_rate, 1)})]
    share = 100 * touched / base if base > 0 else 0.0
    said.append(Message("warning.price_untouched", {"share": round(share, 1)}))
    borrowed = int((cells["evidence"] == "all").sum())
    if borrowed:
        said.append(Message("warning.price_borrowed", {"cells": borrowed, "of": len(cells)}))
    beyond = float(cells.loc[cells["beyond"], "base"].sum())
    if beyond > 0:
        said.append(Message("warning.price_beyond", {"share": round(100 * beyond / max(touched, 1e-12), 1)}))
    return tuple(said)

"""What a price rule would bring over the horizon, in revenue, margin and predicted value.

A rule changes prices by tier, in the categories whose response was estimated. A tier's predicted value is divided
among the categories as its money of the last year was. With elasticity b, a price changed by the factor f sells f^b
times the pieces, so revenue changes by f^(1+b), and what the pieces cost by f^b. A discount, which customers see as
one, acts by its own estimated effect e, of a discount as large as the full price: d off what is paid today, where
discounts take the share s off the full price already, is d (1 - s) of it more, and sells exp(d (1 - s) e) times the
pieces. The errors of different categories are independent; those of one category are correlated as was estimated, and
by 1 where one response is used for several tiers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from clv_core.columns import CATEGORY
from clv_core.errors import Message, NotEnoughData, UsageError
from clv_core.i18n import translate
from clv_core.records import JsonObject
from clv_core.strategy.pricing.panel import ALL, ALL_PRODUCTS
from clv_core.strategy.pricing.price_responses import DISCOUNT_EFFECT, ELASTICITY, OTHER_TIER, SHARE, Responses
from clv_core.strategy.segments import TIER

PRICE, DISCOUNT = "price", "discount"
BY: Final = (PRICE, DISCOUNT)
"""What a rule changes: the price, or what is taken off it."""
RESPONSES: Final = {
    PRICE: (ELASTICITY, "low", "high"),
    DISCOUNT: (DISCOUNT_EFFECT, "discount_low", "discount_high"),
}
"""Columns of the response that a change acts by, and of its interval."""
MIN_PRICE_CHANGE, MAX_PRICE_CHANGE = -0.5, 0.5
"""Bounds of what a rule accepts, far beyond the prices of most logs; within them a warning names extrapolation."""
STEPS: Final = (-0.1, -0.05, 0.05, 0.1)
"""Changes of all prices that are compared; a guess: the sizes that shops try."""
MAX_REVERSED: Final = 0.1
"""Share of the touched value in categories that surely sold less at lower prices, up to which a step is measured; a
guess. There something else changed with the price, and what a change of the price alone does is not known."""
DIGITS: Final = 4
"""Decimals of responses in a file: their errors are .01 at best."""


@dataclass(frozen=True)
class Rule:
    """A price rule: by tier and category, never by person.

    Args:
        changes: change of the price by tier as a share, -0.1 is 10% less; tiers that are not named keep theirs.
        margin_rate: share of today's price that is margin, in (0, 1): an assumption.
        categories: where prices change; empty: in all that were estimated.
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
        UsageError: a text of another form, or an unknown tier.
    """
    changes: dict[int, float] = {}
    for text in texts:
        match = re.fullmatch(r"\s*(all|\d+)\s*=\s*([+-]?\d+(?:\.\d+)?)\s*%?\s*", text)
        if match is None or (match[1] != "all" and not 1 <= int(match[1]) <= tiers):
            raise UsageError("price_change_text", text=text[:40], tiers=tiers)
        named = range(1, tiers + 1) if match[1] == "all" else (int(match[1]),)
        changes |= dict.fromkeys(named, float(match[2]) / 100)
    return changes


@dataclass(frozen=True)
class Sum:
    """A change in money with its 90% interval, which holds the errors of the estimated responses only.

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
        sold: by which share more pieces are sold there, each at today's price.
        tiers: tier, customers, change (of the price), base, touched, revenue, revenue_low, revenue_high, margin,
            margin_low, margin_high, clv (predicted value of a customer today), clv_after, clv_low, clv_high.
        cells: category, tier, change, base, response (elasticity, or the discount's effect), evidence (``tier``:
            estimated on it; ``all``: on all customers), beyond (whether the change is larger than what was seen),
            reversed (whether the category surely sold less at lower prices), revenue, margin.
        assumptions: what was not estimated.
    """

    revenue: Sum
    margin: Sum
    base: float
    touched: float
    sold: float
    tiers: pd.DataFrame
    cells: pd.DataFrame
    assumptions: tuple[Message, ...]

    @property
    def changes(self) -> list[JsonObject]:
        """Where the rule changes prices: category, tier and change as a share, as JSON types."""
        rows = self.cells[[CATEGORY, TIER, "change"]].sort_values([CATEGORY, TIER])
        return [{CATEGORY: str(row[0]), TIER: int(row[1]), "change": float(row[2])} for row in rows.to_numpy()]

    @property
    def reversed(self) -> bool:
        """Whether more than :data:`MAX_REVERSED` of what it touches surely sold less at lower prices."""
        return float(self.cells.loc[self.cells["reversed"], "base"].sum()) > MAX_REVERSED * self.touched

    @property
    def break_even(self) -> float | None:
        """The margin rate at which the rule neither earns nor loses; None where no rate between 0 and 1 does.

        What more pieces cost is paid off what more is taken in: a rule that sells more earns above that rate, one that
        sells less below it.
        """
        extra = self.sold * self.touched
        rate = 1 - self.revenue.value / extra if extra else 0.0
        return rate if 0 < rate < 1 else None


@dataclass(frozen=True, eq=False)
class Step:
    """One change of all prices.

    Args:
        change: as a share, -0.1 is 10% less.
        outcome: what it would bring.
    """

    change: float
    outcome: Outcome

    @property
    def measured(self) -> bool:
        """Whether the log holds changes as large in every category, and prices seem to be what changed sales."""
        return self.outcome.touched > 0 and not self.outcome.cells["beyond"].any() and not self.outcome.reversed


def what_if(responses: Responses, rule: Rule) -> Outcome:
    """Return what a rule would bring.

    Raises:
        NotEnoughData: a rule of discounts, and no effect of them was estimated.
        UsageError: a category whose response was not estimated.
    """
    estimated = _estimated(responses, rule.by)
    if estimated.empty:
        raise NotEnoughData("price_no_discounts")
    categories = set(estimated[CATEGORY])
    unknown = sorted(set(rule.categories) - categories)
    if unknown:
        raise UsageError("price_category", category=unknown[0], known=sorted(categories)[:20])
    cells = _cells(responses, estimated, rule)
    tiers = responses.tiers.assign(change=responses.tiers[TIER].map(dict(rule.changes)).fillna(0.0))
    tiers = tiers.rename(columns={"value": "base"}).set_index(TIER)
    variances = cells.assign(revenue_error=cells["revenue_error"] ** 2, margin_error=cells["margin_error"] ** 2)
    sums = variances.groupby(TIER)[["base", "revenue", "margin", "revenue_error", "margin_error"]].sum()
    sums = sums.reindex(tiers.index).fillna(0.0)
    tiers["touched"] = sums["base"]
    for name in ("revenue", "margin"):
        margin = _z() * np.sqrt(sums[f"{name}_error"])
        tiers[name], tiers[f"{name}_low"], tiers[f"{name}_high"] = sums[name], sums[name] - margin, sums[name] + margin
    count = tiers["customers"].clip(lower=1)
    tiers["clv"] = tiers["base"] / count
    for end, column in (("after", "revenue"), ("low", "revenue_low"), ("high", "revenue_high")):
        tiers[f"clv_{end}"] = (tiers["base"] + tiers[column]) / count
    base, touched = float(tiers["base"].sum()), float(cells["base"].sum())
    revenue, margin_sum = _totals(cells, responses, rule.by)
    return Outcome(
        revenue=revenue,
        margin=margin_sum,
        base=base,
        touched=touched,
        sold=float(cells["sold"].sum()) / touched if touched > 0 else 0.0,
        tiers=tiers.reset_index(),
        cells=cells.drop(columns=["sold", "revenue_error", "margin_error"]),
        assumptions=_assumptions(cells, rule, base, touched),
    )


def price_steps(
    responses: Responses, margin_rate: float, categories: tuple[str, ...] = (), by: str = PRICE
) -> list[Step]:
    """Return what each of :data:`STEPS` would bring, the same change for every tier; discounts only lower prices.

    Args:
        responses: what was estimated.
        margin_rate: share of today's price that is margin, in (0, 1).
        categories: where prices change; empty: in all that were estimated.
        by: one of :data:`BY`.

    Raises:
        NotEnoughData: as :func:`what_if`.
        UsageError: as :func:`what_if`.
    """
    tiers = responses.tiers[TIER].tolist()
    changes = [change for change in STEPS if by == PRICE or change < 0]
    rules = {change: Rule(dict.fromkeys(tiers, change), margin_rate, categories, by) for change in changes}
    return [Step(change, what_if(responses, rule)) for change, rule in rules.items()]


def best_step(steps: Sequence[Step]) -> Step | None:
    """Return the measured step that adds most margin among those that surely add any; None where none does."""
    earning = [step for step in steps if step.measured and step.outcome.margin.low > 0]
    return max(earning, key=lambda step: step.outcome.margin.value, default=None)


def _estimated(responses: Responses, by: str) -> pd.DataFrame:
    """Return category, tier, range, response, its standard error and whether it is surely reversed, where estimated.

    The error is as large as makes the interval a normal one: by Student's t, that of few products is wider.
    """
    table = responses.table
    response, low, high = RESPONSES[by]
    rows = table.assign(response=table[response], error=(table[high] - table[low]) / (2 * _z()))
    rows = rows.assign(reversed=rows[low] > 0 if by == PRICE else rows[high] < 0)
    return rows.loc[rows["response"].notna(), [CATEGORY, TIER, "range", "response", "error", "reversed"]]


def _cells(responses: Responses, estimated: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Return one row a category and tier whose price changes."""
    spend = responses.spend
    total = spend.groupby(TIER)["amount"].transform("sum")
    value = spend[TIER].map(responses.tiers.set_index(TIER)["value"]).fillna(0.0)
    cells = spend.assign(base=value * spend["amount"] / total, change=spend[TIER].map(dict(rule.changes)).fillna(0.0))
    by_tier = estimated[estimated[TIER] != ALL].drop(columns="range")
    everyone = estimated[estimated[TIER] == ALL].drop(columns=TIER)
    cells = cells.merge(everyone, on=CATEGORY, how="inner")
    cells = cells.merge(by_tier, on=[CATEGORY, TIER], how="left", suffixes=("_all", ""))
    cells = cells[(cells["change"] != 0) & (cells["base"] > 0)]
    if rule.categories:
        cells = cells[cells[CATEGORY].isin(rule.categories)]
    cells["evidence"] = np.where(cells["response"].notna(), "tier", "all")
    response, error = (cells[name].fillna(cells[f"{name}_all"]) for name in ("response", "error"))
    log_factor = np.log1p(cells["change"])
    moved = log_factor if rule.by == PRICE else -cells["change"] * (1 - cells["depth"])
    pieces = np.exp(moved * response)
    paid = cells["base"] * pieces * (1 + cells["change"])
    cost = (1 - rule.margin_rate) * cells["base"] * pieces
    cells = cells.assign(
        response=response,
        beyond=log_factor.abs() > cells["range"],
        reversed=cells["reversed_all"],
        sold=cells["base"] * (pieces - 1),
        revenue=paid - cells["base"],
        margin=paid - cost - rule.margin_rate * cells["base"],
        revenue_error=moved * paid * error,
        margin_error=moved * (paid - cost) * error,
    )
    columns = [CATEGORY, TIER, "change", "base", "response", "evidence", "beyond", "reversed", "revenue", "margin"]
    return cells[[*columns, "sold", "revenue_error", "margin_error"]].sort_values([CATEGORY, TIER], ignore_index=True)


def _z() -> float:
    return float(scipy.stats.norm.ppf((1 + SHARE) / 2))


def _totals(cells: pd.DataFrame, responses: Responses, by: str) -> list[Sum]:
    """Add up revenue and margin; errors are correlated within a category, and independent between categories."""
    names, variance = ("revenue", "margin"), np.zeros(2)
    for category, mine in cells.groupby(CATEGORY):
        errors = mine[[f"{name}_error" for name in names]].to_numpy(np.float64)
        estimated_on = mine[TIER].where(mine["evidence"] == "tier", ALL).astype("int64").tolist()
        shared = correlation(responses.together, str(category), RESPONSES[by][0], estimated_on)
        variance += np.diag(errors.T @ shared @ errors)
    values, reach = cells[list(names)].sum().to_numpy(np.float64), _z() * np.sqrt(np.maximum(variance, 0.0))
    return [Sum(*map(float, ends)) for ends in zip(values, values - reach, values + reach, strict=True)]


def correlation(together: pd.DataFrame, category: str, response: str, tiers: list[int]) -> NDArray[np.float64]:
    """Return the correlations of the errors of a category's responses, [k, k].

    Args:
        together: of :class:`~clv_core.strategy.pricing.price_responses.Responses`.
        category: one of its categories.
        response: name of the response.
        tiers: what each response was estimated on; one may be repeated, [k].
    """
    mine = together[together[CATEGORY] == category]
    pairs = {
        (tier, other): value for tier, other, value in zip(mine[TIER], mine[OTHER_TIER], mine[response], strict=True)
    }
    rows = [[1.0 if tier == other else pairs[min(tier, other), max(tier, other)] for other in tiers] for tier in tiers]
    return np.asarray(rows, np.float64)


def _assumptions(cells: pd.DataFrame, rule: Rule, base: float, touched: float) -> tuple[Message, ...]:
    """Return what the outcome assumes beyond the estimated responses."""
    share = 100 * touched / base if base > 0 else 0.0
    messages = [
        Message("warning.price_margin_assumed", {"margin": round(100 * rule.margin_rate, 1)}),
        Message("warning.price_untouched", {"share": round(share, 1)}),
    ]
    borrowed = int((cells["evidence"] == "all").sum())
    if borrowed:
        messages.append(Message("warning.price_borrowed", {"cells": borrowed, "of": len(cells)}))
    beyond = float(cells.loc[cells["beyond"], "base"].sum())
    if beyond > 0:
        messages.append(Message("warning.price_beyond", {"share": round(100 * beyond / max(touched, 1e-12), 1)}))
    reversed_base = float(cells.loc[cells["reversed"], "base"].sum())
    if reversed_base > 0:
        part = {"share": round(100 * reversed_base / max(touched, 1e-12), 1)}
        messages.append(Message("warning.price_reversed", part))
    return tuple(messages)


def demand_change(elasticity: pd.Series, change: float) -> pd.Series:
    """Return by which share more pieces are sold at a price that is changed by ``change``, as a share."""
    return pd.Series(np.expm1(elasticity * np.log1p(change)), index=elasticity.index)


def price_table(responses: Responses, outcome: Outcome | None, names: Sequence[str], language: str) -> pd.DataFrame:
    """Return the responses as a file has them, with what a rule would bring: one row a category and tier.

    A tier whose own response was not estimated has a row where the rule changes its price: it is ``assumed`` to
    respond as all customers do.
    ``names`` are of the tiers, the highest first.
    """
    tier_names = {ALL: translate("price.everyone", language)} | dict(enumerate(names, 1))
    table = responses.table.assign(evidence="measured").round(DIGITS)
    if outcome is not None:
        cells = outcome.cells[[CATEGORY, TIER, "change", "base", "revenue", "margin", "beyond"]]
        cells = cells.rename(columns={name: f"rule_{name}" for name in cells.columns[2:]})
        table = table.merge(cells, on=[CATEGORY, TIER], how="outer").fillna({"evidence": "assumed"})
    everything = translate("price.all_products", language)
    category = table[CATEGORY].replace(ALL_PRODUCTS, everything)
    table = table.assign(tier_name=table[TIER].map(tier_names), **{CATEGORY: category})
    first = [CATEGORY, TIER, "tier_name", "evidence"]
    return table[[*first, *(name for name in table if name not in first)]]

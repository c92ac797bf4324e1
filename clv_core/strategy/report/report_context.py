"""What a report is made from, and how it formats values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from clv_core.deployment import Scored
from clv_core.errors import Message
from clv_core.evaluation import SharedError, Trust
from clv_core.evaluation.explain import Explanation
from clv_core.i18n import MINUS, has, say_count, say_day, say_money, say_share, translate
from clv_core.strategy.acquisition import Acquisition
from clv_core.strategy.activation import PlanInputs
from clv_core.strategy.campaigns import Outcome
from clv_core.strategy.demand import Demand
from clv_core.strategy.forecast.bridge import Bridge
from clv_core.strategy.forecast.shop_forecast import Forecast
from clv_core.strategy.plans.budget_plan import BudgetPlan
from clv_core.strategy.segments.saved_segments import tier_labels
from clv_core.strategy.segments.value_tiers import ValueTiers


class Formatter:
    """Format values in a report's language.

    Args:
        language: of the report.
        currency: of the log; "" where it has no name.
    """

    def __init__(self, language: str, currency: str) -> None:
        self.language, self.currency = language, currency

    def t(self, key: str, **params: Any) -> str:
        """Return a text of the catalogue."""
        return translate(key, self.language, **params)

    def count(self, many: int) -> str:
        """Return a count."""
        return say_count(many, self.language)

    def money(self, value: float) -> str:
        """Return a rounded amount with the log's currency, where it has a name."""
        return say_money(value, self.currency, self.language)

    def exact(self, cents: int) -> str:
        """Return an amount to the cent, without its currency."""
        return f"{cents / 100:,.2f}".replace("-", MINUS)

    def change(self, cents: int) -> str:
        """Return a signed amount to the cent, without its currency."""
        return f"{cents / 100:+,.2f}".replace("-", MINUS) if cents else self.exact(cents)

    def span(self, low: float, high: float) -> str:
        """Return an interval of amounts; "" where there is none."""
        if not (np.isfinite(low) and np.isfinite(high)):
            return ""
        return self.t("report.span", low=say_money(float(low), "", self.language), high=self.money(high))

    def percent(self, share: float) -> str:
        """Return a share as a percentage."""
        return say_share(share)

    def day(self, when: date | str) -> str:
        """Return a date."""
        return say_day(when, self.language)

    def unit(self) -> str:
        """Return the unit of money for axes."""
        return self.currency or self.t("unit.currency")

    def name(self, family: str, value: str) -> str:
        """Return the catalogue's word for ``value``; other values are returned as they are."""
        key = f"{family}.{value}"
        return self.t(key) if has(key, self.language) else value


@dataclass(frozen=True, eq=False)
class ReportPlan:
    """A plan and what it was made of.

    Args:
        plan: it.
        inputs: offers, with measured effects where there are any, and budget.
        people: who may get an offer, at the plan's terms, with the number of their segment.
        names: of the segments.
        notes: warnings on it.
    """

    plan: BudgetPlan
    inputs: PlanInputs
    people: pd.DataFrame
    names: Sequence[str]
    notes: tuple[Message, ...]


@dataclass(frozen=True, eq=False)
class ReportContext:
    """The inputs of all sections.

    Args:
        scored: dataset and model, at the terms of the plan.
        tiered: all customers, scored for the trained horizon, with their tier.
        scheme: of the tiers.
        trust: the verdict on the model.
        shared: errors that customers share, from past origins; None where they are unknown.
        explanation: a saved one, or None.
        plan: a plan, or None.
        acquisition: figures of new customers, and those by the discount of their first order; None without them.
        forecast: what the shop will take, or None.
        demand: what will be bought of each product, or None.
        bridge: the way from the last forecast to what came, or None.
        campaigns: what campaigns brought, the latest start first.
        model_name: what people call the model: its kind and version.
        format: the formatter.
    """

    scored: Scored
    tiered: pd.DataFrame
    scheme: ValueTiers
    trust: Trust
    shared: SharedError | None
    explanation: Explanation | None
    plan: ReportPlan | None
    acquisition: tuple[Acquisition, Acquisition | None] | None
    forecast: Forecast | None
    demand: Demand | None
    bridge: Bridge | None
    campaigns: Sequence[Outcome]
    model_name: str
    format: Formatter

    @property
    def about(self) -> str:
        """What the report was made from, in one line."""
        f = self.format
        return f.t(
            "report.context",
            dataset=self.scored.dataset.name,
            cutoff=f.day(self.scored.dataset.log_end),
            horizon=self.horizon_days,
            model=self.model_name,
        )

    @property
    def tier_names(self) -> list[str]:
        """Display names of the tiers, the highest first."""
        return tier_labels(self.scored.dataset, self.scheme.tiers, self.format.language)

    @property
    def horizon_days(self) -> int:
        """The forecast horizon."""
        return self.scored.trained_days

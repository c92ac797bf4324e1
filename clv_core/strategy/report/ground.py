"""What a report is made from: the log, the model, its scores, and what was found about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.trust import Trust
from clv_core.strategy.plans.budget_plan import BudgetPlan
from clv_core.strategy.plans.offers import Offer
from clv_core.strategy.report.said import Said
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.tiers import Scheme


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan and what it was made for.

    Args:
        plan: who gets what.
        offers: what can be given.
        budget: money.
        terms: what the values that it counts with speak of.
        notes: what has to be known of it.
    """

    plan: BudgetPlan
    offers: Sequence[Offer]
    budget: float
    terms: Terms
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, eq=False)
class Ground:
    """All that the sections read.

    Args:
        dataset: the log.
        bundle: the model.
        tiered: all customers, scored, with their tier.
        scheme: how they were cut.
        trust: the verdict.
        shared: what past origins say of errors that customers share.
        explanation: a kept one, or None.
        planned: a plan, or None.
        said: how values are said.
    """

    dataset: Dataset
    bundle: Bundle
    tiered: pd.DataFrame
    scheme: Scheme
    trust: Trust
    shared: SharedError | None
    explanation: Explanation | None
    planned: Planned | None
    said: Said

    @property
    def tier_names(self) -> list[str]:
        """Names of the tiers as a person calls them, the highest first."""
        return names_of_tiers(self.dataset, self.scheme.tiers, self.said.language)

    @property
    def horizon_days(self) -> int:
        """The predicted span."""
        return int(self.bundle.record["horizon_days"])

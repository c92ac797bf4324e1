"""Responses to prices as a file holds them, in the words of a language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from clv_core.columns import CATEGORY
from clv_core.i18n import translate
from clv_core.strategy.pricing.panel import ALL
from clv_core.strategy.pricing.price_responses import Responses
from clv_core.strategy.pricing.price_rule import Outcome
from clv_core.strategy.segments import TIER

DIGITS: Final = 4
"""Behind the point, of responses: they are known to .01 at best."""


def demand_change(elasticity: pd.Series, change: float) -> pd.Series:
    """Return by which share more pieces are sold at a price that is changed by ``change``, as a share."""
    return pd.Series(np.expm1(elasticity * np.log1p(change)), index=elasticity.index)


def price_table(found: Responses, outcome: Outcome | None, names: Sequence[str], language: str) -> pd.DataFrame:
    """Return one row a category and tier: what was measured, and beside it what a rule would bring.

    A tier on which a category's response was not measured has a row where the rule touches it: it is ``assumed`` to
    answer as all customers do.

    Args:
        found: the responses.
        outcome: of a rule, or None.
        names: of the tiers, the highest first.
        language: of the words.
    """
    called = {ALL: translate("price.everyone", language)} | dict(enumerate(names, 1))
    table = found.table.assign(evidence="measured").round(DIGITS)
    if outcome is not None:
        cells = outcome.cells[[CATEGORY, TIER, "change", "base", "revenue", "margin", "beyond"]]
        cells = cells.rename(columns={name: f"rule_{name}" for name in cells.columns[2:]})
        table = table.merge(cells, on=[CATEGORY, TIER], how="outer").fillna({"evidence": "assumed"})
    table = table.assign(tier_name=table[TIER].map(called))
    first = [CATEGORY, TIER, "tier_name", "evidence"]
    return table[[*first, *(name for name in table if name not in first)]]

"""Lists of customers: scores, history and tier side by side, and those who fulfil some conditions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.errors import NotEnoughData
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.conditions import Condition, select
from clv_core.strategy.history import purchase_history, with_history
from clv_core.strategy.schemes.saved import names_of_tiers
from clv_core.strategy.segments import TIER, assign
from clv_core.strategy.tiers import Scheme

TIER_NAME: Final = "tier_name"


def customer_list(
    dataset: Dataset, scored: pd.DataFrame, scheme: Scheme, cutoff: date, language: str = DEFAULT_LANGUAGE
) -> pd.DataFrame:
    """Return all scored customers with history, tier and the tier's name, the most valuable first.

    Args:
        dataset: the log that they come from.
        scored: ``score``'s columns, as of ``cutoff``.
        scheme: how to cut.
        cutoff: history is what lies before it.
        language: of the tiers' names.
    """
    tiered = assign(with_history(scored, purchase_history(dataset, cutoff), cutoff), scheme)
    names = dict(enumerate(names_of_tiers(dataset, scheme.tiers, language), start=1))
    tiered = tiered.assign(**{TIER_NAME: tiered[TIER].map(names)})
    return tiered.sort_values("predicted_clv", ascending=False, kind="stable", ignore_index=True)


def choose(customers: pd.DataFrame, conditions: Sequence[Condition]) -> pd.DataFrame:
    """Return the customers who fulfil all conditions.

    Raises:
        NotEnoughData: nobody does.
        UsageError: a condition on a column that is not there, or that does not fit it.
    """
    chosen = select(customers, conditions)
    if chosen.empty:
        raise NotEnoughData("segment_empty", segment=" ".join(map(str, conditions)) or "-")
    return chosen

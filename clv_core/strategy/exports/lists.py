"""Lists of customers: scores, history and tier side by side, and those who fulfil some conditions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

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
FEW: Final = 30
"""So many values of a column can still be listed in a sentence."""


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
        NotEnoughData: nobody does; where a segment, a tier or the like is asked for that nobody is in, those that there
            are stand in the error: it may be misspelt.
        UsageError: a condition on a column that is not there, or that does not fit it.
    """
    chosen = select(customers, conditions)
    if chosen.empty:
        for one in conditions:
            known = _known(customers[one.column])
            if one.operator == "=" and known and not one.holds(customers).any():
                raise NotEnoughData("segment_value", column=one.column, value=list(one.values), known=known)
        raise NotEnoughData("segment_empty", segment=" ".join(map(str, conditions)) or "-")
    return chosen


def _known(column: pd.Series[Any]) -> list[str]:
    """Return what stands in a column in order, where that is few enough for a person to choose from; else nothing."""
    values = column.dropna().drop_duplicates()
    return values.sort_values().astype("str").tolist() if len(values) <= FEW else []

"""The table that says how large each segment is, what it is worth, and who is typical of it."""

from __future__ import annotations

import pandas as pd

from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.schemes.segmentation import SEGMENT, Placed
from clv_core.strategy.segments import figures


def segment_table(
    customers: pd.DataFrame,
    placed: Placed,
    shared: SharedError | Summands | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> pd.DataFrame:
    """Return one row a segment, in the scheme's order, empty ones too.

    Args:
        customers: ``score``'s columns with the history's, [n].
        placed: where they are.
        shared: what past origins say of shared errors, or what was worked out from it for these customers.
        language: of names and descriptions.

    Returns:
        segment (its key), name, description, and the columns of :func:`clv_core.strategy.segments.figures`; where
        segments overlap, their sizes and sums add up to more than all customers.
    """
    members, where = placed.members()
    summands = Summands.of(customers, shared) if isinstance(shared, SharedError) else shared
    rows = figures(customers, members, where, placed.count, summands)
    rows.insert(0, "description", [one.description(language) for one in placed.segments])
    rows.insert(0, "name", [one.name(language) for one in placed.segments])
    rows.insert(0, SEGMENT, [one.key for one in placed.segments])
    return rows

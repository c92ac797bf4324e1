"""Shares in conditions: people say 50%, where rules, files and the command line say 0.5."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite

from clv_core.errors import UsageError
from clv_core.features.behaviour import FEATURES
from clv_core.strategy.conditions import CONTAINS, Condition
from clv_core.strategy.segments import P_PURCHASE

SHARE = "share"
SIGNS = ("%", "％")


def is_share(column: str, own: Collection[str] = ()) -> bool:
    """Say whether a column that conditions can ask for holds shares, 1 being all.

    Args:
        column: its name.
        own: columns of the dataset's own, of which nobody says what their numbers are.
    """
    if column in own:
        return False
    return column == P_PURCHASE or (column in FEATURES and FEATURES[column].unit == SHARE)


def from_percent(column: str, operator: str, values: tuple[str, ...], own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the values of a condition as rules keep them, of what a person wrote: ``50%`` or ``50`` becomes ``0.5``.

    Args:
        column: what is compared.
        operator: how.
        values: as they were written; of columns that hold no shares they stay, and what is no number stays too.
        own: as in :func:`is_share`.

    Raises:
        UsageError: a number up to 1 without a percent sign, which is a share for some and a percentage for others.
    """
    if operator == CONTAINS or not is_share(column, own):
        return values
    return tuple(_share(value) for value in values)


def as_percent(condition: Condition, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the values of a condition as a person says them: ``0.5`` of a share is ``50%``.

    Args:
        condition: of a rule.
        own: as in :func:`is_share`.
    """
    if condition.operator == CONTAINS or not is_share(condition.column, own):
        return condition.values
    return tuple(value if (share := _number(value)) is None else _percent(share) for value in condition.values)


def _share(text: str) -> str:
    signed = text.rstrip().endswith(SIGNS)
    found = _number(text.rstrip().rstrip("".join(SIGNS)))
    if found is None:
        return text
    if not signed and 0 < found <= 1:
        raise UsageError("rule_share", value=text.strip(), all=_percent(found), part=_percent(found / 100))
    return f"{found / 100:.12g}"


def _percent(share: float) -> str:
    return f"{100 * share:.10g}%"


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None

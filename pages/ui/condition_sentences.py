"""Conditions as a person says them: columns by their names, shares in percent."""

from __future__ import annotations

from collections.abc import Collection

from clv_core.columns import CATEGORY, CHANNEL, COUNTRY
from clv_core.features import FEATURES, label
from clv_core.strategy.segments import Condition, as_percent
from pages.ui import i18n, session
from pages.ui.i18n import t

SAID = {"=": "equal", "!=": "unequal", ">=": "at_least", "<=": "at_most", ">": "above", "<": "below", "~": "contains"}


def called(column: str) -> str:
    """Return what a column is called: by the catalogue, as a feature, or as it is."""
    if column in (CHANNEL, COUNTRY, CATEGORY):
        return t(f"rules.column.{column}")
    name = i18n.name_of("column", column)
    return label(column, session.language()) if name == column and column in FEATURES else name


def compared(operator: str) -> str:
    """Return how a condition compares, for example ``at least``."""
    return t(f"rules.{SAID[operator]}")


def sentence(condition: Condition, own: Collection[str] = ()) -> str:
    """Return a condition as a person says it.

    ``own``: columns of the dataset's own, whose numbers are said as they are.
    """
    values = i18n.join_names(as_percent(condition, own))
    return t("rules.sentence", column=called(condition.column), operator=compared(condition.operator), value=values)

"""What stands out of a group of customers against all others, in words."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.errors import Message
from clv_core.strategy.history import DAYS_SINCE_LAST, HISTORIC_VALUE, PURCHASE_DAYS
from clv_core.strategy.schemes.segmentation import Floats, Ints
from clv_core.strategy.segments import P_PURCHASE, VALUE

TRAITS: Final = ("value", "orders", "basket", "silence", "chance")
ALWAYS: Final = 2
"""A name has so many parts, more only where two groups would be called the same."""
NOTABLE: Final = 0.25
MUCH: Final = 0.75
"""A group's mean must be so many standard deviations from that of all to be called notable, or much so."""
MOSTLY: Final = 0.8
"""A group of which so many never bought is called by that: what the few others bought says little."""
Title = tuple[Message | str, ...]


def named(customers: pd.DataFrame, where: Ints, count: int) -> list[Title]:
    """Return a name for each group, no two the same: its value, then what else stands out, the most notable first.

    Args:
        customers: ``score``'s columns with the history's, [n].
        where: the group of each, 0 to ``count`` - 1, [n].
        count: number of groups.
    """
    gaps = _gaps(customers, where, count)
    never = customers[PURCHASE_DAYS].to_numpy() == 0
    size = np.bincount(where, minlength=count)
    buyers = size - np.bincount(where, never, minlength=count)
    found: list[Title] = []
    for group in range(count):
        words = _words(gaps[group], mostly_never(int(size[group]), int(buyers[group])))
        parts = next((n for n in range(ALWAYS, len(words) + 1) if tuple(words[:n]) not in found), None)
        title: Title = tuple(words[: parts or ALWAYS])
        if title in found:
            title = (*title, Message("segment.trait.number", {"number": group + 1}))
        found.append(title)
    return found


def mostly_never(customers: int, buyers: int) -> bool:
    """Say whether so many of a group never bought that what the others bought says little of it."""
    return customers - buyers >= MOSTLY * max(customers, 1)


def _words(gaps: Floats, never: bool) -> list[Message]:
    """Return what can be said of a group, the value first."""
    value = gaps[0]
    words = [Message(f"segment.trait.value.{_grade(value) if abs(value) >= NOTABLE else 'middle'}")]
    if never:
        words.append(Message("segment.trait.never"))
    order = [int(place) for place in np.argsort(-np.abs(gaps), kind="stable")]
    spoken = ("chance",) if never else TRAITS[1:]
    for place in order:
        name, gap = TRAITS[place], gaps[place]
        # The chance to buy mostly repeats the value: it is said only where it does not.
        repeats = name == "chance" and not never and gap * value >= 0
        if name in spoken and abs(gap) >= NOTABLE and not repeats:
            words.append(Message(f"segment.trait.{name}.{_grade(gap)}"))
    return words


def _grade(gap: float) -> str:
    """Return which way a group stands out, and whether much so."""
    return ("highest" if gap >= MUCH else "high") if gap > 0 else ("lowest" if gap <= -MUCH else "low")


def _gaps(customers: pd.DataFrame, where: Ints, count: int) -> Floats:
    """Return how far each group's mean lies from that of all, in standard deviations, [count, traits].

    Of values the group with the highest mean has the largest gap, and so on: the mean of logarithms may order groups
    otherwise where a few customers hold most of one, and the value a customer stands beside the name. For the same
    reason no group whose mean lies below that of all is called of high value, and none above it of low.
    """
    orders = customers[PURCHASE_DAYS].to_numpy(float)
    spent, unknown = customers[HISTORIC_VALUE].to_numpy(float), np.full(len(orders), np.nan)
    basket = np.divide(spent, orders, out=unknown, where=orders > 0)
    value = np.maximum(customers[VALUE].to_numpy(float), 0)
    figures = {
        "value": np.log1p(value),
        "chance": customers[P_PURCHASE].to_numpy(float),
        "orders": np.log1p(orders),
        "basket": np.log1p(np.maximum(basket, 0)),
        "silence": np.log1p(customers[DAYS_SINCE_LAST].to_numpy(float)),
    }
    gaps = np.zeros((count, len(TRAITS)))
    for place, name in enumerate(TRAITS):
        known = ~np.isnan(figures[name])
        values, groups = figures[name][known], where[known]
        spread = values.std() if len(values) else 0.0
        if spread > 0:
            size = np.bincount(groups, minlength=count)
            mean = np.bincount(groups, values, minlength=count) / np.maximum(size, 1)
            gaps[:, place] = np.where(size > 0, (mean - values.mean()) / spread, 0.0)
    size = np.bincount(where, minlength=count)
    some = np.flatnonzero(size)
    means = np.bincount(where, value, minlength=count)[some] / size[some]
    gaps[some[np.argsort(means, kind="stable")], 0] = np.sort(gaps[some, 0])
    beyond = means - value.mean() if len(value) else means
    gaps[some, 0] = np.where(gaps[some, 0] * beyond > 0, gaps[some, 0], 0.0)
    return gaps

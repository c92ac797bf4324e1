"""Customers by group, and the cost of each group from a spend table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.vocabulary import fold
from clv_core.columns import CHANNEL
from clv_core.errors import Refused
from clv_core.strategy.acquisition.customer_origins import CAMPAIGN, COHORT, NewCustomers
from clv_core.strategy.acquisition.estimates import Ints
from clv_core.strategy.acquisition.question import NAMED, OTHERS, UNKNOWN
from clv_core.strategy.acquisition.spend import Spend, SpendDays

Bools = NDArray[np.bool_]

SEPARATOR: Final = " · "
"""Between the names of a group by two dimensions."""
NOTHING: Final = "–"
"""Replaces an unknown part of a name."""
MAX_GROUPS: Final = 50
"""Named groups; smaller ones are lumped. More rows than a page or a report shows; a guess."""
SPEND_DIMENSIONS: Final = (CHANNEL, CAMPAIGN, COHORT)
"""Dimensions by which a spend table can be split."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Customers by group.

    Args:
        names: of each group by dimension, "" where unknown, [g][dimensions].
        kinds: of each, [g].
        code: group of each customer, 0 to g - 1, -1 of those who do not count, [n].
        index: folded names of a group -> its place; of groups beyond :data:`MAX_GROUPS` that of the others.
    """

    names: list[tuple[str, ...]]
    kinds: list[str]
    code: Ints
    index: dict[tuple[str, ...], int]

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.names)

    @property
    def labels(self) -> list[str]:
        """Names in one text each, "" of lumped groups and of unknown origin."""
        named = zip(self.names, self.kinds, strict=True)
        return [SEPARATOR.join(part or NOTHING for part in name) if kind == NAMED else "" for name, kind in named]


@dataclass(frozen=True, eq=False)
class Cost:
    """A spend table cut to the days of a log.

    Args:
        cells: channel, campaign, cohort (month) and amount, within the days of the log.
        outside: amount before the log begins or after the cutoff.
        days: covered by the table over all channels, within the log.
        channel_days: folded name of a channel -> the days of its own rows, within the log.
    """

    cells: pd.DataFrame
    outside: float
    days: SpendDays
    channel_days: Mapping[str, SpendDays]

    @classmethod
    def of(cls, spend: Spend, customers: NewCustomers) -> Cost:
        """Return the cost of customers.

        Raises:
            Refused: it is in another currency than the log, or wholly before or after it.
        """
        if spend.currency and customers.currency and spend.currency != customers.currency:
            raise Refused("spend_currency", file=spend.file, spend=spend.currency, log=customers.currency)
        log = customers.log_start, customers.as_of
        days = spend.days(*log)
        if not days.spans:
            raise Refused("spend_outside", file=spend.file, start=log[0].isoformat(), end=log[1].isoformat())
        return cls(*spend.by_month(*log), days, spend.days_by_channel(*log))

    def covers(self, customers: NewCustomers) -> Bools:
        """Return which customers were won on days that the spend table covers, [n].

        These are the days of their channel's own rows: before and after them the cost of its customers is missing. A
        channel without rows, and an unknown one, count as free on all days of the table.
        """
        inside, channel = self.days.hold(customers.acquired), customers.origin.get(CHANNEL)
        if channel is None:
            return inside
        for code, name in enumerate(channel.categories):
            days = self.channel_days.get(fold(str(name)))
            if days is not None:
                rows = np.flatnonzero(channel.codes == code)
                inside[rows] = days.hold(customers.acquired[rows])
        return inside

    def by_group(self, groups: Groups, by: tuple[str, ...]) -> tuple[Groups, Ints]:
        """Return the groups with those that only the spend table has, and the group of each cell."""
        names, kinds, index, codes = list(groups.names), list(groups.kinds), dict(groups.index), []
        for cell in self.cells[list(by)].itertuples(index=False, name=None):
            key = tuple(map(fold, cell))
            if key not in index:
                index[key] = len(names)
                names.append(tuple(cell))
                kinds.append(NAMED if any(key) else UNKNOWN)
            codes.append(index[key])
        return replace(groups, names=names, kinds=kinds, index=index), np.array(codes, np.int64)


def group_customers(customers: NewCustomers, by: tuple[str, ...], inside: Bools) -> Groups:
    """Return the groups of the customers who are ``inside``, bool [n], the largest first, unknown and others last."""
    code, texts = np.zeros(len(customers), np.int64), []
    for name in by:
        column = customers.origin[name]
        category_texts = [*map(str, column.categories), ""]
        texts.append(category_texts)
        code = code * len(category_texts) + np.where(column.codes < 0, len(category_texts) - 1, column.codes)
    size = np.bincount(code[inside], minlength=int(np.prod([len(category_texts) for category_texts in texts])))
    filled = np.flatnonzero(size)
    places = np.unravel_index(filled, [len(category_texts) for category_texts in texts])
    names = list(
        zip(
            *([category_texts[place] for place in at] for category_texts, at in zip(texts, places, strict=True)),
            strict=True,
        )
    )
    nothing = np.array([not any(name) for name in names], bool)
    order = sorted(range(len(filled)), key=lambda at: (nothing[at], -size[filled[at]], names[at]))
    shown = [at for at in order if not nothing[at]]
    lumped = shown[MAX_GROUPS:] if len(shown) > MAX_GROUPS + 1 else []
    shown = shown[: len(shown) - len(lumped)]
    unknown = [at for at in order if nothing[at]]
    listed = shown + unknown
    named = [names[at] for at in listed] + ([("",) * len(by)] if lumped else [])
    kinds = [NAMED] * len(shown) + [UNKNOWN] * len(unknown) + ([OTHERS] if lumped else [])
    to_group = np.full(len(size), -1, np.int64)
    to_group[filled[listed]] = np.arange(len(listed))
    to_group[filled[lumped]] = len(listed)
    index = {tuple(map(fold, names[at])): int(to_group[filled[at]]) for at in reversed(order)}
    return Groups(named, kinds, np.where(inside, to_group[code], -1), index)


def can_split(cost: Cost, by: tuple[str, ...]) -> bool:
    """Return whether the spend table has the dimensions."""
    return set(by) <= set(SPEND_DIMENSIONS) and all((cost.cells[name] != "").any() for name in by)

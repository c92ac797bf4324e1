"""A snapshot: all customers seen before a cutoff, their features, and their value after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.errors import UsageError
from clv_core.features.anchor import Anchor
from clv_core.features.behaviour import FEATURES
from clv_core.features.context.context import LazyContext
from clv_core.features.feature_table import ANCHORS
from clv_core.features.last_year import LastYear
from clv_core.features.sequences import Windows
from clv_core.features.signals import SignalColumn
from clv_core.preprocessing import Described, Table, numbers_of

RECENT_DAYS: Final = 90
"""A quarter."""
BASIS: Final = ("T", "tenure", "net_value", f"net_value_{RECENT_DAYS}d", *ANCHORS)
"""The features that models start from, whatever else they read."""


@dataclass(frozen=True)
class Snapshot:
    """n (customer, cutoff) pairs; one cutoff when scoring, several when training.

    Args:
        table: one column for each of :attr:`described`, float64 with NaN for unknown or text with None for unknown,
            indexed by ``customer_id``, shape [n, f].
        windows: the event sequence of each row, strictly before its cutoff, [n].
        horizon_days: length of the predicted span.
        target: net value in [cutoff, cutoff + horizon), in the log's currency, float64 [n]; None where the horizon has
            not passed. Of a partial window, the net value of that part of the horizon which has passed.
        anchors: the BTYD models fitted on what lies before each cutoff, by cutoff day.
        last_year: seasonality of the year before a scoring cutoff.
        signals: the columns that this dataset has beyond ``FEATURES``, by name.
        exposure: expected purchases in the span that the target covers, relative to those in the full horizon,
            float64 [n]: 1 for a complete window. None: all are complete.
        levels: the anchor's total over the actual one of all buyers of a training cutoff, by cutoff day; sampled rows
            do not tell it, since a few large customers decide it.
        contexts: the log around the customers at each cutoff, by cutoff day, for networks that were not trained on it.
    """

    table: Table
    windows: Windows
    horizon_days: int
    target: NDArray[np.float64] | None
    anchors: dict[int, Anchor]
    last_year: LastYear = LastYear()
    signals: Mapping[str, SignalColumn] = field(default_factory=dict)
    exposure: NDArray[np.float64] | None = None
    levels: Mapping[int, float] = field(default_factory=dict)
    contexts: Mapping[int, LazyContext] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return n."""
        return len(self.table)

    @cached_property
    def features(self) -> pd.DataFrame:
        """The table as a frame."""
        return self.table if isinstance(self.table, pd.DataFrame) else self.table.frame()

    @property
    def described(self) -> dict[str, Described]:
        """Every column of ``features`` with its group and scale: ``FEATURES``, then the dataset's own."""
        return {**FEATURES, **self.signals}

    @cached_property
    def basis(self) -> Mapping[str, NDArray[np.float64]]:
        """:data:`BASIS` by name, [n] each; of few rows, a frame takes as long to hand out one column as all of them."""
        return dict(zip(BASIS, numbers_of(self.table, BASIS), strict=True))

    @cached_property
    def bought(self) -> NDArray[np.bool_]:
        """Who has ever bought something, and kept it, bool [n]."""
        return ~np.isnan(self.basis["T"])

    @cached_property
    def anchor_value(self) -> NDArray[np.float64]:
        """What the anchor expects of each row in the horizon, in the log's currency, float64 [n]."""
        return np.nan_to_num(self.basis["anchor_value"])

    @property
    def cutoff_day(self) -> NDArray[np.int32]:
        """The cutoff of each row in days since 1970-01-01, int32 [n]."""
        return self.windows.cutoff_day

    def take(self, rows: NDArray[np.int64]) -> Snapshot:
        """Return the snapshot of ``rows`` only."""
        return replace(
            self,
            table=self.features.iloc[rows],
            windows=self.windows.take(rows),
            target=None if self.target is None else self.target[rows],
            exposure=None if self.exposure is None else self.exposure[rows],
        )

    def gaps(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return which rows lack a value in any of the columns ``names``, bool [n].

        Raises:
            UsageError: there is no such column.
        """
        unknown = [name for name in names if name not in self.features]
        if unknown:
            raise UsageError("feature_unknown", names=", ".join(unknown), known=", ".join(self.features.columns))
        return self.features[list(names)].isna().any(axis=1).to_numpy()

    def complete(self) -> Snapshot:
        """Return the rows whose target covers the full horizon."""
        if self.exposure is None:
            return self
        return replace(self.take(np.flatnonzero(self.exposure == 1)), exposure=None)


def concat(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Return one snapshot of all rows; the parts are of one log and horizon, and all have targets or none has.

    All parts have one :attr:`last_year`, or none.
    """
    first = snapshots[0]
    windows = replace(
        first.windows,
        start=np.concatenate([part.windows.start for part in snapshots]),
        stop=np.concatenate([part.windows.stop for part in snapshots]),
        cutoff_day=np.concatenate([part.windows.cutoff_day for part in snapshots]),
    )
    targets = [part.target for part in snapshots if part.target is not None]
    exposures = [np.ones(len(part)) if part.exposure is None else part.exposure for part in snapshots]
    partial = any(part.exposure is not None for part in snapshots)
    return Snapshot(
        table=pd.concat([part.features for part in snapshots]),
        windows=windows,
        horizon_days=first.horizon_days,
        target=np.concatenate(targets) if targets else None,
        anchors={day: anchor for part in snapshots for day, anchor in part.anchors.items()},
        last_year=first.last_year,
        signals=first.signals,
        exposure=np.concatenate(exposures) if partial else None,
        levels={day: level for part in snapshots for day, level in part.levels.items()},
        contexts={day: context for part in snapshots for day, context in part.contexts.items()},
    )

"""From steps and contexts to the tensors of an untrained network: no scale of the log is left in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.features import STEP_VALUES, Anchor, Steps, Windows
from clv_core.features.context import (
    ANCHORED,
    KINDS,
    RENEWAL,
    SURPLUS,
    Context,
    anchor_numbers,
    anchor_statistics,
    spend_statistics,
    step_kinds,
)
from clv_core.model.heads import BASE_WIDTH
from clv_core.model.packing import pack

MOST_STEPS: Final = 24
"""Steps that the sequence branch reads, the latest ones; older ones count in the statistics. A guess: a GRU's time
grows with them."""
CHANNELS: Final = 5 + len(KINDS)
LITTLE: Final = 0.02
"""Added to times in horizons before their log: a step on the day of the cutoff has age 0."""


@dataclass(frozen=True)
class Sequence:
    """A packed batch of windows, longest first, time-major; fields as in :class:`clv_core.model.inputs.Sequence`."""

    channels: Tensor
    batch_sizes: Tensor
    unsort: Tensor


@dataclass(frozen=True)
class Batch:
    """What the network reads for B rows of k logs.

    ``statistics`` [B, f], ``logs`` [k, g], ``log_of`` [B], ``base`` [B, BASE_WIDTH], ``steps``.
    """

    statistics: Tensor
    logs: Tensor
    log_of: Tensor
    base: Tensor
    steps: Sequence


@dataclass(frozen=True)
class InstantInputs:
    """Tensors of n customers in k logs (or cutoffs of one log).

    Args:
        statistics: of customers, float32 [n, f].
        logs: of the logs, float32 [k, g].
        log_of: each customer's log, int64 [n].
        base: the head's base logs and purchase logit, float32 [n, BASE_WIDTH].
        start, stop: each customer's slice of steps, int64 [n].
        days: day of each step, float32 [s].
        amounts: money of each step in the log's currency, 0 where there is none, float32 [s].
        values: log lines, rating about 4, kinds, float32 [s, CHANNELS - 3].
        gaps: days since the step before, float32 [s].
        cutoff: day of each log's cutoff, float32 [k].
        horizon: days of each log's horizon, float32 [k].
        orders: mean order of each log at its cutoff, in its currency, float32 [k].
    """

    statistics: Tensor
    logs: Tensor
    log_of: Tensor
    base: Tensor
    start: Tensor
    stop: Tensor
    days: Tensor
    amounts: Tensor
    values: Tensor
    gaps: Tensor
    cutoff: Tensor
    horizon: Tensor
    orders: Tensor

    def __len__(self) -> int:
        """Return n."""
        return len(self.statistics)

    @classmethod
    def of(
        cls,
        windows: Windows,
        contexts: Mapping[int, Context],
        anchors: Mapping[int, Anchor],
        features: Mapping[str, NDArray[np.float64]],
    ) -> InstantInputs:
        """Return the tensors of windows of one log at any of its cutoffs.

        Args:
            windows: of n customers.
            contexts: the log at each of the windows' cutoffs, by day.
            anchors: fitted on the log before them.
            features: the anchors' expectations of the customers, :data:`~clv_core.features.context.context.ANCHORED`,
                [n].
        """
        days = sorted(set(windows.cutoff_day.tolist()))
        log_of = np.searchsorted(days, windows.cutoff_day)
        by_cutoff = [contexts[day] for day in days]
        statistics, base = np.empty((len(windows), 0), np.float32), np.empty((len(windows), BASE_WIDTH), np.float32)
        for k, context in enumerate(by_cutoff):
            rows = np.flatnonzero(log_of == k)
            anchored = {name: features[name][rows] for name in ANCHORED}
            part = context.customers(windows.take(rows))
            money = context.usual["money"]
            anchor = anchors[days[k]]
            part |= spend_statistics(anchor.spend, part, money)
            part |= anchor_statistics(anchored, part["never"], money * anchor.kept)
            part |= {name: part.pop(name) for name in RENEWAL}  # last: earlier networks read the others
            if k == 0:
                statistics = np.empty((len(windows), len(part)), np.float32)
            statistics[rows] = np.array(list(part.values())).T
            base[rows] = base_logs(part)
        numbers = [
            [*context.numbers.values(), *anchor_numbers(anchors[day], context.horizon_days).values()]
            for day, context in zip(days, by_cutoff, strict=True)
        ]
        steps = windows.steps
        amounts = steps.values[:, STEP_VALUES.index("amount")]
        return cls(
            statistics=torch.from_numpy(statistics),
            logs=torch.from_numpy(np.array(numbers, np.float32)),
            log_of=torch.from_numpy(log_of),
            base=torch.from_numpy(base),
            start=torch.from_numpy(np.maximum(windows.first, windows.stop - MOST_STEPS)),
            stop=torch.from_numpy(windows.stop),
            days=torch.from_numpy(steps.day.astype(np.float32)),
            amounts=torch.from_numpy(np.where(np.isnan(amounts), 0, amounts)),
            values=torch.from_numpy(_values(steps)),
            gaps=torch.from_numpy(steps.gap_days),
            cutoff=torch.from_numpy(np.array(days, np.float32)),
            horizon=torch.from_numpy(np.array([context.horizon_days for context in by_cutoff], np.float32)),
            orders=torch.from_numpy(np.array([context.usual["money"] for context in by_cutoff], np.float32)),
        )

    def batch(self, rows: Tensor) -> Batch:
        """Return the batch of ``rows`` [B]."""
        start, stop, log_of = (part.index_select(0, rows) for part in (self.start, self.stop, self.log_of))
        packed = pack(start, stop, log_of)
        log = log_of.index_select(0, packed.row)
        cutoff, horizon, order = (part.index_select(0, log) for part in (self.cutoff, self.horizon, self.orders))
        day, gap, amount, values = (
            part.index_select(0, packed.step) for part in (self.days, self.gaps, self.amounts, self.values)
        )
        age, gap, amount = (cutoff - day) / horizon, gap / horizon, amount / order
        scaled = torch.stack([amount.sign() * amount.abs().log1p(), (age + LITTLE).log(), (gap + LITTLE).log()], dim=1)
        channels = torch.cat([scaled, values], dim=1)
        steps = Sequence(channels, packed.batch_sizes, packed.unsort)
        statistics, base = self.statistics.index_select(0, rows), self.base.index_select(0, rows)
        return Batch(statistics, self.logs, log_of, base, steps)

    def money(self, contexts: Mapping[int, Context]) -> NDArray[np.float64]:
        """Return the mean order of each customer's log in currency, [n]."""
        usual = np.array([contexts[int(day)].usual["money"] for day in self.cutoff.tolist()])
        by_customer: NDArray[np.float64] = usual[self.log_of.numpy()]
        return by_customer

    def in_parts(self, rows_at_once: int) -> tuple[Tensor, ...]:
        """Return all row numbers in parts of at most ``rows_at_once``."""
        rows = torch.arange(len(self), device=self.start.device)
        parts: tuple[Tensor, ...] = rows.split(rows_at_once)  # type: ignore[no-untyped-call]
        return parts

    def to(self, device: torch.device) -> Self:
        """Return the same tensors on ``device``."""
        return replace(self, **{name: value.to(device) for name, value in vars(self).items()})

    def take(self, rows: Tensor) -> InstantInputs:
        """Return the tensors of some customers; all steps and logs stay."""
        names = ("statistics", "log_of", "base", "start", "stop")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    @classmethod
    def join(cls, parts: list[InstantInputs]) -> InstantInputs:
        """Return the tensors of several logs as one."""
        logs = np.cumsum([0, *(len(part.logs) for part in parts)])
        steps = np.cumsum([0, *(len(part.days) for part in parts)])
        moved = [
            replace(part, log_of=part.log_of + int(log), start=part.start + int(step), stop=part.stop + int(step))
            for part, log, step in zip(parts, logs, steps, strict=False)
        ]
        names = cls.__dataclass_fields__
        return cls(**{name: torch.cat([getattr(part, name) for part in moved]) for name in names})


def base_logs(columns: dict[str, NDArray[np.float64]]) -> NDArray[np.float32]:
    """Return what the head's mean starts from, and the logit that its chance starts from, [n, BASE_WIDTH].

    Besides the anchor, the mean of similar customers in complete windows, times her own mean order; for never-buyers
    that alone. The anchor's count is corrected by its error on similar customers there.
    """
    never, value = columns["never"], columns["order_value"]
    orders = (columns["lookup_cell_orders"] + columns["lookup_weight_orders"]) / 2
    looked_up = (columns["lookup_cell_chance"] + columns["lookup_weight_chance"]) / 2
    missed = sum(columns[f"lookup_{name}_surplus"] for name in SURPLUS) / len(SURPLUS)
    expected = columns["anchor_orders"] + missed + columns["anchor_spend_all"]
    anchored = np.where(never > 0, orders + value, expected)
    chance = np.where(never > 0, looked_up, (looked_up + columns["anchor_chance"]) / 2)
    logs = (orders + value, anchored, columns["rate_lifetime"] + value, value, never, chance)
    return np.column_stack(logs).astype(np.float32)


def _values(steps: Steps) -> NDArray[np.float32]:
    lines, rating = (steps.values[:, STEP_VALUES.index(name)] for name in ("lines", "rating"))
    values = np.zeros((len(lines), 2 + len(KINDS)), np.float32)
    values[:, 0] = np.log1p(np.where(np.isnan(lines), 1, lines))
    values[:, 1] = np.where(np.isnan(rating), 0, rating - 4)
    values[np.arange(len(lines)), 2 + step_kinds(steps)] = 1
    return values

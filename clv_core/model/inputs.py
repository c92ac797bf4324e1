"""From a snapshot to the network's tensors, free of the log's currency and size.

Money is counted in units of the log's mean purchase day, so that one learning rate fits every shop. Packed sequences
are built straight from the flat step arrays: no padding, no Python per customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.features import RECENT_DAYS, STEP_VALUES, Snapshot, Steps
from clv_core.model.packing import pack
from clv_core.preprocessing import TableEncoder
from clv_core.records import JsonRecord

STEP_CHANNELS: Final = (*STEP_VALUES, "rated", "gap", "since_first", "age")
"""Numeric channels of a step as the RNN reads them; ``age`` depends on the cutoff and is added per batch."""

LARGEST_VOCABULARY: Final = 64
"""The most frequent values of a categorical column that get a code of their own; a guess."""
SMALLEST_LOG: Final = 0.02
"""Floor of the base logs, in mean purchase days: the value of "nothing so far"; a guess."""
PRIOR_DAYS: Final = 120
"""Days of the anchor's expectation that are added to a spend rate: without them, the log of no spend has no bottom. A
guess."""


@dataclass(frozen=True)
class Sequence:
    """A packed batch of windows, longest first, time-major.

    Args:
        channels: :data:`STEP_CHANNELS` of every step, float32 [total, c].
        codes: categorical codes of every step, int64 [total, len(STEP_CODES)].
        batch_sizes: slices still alive at each position, int64 on the CPU [longest].
        unsort: where each row's slice lies in the sorted order, int64 [B].
    """

    channels: Tensor
    codes: Tensor
    batch_sizes: Tensor
    unsort: Tensor


@dataclass(frozen=True)
class Batch:
    """What the network reads for B rows: ``table`` [B, d], ``base`` [B, BASE_WIDTH], ``sequence``."""

    table: Tensor
    base: Tensor
    sequence: Sequence


@dataclass(frozen=True)
class Inputs:
    """The tensors of n rows and of the steps that they point into.

    Args:
        table: encoded features, float32 [n, d].
        base: the head's base logs and purchase logit, float32 [n, BASE_WIDTH].
        start, stop: each row's slice of steps, int64 [n].
        cutoff_day: int32 [n].
        channels: step channels without ``age``, float32 [s, c - 1].
        codes: step codes, 0 is the unknown bucket, int64 [s, len(STEP_CODES)].
        day: day of each step, int32 [s].
        target: value in the horizon in mean purchase days, float32 [n]; empty where unknown.
        exposure: how much of the horizon the target covers, in expected purchases, float32 [n].
        oldest: largest age of a step in the training windows, in days, float32 []; older ones count as that old.
    """

    table: Tensor
    base: Tensor
    start: Tensor
    stop: Tensor
    cutoff_day: Tensor
    channels: Tensor
    codes: Tensor
    day: Tensor
    target: Tensor
    exposure: Tensor
    oldest: Tensor

    def __len__(self) -> int:
        """Return n."""
        return len(self.table)

    def batch(self, rows: Tensor) -> Batch:
        """Return the batch of ``rows`` [B]."""
        start, stop, cutoff_day = (part.index_select(0, rows) for part in (self.start, self.stop, self.cutoff_day))
        packed = pack(start, stop, cutoff_day - cutoff_day.min())
        cutoff, day = cutoff_day.index_select(0, packed.row), self.day.index_select(0, packed.step)
        age = torch.log1p((cutoff - day).float().clamp(min=0).minimum(self.oldest) / 30)
        channels = torch.cat([self.channels.index_select(0, packed.step), age.unsqueeze(1)], dim=1)
        codes = self.codes.index_select(0, packed.step)
        sequence = Sequence(channels, codes, packed.batch_sizes, packed.unsort)
        return Batch(self.table.index_select(0, rows), self.base.index_select(0, rows), sequence)

    def in_parts(self, rows_at_once: int) -> tuple[Tensor, ...]:
        """Return all row numbers in parts of at most ``rows_at_once``."""
        rows = torch.arange(len(self), device=self.table.device)
        parts: tuple[Tensor, ...] = rows.split(rows_at_once)  # type: ignore[no-untyped-call]
        return parts

    def to(self, device: torch.device) -> Self:
        """Return the same inputs on ``device``."""
        return replace(self, **{name: value.to(device) for name, value in vars(self).items()})

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors by name, contiguous, for a safetensors file."""
        return {name: value.contiguous() for name, value in vars(self).items()}


@dataclass(frozen=True)
class InputEncoder(JsonRecord):
    """Everything learned from training snapshots that turns a snapshot into :class:`Inputs`.

    Args:
        table: encoder of the feature table.
        money: mean net value of a purchase day, in the log's currency.
        scales: mean absolute value of each of ``STEP_VALUES`` where present, [len(STEP_VALUES)].
        vocabularies: texts of each of ``STEP_CODES`` that have a code; 0 is unknown, k is ``texts[k - 1]``.
        lowest, highest: range of each channel but ``age`` in the training windows; values beyond it are taken as its
            nearest end.
        oldest: largest age of a step in the training windows, in days.
    """

    table: TableEncoder
    money: float
    scales: tuple[float, ...]
    vocabularies: tuple[tuple[str, ...], ...]
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()
    oldest: float = np.inf

    @classmethod
    def fit(cls, train: Snapshot, table: TableEncoder) -> InputEncoder:
        """Learn scales and vocabularies from the steps that the training windows cover."""
        seen = covered_steps(train)
        values = train.windows.steps.values[seen]
        amount = values[:, STEP_VALUES.index("amount")]
        bought = amount[amount > 0]
        scales = []
        for column in values.T:
            sizes = np.abs(column[np.isfinite(column) & (column != 0)])
            scales.append(float(sizes.mean(dtype=np.float64)) if len(sizes) else 1.0)
        vocabularies = []
        for column, texts in zip(train.windows.steps.codes[seen].T, train.windows.steps.vocabularies, strict=True):
            counts = np.bincount(column[column >= 0], minlength=len(texts))
            most = np.argsort(-counts, kind="stable")[:LARGEST_VOCABULARY]
            vocabularies.append(tuple(sorted(texts[code] for code in most if counts[code] > 0)))
        money = float(bought.mean(dtype=np.float64)) if len(bought) else 1.0
        encoder = cls(table, money, tuple(scales), tuple(vocabularies))
        channels = encoder._channels(train.windows.steps)[seen]
        edges = [tuple(map(float, edge)) for edge in (channels.min(axis=0), channels.max(axis=0))]
        oldest = float((train.windows.cutoff_day - train.windows.steps.day[train.windows.start]).max())
        return replace(encoder, lowest=edges[0], highest=edges[1], oldest=oldest)

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """Codes of each categorical column, the unknown bucket included."""
        return tuple(len(texts) + 1 for texts in self.vocabularies)

    def transform(self, snapshot: Snapshot, most_steps: int | None = None) -> Inputs:
        """Return the tensors of a snapshot; any snapshot gives finite tensors.

        Args:
            snapshot: n rows.
            most_steps: how many steps of a window are read, the latest ones; None: all.
        """
        windows, steps = snapshot.windows, snapshot.windows.steps
        if most_steps is not None:
            windows = windows.latest(most_steps)
        target = np.empty(0) if snapshot.target is None else snapshot.target / self.money
        exposure = np.ones(len(snapshot)) if snapshot.exposure is None else snapshot.exposure
        return Inputs(
            table=torch.from_numpy(self.table.transform(snapshot.table)),
            base=torch.from_numpy(self.base(snapshot.basis, snapshot.horizon_days)),
            start=torch.from_numpy(windows.start),
            stop=torch.from_numpy(windows.stop),
            cutoff_day=torch.from_numpy(windows.cutoff_day),
            channels=torch.from_numpy(np.clip(self._channels(steps), self.lowest, self.highest).astype(np.float32)),
            codes=torch.from_numpy(self._codes(steps)),
            day=torch.from_numpy(steps.day),
            target=torch.from_numpy(target.astype(np.float32)),
            exposure=torch.from_numpy(exposure.astype(np.float32)),
            oldest=torch.tensor(self.oldest, dtype=torch.float32),
        )

    def base(self, column: Mapping[str, NDArray[np.float64]], horizon_days: int) -> NDArray[np.float32]:
        """Return the head's base logs and the anchor's purchase logit, [n, BASE_WIDTH].

        Args:
            column: the snapshot's basis by name, [n] each.
            horizon_days: of the snapshot.
        """
        money = max(self.money, 1e-9)
        never = np.isnan(column["T"])
        since_first = np.where(never, column["tenure"], column["T"])
        value, count, spend = np.nan_to_num([column[f"anchor_{name}"] for name in ("value", "count", "spend")])
        expected = value / horizon_days

        def rate(spent: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
            """Spend in a horizon at the rate of some days, and of as if more at the rate that the anchor expects."""
            total: NDArray[np.float64] = spent + PRIOR_DAYS * expected
            return total / (days + PRIOR_DAYS) * horizon_days

        recent_rate = rate(column[f"net_value_{RECENT_DAYS}d"], np.minimum(since_first, RECENT_DAYS))
        long_run_rate = rate(column["net_value"], since_first)
        sizes = np.array([value, recent_rate, long_run_rate, spend])
        logs = np.log(np.maximum(np.nan_to_num(sizes / money), 0) + SMALLEST_LOG)
        logit = np.log(np.expm1(np.clip(count, 0.01, 12.0)))
        return np.column_stack([*logs, never, logit]).astype(np.float32)

    def _channels(self, steps: Steps) -> NDArray[np.float32]:
        scaled = np.where(np.isnan(steps.values), 0, steps.values / np.asarray(self.scales, np.float32))
        rating = STEP_VALUES.index("rating")
        rated = np.isfinite(steps.values[:, rating]).astype(np.float32)
        scaled[:, rating] = (scaled[:, rating] - rated) * 2
        first = np.repeat(steps.day[steps.offsets[:-1]], np.diff(steps.offsets)) if len(steps.day) else steps.day
        skewed = [column for column in range(len(STEP_VALUES)) if column != rating]
        scaled[:, skewed] = np.sign(scaled[:, skewed]) * np.log1p(np.abs(scaled[:, skewed]))
        gap, since_first = np.log1p(steps.gap_days / 30), np.log1p((steps.day - first) / 30)
        return np.column_stack([scaled, rated, gap, since_first]).astype(np.float32)

    def _codes(self, steps: Steps) -> NDArray[np.int64]:
        columns = []
        for column, texts, vocabulary in zip(steps.codes.T, steps.vocabularies, self.vocabularies, strict=True):
            index = {text: code + 1 for code, text in enumerate(vocabulary)}
            table = np.array([*(index.get(text, 0) for text in texts), 0], np.int64)
            columns.append(table[column])
        return np.column_stack(columns) if columns else np.empty((len(steps.day), 0), np.int64)


def covered_steps(snapshot: Snapshot) -> NDArray[np.int64]:
    """Return the positions of all steps that any window of the snapshot covers, each once, in order."""
    steps = len(snapshot.windows.steps.day)
    edges = np.bincount(snapshot.windows.start, minlength=steps + 1).astype(np.int64)
    edges -= np.bincount(snapshot.windows.stop, minlength=steps + 1)
    return np.flatnonzero(np.cumsum(edges)[:steps] > 0)

"""Chunks of simulated shops as tensors, each a function of a seed and its number, made by another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np
import torch
from torch import Tensor

from clv_core.features import STEP_VALUES, Steps, windows_at
from clv_core.features.btyd import Anchor
from clv_core.features.context import ANCHORED, Context, LogDays, history
from clv_core.model import one_thread
from clv_core.model.instant import MOST_STEPS, InstantInputs
from clv_core.training.prior import KINDS, ShopLog, simulate_shop

ROWS: Final = 16_384
"""Customers of a chunk."""
ROWS_A_SHOP: Final = 300
"""At most: what a log is like is learned from many shops, not from many customers of each."""
HORIZON_SHARE: Final = 0.6
"""Customers whose label covers the horizon; those of the others cover another span."""
AHEAD: Final = 3
"""Chunks that are made while one is learned from."""
SMALLEST_LEVEL: Final = 0.02


@dataclass(frozen=True)
class Chunk:
    """Customers of many shops with what they were worth.

    Args:
        inputs: tensors of n customers in k shops.
        target: net value in the labelled span, in mean orders, float32 [n].
        ratio: length of that span in horizons, float32 [n].
        level: mean value of the shop's customers in it, float32 [n]: what losses are scaled by.
    """

    inputs: InstantInputs
    target: Tensor
    ratio: Tensor
    level: Tensor


def make_chunk(seed: int, number: int, rows: int = ROWS) -> Chunk:
    """Return ``rows`` customers of as many shops as it takes."""
    parts: list[Chunk] = []
    made = shop = 0
    while made < rows:
        part = shop_chunk((seed, number, shop), rows - made)
        parts.append(part)
        made, shop = made + len(part.target), shop + 1
    inputs = InstantInputs.join([part.inputs for part in parts])
    return Chunk(inputs, *(torch.cat([getattr(part, name) for part in parts]) for name in ("target", "ratio", "level")))


def shop_chunk(seed: tuple[int, ...], most: int) -> Chunk:
    """Return at most ``most`` customers of one shop, and not more than :data:`ROWS_A_SHOP`."""
    shop, random = simulate_shop(seed), np.random.default_rng([*seed, 1])
    traits, steps = shop.traits, steps_of(shop)
    cutoff, horizon = traits.cutoff_day, traits.horizon_days
    past = history(LogDays.of(steps), cutoff)
    anchor = Anchor.fit(past)
    context = Context.of(steps, cutoff, horizon, anchor.counts)
    says = {
        "anchor_count": anchor.expected_count(past, horizon),
        "anchor_spend": anchor.expected_spend(past),
        "p_alive": anchor.p_alive(past),
    }
    _, windows = windows_at(steps, cutoff, MOST_STEPS)
    chosen = np.sort(random.permutation(len(windows))[: min(most, ROWS_A_SHOP)])
    span = (random.uniform(size=len(chosen)) >= HORIZON_SHARE).astype(np.int64)
    value = np.maximum(shop.values, 0.0) / context.usual["money"]
    level = np.maximum(value.mean(axis=0), SMALLEST_LEVEL)[span]
    own = {name: says[name][chosen] for name in ANCHORED}
    inputs = InstantInputs.of(windows.take(chosen), {cutoff: context}, {cutoff: anchor}, own)
    labels = (value[chosen, span], shop.ratios[span], level)
    return Chunk(inputs, *(torch.from_numpy(label.astype(np.float32)) for label in labels))


def steps_of(shop: ShopLog) -> Steps:
    """Return the steps of a simulated shop, as a real log's."""
    values = np.full((len(shop.day), len(STEP_VALUES)), np.nan, np.float32)
    for name, column in (("amount", shop.amount), ("lines", shop.lines), ("rating", shop.rating)):
        values[:, STEP_VALUES.index(name)] = column
    gap = np.diff(shop.day, prepend=shop.day[:1]).astype(np.float32)
    gap[shop.offsets[:-1]] = 0
    codes = np.column_stack([shop.kind, np.full(len(shop.kind), -1)]).astype(np.int32)
    ids = np.arange(len(shop.offsets) - 1).astype(str).astype(object)
    return Steps(ids, shop.offsets, shop.day, gap, values, codes, (KINDS, ()))


Chunks = Callable[[int], Chunk]
"""Gives a chunk by its number; they are asked for in order."""


@contextmanager
def chunks_of(seed: int, rows: int = ROWS, processes: int = 2) -> Iterator[Chunks]:
    """Give the chunks of a seed, the next ones being made by so many processes beside this one; by itself for none."""
    if processes == 0:
        yield lambda number: make_chunk(seed, number, rows)
        return
    coming: dict[int, Future[Chunk]] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:

        def chunk(number: int) -> Chunk:
            for following in range(number, number + AHEAD + 1):
                if following not in coming:
                    coming[following] = pool.submit(_make, seed, following, rows)
            return coming.pop(number).result()

        try:
            yield chunk
        finally:
            pool.shutdown(cancel_futures=True)


def _make(seed: int, number: int, rows: int) -> Chunk:
    one_thread()
    return make_chunk(seed, number, rows)

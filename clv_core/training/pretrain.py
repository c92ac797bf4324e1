"""Train the network that knows no log: on simulated shops, each seen a few times and never again.

Shops come in chunks, as tensors, which other processes make. The shops of a chunk are a function of (seed, its number)
and the rows of a step of (seed, step): the same seed and number of steps give the same weights, and a run that was
stopped goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.features import STEP_VALUES, Anchor, Steps, windows_at
from clv_core.features.context import ANCHORED, Context, LogDays, history
from clv_core.jobs import Progress
from clv_core.model import Params, one_thread
from clv_core.model.instant import MOST_STEPS, InstantInputs, InstantNetwork, curve_share, load_network
from clv_core.training.loop import Checkpoint, State, Task, calibrate, train
from clv_core.training.prior import KINDS, ShopLog, simulate_shop
from clv_core.workspace import read_json, write_json

ROWS: Final = 16_384
"""Customers of a chunk."""
BATCH: Final = 512
"""Customers of an optimiser step; a guess."""
SETTINGS: Final = TrainConfig(batch_size=BATCH, learning_rate=2e-3, weight_decay=1e-2)
LATER_RATE: Final = 5e-4
"""Peak rate of a run that goes on from a trained network."""
PASSES: Final = 4
"""How often a chunk is learned from: to make one takes longer than to learn from it."""
HELD_OUT: Final = 1_000_003
"""Added to the seed: shops that measure the network and are never learned from."""
CHUNKS_TO_TIME: Final = 3
"""Chunks that :func:`steps_in` times."""
CORE: Final = Path(__file__).resolve().parents[1]
DECIDING: Final = (
    *("btyd", "features/anchor.py", "features/context", "features/sequences.py"),
    *("model/heads.py", "model/instant", "model/packing.py"),
    *("training/loop.py", "training/pretrain.py", "training/prior"),
)
"""Packages and modules of ``clv_core`` that decide the weights, besides seed and steps."""


@dataclass
class Tally:
    """Time and shops of a run, saved next to its state, so that a resumed run continues the count.

    Args:
        path: the file.
        seconds: that all sessions took.
        shops: how many shops each chunk held that was learned from, by the chunk's number.
    """

    path: Path
    seconds: float = 0.0
    shops: dict[str, int] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, path: Path) -> Tally:
        """Return what is kept in ``path``, or an empty one."""
        return cls(path, **read_json(path)) if path.exists() else cls(path)

    def note(self, number: int, shops: int) -> None:
        """Count a chunk's shops, once however often it is begun, and the seconds since the last note."""
        self.shops[str(number)] = shops
        self.pause()

    def pause(self) -> None:
        """Count the seconds since the last note."""
        now = time.monotonic()
        self.seconds, self.began = self.seconds + now - self.began, now
        write_json(self.path, {"seconds": self.seconds, "shops": self.shops})

    def shops_of(self, chunks: int) -> int | None:
        """Return how many shops the first ``chunks`` chunks held; None where one was learned from and not counted."""
        wanted = [str(number) for number in range(chunks)]
        return sum(self.shops[number] for number in wanted) if self.shops.keys() >= set(wanted) else None


def code_hash(core: Path = CORE) -> str:
    """Return a hash of the code that decides the weights, 16 hexadecimal digits: of :data:`DECIDING`, byte by byte."""
    digest = hashlib.sha256()
    for part in DECIDING:
        place = core / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{path.relative_to(core).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def pretrain(
    steps: int,
    seed: int,
    folder: Path,
    progress: Progress,
    rows: int = ROWS,
    processes: int = 2,
    start: Path | None = None,
) -> tuple[InstantNetwork, State, Tally]:
    """Return a network trained for ``steps``, where its run ended and what it took; resumes from ``folder``.

    Args:
        steps: optimiser steps, of :data:`BATCH` customers each.
        seed: decides shops, order and first weights.
        folder: where the state and the tally are kept.
        progress: listener of stage ``pretrain``.
        rows: customers of a chunk, a multiple of :data:`BATCH`.
        processes: how many make chunks, besides this one.
        start: folder of a network to go on from at a lower rate; it keeps its standardisation of what it read. None
            starts anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally.of(tally_path(folder, seed, steps))
    one_thread()
    torch.manual_seed(seed)
    first = make_chunk(seed + HELD_OUT, 0, rows)
    statistics, logs = first.inputs.statistics, first.inputs.logs
    network = InstantNetwork(statistics.shape[1], logs.shape[1])
    network.standardise(statistics, logs)
    settings = SETTINGS
    if start is not None:
        network, settings = load_network(start).widened(network), replace(SETTINGS, learning_rate=LATER_RATE)

    def report(step: int, loss: float, validation: float | None) -> None:
        progress.report("pretrain", step, steps, seed=seed, step=step, loss=loss)

    with chunks_of(seed, rows, processes) as chunks:
        current: dict[int, Chunk] = {}

        def loss_of(batch_rows: Tensor, step: int) -> Tensor:
            number = step // _steps_a_chunk(rows)
            if number not in current:
                current.clear()
                current[number] = chunks(number)
                tally.note(number, len(current[number].inputs.logs))
            return chunk_loss(network, current[number], batch_rows)

        checkpoint = Checkpoint(state_path(folder, seed, steps))
        state = train(network, Task(loss_of, rows, steps, seed, settings), checkpoint, report)
    network.eval()
    calibrate(network, first.inputs, first.target, first.ratio)
    tally.pause()
    return network, state, tally


def state_path(folder: Path, seed: int, steps: int) -> Path:
    """Return where a run keeps what it goes on from."""
    return folder / f"state-{seed}-{steps}.safetensors"


def tally_path(folder: Path, seed: int, steps: int) -> Path:
    """Return where a run keeps what it has taken so far."""
    return folder / f"tally-{seed}-{steps}.json"


def budget_path(folder: Path, seed: int, minutes: float) -> Path:
    """Return where it is kept how many steps a run of so many minutes has."""
    return folder / f"budget-{seed}-{minutes}.json"


def chunks_in(steps: int, rows: int = ROWS) -> int:
    """Return how many chunks are learned from in so many steps."""
    return math.ceil(steps / _steps_a_chunk(rows))


def budgeted_steps(minutes: float, seed: int, folder: Path) -> int:
    """Return the steps of a run of so many minutes: measured when it begins, and the same whenever it goes on."""
    path = budget_path(folder, seed, minutes)
    if not path.exists():
        write_json(path, {"steps": steps_in(minutes, seed)})
    steps: int = read_json(path)["steps"]
    return steps


def forget(folder: Path, seed: int, steps: int, minutes: float | None) -> None:
    """Remove what a run goes on from, for it is done."""
    budget = [] if minutes is None else [budget_path(folder, seed, minutes)]
    for path in (state_path(folder, seed, steps), tally_path(folder, seed, steps), *budget):
        path.unlink(missing_ok=True)


def steps_in(minutes: float, seed: int) -> int:
    """Return how many steps this machine does in so many minutes, measured on a few of them."""
    one_thread()
    with chunks_of(seed) as chunks:
        chunk = chunks(0)
        network = InstantNetwork(chunk.inputs.statistics.shape[1], chunk.inputs.logs.shape[1])
        began = time.monotonic()
        for number in range(1, CHUNKS_TO_TIME + 1):
            for step in range(_steps_a_chunk(ROWS)):
                rows = torch.arange(BATCH) + BATCH * (step % (ROWS // BATCH))
                chunk_loss(network, chunk, rows).backward()  # type: ignore[no-untyped-call]
            chunk = chunks(number)
        seconds = time.monotonic() - began
    return max(1, int(60 * minutes / seconds * CHUNKS_TO_TIME * _steps_a_chunk(ROWS)))


def _steps_a_chunk(rows: int) -> int:
    return PASSES * rows // BATCH


def chunk_loss(network: InstantNetwork, chunk: Chunk, rows: Tensor) -> Tensor:
    """Return the mean loss of rows, a scalar: likelihood, and deviance of the mean in units of the shop's level."""
    params = at_ratio(network, network(chunk.inputs.batch(rows)), chunk.ratio[rows])
    return network.head.training_loss(chunk.target[rows], params, chunk.level[rows])


def at_ratio(network: InstantNetwork, params: Params, ratio: Tensor) -> Params:
    """Return the parameters for spans of ``ratio`` horizons [B]."""
    head_params = {name: value for name, value in params.items() if name != "curve"}
    return network.head.part(head_params, curve_share(params["curve"], ratio))


ROWS_A_SHOP: Final = 300
"""At most: what a log is like is learned from many shops, not from many customers of each."""
HORIZON_SHARE: Final = 0.6
"""Customers whose label covers the horizon; those of the others cover another span."""
AHEAD: Final = 3
"""Chunks that are made while one is learned from."""
SMALLEST_LEVEL: Final = 0.02
"""Floor of the mean value that losses are divided by, in mean orders: a shop without buyers would weigh infinitely."""


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
    anchored = {
        "anchor_count": anchor.expected_count(past, horizon),
        "anchor_spend": anchor.expected_spend(past),
        "p_alive": anchor.p_alive(past),
    }
    _, windows = windows_at(steps, cutoff, MOST_STEPS)
    sample = np.sort(random.permutation(len(windows))[: min(most, ROWS_A_SHOP)])
    span = (random.uniform(size=len(sample)) >= HORIZON_SHARE).astype(np.int64)
    value = np.maximum(shop.values, 0.0) / context.usual["money"]
    level = np.maximum(value.mean(axis=0), SMALLEST_LEVEL)[span]
    sampled = {name: anchored[name][sample] for name in ANCHORED}
    inputs = InstantInputs.of(windows.take(sample), {cutoff: context}, {cutoff: anchor}, sampled)
    labels = (value[sample, span], shop.ratios[span], level)
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
"""Gives a chunk by its number; called in order."""


@contextmanager
def chunks_of(seed: int, rows: int = ROWS, processes: int = 2) -> Iterator[Chunks]:
    """Yield the chunks of a seed, made ahead by so many other processes; 0 makes them in this one."""
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

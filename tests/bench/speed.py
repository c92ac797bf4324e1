"""Training and scoring beside the least that PyTorch needs for the same work, as ratios: part of ``make bench``.

The bare loop trains the same network on the same batches, ready-made, with the same optimiser, and ends with the same
weights to the bit: what it lacks is making batches, figures, reports and checkpoints. The bare pass asks the same
networks about the same batches, ready-made, on as many threads: what it lacks is encoding features and steps, making
batches, the level, and quantiles. Both sides take turns, ten steps or one pass long; the median of the ratios of
neighbours counts, so that other work on the machine hits both alike. The processor's time is beside the clock's, since
waiting is not in it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from torch import nn

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.features.duckdb_engine import each
from clv_core.features.log import EventLog, open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.model.calibrated import ROWS_AT_ONCE
from clv_core.model.deep import SEQUENCE_BRANCH, DeepModel, Network, Shape
from clv_core.model.heads import Params
from clv_core.model.inputs import Batch, InputEncoder, Inputs
from clv_core.model.stacking import one_thread
from clv_core.preprocessing.table_encoder import TableEncoder
from clv_core.training.ensemble import Run, train_ensemble, train_seeds, write_plan
from clv_core.training.fit import normalise_targets
from clv_core.training.loop import LARGEST_GRADIENT, STEPS_BETWEEN_REPORTS, learning_rate, make_optimizer, rows_of_step
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace

DAYS = 730
HORIZON_DAYS = 182
STEPS = 60
OF = ("clock", "processor")


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock, and of the processors."""

    clock: float
    processor: float

    @classmethod
    def now(cls) -> Taken:
        """Return both as they stand."""
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, before: Taken) -> Taken:
        """Return what has passed."""
        return Taken(self.clock - before.clock, self.processor - before.processor)


Pair = tuple[Taken, Taken]
"""Ours and the bare one, one right after the other."""


def bare_loop(inputs: Inputs, shape: Shape, config: TrainConfig) -> Iterator[Network]:
    """Train on ready-made batches and nothing else; yield the network after every ten steps."""
    torch.manual_seed(config.seed)
    network = Network(shape, config)
    optimizer = make_optimizer(network, config, {SEQUENCE_BRANCH: config.rnn_rate})
    device = torch.device("cpu")
    parts = [rows_of_step(step, len(inputs), config.batch_size, config.seed, device) for step in range(STEPS)]
    batches = [(inputs.batch(rows), inputs.target[rows], inputs.exposure[rows]) for rows in parts]
    network.train()
    yield network
    for step, (batch, target, exposure) in enumerate(batches):
        torch.manual_seed(config.seed * 7_368_787 + step)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(step, STEPS, config.learning_rate)
        loss = network.head.training_loss(target, network.head.part(network(batch), exposure))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        if (step + 1) % STEPS_BETWEEN_REPORTS == 0:
            yield network


def training_pairs(run: Run, inputs: Inputs, shape: Shape, config: TrainConfig) -> list[Pair]:
    """Train a network as ``train`` does, reports and checkpoints included, and beside every ten steps the bare loop's.

    The first ten are left out: ours begin with reading the tensors.
    """
    run.weights(config.seed).unlink(missing_ok=True)
    loop, pairs, since = bare_loop(inputs, shape, config), [], Taken.now()
    bare = next(loop)

    def report(*_: object) -> None:
        nonlocal since
        ours, began = Taken.now() - since, Taken.now()
        next(loop)
        pairs.append((ours, Taken.now() - began))
        since = Taken.now()

    train_seeds(run, [config.seed], report)
    network = train_ensemble(run, config, STEPS, NoProgress(), "")[0]
    learned = dict(bare.named_parameters())
    if not all(torch.equal(value, learned[name]) for name, value in network.named_parameters()):
        raise SystemExit("the bare loop does not train the same network: the ratio would mean nothing")
    return pairs[1:]


def scoring_pair(model: DeepModel, snapshot: Snapshot, batches: list[Batch]) -> Pair:
    """Predict a snapshot, and ask the networks about its ready-made batches."""

    @torch.no_grad()
    def ask(batch: Batch) -> list[Params]:
        return [network(batch) for network in model.networks]

    began = Taken.now()
    model.predict(snapshot)
    between = Taken.now()
    each(ask, batches)
    return between - began, Taken.now() - between


def tell(what: str, pairs: list[Pair], rows: int) -> None:
    """Print rows a second of both sides, and the median of the ratios."""
    speeds = [rows / median(one.clock for one in side) for side in zip(*pairs, strict=True)]
    clock, processor = (median(getattr(bare, of) / getattr(ours, of) for ours, bare in pairs) for of in OF)
    print(f"{what:<26}{speeds[0]:>12,.0f}{speeds[1]:>12,.0f}{clock:>10.2f}{processor:>12.2f}", flush=True)


def prepared(log: EventLog, config: TrainConfig) -> tuple[InputEncoder, Inputs, float]:
    """Return what a training reads, as ``fit`` makes it, and the largest target."""
    train = normalise_targets(training_data(log, log.end, config, NoProgress()))
    assert train.target is not None
    table = TableEncoder.fit(train.features, train.described, impute=config.impute, constant=config.impute_constant)
    encoder = InputEncoder.fit(train, table)
    return encoder, encoder.transform(train), float(train.target.max())


def main() -> None:
    """Print both ratios on a simulated log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    one_thread()
    config = TrainConfig(horizon_days=HORIZON_DAYS, steps=STEPS, processes=1, device="cpu", ensemble=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate("browsing", SimulationPlan(options.customers, DAYS, 1, HORIZON_DAYS)).write(folder / "log")
        workspace = Workspace(folder / "workspace")
        ingest(workspace, folder / "log" / "events.csv", "bench", progress=NoProgress())
        log = open_log(open_dataset(workspace, "bench"))
        encoder, inputs, largest = prepared(log, config)
        shape, run = Shape(inputs.table.shape[1], encoder.vocabulary_sizes), Run(folder / "run")
        run.folder.mkdir()
        write_plan(run, shape, config, STEPS, inputs, None)
        print(f"\n{options.customers:,} customers, {len(inputs):,} training windows; load {os.getloadavg()[0]:.1f}")
        print(f"{'rows a second':<26}{'ours':>12}{'bare':>12}{'ratio':>10}{'processor':>12}")
        trained = [pair for _ in range(options.repeat) for pair in training_pairs(run, inputs, shape, config)]
        tell("training, one thread", trained, STEPS_BETWEEN_REPORTS * config.batch_size)
        networks = tuple(train_ensemble(run, config, STEPS, NoProgress(), "") * 3)
        model = DeepModel(replace(config, ensemble=3), encoder, networks, largest)
        snapshot = scoring_snapshot(log, log.end, HORIZON_DAYS, max_steps=config.max_steps_back)
        scored = encoder.transform(snapshot)
        batches = [scored.batch(rows) for rows in scored.in_parts(ROWS_AT_ONCE)]
        pairs = [scoring_pair(model, snapshot, batches) for _ in range(3 * options.repeat)]
        tell("scoring, 3 networks", pairs, len(snapshot))
        log.close()


if __name__ == "__main__":
    main()

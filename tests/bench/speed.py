"""Training and scoring beside the least that PyTorch needs for the same work, as ratios: part of ``make bench``.

The bare loop trains the same network on the same batches, ready-made, with the same optimiser, and ends with the same
weights to the bit: what it lacks is making batches, figures, reports and checkpoints. The bare pass asks the same
networks about the same batches, ready-made, on as many threads: what it lacks is encoding features and steps, making
batches, the level, and quantiles. Both sides take turns; the median of the ratios of neighbours counts, so that other
work on the machine hits both alike. The processor's time is beside the clock's, since waiting is not in it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from torch import nn

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import Plan, simulate
from clv_core.collection.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import training_data
from clv_core.features.log import EventLog, open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.shards import each
from clv_core.jobs import NoProgress
from clv_core.model.deep import ROWS_AT_ONCE, DeepModel
from clv_core.model.heads import Params
from clv_core.model.inputs import Batch, InputEncoder, Inputs
from clv_core.model.network import SEQUENCE_BRANCH, Network, Shape
from clv_core.model.one_thread import one_thread
from clv_core.preprocessing.table import TableEncoder
from clv_core.training.ensemble import Run, batch_loss, train_ensemble, train_seeds, write_plan
from clv_core.training.fit import at_anchor_level
from clv_core.training.loop import LARGEST_GRADIENT, learning_rate, make_optimizer, rows_of_step
from clv_core.workspace import Workspace

DAYS = 730
HORIZON_DAYS = 182
STEPS = 60
"""Of one turn of training."""


@dataclass
class Taken:
    """Seconds of a piece of work: by the clock, and of the processors."""

    clock: float = 0.0
    processor: float = 0.0


@contextmanager
def timed() -> Iterator[Taken]:
    """Measure a block."""
    taken, clock, processor = Taken(), time.perf_counter(), time.process_time()
    yield taken
    taken.clock, taken.processor = time.perf_counter() - clock, time.process_time() - processor


def bare_training(inputs: Inputs, shape: Shape, config: TrainConfig) -> tuple[Taken, Network]:
    """Train on ready-made batches and nothing else; return the time of the steps and the network."""
    torch.manual_seed(config.seed)
    network = Network(shape, config)
    optimizer = make_optimizer(network, config, {SEQUENCE_BRANCH: config.rnn_rate})
    parts = [
        rows_of_step(step, len(inputs), config.batch_size, config.seed, torch.device("cpu")) for step in range(STEPS)
    ]
    batches = [(inputs.batch(rows), inputs.target[rows], inputs.exposure[rows]) for rows in parts]
    network.train()
    with timed() as taken:
        for step, (batch, target, exposure) in enumerate(batches):
            torch.manual_seed(config.seed * 7_368_787 + step)
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * learning_rate(step, STEPS, config.learning_rate)
            loss = batch_loss(network, batch, target, exposure, config)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
    return taken, network


def our_training(run: Run, config: TrainConfig) -> tuple[Taken, Network]:
    """Train one network as ``train`` does, reports and checkpoints included, from the first report to the last."""
    run.weights(config.seed).unlink(missing_ok=True)
    reports: list[tuple[float, float]] = []
    train_seeds(run, [config.seed], lambda *_: reports.append((time.perf_counter(), time.process_time())))
    steps = STEPS / (STEPS - 10)
    taken = Taken(*((last - first) * steps for first, last in zip(reports[0], reports[-1], strict=True)))
    return taken, train_ensemble(run, config, STEPS, NoProgress(), "")[0]


def bare_scoring(model: DeepModel, batches: list[Batch]) -> Taken:
    """Ask the networks about ready-made batches."""

    @torch.no_grad()
    def ask(batch: Batch) -> list[Params]:
        return [network(batch) for network in model.networks]

    with timed() as taken:
        each(ask, batches)
    return taken


def in_turns(repeat: int, ours: Callable[[], Taken], bare: Callable[[], Taken], rows: int, unit: str) -> None:
    """Run both in turns and print rows a second of each, and the median of the ratios."""
    pairs = [(ours(), bare()) for _ in range(repeat)]
    clock = median(theirs.clock / mine.clock for mine, theirs in pairs)
    processor = median(theirs.processor / mine.processor for mine, theirs in pairs)
    speeds = [rows / median(one.clock for one in side) for side in zip(*pairs, strict=True)]
    print(
        f"{unit:<26}{speeds[0]:>12,.0f}{speeds[1]:>12,.0f}{clock:>10.2f}{processor:>12.2f}",
        flush=True,
    )


def prepared(log: EventLog, config: TrainConfig) -> tuple[InputEncoder, Inputs, float]:
    """Return what a training reads, as ``fit`` makes it, and the largest target."""
    train = at_anchor_level(training_data(log, log.end, config, NoProgress()))
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
        simulate("browsing", Plan(options.customers, DAYS, 1, HORIZON_DAYS)).write(folder / "log")
        workspace = Workspace(folder / "workspace")
        ingest(workspace, folder / "log" / "events.csv", "bench", progress=NoProgress())
        log = open_log(open_dataset(workspace, "bench"))
        encoder, inputs, largest = prepared(log, config)
        shape, run = Shape(inputs.table.shape[1], encoder.vocabulary_sizes), Run(folder / "run")
        run.folder.mkdir()
        write_plan(run, shape, config, STEPS, inputs, None)
        print(f"\n{options.customers:,} customers, {len(inputs):,} training windows; load {os.getloadavg()[0]:.1f}")
        print(f"{'rows a second':<26}{'ours':>12}{'bare':>12}{'ratio':>10}{'processor':>12}")
        _, network = our_training(run, config)
        _, bare = bare_training(inputs, shape, config)
        learned = dict(bare.named_parameters())
        if not all(torch.equal(value, learned[key]) for key, value in network.named_parameters()):
            raise SystemExit("the bare loop does not train the same network: the ratio would mean nothing")
        in_turns(
            options.repeat,
            lambda: our_training(run, config)[0],
            lambda: bare_training(inputs, shape, config)[0],
            STEPS * config.batch_size,
            "training, one thread",
        )
        model = DeepModel(replace(config, ensemble=3), encoder, (network, bare.eval(), network), largest)
        snapshot = scoring_snapshot(log, log.end, HORIZON_DAYS, max_steps=config.max_steps_back)
        scored = encoder.transform(snapshot)
        batches = [scored.batch(rows) for rows in scored.in_parts(ROWS_AT_ONCE)]

        def our_scoring() -> Taken:
            with timed() as taken:
                model.predict(snapshot)
            return taken

        in_turns(
            options.repeat, our_scoring, lambda: bare_scoring(model, batches), len(snapshot), "scoring, 3 networks"
        )
        log.close()


if __name__ == "__main__":
    main()

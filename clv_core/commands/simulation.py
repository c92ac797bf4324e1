"""Commands on simulated shops: make a log, and pre-train the network on many.

The app never runs ``pretrain``. It is in the wheel, with ``training/pretrain.py``, ``training/prior`` and
``evaluation/pretrained.py``, because it is a command of ``clv``, and a command goes only after it was deprecated.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from clv_core import __version__
from clv_core.collection.simulate import SCENARIOS, WITH_CHANNELS, SimulationPlan, simulate
from clv_core.commands import SEED, Answer, Context
from clv_core.commands.parser import command, one_of, option
from clv_core.errors import UsageError
from clv_core.workspace import read_json

MAX_STEPS = 10_000_000
"""Of gradient descent, or minutes: a bound against typing errors, years beyond any run."""


@command(
    "simulate",
    option("--scenario", "cli.simulate.scenario", required=True, choices=sorted(SCENARIOS)),
    option("--customers", "cli.simulate.customers", required=True, type=int, metavar="N"),
    option("--days", "cli.simulate.days", required=True, type=int, metavar="D"),
    option("--seed", "cli.simulate.seed", required=True, type=int, metavar="S"),
    option("--out", "cli.simulate.out", required=True, type=Path, metavar="DIR"),
    option("--horizon-days", "cli.simulate.horizon_days", default=182, type=int, metavar="H"),
    option("--channels", "cli.simulate.channels", action="store_true"),
)
def run_simulate(options: argparse.Namespace, context: Context) -> Answer:
    """Simulate, write ``events.csv`` and ``truth.csv``, and say what was made.

    Raises:
        UsageError: channels of a scenario that has none.
    """
    if options.channels and options.scenario not in WITH_CHANNELS:
        raise UsageError("simulate_channels", scenario=options.scenario, known=list(WITH_CHANNELS))
    plan = SimulationPlan(options.customers, options.days, options.seed, options.horizon_days, options.channels)
    context.progress.report("simulate", 0, 1)
    made = simulate(options.scenario, plan)
    context.progress.report("simulate_write", 0, 1)
    events, truth = made.write(options.out)
    return {
        "scenario": options.scenario,
        "events": str(events),
        "truth": str(truth),
        "rows": len(made.events),
        "customers": int(made.events["customer_id"].nunique()),
        "customers_before_cutoff": len(made.truth),
        "cutoff": plan.cutoff.isoformat(),
        "horizon_days": plan.horizon_days,
        "log_end": plan.end.isoformat(),
        "actual_value": round(float(made.truth["actual_value"].sum()), 2),
        "seed": plan.seed,
        **({} if made.spend is None else {name: str(options.out / f"{name}.csv") for name in ("spend", "channels")}),
    }


@command(
    "pretrain",
    one_of(
        option("--minutes", "cli.pretrain.minutes", type=float),
        option("--steps", "cli.pretrain.steps", type=int),
        required=True,
    ),
    SEED,
    option("--start", "cli.pretrain.start", type=Path),
    option("--out", "cli.pretrain.out", type=Path, required=True),
)
def run_pretrain(options: argparse.Namespace, context: Context) -> Answer:
    """Pre-train, measure on shops never seen, and write weights and record; resumes a run that was stopped."""
    from clv_core.evaluation import held_out_figures
    from clv_core.model.instant import RECORD, WEIGHTS, save_network
    from clv_core.training import BATCH, PASSES, budgeted_steps, chunks_in, code_hash, forget
    from clv_core.training.pretrain import pretrain

    budget = options.minutes if options.steps is None else options.steps
    if not 0 < budget <= MAX_STEPS:
        raise UsageError("setting_bounds", setting="budget", value=budget, low=1, high=MAX_STEPS)
    folder = context.workspace.folder("runs", "pretrain")
    steps = options.steps or budgeted_steps(options.minutes, options.seed, folder)
    network, state, tally = pretrain(steps, options.seed, folder, context.progress, start=options.start)
    record = {
        "code_version": __version__,
        "code": code_hash(),
        "start": None if options.start is None else read_json(options.start / RECORD),
        "seed": options.seed,
        "steps": steps,
        "shops": tally.shops_of(chunks_in(steps)),
        "customers": steps * BATCH // PASSES,
        "minutes": round(tally.seconds / 60, 1),
        "loss": round(state.history[-1]["loss"], 4),
        "held_out": {name: round(value, 4) for name, value in held_out_figures(network, options.seed).items()},
    }
    save_network(network, options.out, record)
    forget(folder, options.seed, steps, options.minutes)
    return {"weights": str(options.out / WEIGHTS), **record}

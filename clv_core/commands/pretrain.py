"""``pretrain --minutes M --out DIR``: train the network that knows no log on simulated shops."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core import __version__
from clv_core.commands import Context
from clv_core.errors import UsageError
from clv_core.i18n import translate

MOST_STEPS = 10_000_000


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, default=None, help=translate("cli.pretrain.minutes", language))
    budget.add_argument("--steps", type=int, default=None, help=translate("cli.pretrain.steps", language))
    parser.add_argument("--seed", type=int, default=1, help=translate("config.seed.help", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.pretrain.out", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Pre-train, measure on shops never seen, and write weights and record; goes on where a run was stopped."""
    from clv_core.evaluation.pretrained import held_out_figures
    from clv_core.model.instant.weights import WEIGHTS, save_network
    from clv_core.training.pretrain import BATCH, PASSES, budgeted_steps, chunks_in, forget, pretrain
    from clv_core.training.tally import code_hash

    budget = options.minutes if options.steps is None else options.steps
    if not 0 < budget <= MOST_STEPS:
        raise UsageError("setting_bounds", setting="budget", value=budget, low=1, high=MOST_STEPS)
    folder = context.workspace.folder("runs", "pretrain")
    steps = options.steps or budgeted_steps(options.minutes, options.seed, folder)
    network, state, tally = pretrain(steps, options.seed, folder, context.progress)
    record = {
        "code_version": __version__,
        "code": code_hash(),
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

"""``pretrain --minutes M --out DIR``: train the network that knows no log on simulated shops."""

from __future__ import annotations

import argparse
import time
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
    from clv_core.training.pretrain import BATCH, PASSES, pretrain, steps_in

    budget = options.minutes if options.steps is None else options.steps
    if not 0 < budget <= MOST_STEPS:
        raise UsageError("setting_bounds", setting="budget", value=budget, low=1, high=MOST_STEPS)
    started, folder = time.monotonic(), context.workspace.runs / "pretrain"
    steps = options.steps or steps_in(options.minutes, options.seed)
    network, state = pretrain(steps, options.seed, folder, context.progress)
    record = {
        "code_version": __version__,
        "seed": options.seed,
        "steps": steps,
        "customers": steps * BATCH // PASSES,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "loss": round(state.history[-1]["loss"], 4),
        "held_out": {name: round(value, 4) for name, value in held_out_figures(network, options.seed).items()},
    }
    save_network(network, options.out, record)
    (folder / f"state-{options.seed}-{steps}.safetensors").unlink(missing_ok=True)
    return {"weights": str(options.out / WEIGHTS), **record}

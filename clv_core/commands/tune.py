"""``tune NAME --horizon-days N``: better settings for one log, chosen on earlier origins, judged on the last."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context
from clv_core.commands.train import config_from
from clv_core.errors import UsageError
from clv_core.i18n import translate

MOST_TRIALS, MOST_ORIGINS = 500, 10


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--horizon-days", type=int, required=True, help=translate("config.horizon_days.help", language))
    parser.add_argument("--trials", type=int, default=20, help=translate("cli.tune.trials", language))
    parser.add_argument("--origins", type=int, default=3, help=translate("cli.tune.origins", language))
    parser.add_argument("--model", default="hybrid", help=translate("config.model.help", language))
    parser.add_argument("--seed", type=int, default=1, help=translate("config.seed.help", language))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=translate("cli.train.set", language)
    )


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Search, compare with the default at the last origin, and return settings, trials and advantage."""
    from clv_core import pipeline

    for flag, value, most in (("trials", options.trials, MOST_TRIALS), ("origins", options.origins, MOST_ORIGINS)):
        if not 1 <= value <= most:
            raise UsageError("setting_bounds", setting=flag, value=value, low=1, high=most)
    config = config_from(options, options.model)
    found = pipeline.tune(
        context.workspace,
        options.name,
        config,
        trials=options.trials,
        origins=options.origins,
        progress=context.progress,
    )
    flags = " ".join(f"--set {name}={value}" for name, value in found.settings.items())
    return {"dataset": options.name, "horizon_days": config.horizon_days, **found.to_json(), "train_with": flags}

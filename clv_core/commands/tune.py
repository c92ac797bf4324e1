"""``tune NAME --horizon-days N``: better settings for one log, chosen on earlier origins, judged on the last."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from clv_core.commands import Context
from clv_core.commands.train import config_from, words_of
from clv_core.config import MODEL_IDS
from clv_core.errors import UsageError
from clv_core.i18n import translate

MOST_TRIALS, MOST_ORIGINS = 500, 10


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--horizon-days", type=int, required=True, help=translate("config.horizon_days.help", language))
    parser.add_argument("--trials", type=int, default=20, help=translate("cli.tune.trials", language))
    parser.add_argument("--origins", type=int, default=3, help=translate("cli.tune.origins", language))
    parser.add_argument("--model", choices=MODEL_IDS, default=None, help=translate("cli.train.model", language))
    parser.add_argument("--seed", type=int, default=1, help=translate("config.seed.help", language))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=translate("cli.train.set", language)
    )


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Search, compare with the default at the last origin, and return settings, trials and advantage.

    Raises:
        UsageError: a setting is off, or no model is named and the default one cannot be tuned.
    """
    from clv_core import pipeline

    for flag, value, most in (("trials", options.trials, MOST_TRIALS), ("origins", options.origins, MOST_ORIGINS)):
        if not 1 <= value <= most:
            raise UsageError("setting_bounds", setting=flag, value=value, low=1, high=most)
    config = config_from(options, options.model or _default_model(options.name, context))
    found = pipeline.tune(
        context.workspace,
        options.name,
        config,
        trials=options.trials,
        origins=options.origins,
        progress=context.progress,
    )
    words = " ".join(words_of(replace(config, **found.settings)))
    return {"dataset": options.name, "horizon_days": config.horizon_days, **found.to_json(), "train_with": words}


def _default_model(name: str, context: Context) -> str:
    """Return the model that is trained where nobody names one.

    Raises:
        UsageError: it cannot be tuned.
    """
    from clv_core import pipeline
    from clv_core.evaluation.tune import TUNABLE

    model = pipeline.default_model(context.workspace, name)
    if model not in TUNABLE:
        raise UsageError("default_not_tunable", name=name, model=model, known=list(TUNABLE))
    return model

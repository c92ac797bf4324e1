"""``backtest NAME --horizon-days N --out DIR``: models beside each other on past cutoffs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context, day
from clv_core.commands.train import config_from
from clv_core.config import MODEL_IDS
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--horizon-days", type=int, required=True, help=translate("config.horizon_days.help", language))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--origins", type=int, default=1, help=translate("cli.backtest.origins", language))
    which.add_argument(
        "--origin", type=day, action="append", default=[], help=translate("cli.backtest.origin", language)
    )
    parser.add_argument("--models", default="hybrid,bgnbd,naive", help=translate("cli.backtest.models", language))
    parser.add_argument("--seeds", type=int, default=1, help=translate("cli.backtest.seeds", language))
    parser.add_argument("--seed", type=int, default=1, help=translate("config.seed.help", language))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=translate("cli.train.set", language)
    )
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.backtest.out", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Run the origins, write ``scoreboard.csv`` and ``predictions.parquet``, and return the scoreboard."""
    from clv_core import pipeline
    from clv_core.evaluation.scoreboard import build_scoreboard

    models = [model.strip() for model in options.models.split(",") if model.strip()]
    for model in models:
        if model not in MODEL_IDS:
            raise UsageError("setting_choice", setting="models", value=model, choices=", ".join(MODEL_IDS))
    for flag, value in (("origins", options.origins), ("seeds", options.seeds)):
        if not 1 <= value <= 100:
            raise UsageError("setting_bounds", setting=flag, value=value, low=1, high=100)
    predictions = pipeline.backtest(
        context.workspace,
        options.name,
        config_from(options, models[0]),
        origins=options.origin,
        count=options.origins,
        models=models,
        seeds=options.seeds,
        progress=context.progress,
    )
    scoreboard = build_scoreboard(predictions)
    pipeline.write_scores(scoreboard, options.out / "scoreboard.csv")
    pipeline.write_scores(predictions, options.out / "predictions.parquet")
    metrics = {
        f"{origin}": {
            model: dict(zip(part["metric"], part["value"], strict=True)) for model, part in rows.groupby("model")
        }
        for origin, rows in scoreboard.groupby("origin")
    }
    return {"out": str(options.out), "origins": sorted(metrics), "models": models, "metrics": metrics}

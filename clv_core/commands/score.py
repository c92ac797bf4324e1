"""``score NAME --model ID --out FILE``: predict every customer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context, day
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--model", required=True, help=translate("cli.option.model", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.score.out", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.score.cutoff", language))
    parser.add_argument("--horizon-days", type=int, default=None, help=translate("cli.score.horizon", language))
    parser.add_argument("--discount-rate", type=float, default=0.0, help=translate("cli.score.discount", language))
    parser.add_argument("--margin-rate", type=float, default=1.0, help=translate("cli.score.margin", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Score, write the file, and return counts and totals."""
    from clv_core import pipeline
    from clv_core.collection.store import open_dataset
    from clv_core.deployment.bundle import open_bundle

    if options.out.suffix not in (".csv", ".parquet"):
        raise UsageError("bad_out", path=str(options.out), endings=".csv, .parquet")
    if options.horizon_days is not None and not 1 <= options.horizon_days <= 3650:
        raise UsageError("setting_bounds", setting="horizon_days", value=options.horizon_days, low=1, high=3650)
    customers, total = pipeline.score_file(
        context.workspace,
        options.name,
        options.model,
        options.out,
        cutoff=options.cutoff,
        horizon_days=options.horizon_days,
        discount_rate=options.discount_rate,
        margin_rate=options.margin_rate,
        progress=context.progress,
    )
    as_of = options.cutoff or open_dataset(context.workspace, options.name).log_end
    return {
        "out": str(options.out),
        "model": options.model,
        "customers": customers,
        "as_of": as_of.isoformat(),
        "horizon_days": options.horizon_days or open_bundle(context.workspace, options.model).record["horizon_days"],
        "predicted_total": total,
        "warnings": [
            message.to_json(context.language)
            for message in pipeline.score_warnings(context.workspace, options.name, options.model)
        ],
    }

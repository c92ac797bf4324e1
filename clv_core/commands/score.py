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

    if options.out.suffix not in (".csv", ".parquet"):
        raise UsageError("bad_out", path=str(options.out), endings=".csv, .parquet")
    if options.horizon_days is not None and not 1 <= options.horizon_days <= 3650:
        raise UsageError("setting_bounds", setting="horizon_days", value=options.horizon_days, low=1, high=3650)
    frame = pipeline.score(
        context.workspace,
        options.name,
        options.model,
        cutoff=options.cutoff,
        horizon_days=options.horizon_days,
        discount_rate=options.discount_rate,
        margin_rate=options.margin_rate,
        progress=context.progress,
    )
    pipeline.write_scores(frame, options.out)
    return {
        "out": str(options.out),
        "model": options.model,
        "customers": len(frame),
        "as_of": str(frame["as_of"].iloc[0]),
        "horizon_days": int(frame["horizon_days"].iloc[0]),
        "predicted_total": float(frame["predicted_clv"].sum()),
        "warnings": [
            message.to_json(context.language)
            for message in pipeline.score_warnings(context.workspace, options.name, options.model)
        ],
    }

"""``look NAME``: values of all customers within seconds, by the pre-trained network; nothing is trained."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context, trust_json
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--horizon-days", type=int, default=None, help=translate("cli.look.horizon", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Predict everyone and return the model's id, the total, how it is spread, and the verdict."""
    from clv_core import pipeline

    found = pipeline.look(context.workspace, options.name, horizon_days=options.horizon_days, progress=context.progress)
    pipeline.keep_history(context.workspace, options.name, found.bundle.id)
    record = found.bundle.record
    return {
        "model": found.bundle.id,
        "dataset": record["dataset"],
        "cutoff": record["cutoff"],
        "horizon_days": record["horizon_days"],
        "customers": found.customers,
        "predicted_total": round(found.predicted_total, 2),
        "top_decile_share": round(found.top_share, 4),
        "trust": trust_json(pipeline.trust(context.workspace, found.bundle.id), context.language),
        "seconds": round(found.seconds, 2),
    }

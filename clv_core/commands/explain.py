"""``explain NAME --model ID [--customer ID] --out DIR``: what drives the predictions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.commands import Context, day
from clv_core.i18n import translate

STRONGEST = 10


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--model", required=True, help=translate("cli.option.model", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.explain.out", language))
    parser.add_argument("--customer", default=None, help=translate("cli.explain.customer", language))
    parser.add_argument("--sample", type=int, default=300, help=translate("cli.explain.sample", language))
    parser.add_argument("--permutations", type=int, default=2, help=translate("cli.explain.permutations", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Explain, write the tables, and return the strongest parts, or one customer's way to the prediction."""
    from clv_core import pipeline
    from clv_core.evaluation.explain_store import waterfall_json

    found = pipeline.explain(
        context.workspace,
        options.name,
        options.model,
        options.out,
        customer=options.customer,
        sample=options.sample,
        permutations=options.permutations,
        cutoff=options.cutoff,
        progress=context.progress,
    )
    result = {
        "out": str(options.out),
        "model": options.model,
        "customers": len(found.customer_ids),
        "base": found.base,
        "residual": found.residual,
    }
    if options.customer is not None:
        return {**result, **waterfall_json(found, options.customer)}
    return {**result, "importance": found.importance().head(STRONGEST).to_dict("records")}

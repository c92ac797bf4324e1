"""``embed NAME --model ID [--cutoff DATE]``: keep how the model's networks see each customer, for clusters."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context, add_model, day
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Read the last hidden layers, keep their main directions, and return where and of how many."""
    from clv_core import pipeline

    path, customers = pipeline.embed(
        context.workspace, options.name, options.model, cutoff=options.cutoff, progress=context.progress
    )
    return {"kept": str(path), "model": options.model, "customers": customers}

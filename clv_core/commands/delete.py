"""``delete NAME [--models]``: a dataset and all that was made of its customers, for good."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context
from clv_core.i18n import translate
from clv_core.strategy.exports.deleting import delete


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--models", action="store_true", help=translate("cli.delete.models", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Delete and return counts, and what remains that holds ids of its customers."""
    made = delete(context.workspace, options.name, models=options.models, progress=context.progress)
    return {"dataset": options.name, **made}

"""``combine NAME NAME... --name NEW``: several datasets become a new one."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.collection.combine import combine
from clv_core.commands import Context
from clv_core.commands.ingest import accounting
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("datasets", nargs="+", metavar="NAME", help=translate("cli.combine.datasets", language))
    parser.add_argument("--name", required=True, metavar="NEW", help=translate("cli.combine.name", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Combine and return the accounting; each dataset is one part."""
    made = combine(context.workspace, options.datasets, options.name, progress=context.progress)
    return accounting(made, context.language)

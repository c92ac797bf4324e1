"""``rename NAME NEW``: another name for a dataset; its models stay attached to it."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context
from clv_core.deployment.renaming import rename
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("new", help=translate("cli.rename.new", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Rename and return how much is attached to the new name."""
    return {
        "dataset": options.new.strip(),
        "renamed": options.name,
        **rename(context.workspace, options.name, options.new),
    }

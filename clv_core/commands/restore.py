"""``restore NAME VERSION``: an earlier version of a dataset becomes the current one again."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.collection.stored.store import restore
from clv_core.commands import Context
from clv_core.commands.ingest import accounting
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("version", help=translate("cli.restore.version", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return to the version and give its accounting."""
    return accounting(restore(context.workspace, options.name, options.version).manifest, context.language)

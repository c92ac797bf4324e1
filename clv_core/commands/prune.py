"""``prune NAME [--keep N]``: earlier versions of a dataset are removed for good, to free the room that they take."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.commands import Context
from clv_core.deployment.pruning import KEEP, prune
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", help=translate("cli.option.dataset", language))
    parser.add_argument("--keep", type=int, default=KEEP, help=translate("cli.prune.keep", language, n=KEEP))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Remove and return the versions that stay and those that are gone, newest first, and the bytes that this freed.

    Raises:
        UsageError: fewer than one version should stay.
    """
    done = prune(context.workspace, options.name, keep=options.keep)
    return {
        "dataset": options.name,
        "kept": [one.version for one in done.kept],
        "removed": [one.version for one in done.gone],
        "bytes": done.size,
    }

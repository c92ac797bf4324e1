"""``datasets [NAME]``: which datasets there are, or all versions of one."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.collection.store import Manifest, list_datasets, open_dataset, versions
from clv_core.commands import Context
from clv_core.commands.ingest import accounting
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", nargs="?", default=None, help=translate("cli.datasets.name", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return the current version of every dataset, or one dataset with its accounting and all its versions."""
    if options.name is None:
        found = list_datasets(context.workspace)
        return {"datasets": [{"name": item.name, **_facts(item.manifest)} for item in found]}
    dataset = open_dataset(context.workspace, options.name)
    return {
        **accounting(dataset.manifest, context.language),
        "versions": [_facts(item.manifest) for item in versions(context.workspace, options.name)],
    }


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "created": manifest.created,
        "made": manifest.made,
        "parent": manifest.parent,
        "source": manifest.source,
        "rules": manifest.rules,
        "rows_kept": manifest.rows_kept,
        "customers": manifest.customers,
        "net_revenue": manifest.net_revenue,
        "currency": manifest.currency,
        "log_start": manifest.log_start,
        "log_end": manifest.log_end,
        "pseudonymised": manifest.pseudonymised,
        "customers_table": manifest.customers_table is not None,
    }

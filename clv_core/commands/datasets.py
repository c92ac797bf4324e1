"""``datasets [NAME [--currency CUR]]``: which datasets there are, or all versions of one; what its amounts are in."""

from __future__ import annotations

import argparse
from typing import Any

from clv_core.collection.stored.store import Manifest, list_datasets, open_dataset, versions
from clv_core.commands import Context
from clv_core.commands.ingest import accounting
from clv_core.errors import UsageError
from clv_core.i18n import translate
from clv_core.strategy.relabelling import relabel


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    parser.add_argument("name", nargs="?", default=None, help=translate("cli.datasets.name", language))
    parser.add_argument("--currency", default=None, help=translate("cli.datasets.currency", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return the current version of every dataset, or one dataset with its accounting and all its versions.

    Raises:
        UsageError: a currency without the dataset that it is of, or one that is no word.
        Refused: a run is working on the dataset whose currency is said.
    """
    if options.name is None and options.currency is not None:
        raise UsageError("currency_of_what")
    if options.name is None:
        found = list_datasets(context.workspace)
        return {"datasets": [{"name": item.name, **_facts(item.manifest)} for item in found]}
    told = {}
    if options.currency is not None:
        told["models"] = relabel(context.workspace, options.name, options.currency)[1]
    dataset = open_dataset(context.workspace, options.name)
    return {
        **told,
        "currency": dataset.manifest.currency,
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

"""``check FILE``: read a log to the end and say what it would become; nothing is stored."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.collection.check import check_file
from clv_core.collection.check_store import save_check
from clv_core.collection.stored.store import SET_ASIDE
from clv_core.commands import Context
from clv_core.commands.ingest import add_reading_arguments, reading_options
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's options."""
    parser.add_argument("file", type=Path, help=translate("cli.ingest.file", language))
    parser.add_argument("--out", type=Path, default=None, help=translate("cli.check.out", language))
    add_reading_arguments(parser, language)


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Check the file and return the accounting, what is to be said, and what the log could support.

    With ``--out``, the first rows and all rows set aside are left there as Parquet.

    Raises:
        UsageError: a ``--map`` or ``--event`` without its equals sign.
    """
    aside = None
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        aside = options.out / SET_ASIDE
    found = check_file(options.file, **reading_options(options), progress=context.progress, set_aside=aside)
    if options.out is not None:
        save_check(found, options.out)
    facts = found.manifest
    return {
        **found.accounting,
        "customers": facts.customers,
        "purchases": facts.purchases,
        "first_event": facts.first_event,
        "last_event": facts.last_event,
        "net_revenue": facts.net_revenue,
        "longest_gap_days": found.longest_gap_days,
        "event_names": {item.name: item.event_type for item in found.event_names},
        "horizons": {str(item.horizon_days): item.verdict for item in found.horizons},
        "warnings": [message.to_json(context.language) for message in found.warnings],
    }

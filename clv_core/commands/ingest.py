"""``ingest FILE --name NAME``: an event log becomes a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.collection.ingest import ingest
from clv_core.commands import Context
from clv_core.errors import UsageError
from clv_core.i18n import translate


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's options."""
    parser.add_argument("file", type=Path, help=translate("cli.ingest.file", language))
    parser.add_argument("--name", required=True, help=translate("cli.ingest.name", language))
    add_reading_arguments(parser, language)


def add_reading_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare how a file is to be read: what :class:`~clv_core.collection.profile.Answers` holds."""

    def text(option: str) -> str:
        return translate(f"cli.ingest.{option}", language)

    parser.add_argument("--map", action="append", default=[], metavar="CANONICAL=SOURCE", help=text("map"))
    parser.add_argument("--event", action="append", default=[], metavar="NAME=TYPE", help=text("event"))
    parser.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), default=None, help=text("date_order"))
    parser.add_argument("--decimal", choices=("point", "comma"), default=None, help=text("decimal"))
    parser.add_argument("--no-header", dest="header", action="store_false", help=text("no_header"))
    parser.add_argument("--timezone", default="UTC", help=text("timezone"))
    parser.add_argument("--currency", default="", help=text("currency"))
    repeated = parser.add_mutually_exclusive_group()
    repeated.add_argument("--keep-duplicates", dest="duplicates", action="store_const", const="keep", help=text("keep"))
    repeated.add_argument("--drop-duplicates", dest="duplicates", action="store_const", const="drop", help=text("drop"))


def reading_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what :func:`add_reading_arguments` declared, as :func:`~clv_core.collection.ingest.ingest` takes it.

    Raises:
        UsageError: a ``--map`` or ``--event`` without its equals sign.
    """
    return {
        "mapping": _pairs(options.map, empty=True),
        "events": _pairs(options.event),
        "decimal": options.decimal,
        "header": options.header,
        "date_order": options.date_order,
        "timezone": options.timezone,
        "currency": options.currency,
        "duplicates": options.duplicates,
    }


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Read the file and return the accounting, in the shape of design section 4.

    Raises:
        UsageError: a ``--map`` or ``--event`` without its equals sign.
    """
    manifest = ingest(
        context.workspace,
        options.file,
        options.name,
        **reading_options(options),
        progress=context.progress,
    )
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "rows_read": manifest.rows_read,
        "rows_kept": manifest.rows_kept,
        "rows_set_aside": manifest.rows_set_aside,
        "rows_duplicate": manifest.rows_duplicate,
        "customers": manifest.customers,
        "purchases": manifest.purchases,
        "first_event": manifest.first_event,
        "last_event": manifest.last_event,
        "log_end": manifest.log_end,
        "net_revenue": manifest.net_revenue,
        "warnings": [message.to_json(context.language) for message in manifest.messages],
    }


def _pairs(words: list[str], *, empty: bool = False) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip() or not (value.strip() or empty):
            raise UsageError("map_pair", pair=word)
        pairs[key.strip()] = value.strip()
    return pairs

"""``customers FILE --dataset NAME``: a dataset gets a customers table, or loses it (``--remove``)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clv_core.collection.customers import Roles
from clv_core.collection.stored.store import Manifest
from clv_core.commands import Context, message_json
from clv_core.errors import UsageError
from clv_core.i18n import translate
from clv_core.preprocessing.customers import add_customers, remove_customers


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""

    def text(option: str) -> str:
        return translate(f"cli.customers.{option}", language)

    parser.add_argument("file", type=Path, nargs="?", default=None, help=text("file"))
    parser.add_argument("--dataset", required=True, help=text("dataset"))
    parser.add_argument("--id", default="", metavar="COLUMN", help=text("id"))
    parser.add_argument("--static", action="append", default=[], metavar="COLUMN", help=text("static"))
    parser.add_argument("--dated", action="append", default=[], metavar="COLUMN=DATE_COLUMN", help=text("dated"))
    parser.add_argument("--contact", action="append", default=[], metavar="FIELD=COLUMN", help=text("contact"))
    parser.add_argument("--text", action="append", default=[], metavar="COLUMN", help=text("text"))
    parser.add_argument("--accept", action="append", default=[], metavar="COLUMN", help=text("accept"))
    parser.add_argument("--pseudonymise", action="store_true", help=text("pseudonymise"))
    parser.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), default=None, help=text("date_order"))
    parser.add_argument("--decimal", choices=("point", "comma"), default=None, help=text("decimal"))
    parser.add_argument("--header", action=argparse.BooleanOptionalAction, default=None, help=text("header"))
    parser.add_argument("--remove", action="store_true", help=text("remove"))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Return the accounting of the customers table, or the version without it.

    Raises:
        UsageError: a file and ``--remove``, neither, or a pair without its equals sign.
    """
    if options.remove:
        if options.file is not None:
            raise UsageError("customers_remove_with_file")
        gone = remove_customers(context.workspace, options.dataset)
        return {"dataset": gone.name, "version": gone.version, "parent": gone.parent, "removed": True}
    if options.file is None:
        raise UsageError("customers_needs_file")
    roles = Roles(
        customer_id=options.id,
        static=tuple(options.static),
        dated=_pairs(options.dated, last=True),
        contacts=_pairs(options.contact, empty=True),
        text=tuple(options.text),
        date_order=options.date_order,
        decimal=options.decimal,
        header=options.header,
    )
    manifest = add_customers(
        context.workspace,
        options.dataset,
        options.file,
        roles,
        accept=options.accept,
        pseudonymise=options.pseudonymise,
        progress=context.progress,
    )
    return made(manifest, context.language)


def made(manifest: Manifest, language: str) -> dict[str, Any]:
    """Return the JSON of a dataset that has a customers table."""
    table = manifest.customers_table or {}
    counts = ("rows_read", "rows", "rows_set_aside", "customers", "matched")
    lists = ("attributes", "contacts", "off", "accepted", "pseudonymised")
    return {
        "dataset": manifest.name,
        "version": manifest.version,
        "parent": manifest.parent,
        **{{"rows": "rows_kept"}.get(key, key): table[key] for key in counts},
        "customers_in_log": manifest.customers,
        **{key: table[key] for key in lists},
        "warnings": [message_json(item, language) for item in table["warnings"]],
    }


def _pairs(words: list[str], *, empty: bool = False, last: bool = False) -> dict[str, str]:
    """Split words at their first equals sign, or at their ``last`` one: names of attributes may hold one."""
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.rpartition("=") if last else word.partition("=")
        if not equals or not key.strip() or not (value.strip() or empty):
            raise UsageError("map_pair", pair=word)
        pairs[key.strip()] = value.strip()
    return pairs

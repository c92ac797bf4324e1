"""Commands that write lists of customers: segments, and exports for other platforms."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clv_core.commands import CUTOFF, DATASET, MODEL, SCHEME, Context, not_trusted, trust_json
from clv_core.commands.parser import command, option
from clv_core.errors import Message, UsageError
from clv_core.strategy.audiences.formats import EXPORTS

if TYPE_CHECKING:
    from clv_core.strategy.audiences.export import Exported
    from clv_core.strategy.audiences.suppression_file import Matches


@command(
    "segment",
    DATASET,
    MODEL,
    SCHEME,
    option("--segment", "cli.segment.segment", action="append", default=[]),
    option("--out", "cli.segment.out", type=Path, required=True),
    CUTOFF,
)
def run_segment(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Cut, write the list, and return one record a tier, or a segment, of all customers.

    Sums come with their 80% interval; null where no past origin says how far off sums of this model are.
    """
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.strategy.audiences.list_files import check_ending
    from clv_core.strategy.schemes.parse import asked

    scheme, conditions = asked(options.scheme, options.segment, open_dataset(context.workspace, options.name))
    check_ending(options.out)
    made, rows, total, customers = pipeline.segment(
        context.workspace,
        options.name,
        options.model,
        options.out,
        scheme=scheme,
        conditions=conditions,
        cutoff=options.cutoff,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    return {
        "out": str(options.out),
        "side_file": str(made.side_file),
        "model": options.model,
        "scheme": str(scheme),
        "rows": made.rows,
        "value_sum": total.value,
        "value_sum_low": total.low,
        "value_sum_high": total.high,
        "past_origins": total.origins,
        "customers": customers,
        "tiers" if "tier" in rows else "segments": _records(rows),
        "trust": trust_json(trust, context.language),
        "warnings": not_trusted(trust, options.model, context.language),
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The table as JSON types: days as ISO dates, null for what an empty tier has not."""
    days = rows.assign(last_purchase_median=rows["last_purchase_median"].dt.strftime("%Y-%m-%d"))
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]


@command(
    "export",
    DATASET,
    MODEL,
    option("--format", "cli.export.format", required=True, choices=tuple(EXPORTS)),
    option("--segment", "cli.segment.segment", action="append", default=[]),
    SCHEME,
    option("--out", "cli.export.out", type=Path, required=True),
    option("--list", "cli.export.list", type=Path),
    option("--customers", "cli.export.customers", type=Path),
    option("--suppress", "cli.export.suppress", type=Path),
    option("--region", "cli.export.region"),
    option("--assume-consent", "cli.export.assume_consent", action="store_true"),
    CUTOFF,
)
def run_export(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Write the list and its side file, and return counts and paths.

    Raises:
        UsageError: the file has another ending than the format.
    """
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.collection.values.pseudonyms import load_key
    from clv_core.strategy.audiences.contacts import Contacts, read_contacts
    from clv_core.strategy.audiences.customer_list import read_id_list
    from clv_core.strategy.audiences.suppression_file import matches, read_entries, words_of
    from clv_core.strategy.schemes.parse import asked

    ending = EXPORTS[options.format].suffix
    if options.out.suffix != ending:
        raise UsageError("export_ending", path=options.out.name, format=options.format, ending=ending)
    dataset = open_dataset(context.workspace, options.name)
    about = dataset.manifest
    named = about.pseudonymised and (options.customers or options.suppress)
    key = load_key(context.workspace, about.key_fingerprint) if named else None
    scheme, conditions = asked(options.scheme, options.segment, dataset)
    entries = () if options.suppress is None else read_entries(options.suppress)
    contacts = Contacts(
        suppressed=words_of(entries, key),
        customers=None if options.customers is None else read_contacts(options.customers, key),
        region=options.region,
        assume_consent=options.assume_consent,
    )
    made = pipeline.export(
        context.workspace,
        options.name,
        options.model,
        options.out,
        format=options.format,
        scheme=scheme,
        conditions=conditions,
        contacts=contacts,
        listed=None if options.list is None else read_id_list(options.list),
        cutoff=options.cutoff,
        language=context.language,
        progress=context.progress,
    )
    trust = pipeline.trust(context.workspace, options.model)
    found = matches(context.workspace, entries, [dataset], contacts.customers) if options.suppress else None
    unplaced = () if about.customers_table or options.customers else _unplaced(contacts.suppressed)
    said = (*unplaced, *(() if found is None else (found.message,)), *made.notes)
    return {
        "files": [str(file) for file in made.files],
        "side_file": str(made.side_file),
        "format": options.format,
        "model": options.model,
        **_counts(made, found),
        "trust": trust_json(trust, context.language),
        "warnings": [
            *not_trusted(trust, options.model, context.language),
            *(message.to_json(context.language) for message in said),
        ],
    }


def _counts(made: Exported, found: Matches | None) -> dict[str, Any]:
    """Return how many customers were written, asked for, left out and why, and who of a suppression file was known."""
    return {
        "rows": made.rows,
        "asked": made.asked,
        "match_rate": made.rows / made.asked,
        "left_out": made.left_out,
        "reach": made.reach,
        "suppression": None if found is None else found.to_json(),
        "unknown_consent": made.unknown_consent,
        "unread": made.unread,
    }


def _unplaced(suppressed: Collection[str]) -> tuple[Message, ...]:
    """Say that addresses were given to leave out, but nothing tells whose they are."""
    count = sum("@" in word for word in suppressed)
    return (Message("warning.suppress_addresses", {"addresses": count}),) if count else ()

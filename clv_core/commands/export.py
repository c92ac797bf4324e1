"""``export NAME --model ID --format F [--segment X] --out FILE``: a customer list for another system."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv_core.commands import Context, add_model, day, not_trusted, trust_json
from clv_core.errors import Message, UsageError
from clv_core.i18n import translate

if TYPE_CHECKING:
    from clv_core.strategy.exports.export import Exported
    from clv_core.strategy.exports.suppress_match import Matches


def add_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    """Declare the command's words."""
    from clv_core.strategy.exports.formats import EXPORTS

    parser.add_argument("name", help=translate("cli.option.dataset", language))
    add_model(parser, language)
    parser.add_argument(
        "--format", required=True, choices=tuple(EXPORTS), help=translate("cli.export.format", language)
    )
    parser.add_argument("--segment", action="append", default=[], help=translate("cli.segment.segment", language))
    parser.add_argument("--scheme", default="quantile", help=translate("cli.segment.scheme", language))
    parser.add_argument("--out", type=Path, required=True, help=translate("cli.export.out", language))
    parser.add_argument("--list", type=Path, default=None, help=translate("cli.export.list", language))
    parser.add_argument("--customers", type=Path, default=None, help=translate("cli.export.customers", language))
    parser.add_argument("--suppress", type=Path, default=None, help=translate("cli.export.suppress", language))
    parser.add_argument("--region", default=None, help=translate("cli.export.region", language))
    parser.add_argument("--assume-consent", action="store_true", help=translate("cli.export.assume_consent", language))
    parser.add_argument("--cutoff", type=day, default=None, help=translate("cli.explain.cutoff", language))


def run(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    """Write the list and its side file, and return counts and paths.

    Raises:
        UsageError: the file has another ending than the format.
    """
    from clv_core import pipeline
    from clv_core.collection.stored.store import open_dataset
    from clv_core.collection.values.pseudonyms import load_key
    from clv_core.strategy.contacts.contacts_file import read_contacts
    from clv_core.strategy.contacts.suppress_file import read_entries, words_of
    from clv_core.strategy.exports.export import Contacts
    from clv_core.strategy.exports.formats import EXPORTS
    from clv_core.strategy.exports.listed import read_list
    from clv_core.strategy.exports.suppress_match import matches
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
        listed=None if options.list is None else read_list(options.list),
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

"""Commands that read event logs: check a file, ingest files, combine datasets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from clv_core.collection import CHOICES, check_file, check_said, save_check
from clv_core.collection.ingest import ingest
from clv_core.collection.merge import saved_answers
from clv_core.collection.merge.append import combine
from clv_core.collection.store import COUNTS, SET_ASIDE, Manifest, Part, open_dataset
from clv_core.commands import Answer, Context, split_pairs
from clv_core.commands.parser import OneOf, Option, command, one_of, option
from clv_core.errors import Message, Refused
from clv_core.preprocessing import append

READING: Final[tuple[Option | OneOf, ...]] = (
    option("--map", "cli.ingest.map", action="append", default=[], metavar="CANONICAL=SOURCE"),
    option("--event", "cli.ingest.event", action="append", default=[], metavar="NAME=TYPE"),
    option("--state", "cli.ingest.state", action="append", default=[], metavar="WORD=MEANING"),
    option("--rows", "cli.ingest.rows", action="append", default=[], metavar="COLUMN=VALUE=MEANING"),
    option("--recipe", "cli.ingest.recipe", default="", metavar="NAME|none|FILE.toml"),
    *(
        option(f"--{name.replace('_', '-')}", f"cli.ingest.{name}", choices=choices)
        for name, choices in CHOICES.items()
        if name != "duplicates"
    ),
    option("--max-amount", "cli.ingest.max_amount", type=float, metavar="AMOUNT"),
    option("--header", "cli.ingest.header", action=argparse.BooleanOptionalAction),
    option("--encoding", "cli.ingest.encoding", default="", metavar="NAME"),
    option("--sheet", "cli.ingest.sheet", default="", metavar="NAME"),
    option("--timezone", "cli.ingest.timezone"),
    option("--currency", "cli.ingest.currency", default=""),
    one_of(
        option("--keep-duplicates", "cli.ingest.keep", dest="duplicates", action="store_const", const="keep"),
        option("--drop-duplicates", "cli.ingest.drop", dest="duplicates", action="store_const", const="drop"),
    ),
)
"""How a file is to be read: what :class:`~clv_core.collection.answers.Answers` holds."""


@command("check", option("file", "cli.ingest.file", type=Path), option("--out", "cli.check.out", type=Path), *READING)
def run_check(options: argparse.Namespace, context: Context) -> Answer:
    """Check the file and return the accounting, warnings, and the horizons that the log supports.

    With ``--out``, the first rows and all rejected rows are written there as Parquet.

    Raises:
        UsageError: a ``--map`` or ``--event`` without its equals sign.
    """
    rejected = None
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        rejected = options.out / SET_ASIDE
    checked = check_file(options.file, **reading_options(options), progress=context.progress, set_aside=rejected)
    if options.out is not None:
        save_check(checked, options.out)
    facts = checked.manifest
    return {
        **checked.accounting,
        "recipe": checked.recipe,
        "customers": facts.customers,
        "orders": facts.orders,
        "lines": facts.lines,
        "purchases": facts.purchases,
        "first_event": facts.first_event,
        "last_event": facts.last_event,
        "net_revenue": facts.net_revenue,
        "longest_gap_days": checked.longest_gap_days,
        "event_names": {item.name: item.event_type for item in checked.event_names},
        "horizons": {str(item.horizon_days): item.verdict for item in checked.horizons},
        "recommended_horizon": checked.recommended
        and {
            "days": checked.recommended.days,
            "reason": checked.recommended.reason.text(context.language),
        },
        "columns": [column.to_json() for part in facts.parts for column in part.columns],
        "warnings": [message.to_json(context.language) for message in (*checked.warnings, *checked.doubts)],
    }


@command(
    "ingest",
    option("file", "cli.ingest.files", type=Path, nargs="+"),
    option("--name", "cli.ingest.name", required=True),
    one_of(
        option("--append", "cli.ingest.append", action="store_true"),
        option("--remembered", "cli.ingest.remembered", action="store_true"),
    ),
    option("--pseudonymise", "cli.ingest.pseudonymise", action="store_true"),
    *READING,
)
def run_ingest(options: argparse.Namespace, context: Context) -> Answer:
    """Read the files and return the accounting of the dataset's rows; with ``--append`` in ``loaded`` of theirs.

    Warnings are those of the new rows; those of earlier files are in the dataset's record (``datasets``).

    Raises:
        UsageError: a ``--map``, ``--event`` or ``--state`` without its equals sign, or a state that there is not.
    """
    if options.append:
        before = open_dataset(context.workspace, options.name).manifest.messages
        made = _append(options, context)
        new = [message.to_json(context.language) for message in _without(made.messages, before)]
        parts = made.parts[-len(options.file) :]
        return {**accounting(made, context.language), "loaded": loaded(parts), "warnings": new}
    manifest = ingest(
        context.workspace,
        options.file,
        options.name,
        **reading_options(options),
        remembered=options.remembered,
        pseudonymise=options.pseudonymise,
        progress=context.progress,
    )
    return accounting(manifest, context.language)


def reading_options(options: argparse.Namespace) -> Answer:
    """Return what :func:`add_reading_arguments` declared, as :func:`~clv_core.collection.ingest.ingest` takes it.

    Raises:
        UsageError: a ``--map``, ``--event`` or ``--state`` without its equals sign, or a meaning that there is not.
    """
    states = {word: meaning.lower() for word, meaning in split_pairs(options.state, at_last=True).items()}
    rows = split_pairs(options.rows, at_last=True)
    check_said({"states": states, "rows": rows})
    return {
        "mapping": split_pairs(options.map, allow_empty=True),
        "events": split_pairs(options.event, at_last=True),
        "states": states,
        "rows": rows,
        **{name: getattr(options, name) for name in (*CHOICES, "header", "currency", "encoding", "sheet")},
        "max_amount": options.max_amount,
        "recipe": options.recipe,
        **({"timezone": options.timezone} if options.timezone else {}),
    }


def accounting(manifest: Manifest, language: str) -> Answer:
    """Return the accounting of a dataset's rows, with its totals."""
    rows = ("version", "rows_read", "rows_kept", "rows_set_aside", "rows_duplicate")
    sums = ("customers", "orders", "lines", "purchases", "first_event", "last_event", "log_end", "net_revenue")
    return {
        "dataset": manifest.name,
        **{name: getattr(manifest, name) for name in rows},
        "rows_overlap": sum(part.rows_overlap for part in manifest.parts),
        "parts": [part.to_json() for part in manifest.parts],
        **{name: getattr(manifest, name) for name in sums},
        "warnings": [message.to_json(language) for message in manifest.messages],
    }


def loaded(parts: Sequence[Part]) -> Answer:
    """Return the accounting of the rows of some files."""
    counts = (*COUNTS, "rows_overlap")
    return {count: sum(getattr(part, count) for part in parts) for count in counts}


def _append(options: argparse.Namespace, context: Context) -> Manifest:
    """Append with the saved read settings of the dataset, unless options override them."""
    dataset = open_dataset(context.workspace, options.name)
    if options.pseudonymise and not dataset.manifest.pseudonymised:
        raise Refused("append_readable", name=dataset.name)
    settings = {key: value for key, value in reading_options(options).items() if value}
    if options.header is not None:
        settings["header"] = options.header
    saved = saved_answers(dataset)
    settings |= {
        key: {**getattr(saved, key), **settings[key]} for key in ("events", "states", "rows") if key in settings
    }
    answers = replace(saved, **settings)
    return append(context.workspace, options.name, options.file, answers=answers, progress=context.progress)


def _without(messages: Sequence[Message], before: Sequence[Message]) -> list[Message]:
    """Return the messages without those before; of repeated ones, as many as there are more."""
    remaining = list(messages)
    for message in before:
        if message in remaining:
            remaining.remove(message)
    return remaining


@command(
    "combine",
    option("datasets", "cli.combine.datasets", nargs="+", metavar="NAME"),
    option("--name", "cli.combine.name", required=True, metavar="NEW"),
)
def run_combine(options: argparse.Namespace, context: Context) -> Answer:
    """Combine and return the accounting; each dataset is one part."""
    made = combine(context.workspace, options.datasets, options.name, progress=context.progress)
    return accounting(made, context.language)

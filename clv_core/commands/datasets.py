"""Commands on what is stored: list, rename, restore, prune and delete datasets; back up and recover a workspace."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from clv_core.collection.store import Manifest, list_datasets, open_dataset, restore, versions
from clv_core.commands import DATASET, Answer, Context, split_pairs
from clv_core.commands.ingestion import accounting
from clv_core.commands.parser import command, option
from clv_core.errors import UsageError
from clv_core.upkeep import (
    KEEP,
    KINDS,
    MAX_DAYS,
    Due,
    delete,
    expire,
    load_retention,
    plan_retention,
    prune,
    relabel,
    rename,
    save_retention,
)


@command("datasets", option("name", "cli.datasets.name", nargs="?"), option("--currency", "cli.datasets.currency"))
def run_datasets(options: argparse.Namespace, context: Context) -> Answer:
    """Return the current version of every dataset, or one dataset with its accounting and all its versions.

    Raises:
        UsageError: a currency without a dataset, or one that is no word.
        Refused: a run is working on the dataset.
    """
    if options.name is None and options.currency is not None:
        raise UsageError("currency_of_what")
    if options.name is None:
        datasets = list_datasets(context.workspace)
        return {"datasets": [{"name": item.name, **_facts(item.manifest)} for item in datasets]}
    relabelled = {}
    if options.currency is not None:
        relabelled["models"] = relabel(context.workspace, options.name, options.currency)[1]
    dataset = open_dataset(context.workspace, options.name)
    return {
        **relabelled,
        "currency": dataset.manifest.currency,
        **accounting(dataset.manifest, context.language),
        "versions": [_facts(item.manifest) for item in versions(context.workspace, options.name)],
    }


FACTS: Final = (
    *("version", "created", "made", "parent", "source", "rules", "rows_kept", "customers", "orders", "lines"),
    *("net_revenue", "currency", "log_start", "log_end", "pseudonymised"),
)


def _facts(manifest: Manifest) -> Answer:
    facts = {name: getattr(manifest, name) for name in FACTS}
    return {**facts, "customers_table": manifest.customers_table is not None}


@command("rename", DATASET, option("new", "cli.rename.new"))
def run_rename(options: argparse.Namespace, context: Context) -> Answer:
    """Rename and return how much is attached to the new name."""
    return {
        "dataset": options.new.strip(),
        "renamed": options.name,
        **rename(context.workspace, options.name, options.new),
    }


@command("restore", DATASET, option("version", "cli.restore.version"))
def run_restore(options: argparse.Namespace, context: Context) -> Answer:
    """Return to the version and give its accounting."""
    return accounting(restore(context.workspace, options.name, options.version).manifest, context.language)


def check_prune(options: argparse.Namespace) -> None:
    """Refuse options of ``prune`` that do not go together.

    Raises:
        UsageError: neither a dataset nor ``--expired``, or both, or a dry run of versions.
    """
    if options.expired == (options.name is not None) or (options.dry_run and not options.expired):
        raise UsageError("prune_what")


@command(
    "prune",
    option("name", "cli.option.dataset", nargs="?"),
    option("--keep", "cli.prune.keep", type=int, default=KEEP, params={"n": KEEP}),
    option("--expired", "cli.prune.expired", action="store_true"),
    option("--dry-run", "cli.prune.dry", action="store_true"),
    check=check_prune,
)
def run_prune(options: argparse.Namespace, context: Context) -> Answer:
    """Remove versions; return those that stay and those removed, newest first, and the bytes that this freed.

    With ``--expired``, remove what is past the days of ``retention`` instead, and return it by kind.

    Raises:
        UsageError: fewer than one version should stay, or see :func:`check_prune`.
    """
    check_prune(options)
    if options.expired:
        dry = options.dry_run
        due = plan_retention(context.workspace) if dry else expire(context.workspace, context.progress)
        return {"dry_run": dry, "expired": due_json(due, context)}
    done = prune(context.workspace, options.name, keep=options.keep)
    return {
        "dataset": options.name,
        "kept": [dataset.version for dataset in done.kept],
        "removed": [dataset.version for dataset in done.removed],
        "bytes": done.size,
    }


@command("retention", option("days", "cli.retention.days", nargs="*", metavar="KIND=DAYS"))
def run_retention(options: argparse.Namespace, context: Context) -> Answer:
    """Set how many days kinds of data stay, and return what of each goes when; nothing is removed.

    Raises:
        UsageError: there is no such kind, or its days are no number, or too many.
    """
    given = split_pairs(options.days)
    for kind, days in given.items():
        if not (days.isascii() and days.isdigit() and len(days) < 9):
            raise UsageError("retention_days", pair=f"{kind[:20]}={days[:20]}", kinds=list(KINDS), most=MAX_DAYS)
    if given:
        chosen = load_retention(context.workspace).with_days({kind: int(days) for kind, days in given.items()})
        save_retention(context.workspace, chosen)
    return {"retention": due_json(plan_retention(context.workspace), context)}


def due_json(due: Iterable[Due], context: Context) -> list[Answer]:
    """Return what is due by kind as JSON."""
    return [{**dataclasses.asdict(one), "notes": [note.to_json(context.language) for note in one.notes]} for one in due]


@command("delete", DATASET, option("--models", "cli.delete.models", action="store_true"))
def run_delete(options: argparse.Namespace, context: Context) -> Answer:
    """Delete and return counts, and what remains that has ids of its customers."""
    made = delete(context.workspace, options.name, models=options.models, progress=context.progress)
    return {"dataset": options.name, **made}


@command("backup", option("out", "cli.backup.out", type=Path))
def run_backup(options: argparse.Namespace, context: Context) -> Answer:
    """Write the workspace to one file, and return what is in it."""
    from clv_core.upkeep import back_up

    return {"out": str(options.out), **back_up(context.workspace, options.out, context.progress)}


@command("recover", option("file", "cli.recover.file", type=Path))
def run_recover(options: argparse.Namespace, context: Context) -> Answer:
    """Make the workspace from a backup, and return what is in it."""
    from clv_core.upkeep import recover

    return {"file": str(options.file), **recover(options.file, context.workspace.root, context.progress)}

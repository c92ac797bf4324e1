"""A customers table is added to a dataset, or taken from it: each makes a new version, the old one stays."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from clv_core import audit
from clv_core.collection import scratch_folder
from clv_core.collection.customers import entry, read_customers, version_with
from clv_core.collection.parse import load_key
from clv_core.collection.privacy import exclude_erased_customers
from clv_core.collection.store import CustomersTable, Dataset, Manifest, Roles, derive, open_dataset
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.locks import changes
from clv_core.preprocessing.leaks import accepted_notes, judge, refuse_leaks
from clv_core.workspace import Workspace


@changes
def add_customers(
    workspace: Workspace,
    name: str,
    source: Path,
    roles: Roles,
    *,
    accept: Sequence[str] = (),
    pseudonymise: bool = False,
    progress: Progress,
) -> Manifest:
    """Give the dataset ``name`` a customers table, in place of the one that it may have, and return its manifest.

    Scores and explanations stay where the table brings contact fields only. The audit log gets a line, as it does where
    the table is removed.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        source: the customers file, of any form that a log may have.
        roles: the role of each column, as the person gave it; attributes are off unless they are marked.
        accept: attributes to be taken although they look as if they knew the future.
        pseudonymise: contact fields become keyed hashes; in a pseudonymised dataset they and the ids always do.
        progress: who listens.

    Raises:
        NeedsAnswer: something can be read in two ways, or nothing of the file is wanted.
        UsageError: a word names what there is not.
        Refused: the file cannot be used, an attribute knows the future, or another run is changing the dataset; nothing
            is changed.
    """
    dataset = open_dataset(workspace, name)
    hashed = pseudonymise or dataset.manifest.pseudonymised
    key = load_key(workspace, dataset.manifest.key_fingerprint) if hashed else None
    with scratch_folder(workspace) as scratch:
        reading = read_customers(source, dataset, roles, scratch, progress, key=key)
        reading = exclude_erased_customers(workspace, dataset, reading, scratch)
        judgement = judge(dataset, reading.table, reading.attributes, progress)
        accepted = refuse_leaks(judgement, reading.attributes, accept)
        table = entry(reading, accepted, accepted_notes(judgement, accepted))
        manifest = _derived(dataset, version_with(dataset.manifest, reading.content), table)
        _share_results(dataset, derive(dataset, manifest, customers=reading.table))
    audit.note(workspace, "customers", dataset=name, version=manifest.version, outcome="done")
    return manifest


@changes
def remove_customers(workspace: Workspace, name: str) -> Manifest:
    """Take the customers table from the dataset ``name``, and return its manifest; earlier versions keep theirs.

    Raises:
        Refused: it has none, or a run is changing the dataset.
    """
    dataset = open_dataset(workspace, name)
    if dataset.manifest.customers_table is None:
        raise Refused("customers_nothing_to_remove", name=name)
    manifest = _derived(dataset, version_with(dataset.manifest, ""), None)
    _share_results(dataset, derive(dataset, manifest))
    audit.note(workspace, "customers remove", dataset=name, version=manifest.version, outcome="done")
    return manifest


def _share_results(before: Dataset, after: Dataset) -> None:
    """Give the new version the results of the old one where no attribute differs: contact fields enter no model."""
    tables = (before.manifest.customers_table, after.manifest.customers_table)
    if any(table and table.attributes for table in tables) or not before.made_folder.is_dir():
        return
    if not after.made_folder.exists():  # hard links: nothing is written twice
        shutil.copytree(before.made_folder, after.made_folder, copy_function=os.link)


def _derived(dataset: Dataset, version: str, table: CustomersTable | None) -> Manifest:
    return dataclasses.replace(
        dataset.manifest,
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        made="customers",
        parent=dataset.version,
        customers_table=table,
    )

"""Erases customers from a model's files: rows of its holdout, and texts of its record. Its weights stay.

The bundle is written anew and takes its old name in one transaction of the registry, so that files, checksums, seal and
row agree; the weights, and with them the content address, are the same.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import date

from clv_core.collection.privacy.id_matcher import redact_values
from clv_core.deployment.bundle import FILES, LEAVING, MODEL_FILES, Bundle, staging, with_checksums
from clv_core.deployment.bundle_record import read_record, write_record
from clv_core.deployment.registry.database import transaction
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import erase_from
from clv_core.erasure.file_search import search
from clv_core.workspace import Workspace, sync_all


def count_learned(bundle: Bundle, first_events: Mapping[str, date]) -> int:
    """Return how many of the customers a model learned from: those with an event before its cutoff.

    Args:
        bundle: the model; one that was not trained on the log learned from nobody.
        first_events: date of each customer's first event in the model's dataset.
    """
    if bundle.untrained:
        return 0
    cutoff = date.fromisoformat(str(bundle.record["cutoff"])[:10])
    return sum(day < cutoff for day in first_events.values())


def erase_from_bundle(workspace: Workspace, bundle: Bundle, subjects: DataSubjects) -> int | None:
    """Erase customers from a model's files.

    Returns:
        How many rows of its holdout were erased; None where no file names a customer. Files that the model is loaded
        from stay: changing them would make another model of it.

    Raises:
        Refused: the bundle is damaged.
    """
    files = [name for name in FILES if (bundle.folder / name).is_file()]
    named = [name for name in files if search(bundle.folder / name, subjects).named]
    changed = [name for name in named if name not in MODEL_FILES]
    record = read_record(bundle.folder)
    redacted = redact_values(record, subjects.ids, subjects.contact_matcher)
    if redacted == record and not changed:
        _register(workspace, bundle)
        return 0 if named else None
    bundle.check()
    with staging(workspace) as folder:
        for name in files:
            copy = shutil.copyfile if name in changed else os.link
            copy(bundle.folder / name, folder / name)
        rows = sum(erase_from(folder / name, subjects) for name in changed)
        write_record(folder, with_checksums(folder, redacted))
        sync_all(folder)
        leaving = bundle.folder.with_name(f"{LEAVING}{bundle.id}")
        with transaction(workspace, write=True) as connection:
            shutil.rmtree(leaving, ignore_errors=True)
            os.rename(bundle.folder, leaving)
            os.rename(folder, bundle.folder)
            connection.execute("UPDATE versions SET record = ? WHERE bundle = ?", (_record(bundle), bundle.id))
        shutil.rmtree(leaving, ignore_errors=True)
    return rows


def _register(workspace: Workspace, bundle: Bundle) -> None:
    """Write the record into the registry, where a killed run left an earlier one."""
    with transaction(workspace) as connection:
        row = connection.execute("SELECT record FROM versions WHERE bundle = ?", (bundle.id,)).fetchone()
    if row is not None and json.loads(row[0]) != json.loads(_record(bundle)):
        with transaction(workspace, write=True) as connection:
            connection.execute("UPDATE versions SET record = ? WHERE bundle = ?", (_record(bundle), bundle.id))


def _record(bundle: Bundle) -> str:
    """Return the record on disk, under the dataset's name of today, as the registry keeps it."""
    record = read_record(bundle.folder)
    named = {**record, "dataset": {**record["dataset"], "name": bundle.record["dataset"]["name"]}}
    return json.dumps(named, ensure_ascii=False)

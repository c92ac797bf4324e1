"""Models and the customers: rows of theirs leave the holdout, and it is said which models learned from them.

A bundle is written anew beside the old one and takes its name inside one transaction of the registry, so that files,
checksums, seal and row agree; its weights, and with them its content address, stay what they are.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clv_core.collection.privacy.id_matcher import redact_values
from clv_core.deployment.bundle import FILES, LEAVING, MODEL_FILES, Bundle, staging, with_checksums
from clv_core.deployment.bundle_record import read_record, write_record
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.database import transaction
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import clean, holds
from clv_core.workspace import Workspace, sync_all


@dataclass(frozen=True)
class Cleaned:
    """What became of a model's files.

    Args:
        model: the bundle's id.
        rows: rows taken out of its holdout.
        remains: files that name a customer and cannot be changed without making another model of it.
    """

    model: str
    rows: int
    remains: tuple[str, ...] = ()


def trained_with(bundle: Bundle, first: Mapping[str, date]) -> int:
    """Return how many of the customers a model learned from: those first seen before its cutoff.

    Args:
        bundle: the model; one that was not trained on the log learned from nobody.
        first: when each was first seen in the model's dataset.
    """
    if bundle.untrained:
        return 0
    cutoff = date.fromisoformat(str(bundle.record["cutoff"])[:10])
    return sum(day < cutoff for day in first.values())


def clean_bundle(workspace: Workspace, bundle: Bundle, wanted: DataSubjects) -> Cleaned | None:
    """Take the customers out of a model's files; None where they name none of them.

    Raises:
        Refused: the bundle is damaged.
    """
    remains = tuple(name for name in MODEL_FILES if holds(bundle.folder / name, wanted))
    kept = [name for name in FILES if (bundle.folder / name).is_file()]
    record = read_record(bundle.folder)
    said = redact_values(record, wanted.ids, wanted.everywhere)
    named = [name for name in kept if name not in MODEL_FILES and holds(bundle.folder / name, wanted)]
    if said == record and not named:
        _tell_registry(workspace, bundle)
        return Cleaned(bundle.id, 0, remains) if remains else None
    bundle.check()
    with staging(workspace) as folder:
        rows = 0
        for name in kept:
            if name in named:
                shutil.copyfile(bundle.folder / name, folder / name)
                rows += clean(folder / name, wanted)
            else:
                os.link(bundle.folder / name, folder / name)
        write_record(folder, with_checksums(folder, said))
        sync_all(folder)
        gone = bundle.folder.with_name(f"{LEAVING}{bundle.id}")
        with transaction(workspace, write=True) as connection:
            shutil.rmtree(gone, ignore_errors=True)
            os.rename(bundle.folder, gone)
            os.rename(folder, bundle.folder)
            text = json.dumps(_as_registered(workspace, bundle), ensure_ascii=False)
            connection.execute("UPDATE versions SET record = ? WHERE bundle = ?", (text, bundle.id))
        shutil.rmtree(gone, ignore_errors=True)
    return Cleaned(bundle.id, rows, remains)


def sound_bundles(workspace: Workspace) -> None:
    """Let the registry finish or undo what a killed run left of a bundle."""
    if (workspace.root / "models").is_dir():
        Registry(workspace)


def _tell_registry(workspace: Workspace, bundle: Bundle) -> None:
    """Let the registry's copy of a record be the record, where a killed run left it behind."""
    record = json.dumps(_as_registered(workspace, bundle), ensure_ascii=False)
    with transaction(workspace) as rows:
        known = rows.execute("SELECT record FROM versions WHERE bundle = ?", (bundle.id,)).fetchone()
    if known is not None and json.loads(known[0]) != json.loads(record):
        with transaction(workspace, write=True) as rows:
            rows.execute("UPDATE versions SET record = ? WHERE bundle = ?", (record, bundle.id))


def _as_registered(workspace: Workspace, bundle: Bundle) -> dict[str, object]:
    """Return the record on disk under the name that the dataset bears now."""
    record = read_record(bundle.folder)
    return {**record, "dataset": {**record["dataset"], "name": bundle.record["dataset"]["name"]}}

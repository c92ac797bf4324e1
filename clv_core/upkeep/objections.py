"""Who objected to profiling: the list is changed, and what names them of what was made before is removed.

Scores, explanations, features and advice of customers who object are removed, or rewritten without them, as soon as
nothing runs in the workspace. Models that were trained with them stay, and are named: they have to be trained again.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv_core import audit
from clv_core.collection.privacy import made_without, objected_ids, objection_list, version_without, without_objected
from clv_core.collection.store import Dataset, Objected, list_datasets, open_dataset, versions
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import (
    PREDICTION_KINDS,
    ArtifactKind,
    Bundle,
    learned_from_objected,
    list_bundles,
    remove,
    saved_score_files,
)
from clv_core.deployment.artifacts import artifacts
from clv_core.errors import Message, NotEnoughData, Refused
from clv_core.features import FOLDER as RELATIONS
from clv_core.locks import exclusive_lock
from clv_core.strategy.campaigns import forget_customers
from clv_core.training import states_of
from clv_core.workspace import Workspace, atomic_path

MADE_AGAIN: Final = (
    *PREDICTION_KINDS,
    *(ArtifactKind.EXPLANATION, ArtifactKind.RECOMMENDATIONS, ArtifactKind.PRICING),
    *(ArtifactKind.FORECAST, ArtifactKind.DEMAND),
)


def change_objections(workspace: Workspace, action: str, words: Collection[str]) -> tuple[int, list[Message]]:
    """Put customers on the list of objections, or take them off it, and note it in the audit log.

    Args:
        workspace: whose list.
        action: ``add`` or ``remove``.
        words: ids, e-mail addresses, phone numbers.

    Returns:
        How many entries changed; warnings: models to train again, and that another run kept files from being removed.

    Raises:
        Refused: the key with which the list was begun is not there.
    """
    people = objection_list(workspace)
    changed = people.add(words) if action == "add" else people.remove(words)
    audit.note(workspace, f"objections {action}", customers=changed)
    notes = []
    try:
        remove_objected(workspace)
    except Refused as error:
        if error.code != "workspace_in_use":
            raise
        notes.append(Message("warning.objections_later", {}))
    if models := [bundle.id for bundle, _ in models_to_retrain(workspace)]:
        notes.append(Message("warning.objections_retrain", {"models": len(models), "names": models}))
    return changed, notes


def objected_customers(workspace: Workspace) -> dict[str, Objected]:
    """Return who is left out of each dataset, by name."""
    return {dataset.name: _objected(workspace, dataset) for dataset in list_datasets(workspace)}


def _objected(workspace: Workspace, dataset: Dataset) -> Objected:
    try:
        return without_objected(workspace, dataset).objected
    except NotEnoughData:  # everybody
        return Objected(dataset.manifest.customers, dataset.manifest.net_revenue)


def models_to_retrain(workspace: Workspace, name: str | None = None) -> list[tuple[Bundle, int]]:
    """Return the models that were trained with customers who object now, and with how many of them.

    Args:
        workspace: whose.
        name: of the dataset; None for all.
    """
    learned = ((bundle, learned_from_objected(workspace, bundle)) for bundle in list_bundles(workspace, name))
    return [(bundle, customers) for bundle, customers in learned if customers]


def remove_objected(workspace: Workspace) -> None:
    """Remove what names customers who object of what was made from the datasets before, and datasets out of date.

    A training that was cut off begins anew.

    Scores for the trained horizon, which outcomes are compared with, backtests and groups of campaigns stay, without
    them.

    Raises:
        Refused: another run works in the workspace.
    """
    with exclusive_lock(workspace):
        for dataset in list_datasets(workspace):
            _remove_from(workspace, dataset)


def _remove_from(workspace: Workspace, dataset: Dataset) -> None:
    name, stored = dataset.name, versions(workspace, dataset.name)
    ids = {version.version: objected_ids(workspace, version) for version in stored}
    current = {"", *(version_without(workspace, version) for version in stored)}
    everyone = frozenset[str]().union(*ids.values())
    for folder in made_without(workspace, name):
        if folder.name not in current:
            shutil.rmtree(folder, ignore_errors=True)
    if not everyone:
        return
    forget_customers(open_dataset(workspace, name), everyone)
    made = [artifact for artifact in artifacts(workspace, name) if artifact.version not in current and artifact.model]
    scores = {path for model in {item.model for item in made} for _, path in saved_score_files(workspace, model, name)}
    for artifact in made:
        if artifact.kind in MADE_AGAIN and artifact.path not in scores:
            remove(artifact.path)
        else:
            for path in [artifact.path] if artifact.path.is_file() else sorted(artifact.path.rglob("*")):
                _rewrite(path, everyone)
    for state in states_of(workspace, name):
        remove(state)
    for outdated in (version for version, objected in ids.items() if objected):
        for folder in workspace.place("datasets", name, RELATIONS).glob(f"{outdated}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def _rewrite(path: Path, ids: frozenset[str]) -> None:
    """Write a Parquet file of customers without the rows of some; others stay as they are."""
    if path.suffix != ".parquet" or CUSTOMER_ID not in pq.read_schema(path).names:
        return
    table = pq.read_table(path)
    named = pc.is_in(table[CUSTOMER_ID].cast(pa.string()), value_set=pa.array(sorted(ids), pa.string()))
    if pc.any(named).as_py():
        with atomic_path(path) as temporary:
            pq.write_table(table.filter(pc.invert(named)), temporary)

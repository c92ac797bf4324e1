"""Deletion of a dataset with all that was made from its customers, and a list of what is left elsewhere."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator

from clv_core.collection.store import delete_dataset, known_versions, list_datasets, open_dataset, version_names
from clv_core.deployment import (
    HOLDOUT,
    PREDICTION_KINDS,
    REMOVING,
    ArtifactKind,
    check_idle,
    jobs_of,
    list_bundles,
    remove,
)
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.registry import Registry
from clv_core.jobs import Progress
from clv_core.locks import changes
from clv_core.records import JsonObject
from clv_core.strategy.audiences import exported_files
from clv_core.training import states_of
from clv_core.workspace import Workspace, check_name


@changes
def delete(workspace: Workspace, name: str, *, models: bool = False, progress: Progress) -> JsonObject:
    """Delete the dataset ``name``: all versions, and all scores, explanations, backtests, views, searches for
    settings, records of runs and states of trainings that were cut off.

    The dataset itself is removed last, so that a deletion that was interrupted can be run again. The export log keeps
    its lines, which name no customer. Remembered mappings have column names only and stay.

    Args:
        workspace: where it is.
        name: the dataset.
        models: whether the models trained on it are deleted too, with all that they scored. If not, they stay usable;
            each has the ids of the customers that it was measured on.
        progress: listener.

    Returns:
        Counts of what was deleted (``versions, predictions, explanations, backtests, recommendations,
        pricing, explored, states, models, jobs``), and
        ``remains``: ``{kind, name}`` of what still has ids of its customers: ``model``, ``dataset`` (combined from
        it), ``export`` (files, where they were written).

    Raises:
        NotFound: there is no such dataset.
        Refused: a run is working on it.
    """
    name = check_name(name)
    folder = workspace.datasets / name
    if not folder.is_dir():
        open_dataset(workspace, name)
    check_idle(workspace, name)
    versions = version_names(workspace, name)
    remains = list(remaining(workspace, name, models=models))
    for left in [*workspace.root.glob(f"*/{REMOVING}*")]:
        shutil.rmtree(left, ignore_errors=True)
    progress.report("deleting", 0, 1)
    made = Counter(one.kind for one in artifacts(workspace, name))
    states = states_of(workspace, name)
    records = [job for job in jobs_of(workspace, name) if job.status().pid != os.getpid()]
    for path in (*states, *(job.folder for job in records)):
        remove(path)
    trained = list_bundles(workspace, name) if models else []
    if trained:
        Registry(workspace).forget([bundle.id for bundle in trained])
    delete_dataset(workspace, name)
    progress.report("deleting", 1, 1)
    return {
        "versions": len(versions),
        "predictions": sum(made[kind] for kind in PREDICTION_KINDS),
        "explanations": made[ArtifactKind.EXPLANATION],
        "backtests": made[ArtifactKind.BACKTEST],
        **{kind: made[kind] for kind in (ArtifactKind.RECOMMENDATIONS, ArtifactKind.PRICING, ArtifactKind.EXPLORED)},
        "states": len(states),
        "models": len(trained),
        "jobs": len(records),
        "remains": remains,
    }


def remaining(workspace: Workspace, name: str, *, models: bool) -> Iterator[dict[str, str]]:
    """Yield ``{kind, name}`` of what still has ids of the dataset's customers once it is deleted."""
    if not models:
        for bundle in list_bundles(workspace, name):
            if (bundle.folder / HOLDOUT).exists():
                yield {"kind": "model", "name": bundle.id}
    versions = known_versions(workspace, name)
    for dataset in list_datasets(workspace):
        if dataset.name != name and any(part.version in versions for part in dataset.manifest.parts):
            yield {"kind": "dataset", "name": dataset.name}
    for path in exported_files(workspace, name, versions, of_customers=True):
        yield {"kind": "export", "name": str(path)}

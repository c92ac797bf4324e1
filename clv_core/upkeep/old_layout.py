"""Migration of workspaces from before 0.2: what was made from a dataset moves into the dataset's folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from clv_core.collection.store import MADE, known_versions
from clv_core.deployment import RECORD, ArtifactKind, read_record
from clv_core.errors import Refused
from clv_core.locks import writing
from clv_core.workspace import OLD_FOLDERS, Workspace

SCORES_FILE: Final = re.compile(
    r"(?P<name>.+)-(?P<version>[0-9a-f]{12})-(?P<cutoff>\d{8})(?P<rest>.*)(?P<suffix>\.\w+)"
)
MODEL_OUTPUT: Final = re.compile(r"(?P<model>.+-[0-9a-f]{12})-(?P<version>[0-9a-f]{12})(?P<customer>-[0-9a-f]+)?")
KINDS: Final = {
    **{
        "explanations": ArtifactKind.EXPLANATION,
        "backtests": ArtifactKind.BACKTEST,
        "recommendations": ArtifactKind.RECOMMENDATIONS,
    },
    **{"pricing": ArtifactKind.PRICING, "monitoring": ArtifactKind.MONITORING},
}


def migrate_old_layout(workspace: Workspace) -> None:
    """Move files and folders of the old layout to their places in the new one."""
    with writing(workspace.folder("locks") / "layout"):
        for source, target in list(_moves(workspace)):
            if source.exists() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(source, target)
        for name in OLD_FOLDERS:
            shutil.rmtree(workspace.place(name), ignore_errors=True)


def _moves(workspace: Workspace) -> Iterator[tuple[Path, Path]]:
    """Yield ``(old, new)`` path of each file and folder of the old layout that belongs to a dataset."""
    datasets = workspace.place("datasets")
    for path in workspace.place("predictions").glob("*/*"):
        scored = SCORES_FILE.fullmatch(path.name)
        if scored and (datasets / scored["name"]).is_dir():
            rest = scored["rest"]
            kind, terms = (
                (rest[1:], "") if rest in ("-history", "-embedding", "-rhythm") else (ArtifactKind.SCORES, rest)
            )
            folder = datasets / scored["name"] / MADE / scored["version"] / path.parent.name
            yield path, folder / f"{kind}-{scored['cutoff']}{terms}{scored['suffix']}"
    for path in workspace.place("explored").glob("*/*"):
        yield path, datasets / path.parent.name / MADE / path.name / ArtifactKind.EXPLORED
    for path in workspace.place("tuning").glob("*/*.json"):
        version, _, settings = path.name.partition("-")
        yield path, datasets / path.parent.name / MADE / version / f"{ArtifactKind.TUNING}-{settings}"
    names = [path.name for path in datasets.glob("*") if path.is_dir()]
    versions = {version: name for name in names for version in known_versions(workspace, name)}
    trained_on = _trained_on(workspace)
    for old, kind in KINDS.items():
        for path in workspace.place(old).glob("*"):
            made = MODEL_OUTPUT.fullmatch(path.name)
            if made and made["version"] in versions:
                dataset_name = trained_on.get(made["model"], "")
                name = (
                    dataset_name
                    if made["version"] in known_versions(workspace, dataset_name)
                    else versions[made["version"]]
                )
                target = datasets / name / MADE / made["version"] / made["model"]
                yield path, target / f"{kind}{made['customer'] or ''}"
    for path in workspace.place("monitoring").glob("*-kept"):
        yield path, workspace.place("alerts", path.name.removesuffix("-kept"))


def _trained_on(workspace: Workspace) -> dict[str, str]:
    """Return the dataset of each model by its id."""
    names = {}
    for path in workspace.place("models").glob(f"*/{RECORD}"):
        with suppress(Refused):
            names[path.parent.name] = read_record(path.parent).dataset.name
    return names

"""Earlier versions of a dataset are removed to free room; what was made of them stays."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clv_core import audit
from clv_core.collection.stored.store import Dataset, open_dataset, remove_versions, versions
from clv_core.deployment.belongings import EXPLORED, check_idle, remove
from clv_core.errors import UsageError
from clv_core.features.kept import FOLDER as RELATIONS
from clv_core.locks import changes
from clv_core.workspace import Workspace

KEEP: Final = 3


@dataclass(frozen=True)
class Prunable:
    """What a pruning of a dataset would leave and take.

    Args:
        kept: versions that stay, the newest first.
        gone: versions that go.
        size: bytes on disk that this frees; files that versions share are freed with the last of them.
    """

    kept: tuple[Dataset, ...]
    gone: tuple[Dataset, ...]
    size: int


def prunable(workspace: Workspace, name: str, keep: int = KEEP) -> Prunable:
    """Return what of the dataset ``name`` would go if ``keep`` versions stay.

    The version in use is one of them, then come the newest; a version that cleaning rules were applied to stays beside
    those that stay, and is not counted.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
    """
    if keep < 1:
        raise UsageError("keep_versions", keep=keep)
    current, every = open_dataset(workspace, name), versions(workspace, name)
    ranked = sorted(every, key=lambda one: one.version != current.version)
    stay = ranked[:keep]
    needed = {one.version for one in stay} | {one.manifest.raw_version for one in stay}
    gone = tuple(one for one in every if one.version not in needed)
    return Prunable(tuple(one for one in every if one.version in needed), gone, _freed(gone))


@changes
def prune(workspace: Workspace, name: str, *, keep: int = KEEP) -> Prunable:
    """Remove the versions of the dataset ``name`` that :func:`prunable` names, and note it in the audit log.

    Views prepared of them go too. Scores, explanations, backtests and models made of them stay.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
        Refused: a run is working on it.
    """
    found = prunable(workspace, name, keep)
    check_idle(workspace, name)
    remove_versions(workspace, name, [one.version for one in found.gone])
    for one in found.gone:
        remove(workspace.root / EXPLORED / name / one.version)
        for path in (workspace.datasets / name / RELATIONS).glob(f"{one.version}-*"):
            shutil.rmtree(path, ignore_errors=True)
    if found.gone:
        audit.note(workspace, "prune", dataset=name, outcome="done")
    return found


def _freed(gone: Sequence[Dataset]) -> int:
    files = [path.stat() for one in gone for path in one.folder.iterdir()]
    links = Counter((file.st_dev, file.st_ino) for file in files)
    sizes = {(file.st_dev, file.st_ino): (file.st_size, file.st_nlink) for file in files}
    return sum(size for key, (size, named) in sizes.items() if links[key] == named)

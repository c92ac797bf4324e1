"""Another name for a dataset: one move of its folder, and a note until things outside bear the new name too."""

from __future__ import annotations

import os
from typing import Final

from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Refused
from clv_core.locks import changing
from clv_core.workspace import Workspace, check_name, read_json, write_json

RENAMING: Final = "renaming.json"


def rename_dataset(workspace: Workspace, name: str, new: str) -> None:
    """Give the dataset ``name`` another name, all versions at once: one move of its folder, so there is no half-way.

    ``renaming.json`` in the folder says that things outside still bear the old name, until :func:`renamed` is told that
    they follow (:func:`names_to_follow`).

    Raises:
        NotFound: there is no such dataset.
        Refused: the new name cannot be one, or is taken, or a run is changing the dataset.
    """
    with changing(workspace, name), changing(workspace, new):
        folder = open_dataset(workspace, name).folder.parent
        target = workspace.datasets / check_name(new)
        if target.exists() and not (target.samefile(folder) and target.name != folder.name):
            raise Refused("name_taken", name=name, new=new)
        write_json(folder / RENAMING, {"old": folder.name, "new": target.name})
        os.rename(folder, target)


def names_to_follow(workspace: Workspace) -> dict[str, str]:
    """Return old name -> new name of datasets that were renamed while things outside still bear the old name."""
    found = [(path.parent.name, read_json(path)) for path in workspace.place("datasets").glob(f"*/{RENAMING}")]
    return {item["old"]: item["new"] for folder, item in found if item["new"] == folder}


def renamed(workspace: Workspace, new: str) -> None:
    """Note that nothing outside the dataset ``new`` bears its old name any more."""
    (workspace.datasets / check_name(new) / RENAMING).unlink(missing_ok=True)

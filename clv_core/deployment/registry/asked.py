"""Which bundle a word means: an id as it is, ``champion`` or ``challenger`` of a dataset, or ``NAME@3``."""

from __future__ import annotations

from typing import Final

from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.registry.registry import Registry
from clv_core.errors import NotFound, UsageError
from clv_core.workspace import Workspace

ROLES: Final = ("champion", "challenger")


def bundle_asked(workspace: Workspace, word: str, name: str | None) -> str:
    """Return the id of the bundle that a word means; cron asks so, whose command does not change.

    Args:
        workspace: whose models.
        word: a bundle's id, which is returned unseen; a role of :data:`ROLES`; or ``NAME@WHICH``, a name of the
            registry and a version of it, by number or role.
        name: the dataset that a role alone is of; None where there is none.

    Raises:
        UsageError: a role alone, and no dataset.
        NotFound: there is no such version, or no such dataset that it could speak for.
    """
    of, at, which = word.rpartition("@")
    if not at and word not in ROLES:
        return word
    if not at and name is None:
        raise UsageError("role_of_what", role=word)
    registry, speaks_for = Registry(workspace), of if at else str(name)
    if which == "champion" and registry.champion(speaks_for) is None:
        if not at:
            open_dataset(workspace, speaks_for)
        raise NotFound("no_champion", name=speaks_for, known=list(registry.names()) or "-")
    return registry.version(speaks_for, which).bundle

"""References to a model on the command line: a bundle's id, ``champion``, ``challenger``, or ``NAME@3``."""

from __future__ import annotations

from typing import Final

from clv_core.collection.store import open_dataset
from clv_core.deployment.registry.registry import Registry
from clv_core.errors import NotFound, UsageError
from clv_core.workspace import Workspace

ROLES: Final = ("champion", "challenger")


def resolve_bundle_id(workspace: Workspace, reference: str, name: str | None) -> str:
    """Return the id of the bundle that a reference means; with a role a cron command need not change.

    Args:
        workspace: whose models.
        reference: a bundle's id, which is returned as it is; a role of :data:`ROLES`; or ``NAME@WHICH``, a name of
            the registry and a version of it, by number or role.
        name: the dataset that a role alone is of; None where there is none.

    Raises:
        UsageError: a role alone, and no dataset.
        NotFound: there is no such version, or no such dataset.
    """
    of, at, which = reference.rpartition("@")
    if not at and reference not in ROLES:
        return reference
    if not at and name is None:
        raise UsageError("role_of_what", role=reference)
    registry, model_name = Registry(workspace), of if at else str(name)
    if which == "champion" and registry.champion(model_name) is None:
        if not at:
            open_dataset(workspace, model_name)
        raise NotFound("no_champion", name=model_name, known=list(registry.names()) or "-")
    return registry.version(model_name, which).bundle

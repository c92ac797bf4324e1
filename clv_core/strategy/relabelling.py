"""Another currency for a dataset, and the same for its models, which say what they were measured in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from clv_core import audit
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.deployment.artifacts import check_idle
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.bundle_record import read_record, write_record
from clv_core.errors import Refused
from clv_core.locks import changes
from clv_core.preprocessing.currency import check_currency, set_currency
from clv_core.workspace import Workspace


@changes
def relabel(workspace: Workspace, name: str, currency: str) -> tuple[Manifest, int]:
    """Say what the amounts of the dataset ``name`` and of its models are in, and note it in the audit log.

    The models come first, as a service that finds a new version of the dataset loads them anew; where it is cut off,
    the same call does the rest. Files that were written before keep what they say.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        currency: as :func:`~clv_core.preprocessing.currency.set_currency` takes it.

    Returns:
        The dataset's manifest, and how many models say another currency now.

    Raises:
        NotFound: there is no such dataset.
        UsageError: it is too long, or no text of one line.
        Refused: a run is working on the dataset.
    """
    said, before = check_currency(currency), open_dataset(workspace, name).version
    check_idle(workspace, name)
    models = 0
    for bundle in list_bundles(workspace, name):
        with suppress(Refused):  # a damaged one stays as it is, and says so where it is opened
            record = read_record(bundle.folder)
            labelled = _labelled(record, said)
            if labelled != record:
                write_record(bundle.folder, labelled)
                models += 1
    manifest = set_currency(workspace, name, said)
    if models or manifest.version != before:
        audit.note(workspace, "currency", dataset=name, version=manifest.version, outcome="done")
    return manifest, models


def _labelled(value: Any, currency: str) -> Any:
    """Return a record, or a part of it, with every amount in ``currency``: its reasons and evidence say one too."""
    if isinstance(value, list):
        return [_labelled(one, currency) for one in value]
    if isinstance(value, dict):
        return {key: currency if key == "currency" else _labelled(one, currency) for key, one in value.items()}
    return value

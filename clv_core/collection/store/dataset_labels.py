"""A dataset's name and currency, changed afterwards: no row changes."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from typing import Final

from clv_core.collection.store.version_store import Dataset, Manifest, derive, open_dataset, raw_version, version_of
from clv_core.errors import Message, Refused, UsageError
from clv_core.locks import changes, changing
from clv_core.workspace import Workspace, check_name, read_json, write_json

MADE: Final = "currency"
LONGEST: Final = 12
"""Characters of a currency: a code, a sign or a short word."""
SETTLED: Final = ("warning.currency_guessed", "warning.currency_contradicted")
"""Warnings that end once a person has named the currency."""


@changes
def set_currency(workspace: Workspace, name: str, currency: str) -> Manifest:
    """Make the version of the dataset ``name`` whose amounts are in ``currency``, and return its manifest.

    Cleaning rules stay on: the version without them gets the currency too, so that the next file joins it. Where the
    currency is that already, no version is made.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        currency: a code such as EUR, or what else people call it; empty where it has no name.

    Raises:
        NotFound: there is no such dataset.
        UsageError: it is too long, or no text of one line.
        Refused: another run is changing the dataset.
    """
    code = check_currency(currency)
    dataset = open_dataset(workspace, name)
    if dataset.manifest.currency == code:
        return dataset.manifest
    raw = raw_version(dataset)
    version = ""
    if raw.version != dataset.version:
        version = derive(raw, _labelled(raw, code, ""), current=False).version
    return derive(dataset, _labelled(dataset, code, version)).manifest


def check_currency(currency: str) -> str:
    """Return what amounts are in, without blanks around it.

    Raises:
        UsageError: it is too long, or no text of one line.
    """
    code = currency.strip()
    if len(code) > LONGEST or not code.isprintable():
        raise UsageError("currency_text", currency=code[:40], longest=LONGEST)
    return code


def _labelled(dataset: Dataset, currency: str, raw: str) -> Manifest:
    manifest = dataset.manifest
    return dataclasses.replace(
        manifest,
        version=version_of(manifest.version, MADE, currency, raw),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        currency=currency,
        warnings=[_relabelled(warning, currency) for warning in manifest.warnings if warning.code not in SETTLED],
        made=MADE,
        parent=manifest.version,
        raw_version=raw,
    )


def _relabelled(warning: Message, currency: str) -> Message:
    """Return a warning with its amounts in the currency, where it has any."""
    if "currency" not in warning.params:
        return warning
    return dataclasses.replace(warning, params={**warning.params, "currency": currency})


RENAMING: Final = "renaming.json"


def rename_dataset(workspace: Workspace, name: str, new: str) -> None:
    """Give the dataset ``name`` another name, all versions at once: one move of its folder, so there is no half-way.

    ``renaming.json`` in the folder records that models and schedules still have the old name, until :func:`renamed`
    confirms that they follow (:func:`names_to_follow`).

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
    renamings = [(path.parent.name, read_json(path)) for path in workspace.place("datasets").glob(f"*/{RENAMING}")]
    return {item["old"]: item["new"] for folder, item in renamings if item["new"] == folder}


def renamed(workspace: Workspace, new: str) -> None:
    """Note that nothing outside the dataset ``new`` bears its old name any more."""
    (workspace.datasets / check_name(new) / RENAMING).unlink(missing_ok=True)

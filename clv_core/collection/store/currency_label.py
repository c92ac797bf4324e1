"""What a dataset's amounts are in, said afterwards: a label; no amount changes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any, Final

from clv_core.collection.store.version_store import (
    Dataset,
    Manifest,
    derive,
    open_dataset,
    raw_version,
    version_of,
)
from clv_core.errors import UsageError
from clv_core.locks import changes
from clv_core.workspace import Workspace

MADE: Final = "currency"
LONGEST: Final = 12
SETTLED: Final = ("warning.currency_guessed", "warning.currency_contradicted")
"""What need not be said any more once a person has said what the amounts are in."""


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
    said = check_currency(currency)
    dataset = open_dataset(workspace, name)
    if dataset.manifest.currency == said:
        return dataset.manifest
    raw = raw_version(dataset)
    version = ""
    if raw.version != dataset.version:
        version = derive(raw, _labelled(raw, said, ""), current=False).version
    return derive(dataset, _labelled(dataset, said, version)).manifest


def check_currency(currency: str) -> str:
    """Return what amounts are in, without blanks around it.

    Raises:
        UsageError: it is too long, or no text of one line.
    """
    said = currency.strip()
    if len(said) > LONGEST or not said.isprintable():
        raise UsageError("currency_text", currency=said[:40], longest=LONGEST)
    return said


def _labelled(dataset: Dataset, currency: str, raw: str) -> Manifest:
    manifest = dataset.manifest
    return dataclasses.replace(
        manifest,
        version=version_of(manifest.version, MADE, currency, raw),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        currency=currency,
        warnings=[_relabelled(one, currency) for one in manifest.warnings if one["code"] not in SETTLED],
        made=MADE,
        parent=manifest.version,
        raw_version=raw,
    )


def _relabelled(warning: dict[str, Any], currency: str) -> dict[str, Any]:
    """Return a warning whose amounts are said in the currency, where it says any."""
    if "currency" not in warning["params"]:
        return warning
    return {**warning, "params": {**warning["params"], "currency": currency}}

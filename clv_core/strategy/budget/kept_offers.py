"""The offers, experiments and budget that a person settled for a dataset.

datasets/<name>/offers.json   {by, rows: {scheme: [...]}, experiments, budget}

It lies in the dataset's folder, beside its versions: it holds for all of them, whatever the model and the terms, and
follows when the dataset is renamed or deleted. Of an experiment it keeps effects and counts, no customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from clv_core.collection.stored.store import Dataset
from clv_core.locks import writing
from clv_core.strategy.budget.experiment import Experiment
from clv_core.workspace import read_json, write_json

FILE: Final = "offers.json"
TIERS: Final = ""
"""In place of a scheme's text: the value tiers."""


@dataclass(frozen=True)
class KeptOffers:
    """What a person settled.

    Args:
        rows: of the table of offers, JSON types, by the scheme whose segments have the effects; none while a table is
            as it was to begin with.
        experiments: what was measured, by the name of the offer that was tried.
        budget: money; None while none was chosen.
        by: text of the scheme that offers are planned by, or :data:`TIERS`.
    """

    rows: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    budget: float | None = None
    by: str = TIERS


def load_offers(dataset: Dataset) -> KeptOffers:
    """Return what is kept for a dataset; nothing settled where nothing is."""
    path = _path(dataset)
    if not path.is_file():
        return KeptOffers()
    said = read_json(path)
    experiments = {name: Experiment.from_json(one) for name, one in said["experiments"].items()}
    rows = said["rows"] or {}
    if isinstance(rows, list):  # as it was written before there were other schemes
        rows = {TIERS: rows}
    tables = {scheme: tuple(table) for scheme, table in rows.items()}
    return KeptOffers(tables, experiments, said["budget"], said.get("by", TIERS))


def save_offers(dataset: Dataset, kept: KeptOffers) -> None:
    """Keep what a person settled in place of what was kept before."""
    rows = {scheme: list(table) for scheme, table in kept.rows.items()}
    experiments = {name: one.to_json() for name, one in kept.experiments.items()}
    write_json(_path(dataset), {"by": kept.by, "rows": rows, "experiments": experiments, "budget": kept.budget})


def change_offers(dataset: Dataset, **changed: Any) -> None:
    """Keep the named parts of :class:`KeptOffers`; the others stay, whoever else settles them meanwhile."""
    with writing(_path(dataset)):
        save_offers(dataset, replace(load_offers(dataset), **changed))


def _path(dataset: Dataset) -> Path:
    return dataset.folder.parent / FILE

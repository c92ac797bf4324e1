"""Settings of a dataset's strategy page: offers, experiments, budget, excluded products.

datasets/<name>/offers.json   {by, rows: {scheme: [...]}, experiments, budget, excluded}

The file lies in the dataset's folder, next to its versions: it holds for all versions and models, and is renamed or
deleted with the dataset. Of an experiment it stores effects and counts, no customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from clv_core.collection.store import Dataset
from clv_core.locks import writing
from clv_core.strategy.experiments.treatment_effect import Experiment
from clv_core.workspace import read_json, write_json

FILE: Final = "offers.json"
TIERS: Final = ""
"""In place of a scheme's text: the value tiers."""


@dataclass(frozen=True)
class SavedOffers:
    """What was entered on the strategy page.

    Args:
        rows: of the table of offers, JSON types, by the scheme whose segments have the effects; empty for a scheme
            whose table was not changed.
        experiments: by the name of the offer that was tried.
        budget: money; None while none was chosen.
        by: text of the scheme that offers are planned by, or :data:`TIERS`.
        excluded: ids of products that are recommended to nobody; None while nobody has chosen.
    """

    rows: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    budget: float | None = None
    by: str = TIERS
    excluded: tuple[str, ...] | None = None


JSON: Final = TypeAdapter(SavedOffers)


def load_offers(dataset: Dataset) -> SavedOffers:
    """Return what is saved for a dataset; the defaults where nothing is."""
    path = _path(dataset)
    if not path.is_file():
        return SavedOffers()
    values = read_json(path)
    rows = values["rows"] or {}
    if isinstance(rows, list):  # files of earlier versions, which knew value tiers only
        rows = {TIERS: rows}
    return JSON.validate_python({**values, "rows": rows})


def save_offers(dataset: Dataset, saved: SavedOffers) -> None:
    """Replace what is saved for a dataset."""
    write_json(_path(dataset), JSON.dump_python(saved, mode="json"))


def update_offers(dataset: Dataset, **changed: Any) -> None:
    """Replace the named fields of :class:`SavedOffers`, whoever else replaces other fields meanwhile."""
    with writing(_path(dataset)):
        save_offers(dataset, replace(load_offers(dataset), **changed))


def _path(dataset: Dataset) -> Path:
    return dataset.folder.parent / FILE

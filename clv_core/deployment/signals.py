"""What a model learned from beyond the events, and what of it a dataset to be scored no longer has."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Message
from clv_core.features.attributes import attributes_of

if TYPE_CHECKING:
    from clv_core.training.fit import Model


def learned_signals(model: Model, dataset: Dataset, config: TrainConfig) -> dict[str, Any]:
    """Return the part of a bundle's record that says which columns of one dataset's own the model reads.

    Returns:
        ``attributes``: name, kind and date column of each; ``review_themes``: the strongest character n-grams of each
        theme. Both are empty for models that read no feature table.
    """
    from clv_core.training.fit import table_of  # brings torch, which reading a model's record does without

    table = table_of(model)
    known = attributes_of(dataset) if table is not None and config.attributes else []
    return {
        "attributes": [asdict(attribute) for attribute in known],
        "review_themes": [] if table is None else [list(theme) for theme in table.review_themes()],
    }


def lost_signals(bundle: Bundle, dataset: Dataset) -> list[Message]:
    """Return a warning where a dataset lacks attributes that the model learned from, or has them as another kind.

    Scores count such an attribute as unknown, as for a customer who is not in the customers table.
    """
    learned = bundle.record.get("signals", {}).get("attributes", [])
    here = {attribute.name: attribute.kind for attribute in attributes_of(dataset)}
    lost = [one["name"] for one in learned if here.get(one["name"]) != one["kind"]]
    if not lost:
        return []
    return [Message("warning.attributes_lost", {"names": ", ".join(lost), "dataset": dataset.name, "count": len(lost)})]

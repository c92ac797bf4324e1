"""What a model says of the sample that it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clv_core.collection.stored.dataset import Dataset
from clv_core.i18n import say_number, translate

SAMPLED: Final = "sampled"


def sampling(dataset: Dataset) -> dict[str, Any]:
    """Return the part of a bundle's record that says of what its log is a sample; empty where it is none.

    Returns:
        ``sampled``: ``customers`` and ``events`` of the whole log, the ``fraction`` of its customers that was asked
        for, and ``kept_customers`` and ``kept_events``.
    """
    manifest = dataset.manifest
    if manifest.sampled is None:
        return {}
    return {SAMPLED: {**manifest.sampled, "kept_customers": manifest.customers, "kept_events": manifest.rows_kept}}


def sampling_text(record: Mapping[str, Any], language: str) -> str | None:
    """Return the sentence that a model card says of the sample; None where the model learned from a whole log."""
    said = record.get(SAMPLED)
    if said is None:
        return None
    counts = ("kept_customers", "customers", "kept_events", "events")
    share = f"{100 * said['fraction']:.3g}"
    return translate(
        "modelcard.sampled", language, share=share, **{key: say_number(said[key], language) for key in counts}
    )

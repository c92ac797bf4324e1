"""Explanations of a workspace: where the pages keep them, and whether one of a customer is there."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Final

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.artifacts import EXPLANATION, artifact_folder
from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.store import load_explanation

LONGEST_MARK: Final = 140
"""Digits of a customer's mark in a folder's name; a longer id goes in as its hash."""


def explanation_folder(bundle: Bundle, dataset: Dataset, customer: str = "") -> Path:
    """Return where the explanation of many customers as of the log's end is kept, or that of one."""
    mark = customer.encode().hex()
    if len(mark) > LONGEST_MARK:
        mark = hashlib.sha256(customer.encode()).hexdigest()
    end = f"-{mark}" if customer else ""
    return artifact_folder(dataset, bundle) / f"{EXPLANATION}{end}"


def kept_explanation(bundle: Bundle, dataset: Dataset, customer: str, cutoff: date) -> Explanation | None:
    """Return a kept explanation that holds this customer as of the cutoff, or None."""
    for whose in (customer, ""):
        found = load_explanation(explanation_folder(bundle, dataset, whose))
        if found and customer in found[0].customer_ids and found[1].get("cutoff") == cutoff.isoformat():
            return found[0]
    return None

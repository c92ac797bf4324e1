"""Why a model values customers as it does: written to a folder, kept where reports and pages look for it."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.score_explanations import (
    SAMPLE,
    ScoreExplanations,
    explain_scores,
    explanation_folder,
    save_explanations,
)
from clv_core.evaluation.explain.store import RECORD, load_explanation
from clv_core.jobs import Progress
from clv_core.strategy.audiences.customer_list import side_of
from clv_core.strategy.audiences.export import Exported, log_export
from clv_core.workspace import Workspace


def explain(
    workspace: Workspace,
    name: str,
    model_id: str,
    out: Path,
    *,
    customer: str | None = None,
    sample: int = SAMPLE,
    permutations: int = 2,
    cutoff: date | None = None,
    progress: Progress,
) -> ScoreExplanations:
    """Explain a sample of a dataset's customers, or one of them, and write it to the folder ``out``.

    As of the log's end it is also kept where reports, cards and pages look for it, unless one of more customers is.
    What was written elsewhere is a list of customers that left, and is noted in the export log.

    Raises:
        NotFound: the one is not in the log, or on the suppression list.
    """
    bundle, dataset = open_bundle(workspace, model_id), open_dataset(workspace, name)
    if customer is not None:
        SuppressionList.of(workspace, dataset).check(customer)
    found = explain_scores(
        bundle,
        dataset,
        customer=customer,
        sample=sample,
        permutations=permutations,
        cutoff=cutoff,
        progress=progress,
    )
    side = side_of(dataset, bundle, cutoff)
    about = dataclasses.asdict(side)
    files = save_explanations(found, out, about)
    kept = explanation_folder(bundle, dataset, customer or "")
    if (cutoff or dataset.log_end) == dataset.log_end and kept.resolve() != out.resolve():
        before = load_explanation(kept)
        if before is None or len(before[0].customer_ids) <= len(found.value.customer_ids):
            save_explanations(found, kept, about)
    if not out.resolve().is_relative_to(kept.parent.resolve()):
        people = len(found.pool.features)
        log_export(workspace, Exported(files, out / RECORD, people, people), "reasons", side)
    return found

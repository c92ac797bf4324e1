"""Explanations of scores as files: in a folder that the caller names, and saved for reports and pages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from clv_core.collection.privacy import SuppressionList
from clv_core.deployment import (
    SAMPLE,
    Scored,
    ScoreExplanations,
    explain_scores,
    explanation_folder,
    save_explanations,
)
from clv_core.evaluation.explain import RECORD, load_explanation
from clv_core.jobs import Progress
from clv_core.strategy.audiences.customer_list import side_of
from clv_core.strategy.audiences.export import Exported, log_export


def explain(
    scored: Scored,
    out: Path,
    *,
    customer: str | None = None,
    sample: int = SAMPLE,
    permutations: int = 2,
    progress: Progress,
) -> ScoreExplanations:
    """Explain a sample of a dataset's customers, or one of them, and write it to the folder ``out``.

    As of the log's end it is also saved for reports, cards and pages, unless one of more customers is. A folder outside
    the workspace's own is an export, which the export log lists.

    Raises:
        NotFound: the one is not in the log, or on the suppression list, or objected to profiling.
    """
    dataset = scored.dataset
    if customer is not None:
        SuppressionList.of(scored.workspace, dataset).check(customer)
        scored.check_customer(customer)
    explanations = explain_scores(
        scored, customer=customer, sample=sample, permutations=permutations, progress=progress
    )
    side = side_of(scored)
    about = dataclasses.asdict(side)
    files = save_explanations(explanations, out, about)
    folder = explanation_folder(scored, customer or "")
    if scored.as_of == dataset.log_end and folder.resolve() != out.resolve():
        before = load_explanation(folder)
        if before is None or len(before[0].customer_ids) <= len(explanations.value.customer_ids):
            save_explanations(explanations, folder, about)
    if not out.resolve().is_relative_to(folder.parent.resolve()):
        people = len(explanations.pool.features)
        log_export(scored.workspace, Exported(files, out / RECORD, people, people), "reasons", side)
    return explanations

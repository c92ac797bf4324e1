"""An experiment measured on a dataset: its file, the log, and what a model predicted before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.pseudonyms import load_key
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.kept_scores import scores
from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.strategy.budget.experiment import Experiment, measure
from clv_core.strategy.budget.experiment_file import outcomes, read_experiment
from clv_core.strategy.budget.offers import Offer
from clv_core.strategy.budget.plans import with_experiments
from clv_core.strategy.schemes.segmentation import Segmentation
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.workspace import Workspace


def experiment(
    workspace: Workspace,
    name: str,
    model_id: str,
    path: Path,
    *,
    most_days: int,
    scheme: Scheme = DEFAULT_SCHEME,
    progress: Progress,
) -> Experiment:
    """Return what the experiment in ``path`` showed, as a whole and in each tier as of before it.

    Predictions are as of the earliest date, so that neither tiers nor what is taken off the outcome knows who got the
    offer. The network itself may have been trained on later days.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose predictions are taken off the outcomes.
        path: of the experiment.
        most_days: how long outcomes count at most: the horizon of the plan that the effect is for.
        scheme: how customers are cut into tiers.
        progress: listener.

    Raises:
        ClvError: the file cannot be used, or shows too little.
    """
    dataset = open_dataset(workspace, name)
    about = dataset.manifest
    key = load_key(workspace, about.key_fingerprint) if about.pseudonymised else None
    seen = outcomes(dataset, read_experiment(path, key), most_days)
    scored = scores(workspace, name, model_id, cutoff=seen.start, progress=progress)
    value = scored["predicted_clv"].to_numpy(float)
    rows = pd.Index(scored["customer_id"]).get_indexer(pd.Index(seen.customer_id))
    known = rows >= 0
    rows = rows[known]
    outcome, treated, before = seen.outcome[known], seen.treated[known], seen.before[known]
    tier = scheme.tier_of(value)[rows]
    found = measure(outcome, treated, before, value[rows], tier, scheme.tiers, seen.window_days)
    left_out = seen.left_out + int((~known).sum())
    if not left_out:
        return found
    unknown = Message("warning.experiment_left_out", {"customers": left_out, "start": seen.start.isoformat()})
    return replace(found, warnings=(*found.warnings, unknown))


def with_tried(
    workspace: Workspace,
    name: str,
    model_id: str,
    offers: Sequence[Offer],
    files: Mapping[str, Path],
    *,
    scheme: Scheme | Segmentation = DEFAULT_SCHEME,
    terms: Terms | None = None,
    progress: Progress,
) -> tuple[tuple[Offer, ...], dict[str, Experiment]]:
    """Return the offers, those that were tried with what was measured, and the experiments by offer.

    Args:
        workspace: where dataset and model are.
        name: of the dataset.
        model_id: whose predictions are taken off the outcomes.
        offers: what can be given.
        files: of experiments, by the offer's name.
        scheme: how customers are cut for the plan; of segments that are no value tiers the effect on all counts.
        terms: what the plan's values speak of: how long outcomes count for at most, and how much of them is margin;
            None is the trained horizon without a margin.
        progress: listener.

    Raises:
        ClvError: a file cannot be used, or shows too little.
    """
    asked = terms or Terms(open_bundle(workspace, model_id).record["horizon_days"])
    horizon_days = asked.horizon_days
    by_tier = isinstance(scheme, Scheme)
    tiers = scheme if isinstance(scheme, Scheme) else DEFAULT_SCHEME
    found = {
        offer: experiment(workspace, name, model_id, path, most_days=horizon_days, scheme=tiers, progress=progress)
        for offer, path in files.items()
    }
    return with_experiments(offers, found, horizon_days, asked.margin_rate, by_tier=by_tier), found

"""An experiment measured on a dataset: its file, the log, and what a model predicted before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from clv_core.collection.pseudonyms import load_key
from clv_core.collection.store import open_dataset
from clv_core.deployment.kept_scores import scores
from clv_core.errors import Message
from clv_core.jobs import Progress
from clv_core.strategy.experiment import Experiment, measure
from clv_core.strategy.experiment_file import outcomes, read_experiment
from clv_core.strategy.tiers import DEFAULT_SCHEME, Scheme
from clv_core.workspace import Workspace


def experiment(
    workspace: Workspace,
    name: str,
    model_id: str,
    path: Path,
    *,
    scheme: Scheme = DEFAULT_SCHEME,
    window_days: int | None = None,
    progress: Progress,
) -> Experiment:
    """Return what the experiment in ``path`` showed, as a whole and in each tier as of before it.

    Predictions are as of the earliest date, so that neither tiers nor what is taken off the outcome knows who got the
    offer. The network itself may have been trained on later days.
    """
    dataset = open_dataset(workspace, name)
    about = dataset.manifest
    key = load_key(workspace, about.key_fingerprint) if about.pseudonymised else None
    seen = outcomes(dataset, read_experiment(path, key), window_days)
    scored = scores(workspace, name, model_id, cutoff=seen.start, progress=progress)
    tier = scheme.tier_of(scored["predicted_clv"].to_numpy())
    rows = pd.Index(scored["customer_id"]).get_indexer(pd.Index(seen.customer_id))
    predicted = scored["predicted_clv"].to_numpy(float)[rows]
    found = measure(seen.outcome, seen.treated, seen.before, predicted, tier[rows], scheme.tiers, seen.window_days)
    if not seen.left_out:
        return found
    unknown = Message("warning.experiment_left_out", {"customers": seen.left_out, "start": seen.start.isoformat()})
    return replace(found, warnings=(*found.warnings, unknown))

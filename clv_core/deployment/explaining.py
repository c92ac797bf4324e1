"""Explain the scores of a bundle: the same snapshot, the same level, the same numbers as ``score`` writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotEnoughData, NotFound, UsageError
from clv_core.evaluation.explain import Explanation, explain
from clv_core.evaluation.explain_background import sample_rows
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.model.levelled import Levelled
from clv_core.training.fit import Model

SAMPLE: Final = 300
LARGEST_SAMPLE: Final = 5000
MOST_STEPS: Final = 2000
"""Of customers whose whole past a model reads."""
MOST_PERMUTATIONS: Final = 100


def explain_scores(
    bundle: Bundle,
    dataset: Dataset,
    *,
    customer: str | None = None,
    sample: int = SAMPLE,
    permutations: int = 2,
    cutoff: date | None = None,
    progress: Progress,
) -> Explanation:
    """Explain one customer of a dataset, or a sample spread over all predicted values.

    Args:
        bundle: the trained model.
        dataset: the events; those at or after the cutoff are not read.
        customer: id of the one to explain; None explains a sample.
        sample: how many customers; all where there are fewer.
        permutations: orders of the parts that are tried.
        cutoff: as of when; None is the log's end.
        progress: listener.

    Raises:
        UsageError: a sample or permutations out of bounds.
        NotFound: the customer has no event before the cutoff.
        NotEnoughData: the cutoff lies before the log.
    """
    for name, number, most in (("sample", sample, LARGEST_SAMPLE), ("permutations", permutations, MOST_PERMUTATIONS)):
        if not 1 <= number <= most:
            raise UsageError("setting_bounds", setting=name, value=number, low=1, high=most)
    config = TrainConfig.from_json(bundle.record["config"])
    cutoff = cutoff or dataset.log_end
    progress.report("features", 0, 1)
    log = open_log(dataset, before=cutoff, **config.of_log())
    if cutoff <= log.first_day:
        raise NotEnoughData("cutoff_before_log", cutoff=cutoff.isoformat(), first=log.first_day.isoformat())
    model = bundle.model
    steps = MOST_STEPS if isinstance(model, Levelled) and model.whole_past else config.max_steps_back
    snapshot = scoring_snapshot(log, cutoff, config.horizon_days, max_steps=steps)
    if customer is not None and customer not in snapshot.features.index:
        raise NotFound("customer_unknown", customer=customer, cutoff=cutoff.isoformat())
    progress.report("scoring", 0, 1)
    predicted = model.predict(snapshot, config.horizon_days).predicted_clv
    if customer is None:
        rows = sample_rows(predicted, config.seed, sample)
    else:
        rows = np.array([snapshot.features.index.get_loc(customer)], np.int64)
    return explain(
        value_of(model, snapshot),
        snapshot,
        predicted,
        rows,
        progress=progress,
        permutations=permutations,
        seed=config.seed,
    )


def value_of(model: Model, snapshot: Snapshot) -> Callable[[Snapshot], NDArray[np.float64]]:
    """Return a model's predicted_clv as a function of each row for itself, at the level that all customers set.

    Args:
        model: any of ``MODELS``.
        snapshot: all customers; the level step of the deep models looks at their total.
    """
    from clv_core.model.paretonbd import ParetoNbdModel

    if isinstance(model, Levelled):
        levels = model.levels(snapshot)
        return lambda mixed: model.expected_value(mixed, levels)
    if isinstance(model, ParetoNbdModel):
        settled = model.settled(snapshot)
        return lambda mixed: settled.predict(mixed).predicted_clv
    return lambda mixed: model.predict(mixed).predicted_clv

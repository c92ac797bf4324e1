"""Explain the scores of a bundle: the same snapshot, the same level, the same numbers as ``score`` writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.scoring import opened
from clv_core.errors import NotFound, UsageError
from clv_core.evaluation.explain.answers import ANSWERS, VALUE, answers_of
from clv_core.evaluation.explain.background import sample_rows
from clv_core.evaluation.explain.explanation import Explanation, explain
from clv_core.evaluation.explain.faithful import Faithfulness, faithfulness
from clv_core.evaluation.explain.pool import pool_of
from clv_core.evaluation.explain.ranks import Stability, stability
from clv_core.features.btyd import ParetoNbd
from clv_core.features.season import scoring_snapshot
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.model.levelled import Levelled
from clv_core.training.fit import Model

Floats = NDArray[np.float64]

SAMPLE: Final = 300
LARGEST_SAMPLE: Final = 5000
MOST_STEPS: Final = 2000
"""Of customers whose whole past a model reads."""
MOST_PERMUTATIONS: Final = 100


DONORS: Final = 200
"""Customers kept beside one who is explained alone: whose parts she can be given, and whose events are averaged."""


@dataclass(frozen=True)
class Settled:
    """What all customers together decide of each one's prediction, so that a few can be predicted as if among all.

    Args:
        levels: factor of each cutoff day, of networks whose level is set.
        counts: Pareto/NBD parameters of each cutoff day, where that is the model.
        most: the largest value_if_bought of any customer.
    """

    levels: Mapping[int, float]
    counts: Mapping[int, dict[str, Any]]
    most: float

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        by_day = {name: {str(day): one for day, one in getattr(self, name).items()} for name in ("levels", "counts")}
        return {**by_day, "most": self.most}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Settled:
        """Return what :meth:`to_json` wrote."""
        levels, counts = ({int(day): one for day, one in said[name].items()} for name in ("levels", "counts"))
        return cls(levels, counts, float(said["most"]))


@dataclass(frozen=True)
class Explained:
    """What ``explain`` finds.

    Args:
        answers: an explanation of each of :data:`~clv_core.evaluation.explain.answers.ANSWERS`, by its name.
        pool: those explained, and for one alone others beside her: ready for what-if and events.
        settled: what the model needs to know to predict them as if among all.
        faithfulness: of each answer; None for one customer.
        stability: of each answer; None for one customer.
    """

    answers: dict[str, Explanation]
    pool: Snapshot
    settled: Settled
    faithfulness: dict[str, Faithfulness] | None = None
    stability: dict[str, Stability] | None = None

    @property
    def value(self) -> Explanation:
        """The explanation of predicted_clv."""
        return self.answers[VALUE]


def explain_scores(
    bundle: Bundle,
    dataset: Dataset,
    *,
    customer: str | None = None,
    sample: int = SAMPLE,
    permutations: int = 2,
    cutoff: date | None = None,
    progress: Progress,
) -> Explained:
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
    with opened(bundle, dataset, cutoff, progress) as (log, config, as_of):
        model = bundle.model
        steps = MOST_STEPS if isinstance(model, Levelled) and model.whole_past else config.max_steps_back
        snapshot = scoring_snapshot(log, as_of, config.horizon_days, max_steps=steps)
    if customer is not None and customer not in snapshot.features.index:
        raise NotFound("customer_unknown", customer=customer, cutoff=as_of.isoformat())
    progress.report("scoring", 0, 1)
    said = model.predict(snapshot, config.horizon_days)
    predicted = answers_of(said.p_purchase, said.predicted_clv)
    settled = settled_by(model, snapshot, float(predicted[:, ANSWERS.index("value_if_bought")].max(initial=0.0)))
    predict = answers_by(model, settled)
    spread = sample_rows(predicted[:, 0], config.seed, sample if customer is None else DONORS)
    rows = spread if customer is None else np.array([snapshot.features.index.get_loc(customer)], np.int64)
    how = {"progress": progress, "permutations": permutations, "seed": config.seed}
    found = explain(predict, snapshot, predicted, rows, answers=ANSWERS, **how)  # type: ignore[arg-type]
    if customer is not None:
        beside = np.concatenate([rows, spread[spread != rows[0]]])
        return Explained(found, pool_of(snapshot, beside), settled)
    progress.report("checking_reasons", 0, 1)
    faithful = faithfulness(predict, snapshot, predicted, rows, found, seed=config.seed)
    stable = {answer: stability(one) for answer, one in found.items()}
    return Explained(found, pool_of(snapshot, rows), settled, faithful, stable)


def settled_by(model: Model, snapshot: Snapshot, most: float) -> Settled:
    """Return what ``snapshot``, all customers, decides of each one's prediction.

    Args:
        model: any of ``MODELS``.
        snapshot: all customers; the level step of the networks looks at their total.
        most: the largest value_if_bought of any of them.
    """
    from clv_core.model.paretonbd import ParetoNbdModel

    levels = model.levels(snapshot) if isinstance(model, Levelled) else {}
    counts = model.settled(snapshot).counts_ if isinstance(model, ParetoNbdModel) else {}
    return Settled(levels, {day: one.to_json() for day, one in counts.items()}, most)


def answers_by(model: Model, settled: Settled) -> Callable[[Snapshot], Floats]:
    """Return a model's answers as a function of each row for itself, [N, answers].

    Args:
        model: any of ``MODELS``.
        settled: what all customers decide.
    """
    from clv_core.model.paretonbd import ParetoNbdModel

    if isinstance(model, Levelled):
        networks, levels = model, dict(settled.levels)

        def expect(mixed: Snapshot) -> Floats:
            return answers_of(*networks.expected(mixed, levels), most=settled.most)

        return expect
    if isinstance(model, ParetoNbdModel):
        own = type(model).from_state(*model.state())
        own.counts_ = {day: ParetoNbd.from_json(one) for day, one in settled.counts.items()}
        model = own

    def ask(mixed: Snapshot) -> Floats:
        said = model.predict(mixed)
        return answers_of(said.p_purchase, said.predicted_clv, settled.most)

    return ask

"""Explain a model's scores: computed on the same snapshot and level as ``score``, saved in the dataset's folder.

A saved explanation can be opened again (:func:`open_session`) for what-if values and effects of single events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.btyd import ParetoNBD
from clv_core.deployment.artifacts import ArtifactKind
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import open_scoring_log
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotFound, UsageError
from clv_core.evaluation.explain import (
    ANSWERS,
    FEATURES,
    READINGS,
    VALUE,
    EventEffects,
    Explanation,
    ExplanationTask,
    Faithfulness,
    Stability,
    WhatIf,
    answers_of,
    event_effects,
    explain,
    faithfulness,
    load_explanation,
    load_pool,
    load_record,
    pool_of,
    readings,
    sample_rows,
    save_explanation,
    save_pool,
    stability,
    table_name,
)
from clv_core.features import Snapshot, scoring_snapshot
from clv_core.jobs import Progress
from clv_core.records import JsonObject, JsonRecord

if TYPE_CHECKING:
    from clv_core.training import Model

Floats = NDArray[np.float64]

SAMPLE: Final = 300
"""Customers of an overall explanation. A guess between seconds and stable means: 1,000 take 26 to 38 s
(tests/bench/README.md, explain)."""
MAX_SAMPLE: Final = 5000
MAX_PERMUTATIONS: Final = 100
"""Guesses that keep a run to minutes: its time grows with customers times permutations."""
MAX_STEPS: Final = 2000
"""Events of a customer that are kept for models that read the full past."""
DONORS: Final = 200
"""Customers kept with one who is explained alone: sources of replacement parts, and of average events."""
MAX_ID_DIGITS: Final = 140
"""Hexadecimal digits of a customer's id in a folder's name; a longer id goes in as its hash."""


@dataclass(frozen=True)
class PopulationEffects(JsonRecord):
    """What the population adds to each customer's prediction; with it a few are predicted as if among all.

    Args:
        levels: calibration factor of values of each cutoff day, of models that have one.
        counts: Pareto/NBD parameters of each cutoff day, where that is the model.
        most: the largest value_if_bought of any customer.
        chances: exponents of the chances not to buy, as ``levels``.
    """

    levels: Mapping[int, float]
    counts: Mapping[int, JsonObject]
    most: float
    chances: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreExplanations:
    """Explanations of some customers' scores.

    Args:
        answers: an explanation of each of :data:`~clv_core.evaluation.explain.explanation.ANSWERS`, by its name.
        pool: those explained; for a single one also :data:`DONORS`, for what-if and event effects.
        effects: what the model needs to predict them as if among all.
        faithfulness: of each answer; None for one customer.
        stability: of each answer; None for one customer.
    """

    answers: dict[str, Explanation]
    pool: Snapshot
    effects: PopulationEffects
    faithfulness: dict[str, Faithfulness] | None = None
    stability: dict[str, Stability] | None = None

    @property
    def value(self) -> Explanation:
        """The explanation of predicted_clv."""
        return self.answers[VALUE]


def explain_scores(
    scored: Scored,
    *,
    customer: str | None = None,
    sample: int = SAMPLE,
    permutations: int = 2,
    progress: Progress,
) -> ScoreExplanations:
    """Explain one customer of a dataset, or a sample over the range of all predicted values.

    Args:
        scored: model, dataset and cutoff; what is explained are the values for the trained horizon.
        customer: id of the one to explain; None explains a sample.
        sample: how many customers; all where there are fewer.
        permutations: orders of the parts that are tried.
        progress: listener.

    Raises:
        UsageError: a sample or permutations out of bounds.
        NotFound: the customer has no event before the cutoff.
        NotEnoughData: the cutoff lies before the log.
    """
    from clv_core.model import CalibratedModel

    for name, number, most in (("sample", sample, MAX_SAMPLE), ("permutations", permutations, MAX_PERMUTATIONS)):
        if not isinstance(number, Integral) or not 1 <= number <= most:
            raise UsageError("setting_bounds", setting=name, value=number, low=1, high=most)
    with open_scoring_log(scored.model, scored.dataset, scored.cutoff, progress) as (log, config, as_of):
        model = scored.model.model
        steps = MAX_STEPS if isinstance(model, CalibratedModel) and model.whole_past else config.max_steps_back
        snapshot = scoring_snapshot(log, as_of, config.horizon_days, max_steps=steps)
    if customer is not None and customer not in snapshot.features.index:
        raise NotFound("customer_unknown", customer=customer, cutoff=as_of.isoformat())
    progress.report("scoring", 0, 1)
    predictions = model.predict(snapshot, config.horizon_days)
    predicted = answers_of(predictions.p_purchase, predictions.predicted_clv)
    largest = float(predicted[:, ANSWERS.index("value_if_bought")].max(initial=0.0))
    effects = population_effects(model, snapshot, largest)
    sampled = sample_rows(predicted[:, 0], config.seed, sample if customer is None else DONORS)
    rows = sampled if customer is None else np.array([snapshot.features.index.get_loc(customer)], np.int64)
    task = ExplanationTask(row_predictor(model, effects), snapshot, predicted, rows)
    answers = explain(task, answers=ANSWERS, progress=progress, permutations=permutations, seed=config.seed)
    if customer is not None:
        pool_rows = np.concatenate([rows, sampled[sampled != rows[0]]])
        return ScoreExplanations(answers, pool_of(snapshot, pool_rows), effects)
    progress.report("checking_reasons", 0, 1)
    faithful = faithfulness(task, answers, seed=config.seed)
    stable = {answer: stability(explanation) for answer, explanation in answers.items()}
    return ScoreExplanations(answers, pool_of(snapshot, rows), effects, faithful, stable)


def population_effects(model: Model, snapshot: Snapshot, most: float) -> PopulationEffects:
    """Return what ``snapshot``, all customers, adds to each one's prediction.

    Args:
        model: any of ``MODELS``.
        snapshot: all customers; networks are calibrated to their total.
        most: the largest value_if_bought of any of them.
    """
    from clv_core.model import CalibratedModel, ParetoNBDModel

    levels = model.levels(snapshot) if isinstance(model, CalibratedModel) else {}
    counts = model.settled(snapshot).counts_ if isinstance(model, ParetoNBDModel) else {}
    values, chances = ({day: getattr(level, of) for day, level in levels.items()} for of in ("value", "chance"))
    return PopulationEffects(values, {day: fitted.to_json() for day, fitted in counts.items()}, most, chances)


def row_predictor(model: Model, effects: PopulationEffects) -> Callable[[Snapshot], Floats]:
    """Return a function from a snapshot to its answers, [N, answers], in which no row depends on another."""
    from clv_core.model import CalibratedModel, Level, ParetoNBDModel

    if isinstance(model, CalibratedModel):
        networks = model
        levels = {day: Level(value, effects.chances.get(day, 1.0)) for day, value in effects.levels.items()}
        return lambda snapshot: answers_of(*networks.expected(snapshot, levels), most=effects.most)
    if isinstance(model, ParetoNBDModel):
        fitted = type(model).from_state(*model.state())
        fitted.counts_ = {day: ParetoNBD.from_json(counts) for day, counts in effects.counts.items()}
        model = fitted

    def predict(snapshot: Snapshot) -> Floats:
        predictions = model.predict(snapshot)
        return answers_of(predictions.p_purchase, predictions.predicted_clv, effects.most)

    return predict


def explanation_folder(scored: Scored, customer: str = "") -> Path:
    """Return the folder of the explanation of many customers as of the log's end, or of that of one."""
    mark = customer.encode().hex()
    if len(mark) > MAX_ID_DIGITS:
        mark = hashlib.sha256(customer.encode()).hexdigest()
    return scored.folder / (f"{ArtifactKind.EXPLANATION}-{mark}" if customer else ArtifactKind.EXPLANATION)


def find_explanation(scored: Scored, customer: str) -> Explanation | None:
    """Return a saved explanation that has this customer as of the same day, or None."""
    for owner in (customer, ""):
        saved = load_explanation(explanation_folder(scored, owner))
        if saved and customer in saved[0].customer_ids and saved[1].get("cutoff") == scored.as_of.isoformat():
            return saved[0]
    return None


def save_explanations(explained: ScoreExplanations, folder: Path, about: JsonObject) -> tuple[Path, ...]:
    """Write explanations into a folder, the record last; return the files that name customers."""
    checks = {}
    if explained.faithfulness is not None and explained.stability is not None:
        checks = {
            "faithfulness": {answer: check.to_json() for answer, check in explained.faithfulness.items()},
            "stability": {answer: check.to_json() for answer, check in explained.stability.items()},
        }
    folder.mkdir(parents=True, exist_ok=True)
    save_pool(explained.pool, folder)
    save_explanation(explained.answers, folder, about, settled=explained.effects.to_json(), **checks)
    return tuple(folder / name for name in (*map(table_name, explained.answers), READINGS, FEATURES))


@dataclass(frozen=True)
class ExplanationSession:
    """The model and the customers of a saved explanation.

    Args:
        what_if: answers of the customers with changed parts.
        model: the model.
        predicted: predicted_clv of those explained, by id.
    """

    what_if: WhatIf
    model: Model
    predicted: Mapping[str, float]

    @property
    def reads_events(self) -> bool:
        """Whether the model has a branch that reads events in their order."""
        from clv_core.model import reads_steps

        return reads_steps(self.model)

    def row(self, customer: str) -> int:
        """Return a customer's row in the pool.

        Raises:
            NotFound: there is none of that id.
        """
        index = self.what_if.pool.features.index
        if customer not in index:
            raise NotFound("customer_not_explained", customer=customer)
        return int(np.flatnonzero(index == customer)[0])

    def events(self, customer: str) -> EventEffects:
        """Return what each event of an explained customer adds to her value.

        Raises:
            NotFound: she was not explained.
        """
        pool, row = self.what_if.pool, self.row(customer)
        if customer not in self.predicted:
            raise NotFound("customer_not_explained", customer=customer)
        return event_effects(self.model, pool.take(np.array([row])), pool, self.predicted[customer])


def open_session(bundle: Bundle, folder: Path) -> ExplanationSession:
    """Load a saved explanation.

    Args:
        bundle: the model that was explained.
        folder: of the explanation.

    Raises:
        NotFound: there is none.
    """
    record, saved = load_record(folder), load_explanation(folder)
    if record is None or saved is None:
        raise NotFound("explanation_missing", folder=str(folder))
    pool, value = load_pool(folder), saved[0]
    representatives = dict(zip(record["parts"], record["representatives"], strict=True))
    predict = row_predictor(bundle.model, PopulationEffects.from_json(record["settled"]))
    predicted = dict(zip(value.customer_ids, value.predicted.tolist(), strict=True))
    return ExplanationSession(WhatIf(predict, pool, readings(pool, representatives)), bundle.model, predicted)

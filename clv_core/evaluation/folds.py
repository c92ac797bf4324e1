"""Cross-validate over customers: metrics on customers that the model has never seen.

Rolling origins part the past from the future, but the same customers stand on both sides: their earlier windows are
trained on, their next one is predicted. Here customers are also split in k folds; each fold is predicted at one origin
by a model that learned from the windows of the other folds only. What is lost against the plain origin was knowledge of
customers, not of behaviour (a little of it also that a model of the second view learns from fewer customers).

What all customers together decide stays as it is: the BTYD parameters of each cutoff, the anchors that they give, and
the level that predictions are set to at the origin. Those few numbers are of the population, and available at the
cutoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.config import TrainConfig
from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import evaluate, with_role
from clv_core.features import EventLog, complete_snapshot
from clv_core.jobs import Progress, parts_of
from clv_core.training import MODELS, FitTask, training_data

FOLD: Final = "fold"
PLAIN, UNSEEN = "plain", "unseen"
"""The two views: all customers trained on, and none of those that are predicted."""
Outcome = Literal["leans", "holds", "unsure"]
COLUMNS: Final = ("origin", "model", "view", "fold", "customers", "buyers", "metric", "value", "low", "high")
COMPARED: Final = with_role("folds")
SMALL: Final = 0.01
"""A loss of Gini within this is no sign of leaning, however sure it is; a guess."""
LARGE: Final = 0.05
"""Where a loss of Gini of this size is not ruled out, the outcome stays ``unsure``; a guess."""
MIN_FOLDS, MAX_FOLDS = 2, 20
"""Each fold is a training: 20 take as long as 20 models, and leave each of them 95% of the customers."""


def fold_of(customer_ids: NDArray[np.object_] | pd.Index[Any], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each customer, 0 to ``folds`` - 1, [n]; it depends on the id and the seed alone."""
    key = f"{seed % 10**16:016d}"
    hashed = pd.util.hash_array(np.asarray(customer_ids, dtype=object), hash_key=key, categorize=False)
    return (hashed % np.uint64(folds)).astype(np.int64)


def cross_validate(
    log: EventLog, cutoff: date, config: TrainConfig, folds: int, folder: Path, progress: Progress
) -> pd.DataFrame:
    """Predict every customer at ``cutoff`` by a model that was not trained on them.

    Args:
        log: the entire log; models learn from label windows that end before the cutoff.
        cutoff: the origin; its horizon is complete.
        config: model, horizon, settings, and the seed that the folds are drawn with.
        folds: how many models are trained.
        folder: where the trainings keep their resumable state; each number of folds and each cutoff has its own.
        progress: listener of stage ``folds``.

    Returns:
        ``score``'s columns, ``origin``, ``actual`` and ``fold``, one row a customer in the snapshot's order.

    Raises:
        NotEnoughData: no label window ends before the cutoff, or the horizon after it is not complete.
    """
    train = training_data(log, cutoff, config, progress)
    snapshot = complete_snapshot(log, cutoff, config)
    of_windows, of_customers = (fold_of(part.features.index, folds, config.seed) for part in (train, snapshot))
    frames, run_folder = [], folder / f"{cutoff:%Y%m%d}-{folds}"
    for number, part in enumerate(parts_of(progress, [1] * folds)):
        part.report("folds", 0, 1)
        other_folds = train.take(np.flatnonzero(of_windows != number))
        fitted = MODELS[config.model].fit(
            FitTask(other_folds, config.measured, run_folder / str(number), part, "folds")
        )
        answers = fitted.model.predict(snapshot, config.horizon_days)
        frame = answers.frame(snapshot.features.index, cutoff, config.horizon_days, config.model)
        frames.append(frame.assign(origin=cutoff.isoformat(), actual=snapshot.target)[of_customers == number])
    progress.report("folds", folds, folds)
    predictions: pd.DataFrame = pd.concat(frames).sort_index().assign(**{FOLD: of_customers + 1})
    return predictions


@dataclass(frozen=True)
class Leaning:
    """Whether a model leans on having seen the same customers.

    Args:
        outcome: ``leans`` where its Gini is surely, and by more than .01, better on customers that it has seen;
            ``holds`` where it is surely not better by .05; else ``unsure``.
        advantage: by how much the plain view is better (negative: worse), by metric, with paired intervals.
        message: the sentence.
    """

    outcome: Outcome
    advantage: dict[str, Estimate]
    message: Message | None


def compare(unseen: pd.DataFrame, plain: pd.DataFrame) -> tuple[pd.DataFrame, Leaning]:
    """Return the figures of both views, and what they say together.

    Args:
        unseen: of :func:`cross_validate`.
        plain: the same model's predictions at the same origin, trained on all customers.

    Returns:
        A table of :data:`COLUMNS`: ``view`` is ``plain`` or ``unseen``; ``fold`` is 0 for all customers together, whose
        figures have 95% intervals, else the fold's number; and the comparison.
    """
    model, origin, folds = str(unseen["model"].iloc[0]), str(unseen["origin"].iloc[0]), int(unseen[FOLD].max())
    number = unseen.set_index(CUSTOMER_ID)[FOLD]
    both = {PLAIN: plain.assign(**{FOLD: number.reindex(plain[CUSTOMER_ID]).to_numpy()}), UNSEEN: unseen}
    bootstrap = Bootstrap.of(pd.concat([frame.assign(model=view) for view, frame in both.items()]), COMPARED)
    rows: list[tuple[Any, ...]] = []
    for view, frame in both.items():
        size = (len(frame), int((frame["actual"] > 0).sum()))
        for metric in (name for name in COMPARED if (origin, view, name) in bootstrap.values):
            estimate = bootstrap.estimate(origin, view, metric)
            rows.append((origin, model, view, 0, *size, metric, estimate.value, estimate.low, estimate.high))
        for fold, part in frame.groupby(FOLD, sort=True):
            size = (len(part), int((part["actual"] > 0).sum()))
            values = evaluate(part["actual"], part)
            about = (origin, model, view, fold, *size)
            rows += [(*about, name, values[name], np.nan, np.nan) for name in COMPARED if name in values]
    comparable = [name for name in COMPARED if all((origin, view, name) in bootstrap.values for view in both)]
    advantage = {name: bootstrap.advantage(PLAIN, UNSEEN, name) for name in comparable}
    return pd.DataFrame(rows, columns=list(COLUMNS)), _leaning(bootstrap, origin, advantage, folds)


def _leaning(bootstrap: Bootstrap, origin: str, advantage: dict[str, Estimate], folds: int) -> Leaning:
    ranking = advantage.get("gini")
    if ranking is None:
        return Leaning("unsure", advantage, None)
    outcome: Outcome = "holds" if ranking.high < LARGE else "unsure"
    if ranking.low > 0 and ranking.value > SMALL:
        outcome = "leans"
    params = {
        "seen": bootstrap.values[origin, PLAIN, "gini"],
        "unseen": bootstrap.values[origin, UNSEEN, "gini"],
        "low": ranking.low,
        "high": ranking.high,
        "folds": folds,
    }
    return Leaning(outcome, advantage, Message(f"folds.{outcome}", params))

"""A challenger beside the champion at the latest complete origin: is it better, and how sure is that?

Both predict the last horizon of the log without having seen it: the champion as it is, since it was trained before;
the challenger by its holdout, for which the same settings were trained on what lies before that horizon. The same
customers are resampled for both, so that luck that both share cancels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import score
from clv_core.deployment.registry.version import Version
from clv_core.errors import Message
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.levels import USUAL_LEVEL_SPREAD
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress

JUDGED: Final = ("gini", "rmse", "bias")
"""Order, size and level: better means surely better in one of them, and surely worse in none. The size is that of
squared errors, which the true mean makes smallest: absolute ones prefer whoever predicts too little, as most bring
nothing. Each is sure by itself (95%, two-sided): of challengers that are alike but for luck, up to 3 x 2.5% are surely
better in one."""
MATERIAL: Final = {"gini": 0.005, "rmse": 0.005, "bias": 0.01}
"""A smaller difference is none, however sure: for the size as a share of the champion's."""
LEVEL_MARGIN: Final = 2 * USUAL_LEVEL_SPREAD
"""One span tells little of level, for luck moves all of its customers together: a challenger is better on it only where
it is closer to the total by more than two spreads of such luck, beyond what separates two models that are equally far
off on either side. What is surely worse is so by less: it only keeps the champion."""
CHAMPION, CHALLENGER = "champion", "challenger"
PROMOTED, BETTER, STAYS, EARLY, ALIKE = "promoted", "better", "stays", "early", "alike"


@dataclass(frozen=True)
class MetricPair:
    """One metric of both models.

    Args:
        metric: id.
        champion: its figure.
        challenger: its figure.
        advantage: by how much the challenger is better, with its 95% interval.
    """

    metric: str
    champion: float
    challenger: float
    advantage: Estimate

    @property
    def better(self) -> bool:
        """Whether the challenger is surely better, by as much as matters."""
        least = LEVEL_MARGIN if self.metric == "bias" else self._material
        return self.advantage.low > 0 and self.advantage.value >= least

    @property
    def worse(self) -> bool:
        """Whether the challenger is surely worse, by as much as matters."""
        return self.advantage.high < 0 and self.advantage.value <= -self._material

    @property
    def _material(self) -> float:
        return MATERIAL[self.metric] * (abs(self.champion) if self.metric == "rmse" else 1.0)


@dataclass(frozen=True)
class Outcome:
    """What came of a retraining.

    Args:
        outcome: ``promoted``, ``better`` (but left for somebody who may promote it), ``stays`` (the challenger
            is not better, or was held against one that no longer speaks), ``early`` (nothing was trained: no horizon
            has passed since the champion's cutoff, or just one, and a challenger would be measured by the champion
            itself; or the last challenger knew almost as much), or ``alike`` (there is nothing new to learn from).
        champion: id of the model that spoke before.
        challenger: id of the new one; empty where none was trained.
        why: in a sentence.
        origin: ISO date of the cutoff that both were held against; empty where there is none.
        customers: how many.
        figures: of both.
        starts: from how many random starts the challenger was trained to be held against the champion.
    """

    outcome: str
    champion: str
    challenger: str
    why: Message
    origin: str = ""
    customers: int = 0
    figures: tuple[MetricPair, ...] = ()
    starts: int = 1

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a JSON-ready dictionary with the sentence."""
        return {**dataclasses.asdict(self), "why": self.why.to_json(language)}


def early(champion: Bundle, dataset: Dataset) -> Outcome | None:
    """Return why nothing can be compared yet, else None.

    Either no whole horizon has passed since the champion's cutoff, or exactly one has: what a challenger is measured by
    was trained with the champion's settings on what lies before that horizon, and so is the champion itself.
    """
    horizon = int(champion.record["horizon_days"])
    cutoff = date.fromisoformat(champion.record["cutoff"])
    complete = cutoff + timedelta(days=horizon)
    if champion.untrained or dataset.log_end > complete:
        return None
    same = dataset.log_end == complete
    since = complete + timedelta(days=1) if same else complete
    params = {"cutoff": cutoff.isoformat(), "horizon": horizon, "since": since.isoformat()}
    return Outcome(EARLY, champion.id, "", Message("retrain.same" if same else "retrain.early", params))


def resting(champion: Version, versions: Sequence[Version], dataset: Dataset, every_days: int) -> Outcome | None:
    """Return why another challenger is too soon, else None.

    Each that is held against the same champion is one more chance to be better by luck: one a night is one too many.

    Args:
        champion: the version that speaks.
        versions: all of its name; those that came after it and learned from the log count as challengers.
        dataset: what the next one would be trained on.
        every_days: by how many days the log must have grown since the last challenger.
    """
    later = [one for one in versions if one.number > champion.number and not one.untrained]
    if not later:
        return None
    cutoff = max(date.fromisoformat(one.record["cutoff"]) for one in later)
    since = cutoff + timedelta(days=every_days)
    if dataset.log_end >= since:
        return None
    params = {"cutoff": cutoff.isoformat(), "every": every_days, "since": since.isoformat()}
    return Outcome(EARLY, champion.bundle, "", Message("retrain.resting", params))


def settings_of(champion: Bundle, default_model: str) -> TrainConfig:
    """Return what a challenger is trained with: the champion's settings; a first look is followed by a trained model.

    Args:
        champion: the model that speaks.
        default_model: what is trained where nobody names a model.
    """
    config = TrainConfig.from_json(champion.record["config"])
    if not champion.untrained:
        return config
    return TrainConfig(horizon_days=config.horizon_days, model=default_model)


def compare(dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress) -> Outcome:
    """Return whether the challenger is better than the champion where both had to predict.

    Args:
        dataset: what the challenger was trained on.
        champion: the model that speaks.
        challenger: the new one.
        progress: listener.
    """
    if champion.id == challenger.id:
        return Outcome(ALIKE, champion.id, challenger.id, Message("retrain.alike"))
    if not challenger.has_holdout:
        return Outcome(STAYS, champion.id, challenger.id, Message("retrain.unmeasured"))
    rows = predicted_by_both(dataset, champion, challenger, progress)
    origin, customers = str(rows["origin"].iloc[0]), rows["customer_id"].nunique()
    figures = judged(Bootstrap.of(rows, JUDGED))
    outcome = PROMOTED if surely_better(figures) else STAYS
    why = Message(f"retrain.{outcome}", {"origin": origin, "customers": customers})
    return Outcome(outcome, champion.id, challenger.id, why, origin, customers, tuple(figures))


def predicted_by_both(dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress) -> pd.DataFrame:
    """Return what both predicted for the challenger's holdout, of the customers whom both know.

    Returns:
        ``score``'s columns, ``origin`` and ``actual``; ``model`` is :data:`CHAMPION` or :data:`CHALLENGER`.
    """
    held = challenger.holdout()
    assert held is not None
    theirs = held[held["model"] == challenger.record["model"]].assign(model=CHALLENGER)
    origin = date.fromisoformat(challenger.record["holdout"]["cutoff"])
    ours = score(champion, dataset, cutoff=origin, progress=progress).assign(model=CHAMPION)
    both = pd.Index(ours["customer_id"]).intersection(pd.Index(theirs["customer_id"]))
    ours = ours[ours["customer_id"].isin(both)].assign(origin=origin.isoformat())
    theirs = theirs[theirs["customer_id"].isin(both)]
    actual = theirs.set_index("customer_id")["actual"]
    ours = ours.assign(actual=ours["customer_id"].map(actual))
    rows: pd.DataFrame = pd.concat([ours, theirs[ours.columns]], ignore_index=True)
    return rows


def surely_better(figures: Sequence[MetricPair]) -> bool:
    """Say whether a challenger is surely better in one figure, and surely worse in none."""
    return any(one.better for one in figures) and not any(one.worse for one in figures)


def judged(bootstrap: Bootstrap) -> list[MetricPair]:
    """Return the figures of both models by which they are told apart; those that do not exist are left out."""
    (origin,) = bootstrap.origins
    return [
        MetricPair(
            metric,
            bootstrap.values[origin, CHAMPION, metric],
            bootstrap.values[origin, CHALLENGER, metric],
            bootstrap.advantage(CHALLENGER, CHAMPION, metric),
        )
        for metric in JUDGED
        if all((origin, model, metric) in bootstrap.values for model in (CHAMPION, CHALLENGER))
    ]

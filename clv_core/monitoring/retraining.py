"""Compare a challenger with the champion at the latest complete origin: is it surely better?

Both predict the last horizon of the log without having seen it: the champion as it is, since it was trained before;
the challenger by its holdout, for which the same settings were trained on what lies before that horizon. The same
customers are resampled for both, so that shared luck cancels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment import Bundle, score_customers
from clv_core.deployment.registry import ChampionConflict, Registry, Version
from clv_core.errors import Message
from clv_core.evaluation import USUAL_LEVEL_SPREAD, Bootstrap, Estimate, format_metric, with_role
from clv_core.i18n import DEFAULT_LANGUAGE, say_clauses, say_together, translate
from clv_core.jobs import Progress
from clv_core.records import JsonObject, StoredRecord

JUDGED: Final = with_role("retraining")
"""Ranking, size and level: better means surely better in one of them, and surely worse in none. The size is that of
squared errors, which the true mean minimises: absolute errors prefer a model that predicts too little, as most buy
nothing. Each is tested by itself (95%, two-sided): of equally good challengers up to 3 x 2.5% are surely better in one.
"""
MATERIAL: Final = {"gini": 0.005, "rmse": 0.005, "bias": 0.01}
"""A smaller difference does not count, however sure; for the size it is a share of the champion's. They are guesses."""
LEVEL_MARGIN: Final = 2 * USUAL_LEVEL_SPREAD
"""One horizon is weak evidence of level, as luck moves all of its customers at once: a challenger is better on it only
where it is closer to the total by more than two standard deviations of such luck. It is worse already by
:data:`MATERIAL`, which only keeps the champion."""
CHAMPION, CHALLENGER = "champion", "challenger"
PROMOTED, BETTER, STAYS, EARLY, ALIKE = "promoted", "better", "stays", "early", "alike"


@dataclass(frozen=True)
class MetricPair(StoredRecord):
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
    def perhaps_worse(self) -> bool:
        """Whether the challenger is worse by as much as matters, and that may be chance."""
        return not self.worse and self.advantage.value <= -self._material

    @property
    def _material(self) -> float:
        return MATERIAL[self.metric] * (abs(self.champion) if self.metric == "rmse" else 1.0)


@dataclass(frozen=True)
class Outcome(StoredRecord):
    """The outcome of a retraining.

    Args:
        outcome: ``promoted``, ``better`` (left for somebody who may promote it), ``stays`` (the challenger is not
            better, or was compared with a former champion), ``early`` (nothing was trained: :func:`early` or
            :func:`resting`), or ``alike`` (there is no new data).
        champion: id of the champion before.
        challenger: id of the new model; empty where none was trained.
        why: the reason, as a message.
        origin: ISO date of the cutoff of the comparison; empty where there is none.
        customers: how many were compared.
        figures: metrics of both.
        starts: from how many random starts the challenger was trained.
        at: when it was saved, ISO UTC; empty before.
    """

    FILE: ClassVar = "retrained.json"
    OMITTED: ClassVar = frozenset({"at"})

    outcome: str
    champion: str
    challenger: str
    why: Message
    origin: str = ""
    customers: int = 0
    figures: tuple[MetricPair, ...] = ()
    starts: int = 1
    at: str = ""

    def to_json(self, language: str = DEFAULT_LANGUAGE) -> JsonObject:
        """Return a JSON-ready dictionary with the sentences."""
        sentences = [self.why.text(language), *self.losses(language)]
        return {
            **super().to_json(),
            "why": {**self.why.to_json(language), "message": say_together(sentences, language)},
        }

    def losses(self, language: str = DEFAULT_LANGUAGE, currency: str = "") -> list[str]:
        """Return sentences on the figures of which the challenger's is worse by as much as matters, surely or perhaps.

        Args:
            language: of the sentences.
            currency: of the log's amounts; empty where it has no name.
        """

        def clause(pair: MetricPair) -> str:
            values = {
                name: format_metric(pair.metric, figure, currency, language)
                for name, figure in (("champion", pair.champion), ("challenger", pair.challenger))
            }
            return translate("retrain.figure", language, metric=translate(f"metric.{pair.metric}", language), **values)

        worse_by_key = {
            "retrain.worse": [clause(pair) for pair in self.figures if pair.worse],
            "retrain.perhaps_worse": [clause(pair) for pair in self.figures if pair.perhaps_worse],
        }
        return [
            translate(key, language, figures=say_clauses(clauses, language))
            for key, clauses in worse_by_key.items()
            if clauses
        ]

    @classmethod
    def upgrade(cls, raw: JsonObject) -> JsonObject:
        """Give the reason its full code, and leave out its sentence."""
        return {**raw, "why": {"code": f"retrain.{raw['why']['code']}", "params": raw["why"]["params"]}}


def early(champion: Bundle, dataset: Dataset) -> Outcome | None:
    """Return why nothing can be compared yet, else None.

    Either less than a horizon has passed since the champion's cutoff, or exactly one: the challenger's holdout model
    would then be the champion itself, trained with the same settings on the same data.
    """
    horizon, cutoff = champion.record.horizon_days, champion.record.cutoff
    complete = cutoff + timedelta(days=horizon)
    if champion.untrained or dataset.log_end > complete:
        return None
    same = dataset.log_end == complete
    since = complete + timedelta(days=1) if same else complete
    params = {"cutoff": cutoff.isoformat(), "horizon": horizon, "since": since.isoformat()}
    return Outcome(EARLY, champion.id, "", Message("retrain.same" if same else "retrain.early", params))


def resting(champion: Version, versions: Sequence[Version], dataset: Dataset, every_days: int) -> Outcome | None:
    """Return why another challenger is too soon, else None.

    Each challenger of the same champion is one more chance to be better by luck, so one every night is too many.

    Args:
        champion: the champion's version.
        versions: all of its name; trained ones after it count as challengers.
        dataset: what the next one would be trained on.
        every_days: by how many days the log must have grown since the last challenger.
    """
    later = [version for version in versions if version.number > champion.number and not version.untrained]
    if not later:
        return None
    cutoff = max(version.record.cutoff for version in later)
    since = cutoff + timedelta(days=every_days)
    if dataset.log_end >= since:
        return None
    params = {"cutoff": cutoff.isoformat(), "every": every_days, "since": since.isoformat()}
    return Outcome(EARLY, champion.bundle, "", Message("retrain.resting", params))


def settings_of(champion: Bundle, default_model: str) -> TrainConfig:
    """Return a challenger's settings: the champion's, or for an untrained champion those of ``default_model``.

    Args:
        champion: the current champion.
        default_model: id of the model that is trained by default.
    """
    config = champion.record.train_config
    if not champion.untrained:
        return config
    return TrainConfig(horizon_days=config.horizon_days, model=default_model)


def compare(dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress) -> Outcome:
    """Return whether the challenger is better than the champion on the challenger's holdout.

    Args:
        dataset: what the challenger was trained on.
        champion: the current champion.
        challenger: the new model.
        progress: listener.
    """
    from clv_core.training import MODELS

    if champion.id == challenger.id:
        return Outcome(ALIKE, champion.id, challenger.id, Message("retrain.alike"))
    if not challenger.has_holdout:
        return Outcome(STAYS, champion.id, challenger.id, Message("retrain.unmeasured"))
    rows = predicted_by_both(dataset, champion, challenger, progress)
    origin, customers = str(rows["origin"].iloc[0]), rows["customer_id"].nunique()
    figures = metric_pairs(Bootstrap.of(rows, JUDGED))
    outcome = PROMOTED if surely_better(figures) else STAYS
    code = outcome
    if equal(figures):
        # A simple model is fitted on the customers to be predicted: both predict them by the same fit.
        same = champion.record.model == challenger.record.model and MODELS[champion.record.model].baseline
        code = "nothing_learned" if same else "equal"
    why = Message(f"retrain.{code}", {"origin": origin, "customers": customers})
    return Outcome(outcome, champion.id, challenger.id, why, origin, customers, tuple(figures))


def predicted_by_both(dataset: Dataset, champion: Bundle, challenger: Bundle, progress: Progress) -> pd.DataFrame:
    """Return what both predicted for the challenger's holdout, of the customers in both.

    Returns:
        ``score``'s columns, ``origin`` and ``actual``; ``model`` is :data:`CHAMPION` or :data:`CHALLENGER`.
    """
    holdout, facts = challenger.holdout(), challenger.record.holdout
    assert holdout is not None and facts is not None
    new = holdout[holdout["model"] == challenger.record.model].assign(model=CHALLENGER)
    origin = facts.cutoff
    old = score_customers(champion, dataset, cutoff=origin, progress=progress).assign(
        model=CHAMPION, origin=origin.isoformat()
    )
    both = pd.Index(old["customer_id"]).intersection(pd.Index(new["customer_id"]))
    old, new = old[old["customer_id"].isin(both)], new[new["customer_id"].isin(both)]
    old = old.assign(actual=old["customer_id"].map(new.set_index("customer_id")["actual"]))
    rows: pd.DataFrame = pd.concat([old, new[old.columns]], ignore_index=True)
    return rows


def surely_better(figures: Sequence[MetricPair]) -> bool:
    """Say whether a challenger is surely better in one figure, and surely worse in none."""
    return any(figure.better for figure in figures) and not any(figure.worse for figure in figures)


def equal(figures: Sequence[MetricPair]) -> bool:
    """Say whether both models did exactly the same: on every figure, and in every resample of the customers."""
    return bool(figures) and all(
        figure.champion == figure.challenger and figure.advantage.low == figure.advantage.high == 0.0
        for figure in figures
    )


def metric_pairs(bootstrap: Bootstrap) -> list[MetricPair]:
    """Return the metrics of both models; those that do not exist are left out."""
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


def apply_outcome(registry: Registry, outcome: Outcome, promote: bool) -> Outcome:
    """Promote a better challenger, or leave it for somebody who may; return what became of it.

    Args:
        registry: of both models.
        outcome: of the comparison; only one that is ``promoted`` changes anything.
        promote: whether the challenger may be promoted.
    """
    version = registry.find(outcome.challenger)
    if outcome.outcome != PROMOTED or version is None or version.role == "champion":
        return outcome
    if not promote:
        return dataclasses.replace(outcome, outcome=BETTER, why=Message("retrain.better", outcome.why.params))
    try:
        registry.promote(version.name, version.number, instead_of=outcome.champion)
    except ChampionConflict as error:
        return dataclasses.replace(outcome, outcome=STAYS, why=Message("retrain.overtaken", error.params))
    return outcome

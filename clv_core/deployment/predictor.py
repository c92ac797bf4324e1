"""A model with the population context of a dataset: it predicts any subset of customers as ``score`` does among all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.population_context import PopulationContext
from clv_core.features.behaviour import FEATURES
from clv_core.features.event_store import CustomerEventStore
from clv_core.features.feature_table import ANCHORS, HISTORY, few_features
from clv_core.features.relations import day_of
from clv_core.features.sequences import windows_at
from clv_core.features.signals import SignalColumn
from clv_core.features.snapshot import BASIS, Snapshot
from clv_core.model.baselines import ParetoNBDModel
from clv_core.model.calibrated import CalibratedModel, Level
from clv_core.model.predictions import Predictions
from clv_core.training.fit import Model, table_of

Own = Mapping[str, tuple[SignalColumn, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A bundle with the population context of a dataset.

    Args:
        bundle: the model; its checksums were verified.
        population: anchor, calibration level and context, computed once over the dataset.
    """

    bundle: Bundle
    population: PopulationContext

    @cached_property
    def config(self) -> TrainConfig:
        """The model's training settings."""
        return TrainConfig.from_json(self.bundle.record["config"])

    @cached_property
    def model(self) -> Model:
        """The model; Pareto/NBD gets the fit over all customers."""
        model, counts = self.bundle.model, self.population.counts
        return model.settled_at(counts) if isinstance(model, ParetoNBDModel) and counts is not None else model

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the features that the model reads."""
        table = table_of(self.model)
        read = set() if table is None else {one.name for one in table.encoders}
        return frozenset({*HISTORY, *ANCHORS, *BASIS, *(read & FEATURES.keys())})

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Customer attributes that the model was trained on: name to kind (``number`` or ``text``)."""
        learned = self.bundle.record.get("signals", {}).get("attributes", [])
        return {one["name"]: one["kind"] for one in learned} if self.config.attributes else {}

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict the customers of a :meth:`snapshot`.

        Args:
            snapshot: n customers at one cutoff.
            horizon_days: None is the training horizon.
        """
        if isinstance(self.model, CalibratedModel):
            level = Level(self.population.level, self.population.chance_level)
            levels = {int(day): level for day in np.unique(snapshot.cutoff_day)}
            return self.model.predict_at(snapshot, levels, horizon_days)
        return self.model.predict(snapshot, horizon_days)

    def snapshot(self, relations: CustomerEventStore, as_of: date, names: frozenset[str], own: Own) -> Snapshot:
        """Return the model's input for customers, in the order of ``relations``.

        Args:
            relations: the customers' events, all before ``as_of``.
            as_of: midnight, log-local.
            names: features to compute.
            own: columns beyond ``FEATURES`` by name: description and values, [n] each.
        """
        day, horizon, anchor = day_of(as_of), self.config.horizon_days, self.population.anchor
        customers, windows = windows_at(relations.steps(), day, self.config.max_steps_back)
        features, _ = few_features(relations, as_of, horizon, customers, anchor, names)
        return Snapshot(
            features.with_columns({name: values for name, (_, values) in own.items()}),
            windows,
            horizon,
            None,
            {day: anchor},
            self.population.last_year,
            {name: column for name, (column, _) in own.items()},
            contexts=self.population.context_at(day),
        )

"""A bundle among the customers of a log, ready to predict some of them as if all were there."""

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
from clv_core.features.few_customers import few_features
from clv_core.features.holder import CustomerRelations
from clv_core.features.relations import day_of
from clv_core.features.sequences import windows_at
from clv_core.features.signals import SignalColumn
from clv_core.features.snapshot import BASIS, Snapshot
from clv_core.features.table import ANCHORS, HISTORY
from clv_core.model.levelled import Levelled
from clv_core.model.paretonbd import ParetoNbdModel
from clv_core.model.predictions import Predictions
from clv_core.training.fit import Model, table_of

Own = Mapping[str, tuple[SignalColumn, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Predictor:
    """A checked bundle in the surroundings of its log.

    Args:
        bundle: the model; its files were held against their checksums.
        around: the log.
    """

    bundle: Bundle
    around: PopulationContext

    @cached_property
    def config(self) -> TrainConfig:
        """What the model was trained with."""
        return TrainConfig.from_json(self.bundle.record["config"])

    @cached_property
    def model(self) -> Model:
        """The model, made ready for any customers."""
        model, counts = self.bundle.model, self.around.counts
        return model.settled_at(counts) if isinstance(model, ParetoNbdModel) and counts is not None else model

    @cached_property
    def names(self) -> frozenset[str]:
        """The features that the model reads."""
        table = table_of(self.model)
        read = set() if table is None else {one.name for one in table.encoders_}
        return frozenset({*HISTORY, *ANCHORS, *BASIS, *(read & FEATURES.keys())})

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The attributes of customers that the model learned from, and their kinds."""
        learned = self.bundle.record.get("signals", {}).get("attributes", [])
        return {one["name"]: one["kind"] for one in learned} if self.config.attributes else {}

    def answer(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict the customers of a snapshot that :meth:`seen` made, at one cutoff."""
        if isinstance(self.model, Levelled):
            levels = {int(day): self.around.level for day in np.unique(snapshot.cutoff_day)}
            return self.model.predict_at(snapshot, levels, horizon_days)
        return self.model.predict(snapshot, horizon_days)

    def seen(self, told: CustomerRelations, as_of: date, names: frozenset[str], own: Own) -> Snapshot:
        """Return customers as the model wants to see them, in their order.

        Args:
            told: what is known of the customers, all of it before ``as_of``.
            as_of: midnight, log-local.
            names: which features.
            own: columns that this log has beyond ``FEATURES``, by name: what each is, and its values.
        """
        day = day_of(as_of)
        customers, windows = windows_at(told.steps(), day, self.config.max_steps_back)
        signals = {name: values for name, (_, values) in own.items()}
        return Snapshot(
            few_features(told, as_of, self.config.horizon_days, customers, self.around.anchor, names, signals),
            windows,
            self.config.horizon_days,
            None,
            {day: self.around.anchor},
            self.around.last_year,
            {name: column for name, (column, _) in own.items()},
            contexts=self.around.context_at(day),
        )

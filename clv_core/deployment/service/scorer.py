"""One model in one log, ready to score customers whose events it is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.service.surroundings import Surroundings
from clv_core.errors import Message
from clv_core.features.behaviour import FEATURES
from clv_core.features.handful import Events, Handful, few_features, reviews_of
from clv_core.features.relations import day_of
from clv_core.features.sequences import windows_at
from clv_core.features.signals import ATTRIBUTES, PREFIX, REVIEW_TEXT, SignalColumn
from clv_core.features.snapshot import Snapshot
from clv_core.features.table import ANCHORS, HISTORY
from clv_core.model.inputs import BASE_FEATURES
from clv_core.model.levelled import Levelled
from clv_core.model.paretonbd import ParetoNbdModel
from clv_core.model.predictions import Predictions
from clv_core.training.fit import Model, table_of

NUMBER: Final = "number"


@dataclass(frozen=True, eq=False)
class Scorer:
    """A checked bundle in the surroundings of its log.

    Args:
        bundle: the model; its files were held against their checksums.
        around: the log.
        dataset: the same log, to be read.
        name: what it was asked for by: a name of the registry, or its bundle's.
        version: its number under that name; None where it has none.
        warnings: what its answers carry along.
    """

    bundle: Bundle
    around: Surroundings
    dataset: Dataset
    name: str
    version: int | None
    warnings: tuple[Message, ...] = ()

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
        return frozenset({*HISTORY, *ANCHORS, *BASE_FEATURES, *(read & FEATURES.keys())})

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The attributes of customers that the model learned from, and their kinds."""
        learned = self.bundle.record.get("signals", {}).get("attributes", [])
        return {one["name"]: one["kind"] for one in learned} if self.config.attributes else {}

    def predict(self, events: Events, attributes: Sequence[Mapping[str, Any]], as_of: date) -> Predictions:
        """Predict customers, each as ``score`` would among all customers of the log.

        Args:
            events: all before ``as_of``.
            attributes: of each customer, by name, [n].
            as_of: midnight, log-local.
        """
        import torch

        with torch.inference_mode():
            return self.answer(self.snapshot(events, attributes, as_of, self.names))

    def answer(self, snapshot: Snapshot) -> Predictions:
        """Predict the customers of a snapshot that :meth:`snapshot` made, at one cutoff."""
        if isinstance(self.model, Levelled):
            levels = {int(day): self.around.level for day in np.unique(snapshot.cutoff_day)}
            return self.model.predict_at(snapshot, levels)
        return self.model.predict(snapshot)

    def snapshot(
        self, events: Events, attributes: Sequence[Mapping[str, Any]], as_of: date, names: frozenset[str]
    ) -> Snapshot:
        """Return customers as the model wants to see them, in their order.

        Args:
            events: as in :meth:`predict`.
            attributes: as in :meth:`predict`.
            as_of: midnight, log-local.
            names: which features.
        """
        handful, day = Handful(events), day_of(as_of)
        steps = handful.steps()
        customers, windows = windows_at(steps, day, self.config.max_steps_back)
        signals, described = self._signals(events, attributes)
        around, horizon = self.around, self.config.horizon_days
        return Snapshot(
            few_features(handful, as_of, horizon, customers, around.anchor, names, signals),
            windows,
            horizon,
            None,
            {day: around.anchor},
            around.residual,
            described,
            contexts=around.context_at(day),
        )

    def _signals(
        self, events: Events, attributes: Sequence[Mapping[str, Any]]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, SignalColumn]]:
        """Return the columns that the log has beyond ``FEATURES``, [n] each, and what they are."""
        values: dict[str, NDArray[Any]] = {}
        described: dict[str, SignalColumn] = {}
        if self.config.review_text and any(events.reviews):
            values[REVIEW_TEXT] = np.array(reviews_of(events), object)
            described[REVIEW_TEXT] = SignalColumn(REVIEW_TEXT, "text")
        for name, kind in self.attributes.items():
            number = kind == NUMBER
            known = [_known(one.get(name), number) for one in attributes]
            values[PREFIX + name] = np.array(known, np.float64 if number else object)
            described[PREFIX + name] = SignalColumn(ATTRIBUTES, "auto" if number else "category")
        return values, described


def _known(value: Any, number: bool) -> Any:
    """Return an attribute's value where it is of its kind, else as unknown."""
    if number:
        return float(value) if isinstance(value, (int, float)) else np.nan
    return value if isinstance(value, str) else None

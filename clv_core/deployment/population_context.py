"""A model with the population context of a dataset: it predicts any subset of customers as ``score`` does among all.

The context (anchor, calibration level, context of the network) is a few hundred numbers that name no customer. They are
computed once for a model and a dataset version and cached in the dataset's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import ParetoNBD
from clv_core.config import TrainConfig
from clv_core.deployment.artifacts import ArtifactKind
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE, gaps_of, score_frame
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.terms import Terms
from clv_core.disk import ignore_unwritable
from clv_core.features import (
    ANCHORS,
    BASIS,
    FEATURES,
    HISTORY,
    Anchor,
    Anchored,
    CustomerEventStore,
    EventLog,
    LastYear,
    SignalColumn,
    Snapshot,
    Steps,
    day_of,
    few_features,
    open_log,
    scoring_parts,
    windows_at,
)
from clv_core.features.context import Context, LazyContext
from clv_core.features.season import last_year
from clv_core.model import CalibratedModel, Level, ParetoNBDModel, Predictions, counts_of
from clv_core.records import JsonRecord
from clv_core.training import Model, OwnModel, table_of
from clv_core.workspace import read_json, write_json

FORM: Final = 4
"""Format of the cached file; another format is computed again."""
ExtraColumns = Mapping[str, tuple[SignalColumn, NDArray[Any]]]


@dataclass(frozen=True)
class PopulationContext(JsonRecord):
    """What the predictions of a model at one cutoff share over all customers of a dataset.

    Args:
        dataset: its name.
        version: its content hash.
        cutoff: midnight at the log's end, log-local.
        timezone: IANA name of the log's time zone.
        anchor: fitted on all customers.
        level: calibration factor of values; 1 for models without one.
        chance_level: exponent of the chances not to buy, likewise.
        last_year: seasonal totals.
        counts: the Pareto/NBD fit, for that model only.
        context: input of the pre-trained network, where it is part of the model.
    """

    dataset: str
    version: str
    cutoff: date
    timezone: str
    anchor: Anchor
    level: float
    last_year: LastYear
    counts: ParetoNBD | None = None
    context: Context | None = None
    chance_level: float = 1.0

    @classmethod
    def of(cls, scored: Scored) -> Self:
        """Compute the context in one pass over the dataset, by the same steps as ``score``.

        Raises:
            NotEnoughData: the dataset has no customer.
        """
        bundle, dataset, cutoff = scored.model, scored.dataset, scored.dataset.log_end
        config = bundle.record.train_config
        log = open_log(dataset, before=cutoff, **config.of_log())
        try:
            fitted = _fit(bundle, log, cutoff, config)
        finally:
            log.close()
        return cls(dataset.name, dataset.version, cutoff, dataset.manifest.timezone, **fitted)

    def context_at(self, cutoff_day: int) -> dict[int, LazyContext]:
        """Return the network's context by cutoff day; its statistics stay those of the log's end."""
        if self.context is None:
            return {}
        context = replace(self.context, cutoff_day=cutoff_day)
        return {cutoff_day: LazyContext(_no_steps, cutoff_day, context.horizon_days, context)}

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {**super().to_json(), "form": FORM}


def _no_steps() -> Steps:
    raise TypeError("a saved context has no steps")


def load_population_context(scored: Scored) -> PopulationContext:
    """Return the context of a model in a dataset: cached, else computed, and cached where the workspace is writable."""
    path = population_context_path(scored)
    if path.exists():
        record = read_json(path)
        if record.get("form") == FORM:
            return PopulationContext.from_json({**record, "dataset": scored.dataset.name})
    population = PopulationContext.of(scored)
    with ignore_unwritable():
        write_json(path, population.to_json())
    return population


def population_context_path(scored: Scored) -> Path:
    """Return the cache file of :func:`load_population_context`."""
    return scored.folder / f"{ArtifactKind.SERVING}-{scored.dataset.log_end:%Y%m%d}.json"


def _fit(bundle: Bundle, log: EventLog, cutoff: date, config: TrainConfig) -> dict[str, Any]:
    model, day, horizon = bundle.model, day_of(cutoff), config.horizon_days
    if not isinstance(model, CalibratedModel):
        anchored = Anchored.of(log.store, cutoff, horizon, np.asarray(log.store.seen(day), np.int64))
        counts = counts_of(pd.DataFrame(anchored.columns)) if isinstance(model, ParetoNBDModel) else None
        year = last_year(log, cutoff, horizon)
        return {"anchor": anchored.anchor, "level": 1.0, "last_year": year, "counts": counts}
    anchors: dict[int, Anchor] = {}
    contexts: dict[int, LazyContext] = {}

    def parts() -> Iterator[Snapshot]:
        for part in scoring_parts(
            log, cutoff, horizon, max_steps=config.max_steps_back, customers_at_once=CUSTOMERS_AT_ONCE
        ):
            anchors.update(part.anchors)
            contexts.update(part.contexts)
            yield part

    level = model.levels_of_parts(parts()).get(day, Level())
    context = contexts[day].context if model.whole_past else None
    fitted = {"anchor": anchors[day], "last_year": last_year(log, cutoff, horizon), "context": context}
    return {**fitted, "level": level.value, "chance_level": level.chance}


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
        return self.bundle.record.train_config

    @cached_property
    def model(self) -> Model:
        """The model; Pareto/NBD gets the fit over all customers."""
        model, counts = self.bundle.model, self.population.counts
        return model.settled_at(counts) if isinstance(model, ParetoNBDModel) and counts is not None else model

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the features that the model reads."""
        table = table_of(self.model)
        read = set() if table is None else {encoder.name for encoder in table.encoders} & FEATURES.keys()
        return frozenset({*HISTORY, *ANCHORS, *BASIS, *(FEATURES if isinstance(self.model, OwnModel) else read)})

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Customer attributes that the model was trained on: name to kind (``number`` or ``text``)."""
        learned = self.bundle.record.signals.attributes
        return {attribute.name: attribute.kind for attribute in learned} if self.config.attributes else {}

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

    def score_parts(self, log: EventLog, as_of: date, terms: Terms, gaps: list[int]) -> Iterator[pd.DataFrame]:
        """Yield the rows of ``score`` for all customers of a log, some at a time: each as among the population.

        Who else is in the log changes nothing, so one customer is predicted as a million are.

        Args:
            log: of customers whom the population has, or new ones.
            as_of: midnight, log-local; the log holds all that they did before.
            terms: horizon, discount and margin.
            gaps: gets the number of customers of each part with a gap that kept windows out of training; it is filled.

        Raises:
            NotEnoughData: no customer was seen before ``as_of``.
        """
        import torch

        day, population = day_of(as_of), self.population
        parts = log.parts(
            as_of,
            self.config.horizon_days,
            max_steps=self.config.max_steps_back,
            customers_at_once=CUSTOMERS_AT_ONCE,
            anchor=population.anchor,
        )
        for part in parts:
            gaps.extend(gaps_of(part, self.config))
            in_population = replace(part, last_year=population.last_year, contexts=population.context_at(day))
            with torch.inference_mode():
                predictions = self.predict(in_population, terms.horizon)
            yield score_frame(predictions, in_population.features.index, self.bundle, as_of, terms)

    def snapshot(
        self, relations: CustomerEventStore, as_of: date, names: frozenset[str], extra_columns: ExtraColumns
    ) -> Snapshot:
        """Return the model's input for customers, in the order of ``relations``.

        Args:
            relations: the customers' events, all before ``as_of``.
            as_of: midnight, log-local.
            names: features to compute.
            extra_columns: columns beyond ``FEATURES`` by name: description and values, [n] each.
        """
        day, horizon, anchor = day_of(as_of), self.config.horizon_days, self.population.anchor
        customers, windows = windows_at(relations.steps(), day, self.config.max_steps_back)
        features, _ = few_features(relations, as_of, horizon, customers, anchor, names)
        return Snapshot(
            features.with_columns({name: values for name, (_, values) in extra_columns.items()}),
            windows,
            horizon,
            None,
            {day: anchor},
            self.population.last_year,
            {name: column for name, (column, _) in extra_columns.items()},
            contexts=self.population.context_at(day),
        )

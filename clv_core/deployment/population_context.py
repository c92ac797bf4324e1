"""What a whole log decides of each customer's prediction, kept so that a few customers can be scored as if among all.

Some of what ``score`` says of a customer is not hers: the anchor is fitted on everyone, networks are brought to the
level of the sum, the pre-trained network is told of the log around her. All of it is a few hundred numbers, the same
for all customers, and no customer is in it. It is made once for a model and a version of its log, and kept in
``serving/<model>/<dataset version>-<cutoff>.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.belongings import SERVING
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.scoring import CUSTOMERS_AT_ONCE
from clv_core.disk import unless_closed
from clv_core.features.btyd import Anchor, ParetoNbd
from clv_core.features.context.context import Context, ContextOf
from clv_core.features.last_year import LastYear
from clv_core.features.log import EventLog, open_log
from clv_core.features.relations import day_of
from clv_core.features.season import last_year, scoring_parts
from clv_core.features.sequences import Steps
from clv_core.features.snapshot import Snapshot
from clv_core.features.table import Anchored
from clv_core.model.levelled import Levelled
from clv_core.model.paretonbd import ParetoNbdModel, counts_of
from clv_core.training.fit import Model
from clv_core.workspace import Workspace, read_json, write_json

FORM: Final = 3
"""Of the file; one of another form is made anew."""


@dataclass(frozen=True)
class PopulationContext:
    """A log as one model sees it at one cutoff.

    Args:
        dataset: its name.
        version: its content hash.
        cutoff: the log's end: nothing at or after this midnight is known.
        timezone: IANA name of the log's time zone.
        anchor: fitted on all customers.
        level: what networks are multiplied by; 1 for other models.
        last_year: what it tells of the calendar.
        counts: the Pareto/NBD fit, where that is the model.
        context: what the pre-trained network is told, where the model holds it.
    """

    dataset: str
    version: str
    cutoff: date
    timezone: str
    anchor: Anchor
    level: float
    last_year: LastYear
    counts: ParetoNbd | None = None
    context: Context | None = None

    @classmethod
    def of(cls, bundle: Bundle, dataset: Dataset) -> Self:
        """Read the whole log once: the same steps as ``score``.

        Raises:
            NotEnoughData: the log holds nobody.
        """
        config, cutoff = TrainConfig.from_json(bundle.record["config"]), dataset.log_end
        log = open_log(dataset, before=cutoff, **config.of_log())
        try:
            known = _known(bundle, log, cutoff, config)
        finally:
            log.close()
        return cls(dataset.name, dataset.version, cutoff, dataset.manifest.timezone, **known)

    def context_at(self, cutoff_day: int) -> dict[int, ContextOf]:
        """Return the context for customers at a cutoff; what it says of the log stays that of the log's end."""
        if self.context is None:
            return {}
        context = replace(self.context, cutoff_day=cutoff_day)
        return {cutoff_day: ContextOf(_no_steps, cutoff_day, context.horizon_days, context)}

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            **vars(self),
            "form": FORM,
            "cutoff": self.cutoff.isoformat(),
            "anchor": self.anchor.to_json(),
            "last_year": self.last_year.to_json(),
            "counts": self.counts and self.counts.to_json(),
            "context": self.context and self.context.to_json(),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """Return the surroundings of :meth:`to_json`."""
        values = {name: value for name, value in said.items() if name != "form"}
        values["cutoff"], values["anchor"] = date.fromisoformat(said["cutoff"]), Anchor.from_json(said["anchor"])
        values["last_year"] = LastYear.from_json(said["last_year"])
        values["counts"] = said["counts"] and ParetoNbd.from_json(said["counts"])
        values["context"] = said["context"] and Context.from_json(said["context"])
        return cls(**values)


def _no_steps() -> Steps:
    raise TypeError("the context is known without its steps")


def surroundings(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> PopulationContext:
    """Return the surroundings of a model in a log, from disk where they are there, made where not.

    They are kept where the workspace may be written.
    """
    path = population_context_path(workspace, bundle, dataset)
    if path.exists():
        said = read_json(path)
        if said.get("form") == FORM:
            return PopulationContext.from_json({**said, "dataset": dataset.name})
    found = PopulationContext.of(bundle, dataset)
    with unless_closed():
        write_json(path, found.to_json())
    return found


def population_context_path(workspace: Workspace, bundle: Bundle, dataset: Dataset) -> Path:
    """Return where the surroundings of a model in a log are kept."""
    folder = workspace.place(SERVING, bundle.id)
    return folder / f"{dataset.version}-{dataset.log_end:%Y%m%d}.json"


def _known(bundle: Bundle, log: EventLog, cutoff: date, config: TrainConfig) -> dict[str, Any]:
    model, day, horizon = bundle.model, day_of(cutoff), config.horizon_days
    how = {"max_steps": config.max_steps_back}
    if isinstance(model, Levelled):
        anchors: dict[int, Anchor] = {}
        contexts: dict[int, ContextOf] = {}

        def noted() -> Iterator[Snapshot]:
            for part in scoring_parts(log, cutoff, horizon, **how, customers_at_once=CUSTOMERS_AT_ONCE):
                anchors.update(part.anchors)
                contexts.update(part.contexts)
                yield part

        level = model.levels_of_parts(noted()).get(day, 1.0)
        context = contexts[day].known if model.whole_past else None
        told = last_year(log, cutoff, horizon)
        return {"anchor": anchors[day], "level": level, "last_year": told, "context": context}
    return fit_population(model, log, cutoff, config)


def fit_population(model: Model, log: EventLog, cutoff: date, config: TrainConfig) -> dict[str, Any]:
    """Return what a log decides but for the level of networks, which only their own answers can tell.

    Args:
        model: who is to be told.
        log: whoever holds it; nothing at or after the cutoff is in it.
        cutoff: midnight, log-local.
        config: what the model was trained with.

    Returns:
        Arguments of :class:`PopulationContext`.
    """
    day, horizon = day_of(cutoff), config.horizon_days
    anchored = Anchored.of(log.holder, cutoff, horizon, np.asarray(log.holder.seen(day), np.int64))
    found: dict[str, Any] = {"anchor": anchored.anchor, "level": 1.0, "last_year": LastYear()}
    if isinstance(model, ParetoNbdModel):
        found["counts"] = counts_of(pd.DataFrame(anchored.columns))
    if isinstance(model, Levelled):
        found["last_year"] = last_year(log, cutoff, horizon)
        found["context"] = log.context(day, horizon, anchored.anchor).known if model.whole_past else None
    return found

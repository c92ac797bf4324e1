"""Effects of single events on a customer's value: integrated gradients through the networks' sequence branches.

The path leads from a customer of as many events, each the average one, to her own; what her totals and counts say
stays as it is. The gradients along it, times what each number moved, add up to the difference of both values.

Source: Sundararajan, Taly, Yan (2017), Axiomatic Attribution for Deep Networks, arXiv 1703.01365, equation 1 by the
midpoint rule; completeness is their proposition 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.errors import ClvError
from clv_core.evaluation.explain.explanation import TOLERANCE
from clv_core.features import EPOCH, STEP_CODES, STEP_VALUES, Snapshot
from clv_core.records import JsonObject

Floats = NDArray[np.float64]

PATH_STEPS: Final = 128
"""Points of the midpoint rule; the paper finds 20 to 300 enough, and :attr:`EventEffects.residual` shows what is
left."""


@dataclass(frozen=True)
class EventEffects:
    """What each event of one customer adds to her value, in the log's currency.

    Args:
        events: ``day`` (timestamp), ``event_type``, ``amount`` (NaN without one), the latest last, [L].
        kinds: what of an event the effects are split by, ids of the parts.
        effects: [L, kinds].
        start: value with average events.
        value: her value, as ``score`` writes it.
    """

    events: pd.DataFrame
    kinds: tuple[str, ...]
    effects: Floats
    start: float
    value: float

    @property
    def residual(self) -> float:
        """How far start + effects is from her value, relative to it."""
        return float(abs(self.start + self.effects.sum() - self.value) / max(abs(self.value), 1e-9))

    def by_event(self) -> pd.DataFrame:
        """Return the events with ``effect``, over all kinds, in their order."""
        return self.events.assign(effect=self.effects.sum(axis=1))

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary."""
        rows = self.by_event().assign(day=self.events["day"].dt.date.astype(str)).astype(object)
        rows = rows.where(rows.notna(), None)
        totals = {"start": self.start, "value": self.value, "residual": self.residual}
        return {**totals, "events": rows.to_dict("records")}


def event_effects(
    model: Any, customer: Snapshot, background: Snapshot, predicted: float, path_steps: int = PATH_STEPS
) -> EventEffects:
    """Return what each event that the networks read adds to one customer's value.

    Args:
        model: one that :func:`~clv_core.model.read_steps.reads_steps`.
        customer: the one, n = 1.
        background: customers of the same log whose steps are averaged.
        predicted: her predicted_clv, which sets the level.
        path_steps: points of the path.

    Raises:
        ClvError: the networks do not give what was predicted.
    """
    import torch

    from clv_core.model import BlendModel, step_readers, value_of_readings

    read = model.read(customer)
    plain, largest = float(read.mean[0]), float(read.largest)
    rest = model.without_networks(customer) if isinstance(model, BlendModel) else 0.0
    level = predicted / plain if plain > 0 else 1.0
    readers = step_readers(model, customer, background)
    place = (torch.arange(path_steps) + 0.5) / path_steps
    readings = [
        (reader.average + place[:, None, None] * (reader.own - reader.average)).requires_grad_(True)
        for reader in readers
    ]
    with torch.enable_grad():
        value = value_of_readings(model, readers, readings, level, largest, rest)
        gradients = torch.autograd.grad(value.sum(), readings)
    with torch.no_grad():
        ends = [torch.stack([reader.average.expand_as(reader.own), reader.own]) for reader in readers]
        start, end = value_of_readings(model, readers, ends, level, largest, rest).double().tolist()
    if abs(end - predicted) > TOLERANCE * max(abs(predicted), 1e-6) + 1e-9:
        raise ClvError("explanation_off", residual=abs(end - predicted) / max(abs(predicted), 1e-9))
    kinds = tuple(dict.fromkeys(column for reader in readers for column in reader.columns))
    longest = max(len(reader.own) for reader in readers)
    effects = np.zeros((longest, len(kinds)))
    for reader, gradient in zip(readers, gradients, strict=True):
        moved = ((reader.own - reader.average) * gradient.mean(0)).double().numpy()
        of_kind = np.array([[column == kind for kind in kinds] for column in reader.columns], np.float64)
        effects[longest - len(moved) :] += moved @ of_kind
    return EventEffects(_events(customer, longest), kinds, effects, float(start), float(predicted))


def _events(customer: Snapshot, latest: int) -> pd.DataFrame:
    """Return the latest events of one customer in words and numbers."""
    windows, steps = customer.windows, customer.windows.steps
    stop = int(windows.stop[0])
    at = slice(stop - latest, stop)
    types = steps.vocabularies[STEP_CODES.index("event_type")]
    codes = steps.codes[at, STEP_CODES.index("event_type")]
    return pd.DataFrame(
        {
            "day": pd.Timestamp(EPOCH) + pd.to_timedelta(steps.day[at].astype(np.int64), unit="D"),
            "event_type": [types[code] if code >= 0 else "" for code in codes],
            "amount": steps.values[at, STEP_VALUES.index("amount")].astype(np.float64),
        }
    )

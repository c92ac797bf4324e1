"""One model in one log, ready to score customers whose events it is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.collection.stored.dataset import Dataset
from clv_core.deployment.predictor import Predictor
from clv_core.errors import Message
from clv_core.features.few_customers import Events, FewCustomers, reviews_of
from clv_core.features.signals import ATTRIBUTES, PREFIX, REVIEW_TEXT, REVIEWED, SignalColumn
from clv_core.features.snapshot import Snapshot
from clv_core.model.predictions import Predictions

NUMBER: Final = "number"


@dataclass(frozen=True, eq=False)
class Scorer(Predictor):
    """A checked bundle in the surroundings of its log, under the name that it was asked for by.

    Args:
        dataset: the same log, to be read.
        name: what it was asked for by: a name of the registry, or its bundle's.
        version: its number under that name; None where it has none.
        warnings: what its answers carry along.
    """

    dataset: Dataset
    name: str
    version: int | None
    warnings: tuple[Message, ...] = ()

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
        own: dict[str, tuple[SignalColumn, NDArray[Any]]] = {}
        if self.config.review_text and any(events.reviews):
            own[REVIEW_TEXT] = REVIEWED, np.array(reviews_of(events), object)
        for name, kind in self.attributes.items():
            number = kind == NUMBER
            known = [_known(one.get(name), number) for one in attributes]
            values = np.array(known, np.float64 if number else object)
            own[PREFIX + name] = SignalColumn(ATTRIBUTES, "auto" if number else "category"), values
        return self.seen(FewCustomers(events), as_of, names, own)


def _known(value: Any, number: bool) -> Any:
    """Return an attribute's value where it is of its kind, else as unknown."""
    if number:
        return float(value) if isinstance(value, (int, float)) else np.nan
    return value if isinstance(value, str) else None

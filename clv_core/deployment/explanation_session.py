"""Further questions about saved explanations: what-if values and effects of single events, from the loaded model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.score_explanations import PopulationEffects, row_predictor
from clv_core.errors import NotFound
from clv_core.evaluation.explain.events import EventEffects, event_effects
from clv_core.evaluation.explain.parts import readings
from clv_core.evaluation.explain.store import load_explanation, load_pool, load_record
from clv_core.evaluation.explain.whatif import WhatIf
from clv_core.model.read_steps import reads_steps
from clv_core.training.fit import Model


@dataclass(frozen=True)
class ExplanationSession:
    """The model and the customers of a saved explanation.

    Args:
        what_if: answers of the customers with changed parts.
        model: the model.
        predicted: predicted_clv of those explained, by id.
    """

    what_if: WhatIf
    model: Model
    predicted: Mapping[str, float]

    @property
    def reads_events(self) -> bool:
        """Whether the model has a branch that reads events in their order."""
        return reads_steps(self.model)

    def row(self, customer: str) -> int:
        """Return a customer's row in the pool.

        Raises:
            NotFound: there is none of that id.
        """
        index = self.what_if.pool.features.index
        if customer not in index:
            raise NotFound("customer_not_explained", customer=customer)
        return int(np.flatnonzero(index == customer)[0])

    def events(self, customer: str) -> EventEffects:
        """Return what each event of an explained customer adds to her value.

        Raises:
            NotFound: she was not explained.
        """
        pool, row = self.what_if.pool, self.row(customer)
        if customer not in self.predicted:
            raise NotFound("customer_not_explained", customer=customer)
        return event_effects(self.model, pool.take(np.array([row])), pool, self.predicted[customer])


def open_session(bundle: Bundle, folder: Path) -> ExplanationSession:
    """Load a saved explanation.

    Args:
        bundle: the model that was explained.
        folder: of the explanation.

    Raises:
        NotFound: there is none.
    """
    record, saved = load_record(folder), load_explanation(folder)
    if record is None or saved is None:
        raise NotFound("explanation_missing", folder=str(folder))
    pool, value = load_pool(folder), saved[0]
    chosen = dict(zip(record["parts"], record["representatives"], strict=True))
    predict = row_predictor(bundle.model, PopulationEffects.from_json(record["settled"]))
    predicted = dict(zip(value.customer_ids, value.predicted.tolist(), strict=True))
    return ExplanationSession(WhatIf(predict, pool, readings(pool, chosen)), bundle.model, predicted)

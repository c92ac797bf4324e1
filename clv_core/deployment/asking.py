"""Explanations in a folder: written with all that it takes to ask the model more about the same customers, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.explaining import Explained, Settled, answers_by
from clv_core.errors import NotFound
from clv_core.evaluation.explain.events import EventEffects, event_effects
from clv_core.evaluation.explain.parts import readings
from clv_core.evaluation.explain.pool import FEATURES, load_pool, save_pool
from clv_core.evaluation.explain.store import READINGS, load_explanation, load_record, save_explanation, table_name
from clv_core.evaluation.explain.whatif import WhatIf
from clv_core.model.read_steps import reads_steps
from clv_core.training.fit import Model


def keep_explained(explained: Explained, folder: Path, about: dict[str, Any]) -> tuple[Path, ...]:
    """Write all that ``explain`` found into a folder, the record last; return the files that name customers."""
    checks = {}
    if explained.faithfulness is not None and explained.stability is not None:
        checks = {
            "faithfulness": {answer: one.to_json() for answer, one in explained.faithfulness.items()},
            "stability": {answer: one.to_json() for answer, one in explained.stability.items()},
        }
    folder.mkdir(parents=True, exist_ok=True)
    save_pool(explained.pool, folder)
    save_explanation(explained.answers, folder, about, settled=explained.settled.to_json(), **checks)
    return tuple(folder / name for name in (*map(table_name, explained.answers), READINGS, FEATURES))


@dataclass(frozen=True)
class Asking:
    """The model and the customers of a kept explanation, ready for questions.

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
        """Return a customer's place in the pool.

        Raises:
            NotFound: there is none of that id.
        """
        index = self.what_if.pool.features.index
        if customer not in index:
            raise NotFound("customer_not_explained", customer=customer)
        return int(np.flatnonzero(index == customer)[0])

    def events(self, customer: str) -> EventEffects:
        """Return what each event of an explained customer adds to her value."""
        pool, row = self.what_if.pool, self.row(customer)
        if customer not in self.predicted:
            raise NotFound("customer_not_explained", customer=customer)
        return event_effects(self.model, pool.take(np.array([row])), pool, self.predicted[customer])


def ask(bundle: Bundle, folder: Path) -> Asking:
    """Return the model and the customers of a kept explanation.

    Args:
        bundle: the model that was explained.
        folder: where the explanation is kept.

    Raises:
        NotFound: there is none.
    """
    record, found = load_record(folder), load_explanation(folder)
    if record is None or found is None:
        raise NotFound("explanation_missing", folder=str(folder))
    pool = load_pool(folder)
    chosen = dict(zip(record["parts"], record["representatives"], strict=True))
    predict = answers_by(bundle.model, Settled.from_json(record["settled"]))
    predicted = dict(zip(found[0].customer_ids, found[0].predicted.tolist(), strict=True))
    return Asking(WhatIf(predict, pool, readings(pool, chosen)), bundle.model, predicted)

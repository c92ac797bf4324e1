"""Many requests scored in one call, and what is said of each customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from clv_core.deployment.service.reading import Person, columns_of, read_customer
from clv_core.deployment.service.reasons import reasons_of
from clv_core.deployment.service.scorer import Scorer
from clv_core.deployment.service.wire import Customer
from clv_core.model.predictions import Predictions

FIGURES = tuple(item.name for item in fields(Predictions))


@dataclass(frozen=True)
class Ask:
    """Customers of one request, or some of them.

    Args:
        scorer: who answers.
        as_of: midnight, log-local.
        customers: as they were sent.
        reasons: whether reasons are wanted.
        language: of sentences.
    """

    scorer: Scorer
    as_of: date
    customers: Sequence[Customer]
    reasons: bool = False
    language: str = "en"

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def of(self, customers: Sequence[Customer]) -> Ask:
        """Return the same ask of other customers."""
        return replace(self, customers=customers)


def answer(asks: Sequence[Ask]) -> list[list[dict[str, Any]]]:
    """Return what is said of each ask's customers; those of one model and cutoff are scored together."""
    found: list[list[dict[str, Any]]] = [[] for _ in asks]
    together: dict[tuple[int, date], list[int]] = {}
    for place, ask in enumerate(asks):
        together.setdefault((id(ask.scorer), ask.as_of), []).append(place)
    for places in together.values():
        for place, said in zip(places, _same([asks[place] for place in places]), strict=True):
            found[place] = said
    return found


def _same(asks: list[Ask]) -> list[list[dict[str, Any]]]:
    """Answer asks of one model and cutoff."""
    scorer, as_of = asks[0].scorer, asks[0].as_of
    zone, types = scorer.around.timezone, scorer.config.event_types
    read = [[read_customer(one, zone, as_of, types) for one in ask.customers] for ask in asks]
    able = [person for people in read for person in people if person.error is None]
    figures: list[list[float]] = []
    if able:
        predictions = scorer.predict(columns_of(able), [person.attributes for person in able], as_of)
        figures = [getattr(predictions, name).tolist() for name in FIGURES]
    rows = zip(*figures, strict=True)
    said = [[_said(person, rows, ask.language) for person in people] for people, ask in zip(read, asks, strict=True)]
    for people, ask, answers in zip(read, asks, said, strict=True):
        if ask.reasons:
            for person, one in zip(people, answers, strict=True):
                if person.error is None:
                    one.update(reasons_of(scorer, person, as_of, ask.language))
    return said


def _said(person: Person, rows: Any, language: str) -> dict[str, Any]:
    about: dict[str, Any] = {"customer_id": person.customer_id, "events": len(person.events)}
    if person.error is not None:
        return {**about, "error": person.error.to_json(language)}
    return {**about, **dict(zip(FIGURES, next(rows), strict=True))}

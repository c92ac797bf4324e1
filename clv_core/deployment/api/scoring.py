"""Many requests scored in one call, and what is said of each customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from clv_core.deployment.api.model_info import ModelInfo, ModelKey
from clv_core.deployment.api.model_runner import FIGURES
from clv_core.deployment.api.request_events import Person, read_customer
from clv_core.deployment.api.schemas import Customer
from clv_core.deployment.api.worker import Worker


@dataclass(frozen=True)
class Ask:
    """Customers of one request, or some of them.

    Args:
        model: who answers.
        as_of: midnight, log-local.
        people: as they were read.
        reasons: whether reasons are wanted.
        language: of sentences.
    """

    model: ModelInfo
    as_of: date
    people: Sequence[Person]
    reasons: bool = False
    language: str = "en"

    @classmethod
    def read(cls, model: ModelInfo, as_of: date, customers: Sequence[Customer], reasons: bool, language: str) -> Ask:
        """Return the ask of customers as they were sent."""
        people = [read_customer(one, model.timezone, as_of, model.event_types) for one in customers]
        return cls(model, as_of, people, reasons, language)

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.people)

    def of(self, people: Sequence[Person]) -> Ask:
        """Return the same ask of other customers."""
        return replace(self, people=people)


async def answer(worker: Worker, asks: Sequence[Ask]) -> list[list[dict[str, Any]]]:
    """Return what is said of each ask's customers; those of one model and cutoff are scored together."""
    found: list[list[dict[str, Any]]] = [[] for _ in asks]
    together: dict[tuple[ModelKey, date], list[int]] = {}
    for place, ask in enumerate(asks):
        together.setdefault((ask.model.wanted, ask.as_of), []).append(place)
    for (wanted, as_of), places in together.items():
        able = [person for place in places for person in asks[place].people if person.error is None]
        rows = iter(await worker.score(wanted, as_of, able) if able else ())
        for place in places:
            found[place] = [_said(person, rows, asks[place].language) for person in asks[place].people]
    for ask, said in zip(asks, found, strict=True):
        if ask.reasons:
            for person, one in zip(ask.people, said, strict=True):
                if person.error is None:
                    one.update(await worker.reasons(ask.model.wanted, ask.as_of, person, ask.language))
    return found


def _said(person: Person, rows: Iterator[list[float]], language: str) -> dict[str, Any]:
    about: dict[str, Any] = {"customer_id": person.customer_id, "events": len(person.events)}
    if person.error is not None:
        return {**about, "error": person.error.to_json(language)}
    return {**about, **dict(zip(FIGURES, next(rows), strict=True))}

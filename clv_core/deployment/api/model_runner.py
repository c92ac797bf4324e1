"""What scores: the models in memory, and what is asked of them. It knows nothing of requests, and who asks waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, Final

from clv_core.deployment.api.loading import load
from clv_core.deployment.api.model_info import ModelInfo, ModelKey
from clv_core.deployment.api.request_events import Person, columns_of
from clv_core.deployment.api.score_reasons import reasons_of
from clv_core.deployment.api.scorer import Scorer
from clv_core.deployment.registry import Registry
from clv_core.model.predictions import Predictions
from clv_core.workspace import Workspace

FIGURES: Final = tuple(item.name for item in fields(Predictions))
SWITCH_SECONDS: Final = 0.001
"""How soon the thread that talks, or scores, gets its turn while another one works; Python's own 5 ms would be seen."""


class Work:
    """Scorers by what they are made of.

    Args:
        workspace: where models and logs are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._registry = workspace, Registry(workspace)
        self._scorers: dict[ModelKey, Scorer] = {}

    def load(self, wanted: ModelKey) -> ModelInfo:
        """Load a model, checked and warmed up, beside those that are there.

        Raises:
            NotFound: it is gone by now.
            Refused: it is damaged, and no version of its name is sound.
        """
        scorer = load(self._workspace, self._registry, wanted)
        loaded = ModelInfo.of(scorer, wanted)
        self._scorers[loaded.wanted] = scorer
        return loaded

    def hold(self, wanted: Collection[ModelKey]) -> int:
        """Let go of all other models; return how many there were."""
        gone = set(self._scorers) - set(wanted)
        for one in gone:
            del self._scorers[one]
        return len(gone)

    def score(self, wanted: ModelKey, as_of: date, people: Sequence[Person]) -> list[list[float]]:
        """Return the :data:`FIGURES` of people who can be scored, a row each.

        Args:
            wanted: what the model is made of; it is loaded first where it is not here.
            as_of: midnight, log-local.
            people: at least one.
        """
        predictions = self._of(wanted).predict(columns_of(people), [one.attributes for one in people], as_of)
        columns = [getattr(predictions, name).tolist() for name in FIGURES]
        return [list(row) for row in zip(*columns, strict=True)]

    def reasons(self, wanted: ModelKey, as_of: date, person: Person, language: str) -> dict[str, Any]:
        """Return ``base`` and ``reasons`` of one who can be scored."""
        return reasons_of(self._of(wanted), person, as_of, language)

    def _of(self, wanted: ModelKey) -> Scorer:
        if wanted not in self._scorers:
            self.load(wanted)
        return self._scorers[wanted]

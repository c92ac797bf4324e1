"""What the API knows about a model without holding it in memory.

Nothing here loads torch: without it the process that answers HTTP takes 210 MB instead of 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import to_json

from clv_core.collection.privacy import without_objected
from clv_core.collection.store import open_dataset
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_evaluation import trust_of
from clv_core.errors import Message, NotFound
from clv_core.evaluation import Trust
from clv_core.i18n import LANGUAGES
from clv_core.model import Predictions
from clv_core.workspace import Workspace

SWITCH_SECONDS: Final = 0.001
"""How soon a waiting thread of a service's process gets its turn; with Python's own 5 ms, p99 shows it."""
FIGURES: Final = tuple(item.name for item in fields(Predictions))
"""Of a prediction, in the order in which workers return them."""


@dataclass(frozen=True)
class ModelKey:
    """Identifies a model in a version of its log: equal keys predict equally.

    Args:
        name: in the registry.
        version: its number there.
        bundle: its id.
        digest: hash of its content.
        log_version: content hash of its log.
        champion: whether it was requested as the champion of its name.
    """

    name: str
    version: int
    bundle: str
    digest: str
    log_version: str
    champion: bool


@dataclass(frozen=True)
class ModelInfo:
    """A loaded model, as the process that answers HTTP sees it.

    Args:
        key: of the model itself, not of the champion that it was requested as: any process that loads it gets this one.
        timezone: IANA name of the log's time zone.
        event_types: what the model reads, as in :class:`~clv_core.config.TrainConfig`.
        horizon_days: of training.
        currency: of the log; empty where unknown.
        trust: the verdict on it.
        warnings: of its answers.
        cutoff: of training; None where it was not trained on a log.
        log_types: event types of the log.
        attributes: of customers that the model was trained on: name to kind.
    """

    key: ModelKey
    timezone: str
    event_types: str
    horizon_days: int
    currency: str
    trust: Trust
    warnings: tuple[Message, ...] = ()
    cutoff: date | None = None
    log_types: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def trust_json(self) -> Mapping[str, bytes]:
        """The verdict as it is answered, in JSON, by language: made once, since it is the longest part of an answer."""
        return {language: to_json(self.trust.answer(language)) for language in LANGUAGES}


MODEL_INFO: Final = TypeAdapter(ModelInfo)


def resolve_model(workspace: Workspace, registry: Registry, name_or_id: str) -> ModelKey:
    """Return the key of a registry name's champion, or of a model by its id; none of its files is read.

    Raises:
        NotFound: there is no such name or model, or its dataset is missing.
    """
    version = registry.champion(name_or_id)
    champion = version is not None
    if version is None:
        version = registry.find(name_or_id)
    if version is None:
        raise NotFound("no_model", model=name_or_id[:80], known=", ".join(registry.names()) or "-")
    dataset = without_objected(workspace, open_dataset(workspace, version.name))
    return ModelKey(version.name, version.number, version.bundle, version.digest, dataset.version, champion)


def current_trust(workspace: Workspace, registry: Registry, bundle: str) -> Trust:
    """Return today's verdict on a model by its id: a backtest since its training changes it.

    Raises:
        NotFound: it is no longer in the registry.
    """
    version = registry.find(bundle)
    if version is None:
        raise NotFound("no_model", model=bundle, known=", ".join(registry.names()) or "-")
    return trust_of(workspace, version.as_bundle)
